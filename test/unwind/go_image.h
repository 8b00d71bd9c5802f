// Go programs put together in memory: an ELF file with text, a .gopclntab of any version and a moduledata.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <elf.h>
#include <string>
#include <vector>

constexpr uint64_t kGoText = 0x401000, kGoTextOffset = 0x1000, kGoTextBytes = 0x1000;
constexpr uint64_t kGoTable = 0x502000, kGoTableOffset = 0x2000, kGoTableBytes = 0x2000;
constexpr uint64_t kGoData = 0x604000, kGoDataOffset = 0x4000, kGoDataBytes = 0x1000;
constexpr uint32_t kGo116 = 0xfffffffa, kGo118 = 0xfffffff0, kGo120 = 0xfffffff1;

struct GoImageFunction {
    uint32_t start; // from the text
    std::string name;
    uint8_t flags;
    std::vector<uint8_t> values; // pairs of varints; a zero is added
    std::vector<uint8_t> code;
};

struct GoImage {
    uint32_t magic = kGo120;
    uint16_t machine = EM_X86_64;
    bool text_in_header = true; // else in the moduledata
    bool named_section = true;  // else the table must be searched
    std::vector<GoImageFunction> functions;
    uint32_t end = 0x800; // of the last function

    std::vector<uint8_t> Bytes() const;

  private:
    std::vector<uint8_t> Table() const;
};

template <typename T> void PutAt(std::vector<uint8_t> *bytes, uint64_t at, T value) {
    if (bytes->size() < at + sizeof value) bytes->resize(at + sizeof value);
    std::memcpy(bytes->data() + at, &value, sizeof value);
}

inline std::vector<uint8_t> GoImage::Table() const {
    const bool is_116 = magic == kGo116;
    const uint64_t names = 0x80, values = 0x200, entries = 0x400, records = 0x200;
    const uint64_t entry = is_116 ? 8 : 4, head = is_116 ? 8 : 4;
    const uint64_t flags = magic == kGo118 ? 37 : 41;
    std::vector<uint8_t> table(kGoTableBytes);
    PutAt(&table, 0, magic);
    table[6] = machine == EM_AARCH64 ? 4 : 1, table[7] = 8;
    PutAt<uint64_t>(&table, 8, functions.size());
    if (!is_116) PutAt<uint64_t>(&table, 24, text_in_header ? kGoText : 0);
    const uint64_t offsets = is_116 ? 24 : 32;
    PutAt<uint64_t>(&table, offsets, names);
    PutAt<uint64_t>(&table, offsets + 24, values);
    PutAt<uint64_t>(&table, offsets + 32, entries);
    uint64_t name_at = 1, value_at = 1;
    auto put_entry = [&](uint64_t at, uint64_t start, uint64_t record) {
        const uint64_t base = is_116 ? kGoText : 0;
        if (is_116) PutAt<uint64_t>(&table, at, base + start), PutAt<uint64_t>(&table, at + 8, record);
        else PutAt<uint32_t>(&table, at, start), PutAt<uint32_t>(&table, at + 4, record);
    };
    for (size_t index = 0; index < functions.size(); ++index) {
        const GoImageFunction &function = functions[index];
        const uint64_t record = records + index * 64, at = entries + record;
        put_entry(entries + index * 2 * entry, function.start, record);
        if (is_116) PutAt<uint64_t>(&table, at, kGoText + function.start);
        else PutAt<uint32_t>(&table, at, function.start);
        PutAt<uint32_t>(&table, at + head, name_at);
        PutAt<uint32_t>(&table, at + head + 12, function.values.empty() ? 0 : value_at);
        table[at + flags] = function.flags;
        std::memcpy(&table[names + name_at], function.name.c_str(), function.name.size() + 1);
        std::copy(function.values.begin(), function.values.end(), table.begin() + values + value_at);
        name_at += function.name.size() + 1, value_at += function.values.size() + 1;
    }
    put_entry(entries + functions.size() * 2 * entry, end, 0);
    return table;
}

inline std::vector<uint8_t> GoImage::Bytes() const {
    std::vector<uint8_t> bytes(kGoDataOffset + kGoDataBytes);
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64, header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_EXEC, header.e_machine = machine, header.e_version = EV_CURRENT;
    header.e_phoff = 0x40, header.e_phentsize = sizeof(Elf64_Phdr), header.e_phnum = 4;
    header.e_shoff = 0x200, header.e_shentsize = sizeof(Elf64_Shdr), header.e_shnum = 3;
    header.e_shstrndx = 2;
    PutAt(&bytes, 0, header);
    PutAt(
        &bytes, 0x40,
        Elf64_Phdr{PT_LOAD, PF_R | PF_X, kGoTextOffset, kGoText, kGoText, kGoTextBytes, kGoTextBytes, 4096});
    PutAt(&bytes, 0x78,
          Elf64_Phdr{PT_LOAD, PF_R, kGoTableOffset, kGoTable, kGoTable, kGoTableBytes, kGoTableBytes, 4096});
    PutAt(
        &bytes, 0xb0,
        Elf64_Phdr{PT_LOAD, PF_R | PF_W, kGoDataOffset, kGoData, kGoData, kGoDataBytes, kGoDataBytes, 4096});
    PutAt(&bytes, 0xe8, Elf64_Phdr{PT_NOTE, PF_R, 0x180, 0x180, 0x180, 20, 20, 4});
    PutAt(&bytes, 0x180, Elf64_Nhdr{4, 4, 4});
    std::memcpy(&bytes[0x18c], "Go\0", 4);
    const char names[] = "\0.gopclntab\0.shstrtab";
    std::memcpy(&bytes[0x300], names, sizeof names);
    Elf64_Shdr table{}, strings{};
    table.sh_name = named_section ? 1 : 12, table.sh_type = SHT_PROGBITS, table.sh_addr = kGoTable;
    table.sh_offset = kGoTableOffset, table.sh_size = kGoTableBytes;
    strings.sh_name = 12, strings.sh_type = SHT_STRTAB, strings.sh_offset = 0x300,
    strings.sh_size = sizeof names;
    PutAt(&bytes, 0x240, table);
    PutAt(&bytes, 0x280, strings);
    const std::vector<uint8_t> content = Table();
    std::memcpy(&bytes[kGoTableOffset], content.data(), content.size());
    const uint64_t module = kGoDataOffset + 0x120;
    PutAt<uint64_t>(&bytes, kGoDataOffset + 0x40, kGoTable); // a pointer to the table that is no moduledata
    PutAt<uint64_t>(&bytes, module, kGoTable);
    if (!functions.empty()) PutAt<uint64_t>(&bytes, module + 160, kGoText + functions[0].start);
    PutAt<uint64_t>(&bytes, module + 168, kGoText + end);
    PutAt<uint64_t>(&bytes, module + 176, kGoText);
    for (const GoImageFunction &function : functions) {
        std::copy(function.code.begin(), function.code.end(), bytes.begin() + kGoTextOffset + function.start);
    }
    return bytes;
}
