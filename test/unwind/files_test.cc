// SPDX-License-Identifier: Apache-2.0
// Files by content: the same one by build id, inode and copies; deleted, replaced, rewritten and unreadable
// ones; what is memory and no file; bounds and forgetting.
// sources: native/track/file_table.cc native/track/mapped_file.cc native/track/proc_reader.cc
// sources: native/track/boot_clock.cc native/elf_file.cc native/file_reader.cc
// sources: native/tables/arena.cc native/tables/extents.cc native/tables/row_check.cc
// sources: native/tables/rule_table.cc native/tables/table_store.cc
#include "track/file_table.h"

#include <algorithm>
#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "check.h"
#include "small_elf.h"
#include "tables/plain_memory.h"
#include "track/boot_clock.h"

using namespace emberscope;

namespace {

struct World {
    PlainMemory memory;
    TableStore store{memory, 4 << 20};
    FileTable files;
    explicit World(const FileTableOptions &options = {}) : files(store, options) {}
};

MappingOwner Self() {
    return {static_cast<uint32_t>(getpid()), 0};
}

// As an mmap event tells it.
ShownFile ByBuildId(const std::string &path, uint8_t build_id) {
    char hex[9];
    snprintf(hex, sizeof hex, "%02x%02x%02x%02x", build_id, build_id, build_id, build_id);
    return {.start = 0x10000, .end = 0x12000, .position = 0x1000, .path = path, .build_id = hex};
}

// As maps tell it.
ShownFile ByInode(const std::string &path) {
    struct stat info{};
    stat(path.c_str(), &info);
    return {.start = 0x10000,
            .end = 0x12000,
            .position = 0x1000,
            .device_major = major(info.st_dev),
            .device_minor = minor(info.st_dev),
            .inode = info.st_ino,
            .path = path};
}

std::vector<ShownFile> Maps(int pid) {
    auto maps = ReadExecutableMaps(static_cast<uint32_t>(pid));
    return maps.ok() ? maps.value() : std::vector<ShownFile>();
}

size_t OpenDescriptors() {
    size_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

// The mapping of a child that has the file mapped, as its maps show it.
ShownFile ShownBy(const Child &child, const std::string &part) {
    for (ShownFile &shown : Maps(child.pid))
        if (shown.path.find(part) != std::string::npos) return shown;
    return {};
}

} // namespace

static void TestOneContent() {
    ScratchDirectory scratch;
    World world;
    std::string a = scratch.path + "/a.so", b = scratch.path + "/b.so";
    WriteFile(a, MakeElf({.build_id = 7}));
    WriteFile(b, MakeElf({.build_id = 7}));
    auto by_inode = world.files.Identify(ByInode(a), Self());
    auto by_id = world.files.Identify(ByBuildId(a, 7), Self());
    auto of_copy = world.files.Identify(ByBuildId(b, 7), Self());
    check(by_inode.kind == MAPPING_FILE && by_inode.file, "a file by its inode");
    check(by_inode.file == by_id.file, "the same by its build id");
    check(by_inode.file == of_copy.file && world.files.stats().files == 1, "a copy is the same content");
    check(by_inode.file->first_page == 0 && by_inode.file->pages == 1, "pages of its code");
    check(by_inode.file->build_id == "07070707" && by_inode.file->fd.valid(), "its build id, open");
    size_t before = OpenDescriptors();
    for (int i = 0; i < 1000; i++)
        world.files.Identify(ByBuildId(a, 7), Self()), world.files.Identify(ByInode(a), Self());
    check(OpenDescriptors() == before, "asking again opens nothing");
}

static void TestLayouts() {
    ScratchDirectory scratch;
    World world;
    std::string path = scratch.path + "/a.so";
    WriteFile(
        path,
        MakeElf({.build_id = 7, .code_position = 0x25000, .code_bytes = 0x30000, .file_bytes = 0x60000}));
    auto first = world.files.Identify(ByBuildId(path, 7), Self());
    check(first.file && first.file->first_page == 0x25000 >> TEXT_PAGE_SHIFT &&
              first.file->first_page + first.file->pages - 1 == 0x54fff >> TEXT_PAGE_SHIFT,
          "pages from 0x25000 to 0x54fff");
    std::string other = scratch.path + "/patched.so";
    WriteFile(
        other,
        MakeElf({.build_id = 7, .code_position = 0x35000, .code_bytes = 0x30000, .file_bytes = 0x70000}));
    auto second = world.files.Identify(ByBuildId(other, 7), Self());
    check(second.file && second.file != first.file,
          "a patched file keeps its build id but is another content");
    check(second.file->directory >= first.file->directory + 4 ||
              first.file->directory >= second.file->directory + 4,
          "their directory ranges are apart");
    WriteFile(path, MakeElf({.build_id = 8, .code_position = 0x1000, .code_bytes = 1ull << 62}));
    auto cut = world.files.Identify(ByBuildId(path, 8), Self());
    check(cut.file && cut.file->pages == 1, "a segment ends with its file");
    WriteFile(path, MakeElf({.build_id = 9, .code_position = 1ull << 40}));
    check(world.files.Identify(ByBuildId(path, 9), Self()).kind == MAPPING_NO_TABLES, "no code in the file");
}

static void TestReplaced() {
    ScratchDirectory scratch;
    World world;
    std::string path = scratch.path + "/a.so";
    WriteFile(path, MakeElf({}));
    ShownFile shown = ByInode(path);
    auto first = world.files.Identify(shown, Self());
    WriteFile(path, MakeElf({.file_bytes = 0x5000}));
    auto second = world.files.Identify(shown, Self());
    check(first.file && second.file && first.file != second.file,
          "a file that was rewritten in place is another");
    unlink(path.c_str());
    shown.inode++;
    auto gone = world.files.Identify(shown, Self());
    check(gone.kind == MAPPING_NO_TABLES && world.files.stats().unreadable == 1,
          "a file that is gone is counted");
    WriteFile(path, MakeElf({.build_id = 3}));
    auto other = world.files.Identify(ByBuildId(path, 4), Self());
    check(other.kind == MAPPING_NO_TABLES, "what lies at the path now is not what was mapped");
    world.files.Identify(ByBuildId(path, 4), Self());
    check(world.files.stats().unreadable == 2, "a file that was not found is not looked for at once again");
}

// A copy that we do not hold open: its inode may come to mean another file.
static void TestReusedInode() {
    ScratchDirectory scratch;
    World world;
    std::string a = scratch.path + "/a.so", b = scratch.path + "/b.so";
    WriteFile(a, MakeElf({.build_id = 5}));
    WriteFile(b, MakeElf({.build_id = 5}));
    auto of_a = world.files.Identify(ByInode(a), Self());
    Child child([&] { MapCode(b, 0x2000, 0x1000); });
    MappingOwner owner{static_cast<uint32_t>(child.pid), 0};
    ShownFile shown = ShownBy(child, "b.so");
    auto of_b = world.files.Identify(shown, owner);
    check(of_a.file && of_a.file == of_b.file, "a copy, seen by its inode, shares the tables");
    check(world.files.Identify(shown, owner).file == of_a.file, "and again");
    WriteFile(b, MakeElf({.build_id = 6}));
    auto rewritten = world.files.Identify(shown, owner);
    check(rewritten.file && rewritten.file != of_a.file, "until it is written to");
}

static void TestDeleted() {
    ScratchDirectory scratch;
    World world;
    std::string path = scratch.path + "/a.so";
    WriteFile(path, MakeElf({.build_id = 1}));
    Child child([&] { MapCode(path, 0x2000, 0x1000); });
    unlink(path.c_str());
    WriteFile(path, MakeElf({.build_id = 2}));
    ShownFile shown = ShownBy(child, "a.so");
    auto identity = world.files.Identify(shown, {static_cast<uint32_t>(child.pid), 0});
    if (access(("/proc/" + std::to_string(child.pid) + "/map_files").c_str(), R_OK | X_OK))
        return skip("a deleted file is read through its mapping", "/proc/PID/map_files is not ours to read");
    check(identity.file && identity.file->build_id == "01010101",
          "a deleted file is read through its mapping");
    ShownFile event = ByBuildId(path, 2);
    event.start = shown.start, event.end = shown.end;
    auto by_path = world.files.Identify(event, {static_cast<uint32_t>(child.pid), 0});
    check(by_path.file && by_path.file->build_id == "02020202",
          "where the mapping shows another build by now, the path is tried");
}

static void TestMemory() {
    World world;
    int program = memfd_create("program", 0), plain = memfd_create("jit", 0);
    auto bytes = MakeElf({.build_id = 9});
    (void)!write(program, bytes.data(), bytes.size());
    (void)!ftruncate(plain, 0x4000);
    Child child([&] {
        mmap(nullptr, 0x2000, PROT_READ | PROT_EXEC, MAP_PRIVATE, program, 0x1000);
        mmap(nullptr, 0x2000, PROT_READ | PROT_EXEC, MAP_SHARED, plain, 0x1000);
        mmap(nullptr, 0x2000, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        mmap(nullptr, 0x2000, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    });
    MappingOwner owner{static_cast<uint32_t>(child.pid), 0};
    check(world.files.Identify(ShownBy(child, "program"), owner).kind == MAPPING_FILE,
          "a memfd may hold a program");
    check(world.files.Identify(ShownBy(child, "memfd:jit"), owner).kind == MAPPING_JIT, "or run-time code");
    check(world.files.Identify(ShownBy(child, "/dev/zero"), owner).kind == MAPPING_JIT, "shared memory");
    check(world.files.stats().unreadable == 0, "none of that is an unreadable file");
    for (const char *path : {"", "//anon", "[heap]", "[stack]", "[anon:code]", "anon_inode:[perf_event]"})
        check(world.files.Identify({.start = 0x1000, .end = 0x2000, .path = path}, owner).kind == MAPPING_JIT,
              path);
    close(program), close(plain);
}

static void TestVdso() {
    World world;
    ShownFile shown{.start = 0x7fff00000000, .end = 0x7fff00002000, .path = "[vdso]"};
    auto first = world.files.Identify(shown, Self());
    check(first.kind == MAPPING_FILE && first.file && first.file->pages == 1, "the vDSO is a file of ours");
    shown.start += 0x100000, shown.end += 0x100000;
    check(world.files.Identify(shown, {1, 0}).file == first.file, "one for all processes");
    shown.start = 0xf7000000, shown.end = 0xf7002000;
    check(world.files.Identify(shown, {1, 0}).kind == MAPPING_NO_TABLES, "but for those of 32 bits");
}

static void TestUnreadable() {
    ScratchDirectory scratch;
    World world;
    auto kind = [&](const std::string &name, std::vector<uint8_t> bytes) {
        WriteFile(scratch.path + name, bytes);
        return world.files.Identify(ByInode(scratch.path + name), Self()).kind;
    };
    check(kind("/empty", {}) == MAPPING_NO_TABLES, "an empty file");
    check(kind("/text", std::vector<uint8_t>(5000, 'x')) == MAPPING_NO_TABLES, "a text");
    auto elf32 = MakeElf({});
    elf32[EI_CLASS] = ELFCLASS32;
    check(kind("/32", elf32) == MAPPING_NO_TABLES, "a file of 32 bits");
    auto cut = MakeElf({});
    cut.resize(70);
    check(kind("/cut", cut) == MAPPING_NO_TABLES, "a file that was cut short");
    std::string fifo = scratch.path + "/fifo";
    mkfifo(fifo.c_str(), 0600);
    check(world.files.Identify(ByInode(fifo), Self()).kind == MAPPING_NO_TABLES, "a fifo, without waiting");
    check(world.files.Identify(ByInode("/dev/null"), Self()).kind == MAPPING_NO_TABLES, "a device");
    check(world.files.Identify(ByInode("/proc/self/status"), Self()).kind == MAPPING_NO_TABLES,
          "a file of /proc");
    check(
        world.files.Identify({.start = 0x1000, .end = 0x2000, .path = "/" + std::string(100000, 'x')}, Self())
                .kind == MAPPING_NO_TABLES,
        "a path that no kernel makes");
    check(world.files.stats().files == 0 && world.files.stats().unreadable == 8, "each is counted");
}

static void TestBounds() {
    ScratchDirectory scratch;
    World world({.files_max = 4, .unused_ns_max = 10'000'000'000});
    std::vector<FileTable::Identity> held;
    for (uint8_t i = 1; i <= 6; i++) {
        std::string path = scratch.path + "/" + std::to_string(i);
        WriteFile(path, MakeElf({.build_id = i}));
        held.push_back(world.files.Identify(ByBuildId(path, i), Self()));
    }
    check(held[3].file && !held[4].file && held[4].kind == MAPPING_NO_TABLES, "not more files than allowed");
    check(world.files.stats().refused == 2 && world.files.stats().files == 4, "those refused are counted");
    held.clear();
    WriteFile(scratch.path + "/7", MakeElf({.build_id = 77}));
    auto next = world.files.Identify(ByBuildId(scratch.path + "/7", 77), Self());
    check(next.file && world.files.stats().files == 1, "what nobody uses gives way");
    auto huge = MakeElf({.build_id = 88});
    WriteFile(scratch.path + "/huge", huge);
    (void)!truncate((scratch.path + "/huge").c_str(), 1ll << 43);
    Elf64_Phdr segment;
    std::memcpy(&segment, huge.data() + 64, sizeof segment);
    segment.p_filesz = 1ull << 42;
    int fd = open((scratch.path + "/huge").c_str(), O_WRONLY);
    (void)!pwrite(fd, &segment, sizeof segment, 64);
    close(fd);
    check(world.files.Identify(ByBuildId(scratch.path + "/huge", 88), Self()).kind == MAPPING_NO_TABLES,
          "terabytes of code are not believed");
}

static void TestForget() {
    ScratchDirectory scratch;
    World world({.files_max = 100, .unused_ns_max = 10'000'000'000});
    size_t before = OpenDescriptors();
    std::string path = scratch.path + "/a";
    WriteFile(path, MakeElf({.build_id = 1}));
    auto held = world.files.Identify(ByBuildId(path, 1), Self());
    uint64_t now = BootClockNs();
    constexpr uint64_t kSecond = 1'000'000'000;
    for (uint64_t at = 0; at < 60; at += 2)
        world.files.Forget(now + at * kSecond);
    check(world.files.stats().files == 1, "a file in use is kept");
    uint32_t directory = held.file->directory;
    held = {};
    world.files.Forget(now + 60 * kSecond);
    world.files.Forget(now + 69 * kSecond);
    check(world.files.stats().files == 1, "and some time after");
    held = world.files.Identify(ByBuildId(path, 1), Self());
    check(held.file && held.file->directory == directory, "so that it may come back");
    world.files.Forget(now + 71 * kSecond);
    held = {};
    world.files.Forget(now + 73 * kSecond);
    world.files.Forget(now + 82 * kSecond);
    check(world.files.stats().files == 1, "its time begins again then");
    world.files.Forget(now + 84 * kSecond);
    check(world.files.stats().files == 0 && OpenDescriptors() == before, "in the end it is closed");
    check(world.files.Identify(ByBuildId(path, 1), Self()).file != nullptr,
          "and opened anew when it comes again");
}

int main() {
    TestOneContent();
    TestLayouts();
    TestReplaced();
    TestReusedInode();
    TestDeleted();
    TestMemory();
    TestVdso();
    TestUnreadable();
    TestBounds();
    TestForget();
    return report();
}
