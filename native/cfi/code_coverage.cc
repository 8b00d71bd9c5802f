#include "cfi/code_coverage.h"

#include <algorithm>
#include <bitset>
#include <elf.h>
#include <vector>

namespace emberscope {

namespace {

// Bytes [start, end) of the file.
struct Range {
    uint64_t start, end;
};

Range RangeOf(uint64_t offset, uint64_t size) {
    return {offset, size > UINT64_MAX - offset ? UINT64_MAX : offset + size};
}

// Sorted, none overlap: sections of a hostile file may all lie upon each other.
std::vector<Range> Merged(std::vector<Range> ranges) {
    std::sort(ranges.begin(), ranges.end(), [](const Range &a, const Range &b) { return a.start < b.start; });
    std::vector<Range> merged;
    for (const Range &range : ranges) {
        if (merged.empty() || range.start > merged.back().end) merged.push_back(range);
        else merged.back().end = std::max(merged.back().end, range.end);
    }
    return merged;
}

std::vector<Range> CodeRanges(const ElfFile &file) {
    std::vector<Range> ranges;
    for (const ElfSection &section : file.sections())
        if ((section.flags & SHF_EXECINSTR) && section.type != SHT_NOBITS)
            ranges.push_back(RangeOf(section.offset, section.size));
    if (!ranges.empty()) return Merged(std::move(ranges));
    for (const ElfSegment &segment : file.segments())
        if (segment.type == PT_LOAD && (segment.flags & PF_X))
            ranges.push_back(RangeOf(segment.offset, segment.file_size));
    return Merged(std::move(ranges));
}

using PageBytes = std::bitset<TEXT_PAGE_BYTES>; // one for each byte of a text page

PageBytes CodeOfPage(const std::vector<Range> &code, uint64_t page_start) {
    PageBytes bytes;
    for (const Range &range : code) {
        uint64_t start = std::max(range.start, page_start);
        uint64_t end = std::min(range.end, page_start + TEXT_PAGE_BYTES);
        for (uint64_t at = start; at < end; at++)
            bytes.set(at - page_start);
    }
    return bytes;
}

PageBytes CoveredOfPage(const std::vector<CfiRow> &rows) {
    PageBytes bytes;
    for (size_t i = 0; i < rows.size(); i++) {
        size_t end = i + 1 < rows.size() ? rows[i + 1].lo : TEXT_PAGE_BYTES;
        if (rows[i].rule.kind == RULE_NONE) continue;
        for (size_t at = rows[i].lo; at < end; at++)
            bytes.set(at);
    }
    return bytes;
}

} // namespace

CodeCoverage CoverageOf(const ElfFile &file, const FileRows &rows, uint32_t pages_max) {
    CodeCoverage coverage;
    const std::vector<Range> code = CodeRanges(file);
    const uint32_t looked_at = std::min(rows.pages(), pages_max);
    for (uint32_t i = 0; i < looked_at; i++) {
        auto page = rows.first_page() + static_cast<uint32_t>(uint64_t{i} * rows.pages() / looked_at);
        PageBytes bytes = CodeOfPage(code, uint64_t{page} << TEXT_PAGE_SHIFT);
        if (bytes.none()) continue;
        coverage.code_bytes += bytes.count();
        Result<std::vector<CfiRow>> found = rows.Page(page);
        if (found.ok()) coverage.covered_bytes += (bytes & CoveredOfPage(found.value())).count();
    }
    return coverage;
}

} // namespace emberscope
