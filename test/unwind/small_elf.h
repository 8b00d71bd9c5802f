// Small ELF files with one executable segment and a build id, and the children that map them.
#pragma once

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

struct SmallElf {
    uint8_t build_id = 0; // 0: none, else its four equal bytes
    uint64_t code_position = 0x1000, code_bytes = 0x2000;
    uint64_t file_bytes = 0x4000;
};

inline std::vector<uint8_t> MakeElf(const SmallElf &elf) {
    std::vector<uint8_t> bytes(elf.file_bytes, elf.build_id);
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64, header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_DYN, header.e_machine = EM_X86_64, header.e_version = EV_CURRENT;
    header.e_phoff = sizeof header, header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = elf.build_id ? 2 : 1;
    Elf64_Phdr segments[2] = {};
    segments[0].p_type = PT_LOAD, segments[0].p_flags = PF_R | PF_X;
    segments[0].p_offset = segments[0].p_vaddr = elf.code_position;
    segments[0].p_filesz = segments[0].p_memsz = elf.code_bytes, segments[0].p_align = 4096;
    segments[1].p_type = PT_NOTE, segments[1].p_offset = 0x200, segments[1].p_filesz = 20;
    const Elf64_Nhdr note{4, 4, NT_GNU_BUILD_ID};
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(bytes.data() + sizeof header, segments, sizeof segments);
    std::memcpy(bytes.data() + 0x200, &note, sizeof note);
    std::memcpy(bytes.data() + 0x20c, "GNU", 4);
    return bytes;
}

inline void WriteFile(const std::string &path, const std::vector<uint8_t> &bytes) {
    int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0755);
    if (fd < 0 || write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) abort();
    close(fd);
}

// A directory that goes with the test.
struct ScratchDirectory {
    std::string path;
    ScratchDirectory() {
        char name[] = "/tmp/track-test-XXXXXX";
        path = mkdtemp(name);
    }
    ~ScratchDirectory() { (void)!system(("rm -rf " + path).c_str()); }
};

// Code memory of the file at `position`; nullptr when it cannot be had.
inline char *MapCode(const std::string &path, size_t bytes, off_t position, void *at = nullptr) {
    int fd = open(path.c_str(), O_RDONLY);
    void *base = mmap(at, bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE | (at ? MAP_FIXED : 0), fd, position);
    close(fd);
    return base == MAP_FAILED ? nullptr : static_cast<char *>(base);
}

// A child that does what `work` does, says so, and waits to be killed.
struct Child {
    int pid;
    template <typename Work> explicit Child(Work work) {
        int told[2];
        if (pipe(told)) abort();
        pid = fork();
        if (pid == 0) {
            work();
            (void)!write(told[1], "x", 1);
            for (;;)
                pause();
        }
        char byte;
        close(told[1]);
        (void)!read(told[0], &byte, 1);
        close(told[0]);
    }
    ~Child() { Kill(); }
    void Kill() {
        if (pid <= 0) return;
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        pid = -1;
    }
};
