#include "elf_plt.h"

#include <elf.h>
#include <map>

namespace emberscope {

namespace {

constexpr uint64_t kMaxRelocations = 1 << 22;
constexpr size_t kRelocationsPerRead = 4096;
constexpr size_t kMaxName = 32 * 1024;

// What a stub says about its function: the slot it jumps through, or its number in .rela.plt.
struct StubTarget {
    uint64_t slot = 0;
    int64_t relocation = -1;
    bool known() const { return slot != 0 || relocation >= 0; }
};

// endbr64 and bnd may precede: jmp *disp32(%rip) is ff 25, push imm32 is 68.
StubTarget DecodeX86(Bytes stub, uint64_t address) {
    size_t at = stub.size() >= 4 && LoadAt<uint32_t>(stub, 0) == 0xfa1e0ff3 ? 4 : 0;
    if (at < stub.size() && stub[at] == 0xf2) ++at;
    StubTarget target;
    if (at + 6 <= stub.size() && stub[at] == 0xff && stub[at + 1] == 0x25) {
        target.slot = address + at + 6 + static_cast<int64_t>(LoadAt<int32_t>(stub, at + 2));
    } else if (at + 5 <= stub.size() && stub[at] == 0x68) {
        target.relocation = LoadAt<uint32_t>(stub, at + 1);
    }
    return target;
}

// adrp x16, page; ldr x17, [x16, #offset] after an optional bti.
StubTarget DecodeArm64(Bytes stub, uint64_t address) {
    StubTarget target;
    for (size_t at = 0; at + 8 <= stub.size() && at <= 4; at += 4) {
        auto adrp = LoadAt<uint32_t>(stub, at);
        auto load = LoadAt<uint32_t>(stub, at + 4);
        if ((adrp & 0x9f00001f) != 0x90000010 || (load & 0xffc003ff) != 0xf9400211) continue;
        uint64_t pages = ((adrp >> 5) & 0x7ffff) << 2 | ((adrp >> 29) & 3);
        int64_t page_delta = static_cast<int64_t>(pages << 43) >> 43; // 21 bits, signed
        uint64_t page = ((address + at) & ~uint64_t{4095}) + (static_cast<uint64_t>(page_delta) << 12);
        target.slot = page + ((load >> 10) & 0xfff) * 8;
        break;
    }
    return target;
}

struct Stub {
    size_t row;
    uint64_t start;
    StubTarget target;
};

std::vector<Stub> FindStubs(const ElfFile &file, const std::vector<uint64_t> &addresses) {
    std::vector<Stub> stubs;
    WindowReader code(file.source());
    for (const ElfSection &section : file.sections()) {
        const bool header_first = section.name == ".plt";
        if (!header_first && section.name != ".plt.sec" && section.name != ".plt.got") continue;
        if (section.type == SHT_NOBITS) continue;
        const uint64_t size = section.entry_size == 8 ? 8 : 16;
        for (size_t row = 0; row < addresses.size(); ++row) {
            if (addresses[row] < section.address || addresses[row] - section.address >= section.size)
                continue;
            const uint64_t within = (addresses[row] - section.address) / size * size;
            const uint64_t start = section.address + within;
            Bytes bytes = code.At(AddClamped(section.offset, within), size);
            Stub stub{row, start,
                      file.machine() == EM_AARCH64 ? DecodeArm64(bytes, start) : DecodeX86(bytes, start)};
            if (stub.target.known()) stubs.push_back(stub);
        }
    }
    return stubs;
}

// Symbol number of each wanted slot (by address) and of each wanted entry of .rela.plt (by number), 0 when
// unknown.
struct SlotSymbols {
    std::map<uint64_t, uint32_t> by_slot;
    std::map<uint64_t, uint32_t> by_relocation;
};

void ReadRelocations(const ElfFile &file, const ElfSection &section, SlotSymbols *symbols) {
    const bool is_plt = section.name == ".rela.plt";
    const uint64_t count = std::min(section.size / sizeof(Elf64_Rela), kMaxRelocations);
    std::vector<uint8_t> chunk(kRelocationsPerRead * sizeof(Elf64_Rela));
    for (uint64_t done = 0; done < count;) {
        size_t wanted = std::min<uint64_t>(kRelocationsPerRead, count - done);
        Result<size_t> read = file.source().Read(AddClamped(section.offset, done * sizeof(Elf64_Rela)),
                                                 {chunk.data(), wanted * sizeof(Elf64_Rela)});
        size_t whole = read.ok() ? read.value() / sizeof(Elf64_Rela) : 0;
        for (size_t index = 0; index < whole; ++index) {
            auto relocation = LoadAt<Elf64_Rela>(chunk, index * sizeof(Elf64_Rela));
            auto symbol = static_cast<uint32_t>(ELF64_R_SYM(relocation.r_info));
            auto slot = symbols->by_slot.find(relocation.r_offset);
            if (slot != symbols->by_slot.end()) slot->second = symbol;
            if (!is_plt) continue;
            auto entry = symbols->by_relocation.find(done + index);
            if (entry != symbols->by_relocation.end()) entry->second = symbol;
        }
        done += whole;
        if (whole < wanted) return;
    }
}

std::string NameOfSymbol(const SymbolTable &dynsym, WindowReader &reader, uint32_t symbol) {
    if (symbol == 0 || symbol >= dynsym.count) return {};
    auto entry =
        LoadAt<Elf64_Sym>(reader.At(dynsym.offset + symbol * sizeof(Elf64_Sym), sizeof(Elf64_Sym)), 0);
    if (entry.st_name == 0) return {};
    return reader.String(AddClamped(dynsym.strings_offset, entry.st_name), dynsym.strings_end, kMaxName);
}

} // namespace

std::vector<PltName> NamePltStubs(const ElfFile &file, const SymbolTable &dynsym,
                                  const std::vector<uint64_t> &addresses) {
    std::vector<PltName> names(addresses.size());
    if (dynsym.count == 0) return names;
    const std::vector<Stub> stubs = FindStubs(file, addresses);
    if (stubs.empty()) return names;
    SlotSymbols symbols;
    for (const Stub &stub : stubs) {
        if (stub.target.slot) symbols.by_slot[stub.target.slot] = 0;
        if (stub.target.relocation >= 0)
            symbols.by_relocation[static_cast<uint64_t>(stub.target.relocation)] = 0;
    }
    for (const char *name : {".rela.dyn", ".rela.plt"}) {
        const ElfSection *section = file.FindSection(name);
        if (section) ReadRelocations(file, *section, &symbols);
    }
    WindowReader reader(file.source());
    for (const Stub &stub : stubs) {
        uint32_t symbol = stub.target.slot
                              ? symbols.by_slot[stub.target.slot]
                              : symbols.by_relocation[static_cast<uint64_t>(stub.target.relocation)];
        std::string name = NameOfSymbol(dynsym, reader, symbol);
        if (!name.empty()) names[stub.row] = {stub.start, name + "@plt"};
    }
    return names;
}

} // namespace emberscope
