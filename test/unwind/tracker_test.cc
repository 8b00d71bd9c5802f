// SPDX-License-Identifier: Apache-2.0
// Images of processes by events, by /proc and by samples; what of them is published, when, under which
// identity, and that all of it is given back.
// sources: native/track/tracker.cc native/track/tracker_events.cc native/track/tracker_learn.cc
// sources: native/track/process_images.cc native/track/publisher.cc
// sources: native/track/image.cc native/track/file_table.cc native/track/mapped_file.cc
// sources: native/track/proc_reader.cc native/track/boot_clock.cc native/sideband.cc
// sources: native/elf_file.cc native/file_reader.cc native/tables/arena.cc native/tables/extents.cc
// sources: native/tables/row_check.cc native/tables/rule_table.cc native/tables/table_store.cc
#include "track/tracker.h"

#include <algorithm>
#include <malloc.h>

#include "check.h"
#include "fake_loader.h"
#include "small_elf.h"
#include "tables/plain_memory.h"
#include "track/boot_clock.h"
#include "track/image.h"
#include "track/proc_reader.h"

using namespace emberscope;

namespace {

constexpr uint32_t kPid = 0x7ffffff0, kChild = 0x7ffffff1; // no process of a real system
constexpr uint64_t kSecond = 1'000'000'000;

struct World {
    ScratchDirectory scratch;
    PlainMemory memory;
    TableStore store{memory, 8 << 20};
    PageLoader loader{"", 0};
    Tracker tracker{memory, store, loader};
    std::string path = scratch.path + "/a.so", other = scratch.path + "/b.so";
    World() {
        WriteFile(path, MakeElf({.build_id = 1}));
        WriteFile(other, MakeElf({.build_id = 2}));
    }

    void Event(event_kind kind, uint64_t time_ns, uint32_t pid, uint32_t extra = 0) {
        ProcessEvent event{};
        event.kind = kind, event.time_ns = time_ns;
        event.pid = event.tid = static_cast<int32_t>(pid), event.extra = static_cast<int32_t>(extra);
        tracker.Apply(event);
    }
    void Mmap(uint64_t time_ns, uint32_t pid, uint64_t start, const std::string &name,
              uint64_t bytes = 0x2000) {
        ProcessEvent event{};
        event.kind = EVENT_MMAP, event.time_ns = time_ns;
        event.pid = event.tid = static_cast<int32_t>(pid);
        event.start = start, event.end = start + bytes, event.name = name;
        if (name == path) event.build_id = "01010101", event.file_offset = 0x1000;
        if (name == other) event.build_id = "02020202", event.file_offset = 0x1000;
        tracker.Apply(event);
    }
    // What BPF would find for a process; nothing when no entry of this identity is there or it is stale.
    std::vector<unwind_mapping> Published(const ProcessIdentity &who) const {
        auto found = memory.processes().find(who.pid);
        if (found == memory.processes().end()) return {};
        const process_entry &entry = found->second;
        if (entry.start != who.start || entry.exec_id != who.exec_id) return {};
        return TableAt(entry);
    }
    std::vector<unwind_mapping> TableAt(const process_entry &entry) const {
        const uint8_t *at = store.shard(LOCATION_SHARD(entry.location)) + LOCATION_OFFSET(entry.location);
        auto *table = reinterpret_cast<const mapping_table *>(at);
        if (table->id != entry.id) return {};
        auto *mappings = reinterpret_cast<const unwind_mapping *>(table + 1);
        return {mappings, mappings + table->count};
    }
};

ProcessIdentity Who(uint32_t pid, uint64_t start, uint32_t exec_id) {
    return {.pid = pid, .exec_id = exec_id, .start = start};
}

ProcessIdentity Live(int pid, uint32_t exec_id = 1) {
    auto stat = ReadProcessStat(static_cast<uint32_t>(pid));
    return Who(static_cast<uint32_t>(pid), stat ? stat->start_ticks * 10'000'000 : 0, exec_id);
}

bool Shows(const std::vector<unwind_mapping> &mappings, uint64_t address, int kind) {
    return std::any_of(mappings.begin(), mappings.end(), [&](const unwind_mapping &mapping) {
        return mapping.start <= address && address < mapping.end && mapping.kind == kind;
    });
}

} // namespace

static void TestExec() {
    World world;
    ProcessIdentity who = Who(kPid, 50, 7);
    world.Event(EVENT_EXEC, 100, kPid);
    world.Mmap(110, kPid, 0x10000, world.path);
    world.tracker.Flush();
    check(world.memory.processes().empty(), "nothing is published before the identity is known");
    auto image = world.tracker.Learn(who, 120, 0x10010);
    check(image && image->mappings.size() == 1 && image->files[0], "a sample finds the image of its time");
    check(Shows(world.Published(who), 0x10010, MAPPING_FILE), "and makes it known");
    check(asked_cached == 1, "the loader is asked for what it has of the file");
    uint64_t published = world.tracker.stats().published;
    world.Mmap(130, kPid, 0x20000, world.other);
    world.Mmap(131, kPid, 0x30000, "//anon");
    world.Mmap(132, kPid, 0x32000, "//anon");
    check(world.tracker.stats().published == published, "a change waits for the end of the turn");
    world.tracker.Flush();
    check(world.tracker.stats().published == published + 1, "then all changes are published at once");
    check(world.Published(who).size() == 3 && Shows(world.Published(who), 0x33000, MAPPING_JIT),
          "neighbours without a file are one");
    world.Mmap(140, kPid, 0x30000, "//anon", 0x1000);
    world.Mmap(141, kPid, 0x10000, world.path);
    world.tracker.Flush();
    check(world.tracker.stats().published == published + 1, "memory that shows what it showed costs nothing");

    world.Event(EVENT_EXEC, 200, kPid);
    world.Mmap(210, kPid, 0x50000, world.other);
    world.tracker.Flush();
    check(world.Published(Who(kPid, 50, 8)).empty(), "a new program is not published under the old identity");
    auto before = world.tracker.Learn(who, 190, 0x10010);
    check(before && MappingAt(*before, 0x10010) && !MappingAt(*before, 0x50010),
          "a sample from before the exec");
    auto late = world.tracker.Learn(who, 201, 0x10010);
    check(late == before, "one between the event and the count of the exec");
    ProcessIdentity now = Who(kPid, 50, 8);
    auto after = world.tracker.Learn(now, 220, 0x50010);
    check(after && MappingAt(*after, 0x50010) && !MappingAt(*after, 0x10010), "one of the new program");
    check(Shows(world.Published(now), 0x50010, MAPPING_FILE), "which is then published");
}

static void TestFork() {
    World world;
    ProcessIdentity parent = Who(kPid, 50, 1);
    world.Event(EVENT_EXEC, 100, kPid);
    world.Mmap(110, kPid, 0x10000, world.path);
    world.tracker.Learn(parent, 120, 0x10010);
    process_entry copied = world.memory.processes().at(kPid); // as BPF does at the fork
    uint64_t now = BootClockNs();
    ProcessIdentity child = Who(kChild, now - 1, 1);
    world.Event(EVENT_FORK, now, kChild, kPid);
    world.Mmap(now + 10, kPid, 0x20000, world.other);
    world.Mmap(now + 20, kChild, 0x30000, world.other);
    world.tracker.Flush();
    world.Event(EVENT_EXIT, now + 30, kPid);
    world.tracker.Flush();
    world.store.Reclaim();
    check(Shows(world.TableAt(copied), 0x10010, MAPPING_FILE),
          "the parent's table lives while its child may use it");
    auto image = world.tracker.Learn(child, now + 40, 0x10010);
    check(image && MappingAt(*image, 0x10010) && MappingAt(*image, 0x30010),
          "a child shows what its parent showed");
    check(image && !MappingAt(*image, 0x20010), "not what the parent mapped later");
    check(world.Published(child).size() == 2, "its own table is published at its first miss");
    auto of_parent = world.tracker.Learn(parent, now + 25, 0x20010);
    check(of_parent && MappingAt(*of_parent, 0x20010) && !MappingAt(*of_parent, 0x30010),
          "nor the other way round");
    check(world.tracker.Learn(parent, now + 31, 0x10010) != nullptr, "a process that ended keeps its image");
    world.Event(EVENT_FORK, now + 50, kChild, kChild);
    check(world.tracker.Learn(child, now + 60, 0x10010) == image, "a new thread changes nothing");
}

// The parent was published anew, though not yet when BPF copied its entry; the fork is told afterwards.
static void TestLateFork() {
    World world;
    world.Event(EVENT_EXEC, 100, kPid);
    world.Mmap(110, kPid, 0x10000, world.path);
    world.tracker.Learn(Who(kPid, 50, 1), 120, 0x10010);
    process_entry copied = world.memory.processes().at(kPid);
    uint64_t fork_ns = BootClockNs();
    world.Mmap(fork_ns - 1, kPid, 0x20000, world.other);
    world.tracker.Flush();
    world.Event(EVENT_FORK, fork_ns, kChild, kPid);
    for (int i = 0; i < 3; i++)
        world.tracker.Flush(), world.store.Reclaim();
    check(world.TableAt(copied).size() == 1, "a table that a fork copied late is kept for it");
    world.Event(EVENT_EXIT, fork_ns + 1, kChild);
    check(world.TableAt(copied).empty() || world.store.stats().mapping_tables == 1,
          "and given back when it ends");
    check(world.store.stats().mapping_tables == 1, "one table is left, the parent's");
}

static void TestReuse() {
    World world;
    world.Event(EVENT_EXEC, 100, kPid);
    world.Mmap(110, kPid, 0x10000, world.path);
    world.tracker.Learn(Who(kPid, 50, 1), 120, 0x10010);
    world.Event(EVENT_EXIT, 130, kPid);
    world.Event(EVENT_EXEC, 140, kChild);
    world.Mmap(150, kChild, 0x20000, world.other);
    world.Event(EVENT_FORK, 200, kPid, kChild);
    world.tracker.Flush();
    ProcessIdentity again = Who(kPid, 199, 1);
    check(world.Published(again).empty(), "another process of the same number gets no old mappings");
    auto image = world.tracker.Learn(again, 210, 0x20010);
    check(image && MappingAt(*image, 0x20010) && !MappingAt(*image, 0x10010), "but its own");
    auto old = world.tracker.Learn(Who(kPid, 50, 1), 125, 0x10010);
    check(old && MappingAt(*old, 0x10010), "a late sample of the old one finds the old image");
    check(Shows(world.Published(again), 0x20010, MAPPING_FILE), "which is not published for it");
    check(!world.tracker.Learn(Who(kPid, 10, 1), 20, 0x10010), "one from before all we know finds nothing");
    check(!world.tracker.Learn(Who(kPid, 400, 1), 500, 0x20010),
          "a process whose fork was lost, and that is gone");
    check(!world.tracker.Learn(Who(kPid + 9, 400, 1), 500, 0x20010), "one that was never heard of");
}

static void TestReplaced() {
    World world;
    ProcessIdentity who = Who(kPid, 50, 1);
    world.Event(EVENT_EXEC, 100, kPid);
    world.Mmap(110, kPid, 0x10000, world.path);
    world.tracker.Learn(who, 120, 0x10010);
    uint64_t now = BootClockNs();
    uint64_t inside[] = {0x50000, 0x10ff0}, outside[] = {0x50000, 0x12000};
    world.Mmap(now, kPid, 0x10000, world.other);
    check(!world.tracker.IsStale(kPid, now - 1, inside), "before a file took another's place");
    check(world.tracker.IsStale(kPid, now + 1, inside), "until that is published, BPF had the old rows");
    check(!world.tracker.IsStale(kPid, now + 1, outside) && !world.tracker.IsStale(kChild, now + 1, inside),
          "there alone, and of this process");
    auto before = world.tracker.Learn(who, now - 1, 0x10010), after = world.tracker.Learn(who, now, 0x10010);
    check(before && before->files[0]->build_id == "01010101",
          "a sample from before finds what was there then");
    check(after && after->files[0]->build_id == "02020202", "one from after it the new file");
    world.tracker.Flush();
    check(!world.tracker.IsStale(kPid, BootClockNs() + 1, inside), "from then on it is right");
    check(world.tracker.IsStale(kPid, now + 1, inside), "of the time before it is still told");
    for (uint64_t i = 0; i < 10'000; i++)
        world.Mmap(now + i, kPid, 0x10000, i % 2 ? world.path : world.other);
    world.tracker.Forget(BootClockNs() + kSecond);
    check(world.tracker.Learn(who, BootClockNs(), 0x10010) != nullptr, "a program that does so all day");
}

static void TestLive() {
    World world;
    uint64_t base = 0;
    int told[2];
    (void)!pipe(told);
    Child child([&] {
        base = reinterpret_cast<uint64_t>(MapCode(world.path, 0x2000, 0x1000));
        (void)!write(told[1], &base, sizeof base);
    });
    (void)!read(told[0], &base, sizeof base);
    ProcessIdentity who = Live(child.pid);
    world.tracker.Scan({who, Who(kPid, 1, 1), Who(2, 0, 0), Who(1, 1'000'000'000'000'000, 1)});
    check(world.tracker.stats().processes == 1, "of what is gone or is another by now nothing is kept");
    check(Shows(world.Published(who), base, MAPPING_FILE),
          "a process from before us is published by the scan");
    auto maps = ReadExecutableMaps(who.pid);
    bool has_all = true;
    auto image = world.tracker.Learn(who, BootClockNs(), base);
    for (const ShownFile &shown : maps.value())
        has_all &= MappingAt(*image, shown.start) && MappingAt(*image, shown.end - 1);
    check(has_all, "every executable mapping of it is there");

    ProcessIdentity execed = Live(child.pid, 2);
    auto unknown = world.tracker.Learn(execed, BootClockNs(), base);
    check(unknown && unknown != image && MappingAt(*unknown, base), "an exec that was lost: /proc is read");
    check(Shows(world.Published(execed), base, MAPPING_FILE), "and published under the new identity");
    check(!world.tracker.Learn(who, BootClockNs(), base) || world.tracker.Learn(who, 0, base) == image,
          "the old identity has the old image");
    uint64_t rescans = world.tracker.stats().rescans;
    for (int i = 0; i < 100; i++)
        world.tracker.Learn(execed, BootClockNs(), 0x1234);
    check(world.tracker.stats().rescans <= rescans + 1,
          "addresses in no mapping re-read /proc once a second");
    close(told[0]), close(told[1]);
}

static void TestUnscanned() {
    World world;
    Child child([&] { MapCode(world.path, 0x2000, 0x1000); });
    ProcessIdentity who = Live(child.pid);
    uint32_t pid = who.pid;
    world.Mmap(BootClockNs(), pid, 0x10000, world.other);
    uint64_t now = BootClockNs();
    auto image = world.tracker.Learn(who, now, 0x10000);
    check(image && !image->mappings.empty() && !MappingAt(*image, 0x10010),
          "a process from before us is read when met");
    world.Event(EVENT_EXEC, now - 1, pid);
    world.Event(EVENT_FORK, now - 2, pid, kPid);
    world.Event(EVENT_EXIT, now - 3, pid);
    check(world.tracker.Learn(who, now, 0x10000) == image, "events from before it was read change nothing");
    auto before = Who(pid, who.start - 5 * kSecond, 1);
    check(!world.tracker.Learn(before, now - 1, 0x10000), "a process that had its number before is not it");
    check(!world.Published(who).empty(), "it is published");
    child.Kill();
    ProcessEvent lost{};
    lost.kind = EVENT_LOST, lost.extra = 12, lost.pid = -1;
    world.tracker.Apply(lost);
    world.tracker.Forget(BootClockNs());
    world.tracker.Forget(BootClockNs() + kSecond);
    check(world.tracker.stats().lost_events == 12 && world.tracker.stats().processes == 0,
          "after lost events what is gone is noticed");
}

// Forked from a process that we know nothing of: what it maps itself is not all it has.
static void TestForkOfUnknown() {
    World world;
    Child child([&] { MapCode(world.path, 0x2000, 0x1000); });
    uint32_t pid = static_cast<uint32_t>(child.pid);
    world.Event(EVENT_EXEC, 100, pid);
    world.Event(EVENT_EXIT, 110, pid);
    world.Event(EVENT_FORK, 120, pid, kPid);
    world.Mmap(130, pid, 0x10000, world.other);
    world.tracker.Flush();
    ProcessIdentity who = Live(child.pid);
    auto image = world.tracker.Learn(who, BootClockNs(), 0x10010);
    check(image && !MappingAt(*image, 0x10010) && image->mappings.size() > 1, "/proc tells all of it");
}

static void TestBadEvents() {
    World world;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        for (int32_t pid : {0, -1, INT32_MIN}) {
            ProcessEvent event{};
            event.kind = static_cast<event_kind>(kind), event.pid = event.tid = pid, event.extra = pid;
            world.tracker.Apply(event);
        }
    check(world.tracker.stats().processes == 0, "processes that our namespace does not see are left alone");
    world.Event(EVENT_EXEC, 100, kPid);
    world.Mmap(90, kPid, 0x10000, world.path);
    world.Mmap(110, kPid, 0xffffffffff600000, "[vsyscall]", 0x1000);
    world.Event(EVENT_EXEC, 50, kPid);
    world.Event(EVENT_FORK, 60, kPid, kPid);
    auto image = world.tracker.Learn(Who(kPid, 10, 1), 120, 0x10010);
    check(!image || image->mappings.empty(), "what is from before the exec, or the kernel's, is not shown");
    for (uint64_t i = 0; i < 3 * MAPPINGS_MAX; i++)
        world.Mmap(200 + i, kPid, 0x100000 + i * 0x4000, "//anon", 0x1000);
    world.tracker.Flush();
    check(world.Published(Who(kPid, 10, 1)).size() <= MAPPINGS_MAX &&
              world.tracker.stats().left_out >= 2 * MAPPINGS_MAX,
          "not more mappings than allowed, the others counted");
}

static void TestNoRoom() {
    ScratchDirectory scratch;
    PlainMemory memory;
    TableStore store(memory, SHARD_BYTES);
    PageLoader loader{"", 0};
    Tracker tracker(memory, store, loader);
    for (uint32_t pid = 1000; pid < 1010; pid++) {
        ProcessEvent event{};
        event.kind = EVENT_EXEC, event.time_ns = 100, event.pid = static_cast<int32_t>(pid);
        tracker.Apply(event);
        for (uint64_t i = 0; i < MAPPINGS_MAX; i++) {
            event.kind = EVENT_MMAP, event.time_ns = 200, event.name = "//anon";
            event.start = 0x100000 + i * 0x4000, event.end = event.start + 0x1000;
            tracker.Apply(event);
        }
        tracker.Learn(Who(pid, 10, 1), 300, 0x100000);
    }
    check(tracker.stats().published >= 3 && tracker.stats().refused > 0, "what finds no room is counted");
}

extern "C" __attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes();

static size_t UsedBytes() {
    return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes()
                                                   : mallinfo2().uordblks;
}

static void TestGrowth() {
    World world;
    world.Event(EVENT_EXEC, 100, kPid);
    world.Mmap(110, kPid, 0x10000, world.path);
    world.tracker.Learn(Who(kPid, 50, 1), 120, 0x10010);
    size_t tables = 0, bytes = 0;
    for (uint32_t round = 0; round < 10'000; round++) {
        uint64_t time = 1000 + round * 100;
        uint32_t pid = 0x70000000 + round % 500;
        world.Event(EVENT_FORK, time, pid, kPid);
        world.tracker.Learn(Who(pid, time - 1, 1), time + 5, 0x10010);
        world.Event(EVENT_EXEC, time + 10, pid);
        world.Mmap(time + 11, pid, 0x20000, world.other);
        world.Mmap(time + 12, pid, 0x30000 + round % 7 * 0x1000, "//anon");
        world.tracker.Learn(Who(pid, time - 1, 2), time + 20, 0x20010);
        world.Event(EVENT_EXIT, time + 30, pid);
        if (round % 50 == 49) {
            world.tracker.Flush();
            world.tracker.Forget(time + 40);
            world.store.Reclaim();
        }
        if (round == 4999) bytes = UsedBytes(), tables = world.store.stats().mapping_tables;
    }
    check(world.tracker.stats().processes == 1, "processes that ended are forgotten");
    check(world.store.stats().mapping_tables == tables && tables == 1, "their tables are given back");
    check(world.tracker.stats().files == 2, "files are kept once");
    check(world.store.stats().kernel_bytes_max < SHARD_BYTES, "the arena does not grow");
    if (bytes == 0) return skip("memory does not grow", "the allocator does not count");
    check(UsedBytes() < bytes + 20'000, "memory does not grow");
}

// The kernel's own events: a child forks, its child runs a program that loads a library.
static void TestSideband() {
    World world;
    Sideband sideband;
    std::vector<int> cpus;
    for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++)
        cpus.push_back(cpu);
    if (!sideband.Open(cpus).ok() || !sideband.Enable().ok())
        return skip("events of the kernel", "perf events are not permitted");
    WriteFile(world.path, MakeElf({.build_id = 1}));
    Child child([&] {
        MapCode(world.path, 0x2000, 0x1000);
        if (fork() == 0) execl("/bin/sleep", "sleep", "1000", nullptr);
    });
    usleep(200'000);
    std::unordered_set<int32_t> followed = {getpid()};
    uint32_t execed = 0;
    uint64_t last_ns = 0;
    bool is_sorted = true, has_identity = false;
    for (int turn = 0; turn < 2; turn++) {
        for (const ProcessEvent &event : sideband.Drain(&followed)) {
            is_sorted &= event.time_ns >= last_ns;
            last_ns = event.time_ns;
            if (event.kind == EVENT_EXEC) execed = static_cast<uint32_t>(event.pid);
            has_identity |= event.kind == EVENT_MMAP && (event.inode != 0) == event.build_id.empty() &&
                            event.name == "/usr/bin/sleep";
            if (event.kind == EVENT_FORK && event.pid == child.pid)
                world.tracker.Scan({Live(getpid())}); // else its parent were unknown
            world.tracker.Apply(event);
        }
        world.tracker.Flush();
    }
    check(is_sorted, "batches come in the order of time");
    check(execed != 0, "an exec is told");
    auto maps = ReadExecutableMaps(execed);
    ProcessIdentity who = Live(static_cast<int>(execed), 2);
    uint64_t rescans = world.tracker.stats().rescans;
    auto image = maps.ok() ? world.tracker.Learn(who, BootClockNs(), maps.value()[0].start) : nullptr;
    bool has_all = image && !maps.value().empty();
    for (const ShownFile &shown : maps.ok() ? maps.value() : std::vector<ShownFile>()) {
        const unwind_mapping *mapping = image ? MappingAt(*image, shown.start) : nullptr;
        has_all &= mapping && mapping->kind == MAPPING_FILE;
        has_all &= mapping && mapping->position + (shown.start - mapping->start) == shown.position;
    }
    check(has_all && world.tracker.stats().rescans == rescans,
          "events alone give all that its maps show, the vDSO too");
    check(has_identity, "with a build id, or an inode where the kernel knows none");
    if (execed) kill(static_cast<int>(execed), SIGKILL);
}

int main() {
    TestExec();
    TestFork();
    TestLateFork();
    TestReuse();
    TestReplaced();
    TestLive();
    TestUnscanned();
    TestForkOfUnknown();
    TestBadEvents();
    TestNoRoom();
    TestGrowth();
    TestSideband();
    return report();
}
