// SPDX-License-Identifier: Apache-2.0
// What is read of /proc: lines with any bytes in them, live processes, limits, processes that are not the one
// that was meant.
// sources: native/track/proc_reader.cc native/track/boot_clock.cc native/file_reader.cc
#include "track/proc_reader.h"

#include <algorithm>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "check.h"
#include "small_elf.h"
#include "track/boot_clock.h"

using namespace emberscope;

static void TestLines() {
    auto shown =
        ParseMapsLine("7f00-8f00 r-xp 00001000 fd:0a 4711                     /usr/lib/a b.so (deleted)");
    check(shown && shown->start == 0x7f00 && shown->end == 0x8f00 && shown->position == 0x1000,
          "addresses and position are read as hex");
    check(shown && shown->device_major == 0xfd && shown->device_minor == 10 && shown->inode == 4711,
          "device in hex, inode in decimal");
    check(shown && shown->path == "/usr/lib/a b.so (deleted)", "a path may hold spaces");
    shown = ParseMapsLine("1000-2000 --xp 00000000 00:00 0 ");
    check(shown && shown->path.empty() && shown->inode == 0, "memory without a name");
    shown = ParseMapsLine("1000-2000 r-xp 00000000 00:00 0");
    check(shown && shown->path.empty(), "a line may end after the inode");
    shown = ParseMapsLine("1000-2000 r-xp 0 0:1 5  /a\\012b\\134c");
    check(shown && shown->path == "/a\nb\\134c", "a newline is the one character that is escaped");
    shown = ParseMapsLine("7ff000-7ff800 r-xp 00000000 00:00 0                  [vdso]");
    check(shown && shown->path == "[vdso]", "the vDSO");
}

static void TestBadLines() {
    for (const char *line :
         {"", "x", "1000", "1000-", "1000-2000", "1000-2000 r-xp", "1000-2000 r-xp 0", "1000-2000 r-xp 0 1:",
          "1000-2000 r-xp 0 1:2 ", "2000-1000 r-xp 0 1:2 3 /a", "1000-1000 r-xp 0 1:2 3 /a",
          "1000-2000 rw-p 0 1:2 3 /a", "1000-2000 rwxs", "zz-yy r-xp 0 1:2 3", "-1000-2000 r-xp 0 1:2 3",
          "11112222333344445-11112222333344446 r-xp 0 1:2 3", "1000-2000 r-xp 0 1:2 99999999999999999999 /a",
          "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]"})
        check(!ParseMapsLine(line), line);
    std::string line = "1000-2000 r-xp 0 1:2 3 /a";
    for (size_t cut = 0; cut < line.size(); cut++)
        for (int byte = 0; byte < 256; byte += 5) {
            std::string bad = line;
            bad[cut] = static_cast<char>(byte);
            auto shown = ParseMapsLine(bad);
            if (shown && shown->start >= shown->end)
                check(0, "a line with any byte in it is refused or sane");
        }
}

static void TestProcesses() {
    ScratchDirectory scratch;
    std::string path = scratch.path + "/a\nb c\\012.so";
    WriteFile(path, MakeElf({}));
    Child child([&] { MapCode(path, 0x2000, 0x1000); });
    auto maps = ReadExecutableMaps(static_cast<uint32_t>(child.pid));
    check(maps.ok() && std::is_sorted(maps.value().begin(), maps.value().end(),
                                      [](auto &a, auto &b) { return a.start < b.start; }),
          "a live process has its mappings in order");
    auto ours = std::find_if(maps.value().begin(), maps.value().end(),
                             [&](const ShownFile &shown) { return shown.path.starts_with(scratch.path); });
    check(ours != maps.value().end() && ours->path == scratch.path + "/a\nb c\n.so" &&
              ours->position == 0x1000,
          "a file with a newline in its name (an escape that it spells itself reads as one too)");
    child.Kill();
    check(!ReadExecutableMaps(static_cast<uint32_t>(child.pid)).ok(), "a process that is gone is an error");
    check(!ReadExecutableMaps(0x7fffffff).ok(), "a process that cannot be is an error");
}

static void TestLimits() {
    ScratchDirectory scratch;
    WriteFile(scratch.path + "/a.so", MakeElf({}));
    constexpr size_t kMany = 3000; // every second page, so that the kernel cannot join them
    Child child([&] {
        char *base = static_cast<char *>(
            mmap(nullptr, kMany * 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        for (size_t i = 0; i < kMany; i++)
            MapCode(scratch.path + "/a.so", 4096, 0x1000, base + i * 8192);
    });
    uint32_t pid = static_cast<uint32_t>(child.pid);
    auto all = ReadExecutableMaps(pid, {.time_ns = UINT64_MAX / 4}); // however busy the host is
    check(all.ok() && all.value().size() >= kMany, "thousands of mappings are all read");
    auto some = ReadExecutableMaps(pid, {.lines = 1000, .time_ns = UINT64_MAX / 4});
    check(some.ok() && !some.value().empty() && some.value().size() <= 1000, "not more lines than allowed");
    auto quick = ReadExecutableMaps(pid, {.lines = 65536, .time_ns = 0});
    check(quick.ok() && quick.value().size() < kMany, "not longer than allowed");
}

static void TestStat() {
    Child child([] { prctl(PR_SET_NAME, ") R 1 (x\n"); });
    uint32_t pid = static_cast<uint32_t>(child.pid);
    auto stat = ReadProcessStat(pid);
    check(stat && stat->parent == static_cast<uint32_t>(getpid()) && stat->threads == 1,
          "a name with parentheses and a newline does not shift the fields");
    uint64_t start = stat ? stat->start_ticks * 10'000'000 : 0, now = BootClockNs();
    check(start <= now && now - start < 60'000'000'000, "a start time is on the clock of the events");
    check(IsAlive(pid, start) && IsAlive(pid, start + 9'999'999), "a live process, to the tick");
    check(!IsAlive(pid, start + 30'000'000) && !IsAlive(pid, start - 30'000'000),
          "another process of that pid");
    kill(child.pid, SIGKILL);
    for (int i = 0; i < 200 && ReadProcessStat(pid)->state != 'Z'; i++)
        usleep(10000);
    check(!IsAlive(pid, start), "a zombie is not alive");
    child.Kill();
    check(!ReadProcessStat(pid) && !IsAlive(pid, start), "nor is one that was waited for");
}

// pthread_exit() in main: the leader is a zombie, its threads run on.
static void TestLeaderless() {
    int pid = fork();
    if (pid == 0) {
        pthread_t thread;
        auto wait = [](void *) -> void * {
            for (;;)
                pause();
        };
        pthread_create(&thread, nullptr, wait, nullptr);
        syscall(SYS_exit, 0);
    }
    uint32_t child = static_cast<uint32_t>(pid);
    auto stat = ReadProcessStat(child);
    for (int i = 0; i < 200 && stat->state != 'Z'; i++) {
        usleep(10000);
        stat = ReadProcessStat(child);
    }
    check(stat->state == 'Z' && stat->threads == 2, "a leader that ended, with a thread");
    check(IsAlive(child, stat->start_ticks * 10'000'000), "its process lives");
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
}

int main() {
    TestLines();
    TestBadLines();
    TestProcesses();
    TestLimits();
    TestStat();
    TestLeaderless();
    return report();
}
