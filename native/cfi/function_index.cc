#include "function_index.h"

#include <algorithm>
#include <elf.h>
#include <limits>

namespace emberscope {

namespace {

constexpr uint64_t kMaxPerFind = 1 << 16; // a page has no more bytes
constexpr uint64_t kMaxTable = 1 << 23;   // 64 MiB of .eh_frame_hdr; a browser has half a million entries
constexpr uint64_t kMaxIndexed = 1 << 22; // 32 MiB of our own
constexpr uint64_t kMaxScanned = 1 << 24; // entries, all kinds
constexpr uint64_t kMaxFdeHead = 64;      // the addresses at the start of an FDE
constexpr size_t kTableEntry = 8;
constexpr size_t kTableWindow = 32 * 1024;
constexpr size_t kMaxHeaderBytes = 4 + 10 + 10;

Status TooMany(uint64_t start) {
    return Status::Error(Kind::corrupt, "corrupt: more functions at " + HexText(start) + " than bytes");
}

class SortedTable : public FunctionIndex {
  public:
    SortedTable(const FrameSection &section, const FrameHeader &header)
        : section_(section), header_(header) {}

    uint64_t size() const override { return header_.count; }
    size_t memory() const override { return 0; }
    Result<std::vector<IndexedFunction>> Find(uint64_t start, uint64_t end) const override;
    bool IsSorted() const;

  private:
    bool Read(WindowReader *window, uint64_t index, IndexedFunction *function) const;
    uint64_t LowerBound(WindowReader *window, uint64_t address) const;

    FrameSection section_;
    FrameHeader header_;
};

// A function whose entry lies outside of the section gets `at` there too, and reads as nothing.
bool SortedTable::Read(WindowReader *window, uint64_t index, IndexedFunction *function) const {
    const Bytes entry = window->At(header_.table + index * kTableEntry, kTableEntry);
    if (entry.size() < kTableEntry) return false;
    const auto relative = [&](size_t at) {
        return header_.base + static_cast<uint64_t>(int64_t{LoadAt<int32_t>(entry, at)});
    };
    *function = {relative(0), relative(4) - section_.bases.section};
    return true;
}

bool SortedTable::IsSorted() const {
    WindowReader window(*section_.source, kTableWindow);
    uint64_t last = 0;
    for (uint64_t index = 0; index < header_.count; ++index) {
        IndexedFunction function{};
        if (!Read(&window, index, &function) || function.start < last) return false;
        last = function.start;
    }
    return true;
}

uint64_t SortedTable::LowerBound(WindowReader *window, uint64_t address) const {
    uint64_t low = 0;
    uint64_t high = header_.count;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        IndexedFunction function{};
        if (Read(window, middle, &function) && function.start < address) low = middle + 1;
        else high = middle;
    }
    return low;
}

Result<std::vector<IndexedFunction>> SortedTable::Find(uint64_t start, uint64_t end) const {
    WindowReader window(*section_.source);
    std::vector<IndexedFunction> found;
    uint64_t index = LowerBound(&window, start);
    if (index > 0) --index;
    for (; index < header_.count; ++index) {
        IndexedFunction function{};
        if (!Read(&window, index, &function) || function.start >= end) break;
        if (found.size() == kMaxPerFind) return TooMany(start);
        found.push_back(function);
    }
    return found;
}

// Both numbers count from a base, so that eight bytes hold a function.
struct CompactFunction {
    uint32_t start, at;
};

class OwnIndex : public FunctionIndex {
  public:
    OwnIndex(uint64_t base, std::vector<CompactFunction> functions)
        : base_(base), functions_(std::move(functions)) {}

    uint64_t size() const override { return functions_.size(); }
    size_t memory() const override { return functions_.capacity() * sizeof(CompactFunction); }
    Result<std::vector<IndexedFunction>> Find(uint64_t start, uint64_t end) const override {
        auto at = std::partition_point(functions_.begin(), functions_.end(),
                                       [&](CompactFunction function) { return StartOf(function) < start; });
        if (at != functions_.begin()) --at;
        std::vector<IndexedFunction> found;
        for (; at != functions_.end() && StartOf(*at) < end; ++at) {
            if (found.size() == kMaxPerFind) return TooMany(start);
            found.push_back({StartOf(*at), at->at});
        }
        return found;
    }

  private:
    uint64_t StartOf(CompactFunction function) const { return base_ + function.start; }
    uint64_t base_;
    std::vector<CompactFunction> functions_;
};

std::unique_ptr<FunctionIndex> MakeOwnIndex(std::vector<IndexedFunction> functions, std::string *note) {
    std::sort(functions.begin(), functions.end(),
              [](const IndexedFunction &one, const IndexedFunction &other) {
                  return one.start != other.start ? one.start < other.start : one.at < other.at;
              });
    const uint64_t base = functions.empty() ? 0 : functions.front().start;
    std::vector<CompactFunction> compact;
    compact.reserve(functions.size());
    for (const IndexedFunction &function : functions) {
        if (function.start - base > UINT32_MAX) {
            *note = "functions 4 GiB above the first one are left out";
            break;
        }
        compact.push_back({static_cast<uint32_t>(function.start - base), static_cast<uint32_t>(function.at)});
    }
    return std::make_unique<OwnIndex>(base, std::move(compact));
}

} // namespace

bool ReadFrameHeader(const ElfFile &file, FrameHeader *header) {
    uint64_t address = 0;
    uint64_t size = 0;
    for (const ElfSegment &segment : file.segments()) {
        if (segment.type == PT_GNU_EH_FRAME) address = segment.address, size = segment.file_size;
    }
    const ElfSection *section = file.FindSection(".eh_frame_hdr");
    if (address == 0 && section) address = section->address, size = section->size;
    uint64_t offset = 0;
    if (address == 0 || !file.OffsetOf(address, size, &offset)) return false;
    WindowReader window(file.source());
    const Bytes bytes = window.At(offset, std::min<uint64_t>(size, kMaxHeaderBytes));
    Cursor cursor(bytes);
    PointerBases bases{.section = address, .text = 0, .data = address};
    if (cursor.Take<uint8_t>() != 1) return false;
    const auto frame_encoding = cursor.Take<uint8_t>();
    const auto count_encoding = cursor.Take<uint8_t>();
    const auto table_encoding = cursor.Take<uint8_t>();
    if (!TakePointer(&cursor, frame_encoding, bases, &header->section_address)) return false;
    if (count_encoding == kPointerOmitted || table_encoding != (kPointerDatarel | kPointerSdata4))
        return true;
    uint64_t count = 0;
    if (!TakePointer(&cursor, count_encoding, bases, &count)) return true;
    if (count > kMaxTable || !FitsIn(cursor.at(), count * kTableEntry, size)) return true;
    header->table = offset + cursor.at();
    header->count = count;
    header->base = address;
    return true;
}

std::unique_ptr<FunctionIndex> OpenSortedTable(const FrameSection &section, const FrameHeader &header) {
    if (header.count == 0) return nullptr;
    auto table = std::make_unique<SortedTable>(section, header);
    if (!table->IsSorted()) return nullptr;
    return table;
}

std::unique_ptr<FunctionIndex> ScanSection(const FrameSection &section, const Architecture &architecture,
                                           bool whole, std::string *note) {
    FrameReader reader(section);
    CieCache cies(section, architecture);
    std::vector<IndexedFunction> functions;
    uint64_t at = 0;
    for (uint64_t scanned = 0; at < section.size && at <= UINT32_MAX; ++scanned) {
        FrameEntry entry;
        const bool is_read = reader.ReadEntry(at, &entry);
        if (!is_read || scanned == kMaxScanned || functions.size() == kMaxIndexed) {
            *note = (is_read ? "too many entries: those from " : "no entry can be read at ") + HexText(at) +
                    (is_read ? " on are left out" : ", what follows is left out");
            break;
        }
        at = entry.next;
        if (entry.is_terminator && !whole) break;
        if (entry.is_terminator || entry.is_cie) continue;
        Fde fde;
        if (!ReadFde(section, entry, cies.Find(entry.cie), reader.ReadBody(entry, kMaxFdeHead), &fde))
            continue;
        // Zero is what linkers leave of functions that they threw away.
        if (fde.start != 0 && fde.end > fde.start) functions.push_back({fde.start, entry.at});
    }
    return MakeOwnIndex(std::move(functions), note);
}

} // namespace emberscope
