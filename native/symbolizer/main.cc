// symbolizer: source lines, inlined functions and readable names for the agent, in a process without rights.
// It takes requests on stdin (protocol.h) and files as descriptors it was started with; it never opens a
// path. Usage: symbolizer [--heap-mib=N] [--cpu-seconds=N]. Exit: 0 end of input, 1 cannot be confined, 2 bad
// request, 3 out of memory, 4 LLVM gave up on the file.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <new>
#include <unistd.h>

#include "llvm/Support/ErrorHandling.h"

#include "debug_data.h"
#include "demangle.h"
#include "dwarf_lines.h"
#include "protocol.h"
#include "sandbox.h"

namespace emberscope {
namespace {

enum ExitCode { kNotConfined = 1, kBadRequest = 2, kOutOfMemory = 3, kGaveUp = 4 };

void EndOutOfMemory() {
    _exit(kOutOfMemory);
}

bool ReadOption(std::string_view argument, std::string_view name, uint64_t &value) {
    if (argument.substr(0, name.size()) != name) return false;
    const std::string_view digits = argument.substr(name.size());
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() && value > 0 && value <= (1 << 20);
}

// The file of the two that has the debug information: a stripped program leaves it to its separate file.
Result<std::unique_ptr<DebugData>> OpenDebugData(const Request &request, uint64_t unpacked_limit) {
    Status status = Status::Error(Kind::invalid, "lines: no descriptor given");
    for (int fd : {request.debug_fd, request.object_fd}) {
        if (fd < 0) continue;
        Result<std::unique_ptr<DebugData>> data = DebugData::Open(fd, unpacked_limit);
        if (data.ok() && data.value()->has_info()) return data;
        status = data.ok() ? Status::Error(Kind::unsupported, "the file has no .debug_info") : data.status();
    }
    return status;
}

void AnswerLines(const Request &request, uint64_t heap_bytes, AnswerWriter &answers) {
    // Half of the heap for unpacked sections, a quarter for what is parsed from them, the rest for one big
    // unit.
    Result<std::unique_ptr<DebugData>> data = OpenDebugData(request, heap_bytes / 2);
    if (!data.ok()) return answers.Failed(data.status());
    std::unique_ptr<DebugData> alternate;
    if (request.alternate_fd >= 0) {
        // Without it lines remain; the names in it are counted as missing.
        Result<std::unique_ptr<DebugData>> opened = DebugData::Open(request.alternate_fd, heap_bytes / 8);
        if (opened.ok()) alternate = std::move(opened.value());
    }
    const FrameSink sink = {
        [&](size_t index, const std::vector<SourceFrame> &frames) { answers.Frames(index, frames); },
        [&] { answers.Flush(); }};
    const LineCounts counts =
        FindLines(*data.value(), alternate.get(), request.addresses, heap_bytes / 4, sink);
    const uint64_t damage = data.value()->damage() + (alternate ? alternate->damage() : 0);
    answers.Done("uncovered=" + std::to_string(counts.uncovered) +
                 " missing_alternate=" + std::to_string(counts.missing_alternate) +
                 " split_unit=" + std::to_string(counts.split_unit) + " damage=" + std::to_string(damage));
}

int Serve(const SandboxLimits &limits) {
    RequestReader requests(STDIN_FILENO);
    AnswerWriter answers(STDOUT_FILENO);
    for (Request request;;) {
        Result<bool> more = requests.Next(request);
        if (!more.ok()) {
            answers.Failed(more.status());
            return kBadRequest;
        }
        if (!more.value()) return 0;
        if (request.kind == Request::Kind::lines) {
            AnswerLines(request, limits.heap_bytes, answers);
            continue;
        }
        for (const std::string &name : request.names)
            answers.Name(name, Demangle(name));
        answers.Done("");
    }
}

} // namespace
} // namespace emberscope

int main(int argc, char **argv) {
    using namespace emberscope;
    SandboxLimits limits;
    for (int i = 1; i < argc; ++i) {
        uint64_t mebibytes = 0;
        if (ReadOption(argv[i], "--heap-mib=", mebibytes)) limits.heap_bytes = mebibytes << 20;
        else if (!ReadOption(argv[i], "--cpu-seconds=", limits.cpu_seconds) &&
                 !ReadOption(argv[i], "--files=", limits.files))
            return kBadRequest;
    }
    std::set_new_handler(EndOutOfMemory);
    llvm::install_bad_alloc_error_handler([](void *, const char *, bool) { _exit(kOutOfMemory); });
    llvm::install_fatal_error_handler([](void *, const char *, bool) { _exit(kGaveUp); });
    if (Status status = EnterSandbox(limits); !status.ok()) {
        fprintf(stderr, "symbolizer: cannot give up its rights: %s\n", status.message.c_str());
        return kNotConfined;
    }
    // _exit: LLVM's static objects need no tidying, and atexit handlers may want calls we no longer have.
    _exit(Serve(limits));
}
