// SPDX-License-Identifier: Apache-2.0
// The first and only process of a virtual machine: loads the sampler in both of its variants, samples the
// known program and compares its stacks with the source. Verdicts go to the console, then the machine is
// switched off. Arguments (from the kernel's command line): the variants to run.
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <string>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../bpf/check.h"
#include "chains.h"
#include "sampler.h"

using namespace emberscope;

namespace {

constexpr const char *PROGRAM = "/known";
// Of the samples, to be as the source says. Not all: while a page of the stack is copied after a fork it is
// not there to read, and emulation makes that long.
constexpr double SHARE = 0.97;
constexpr size_t ENOUGH = 100; // samples of a case
constexpr int SECONDS_MAX = 30;

const char *const ENDS[] = {
#define END_NAME(name, text, quality) text,
    STACK_ENDS(END_NAME)
#undef END_NAME
};

struct Case {
    const char *mode;
    bool starts; // programs, again and again
    std::vector<std::vector<std::string>> chains;
};

const std::vector<Case> CASES = {
    {"sort", false, {{"burn", "compare", "*", "|", "sort_for_ever", "main", "*", "_start"}}},
    {"deep", false, {{"burn", "|", "descend x500", "main", "*", "_start"}}},
    {"forks",
     false,
     {{"burn", "child_work", "|", "breed", "main", "*", "_start"}, {"*", "breed", "main", "*", "_start"}}},
    {"execs",
     true,
     {{"*", "|", "breed", "main", "*", "_start"}, {"burn", "|", "burst", "main", "*", "_start"}}},
};

// Not judged: in execve the registers are those of the old image still, and the loader and the C library's
// start have code without tables.
const std::vector<std::vector<std::string>> STARTING = {
    {"*"}, {"*", "_start"}, {"_start"}, {"*", "|", "main", "*", "_start"}};

struct Tally {
    size_t samples = 0, expected = 0, complete = 0, starting = 0;
    std::map<std::string, size_t> others; // what was not expected
};

struct Run {
    std::string asked, got;
};

Run Parse(const std::string &text) {
    size_t colon = text.find(':');
    return {text.substr(0, colon), text.substr(colon + 1)};
}

UnwinderVariant VariantOf(const std::string &asked) {
    if (asked == "loop") return UnwinderVariant::loop;
    return asked == "tail-calls" ? UnwinderVariant::tail_calls : UnwinderVariant::automatic;
}

pid_t Spawn(const char *mode) {
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        execl(PROGRAM, PROGRAM, mode, nullptr);
        _exit(127);
    }
    usleep(500'000); // past its start-up
    return child;
}

// Where the kernel put the program: always the same place, address randomisation is off.
uint64_t BaseOf(pid_t pid) {
    uint64_t base = 0;
    std::string path = "/proc/" + std::to_string(pid) + "/maps";
    if (FILE *maps = fopen(path.c_str(), "re")) {
        if (fscanf(maps, "%lx", &base) != 1) base = 0;
        fclose(maps);
    }
    return base;
}

void Count(const SampleColumns &columns, const Symbols &symbols, const Case &test, Tally *tally,
           std::vector<std::vector<std::string>> *chains) {
    for (size_t i = 0; i < columns.new_stack_pid.size(); i++) {
        auto start = static_cast<size_t>(columns.new_stack_start[i]);
        auto end = static_cast<size_t>(columns.new_stack_start[i + 1]);
        chains->push_back(ChainOf({columns.frames.data() + start, end - start}, symbols));
    }
    for (size_t i = 0; i < columns.stack.size(); i++) {
        const std::vector<std::string> &chain = (*chains)[static_cast<size_t>(columns.stack[i])];
        if (test.starts && IsAllowed(chain, STARTING)) {
            tally->starting++;
            continue;
        }
        auto end = static_cast<stack_end>(columns.stack_end[i]);
        bool is_leaving = chain.empty() && end == STACK_END_KERNEL_THREAD; // exiting, its memory is gone
        bool is_complete = end == STACK_END_ROOT || is_leaving;
        bool is_expected = is_leaving || IsAllowed(chain, test.chains);
        tally->samples++;
        tally->complete += is_complete;
        tally->expected += is_expected;
        if (!is_complete || !is_expected) tally->others[Join(chain) + " (" + ENDS[end] + ")"]++;
    }
}

Status Sample(Sampler *sampler, const Case &test, const Symbols &symbols, Tally *tally) {
    if (Status status = sampler->Start(); !status.ok()) return status;
    std::vector<std::vector<std::string>> chains;
    bool is_last = false;
    for (int turn = 0; !is_last; turn++) {
        usleep(100'000);
        is_last = turn == SECONDS_MAX * 10 || tally->samples >= ENOUGH;
        if (is_last) sampler->Stop(); // the last drain waits for what is still unwound in user space
        Result<SampleColumns> columns = sampler->Drain();
        if (!columns.ok()) return columns.status();
        Count(columns.value(), symbols, test, tally, &chains);
        sampler->DrainEvents();
    }
    return Status::Ok();
}

Status Try(const Case &test, const Run &run, Symbols symbols, Tally *tally) {
    SamplerOptions options;
    options.rate_hz = 49;
    options.event = "cpu-clock";
    options.kernel_stacks = false;
    options.unwinder = VariantOf(run.asked);
    // First: the verifier takes long under emulation, and the program would keep the other processor busy
    // meanwhile.
    Result<std::unique_ptr<Sampler>> sampler = Sampler::Open(options);
    pid_t child = Spawn(test.mode);
    symbols.set_base(BaseOf(child));
    Status status = sampler.status();
    if (status.ok()) check(run.got == sampler.value()->unwinder(), "the variant that was to be expected");
    if (status.ok()) status = sampler.value()->AddTarget(child);
    if (status.ok()) status = Sample(sampler.value().get(), test, symbols, tally);
    kill(-child, SIGKILL);
    while (waitpid(-1, nullptr, WNOHANG) > 0)
        continue;
    return status;
}

void Judge(const Case &test, const Run &run, const Symbols &symbols) {
    Tally tally;
    Status status = Try(test, run, symbols, &tally);
    std::string claim = run.got + ", " + test.mode;
    if (!status.ok()) {
        check(0, (claim + ": " + status.message + ": " + strerror(status.error_number)).c_str());
        return;
    }
    printf("%s: %zu samples, %zu as in the source, %zu complete", claim.c_str(), tally.samples,
           tally.expected, tally.complete);
    printf(test.starts ? "; %zu in programs that start\n" : "\n", tally.starting);
    for (const auto &[text, count] : tally.others)
        printf("    %zu x %s\n", count, text.c_str());
    double needed = SHARE * static_cast<double>(tally.samples);
    check(tally.samples >= ENOUGH, (claim + ": enough samples").c_str());
    check(static_cast<double>(tally.expected) >= needed, (claim + ": stacks as in the source").c_str());
    check(static_cast<double>(tally.complete) >= needed, (claim + ": stacks complete").c_str());
}

void SetUp() {
    if (getpid() != 1) return;
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mount("proc", "/proc", "proc", 0, nullptr);
    mount("sysfs", "/sys", "sysfs", 0, nullptr);
    setvbuf(stdout, nullptr, _IOLBF, 0);
    utsname names{};
    uname(&names);
    printf("\nkernel %s\n", names.release);
}

} // namespace

int main(int count, char **arguments) {
    SetUp();
    Symbols symbols = Symbols::Read("/known.symbols");
    check(!symbols.empty(), "the known program's symbols can be read");
    for (int i = 1; i < count; i++)
        for (const Case &test : CASES)
            Judge(test, Parse(arguments[i]), symbols);
    int failed = report();
    fflush(stdout);
    if (getpid() == 1) reboot(RB_POWER_OFF); // never the machine of somebody who tries it by hand
    return failed;
}
