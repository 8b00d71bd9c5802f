#include "elf_dynamic.h"

#include <elf.h>

namespace emberscope {

namespace {

constexpr uint64_t kMaxDynamicEntries = 4096;

struct DynamicTags {
    uint64_t symbols = 0, strings = 0, strings_size = 0, hash = 0, gnu_hash = 0;
};

DynamicTags ReadTags(const ElfFile &file) {
    DynamicTags tags;
    for (const ElfSegment &segment : file.segments()) {
        if (segment.type != PT_DYNAMIC) continue;
        WindowReader reader(file.source());
        const uint64_t count = std::min(segment.file_size / sizeof(Elf64_Dyn), kMaxDynamicEntries);
        for (uint64_t index = 0; index < count; ++index) {
            Bytes bytes = reader.At(AddClamped(segment.offset, index * sizeof(Elf64_Dyn)), sizeof(Elf64_Dyn));
            auto entry = LoadAt<Elf64_Dyn>(bytes, 0);
            if (entry.d_tag == DT_NULL) break;
            if (entry.d_tag == DT_SYMTAB) tags.symbols = entry.d_un.d_ptr;
            if (entry.d_tag == DT_STRTAB) tags.strings = entry.d_un.d_ptr;
            if (entry.d_tag == DT_STRSZ) tags.strings_size = entry.d_un.d_val;
            if (entry.d_tag == DT_HASH) tags.hash = entry.d_un.d_ptr;
            if (entry.d_tag == DT_GNU_HASH) tags.gnu_hash = entry.d_un.d_ptr;
        }
        break;
    }
    return tags;
}

uint64_t CountByHash(const ElfFile &file, uint64_t address) {
    uint64_t offset = 0;
    if (!file.OffsetOf(address, 8, &offset)) return 0;
    WindowReader reader(file.source());
    return LoadAt<uint32_t>(reader.At(offset, 8), 4); // nchain
}

// The largest symbol index a bucket starts at, followed to the end of its chain (lowest bit set).
uint64_t CountByGnuHash(const ElfFile &file, uint64_t address, uint64_t limit) {
    uint64_t offset = 0;
    if (!file.OffsetOf(address, 16, &offset)) return 0;
    WindowReader reader(file.source());
    Bytes header = reader.At(offset, 16);
    const uint64_t buckets = LoadAt<uint32_t>(header, 0);
    const uint64_t first_hashed = LoadAt<uint32_t>(header, 4);
    const uint64_t bloom_words = LoadAt<uint32_t>(header, 8);
    const uint64_t bucket_offset = offset + 16 + bloom_words * 8;
    uint64_t last = 0;
    for (uint64_t index = 0; index < std::min(buckets, limit); ++index) {
        Bytes bucket = reader.At(bucket_offset + index * 4, 4);
        if (bucket.size() < 4) return 0;
        last = std::max<uint64_t>(last, LoadAt<uint32_t>(bucket, 0));
    }
    if (last < first_hashed) return first_hashed;
    const uint64_t chain_offset = bucket_offset + buckets * 4;
    for (; last < limit; ++last) {
        Bytes link = reader.At(chain_offset + (last - first_hashed) * 4, 4);
        if (link.size() < 4 || (LoadAt<uint32_t>(link, 0) & 1)) break;
    }
    return last + 1;
}

} // namespace

SymbolTable FindDynamicSymbols(const ElfFile &file, uint64_t limit) {
    const DynamicTags tags = ReadTags(file);
    SymbolTable table;
    if (tags.symbols == 0 || tags.strings == 0) return table;
    uint64_t count = tags.hash ? CountByHash(file, tags.hash) : 0;
    if (count == 0 && tags.gnu_hash) count = CountByGnuHash(file, tags.gnu_hash, limit);
    count = std::min(count, limit);
    uint64_t symbols = 0, strings = 0;
    if (count == 0 || !file.OffsetOf(tags.symbols, count * sizeof(Elf64_Sym), &symbols)) return table;
    if (!file.OffsetOf(tags.strings, tags.strings_size, &strings)) return table;
    return {&file, ".dynsym", symbols, count, strings, strings + tags.strings_size};
}

} // namespace emberscope
