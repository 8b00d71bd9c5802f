#include "file_rows.h"

#include <algorithm>
#include <elf.h>

#include "architecture.h"
#include "context_start.h"
#include "entry_point.h"
#include "frame_table.h"
#include "go_rows.h"

namespace emberscope {

namespace {

constexpr uint64_t kMaxRows = 65535; // the blob counts them in 16 bits
constexpr uint64_t kAlignment = 16;  // of functions
constexpr uint64_t kEntryBytes = 64; // of a first function that nobody describes

// A piece of a text page, and the ELF address of its first byte.
struct CodeRange {
    uint64_t offset, size;
    uint64_t address;
};

class ElfRows : public FileRows {
  public:
    static Result<std::unique_ptr<FileRows>> Open(const ByteSource &source);
    ElfRows() = default;

    uint32_t first_page() const override { return first_page_; }
    uint32_t pages() const override { return pages_; }
    Result<std::vector<CfiRow>> Page(uint32_t page) const override;
    CfiSummary Summary() const override;
    size_t memory() const override;

  private:
    void FindCode();
    void OpenSources();
    void AddSource(std::unique_ptr<RowSource> source);
    void FindEntry();
    void AddNote(const std::string &note);
    std::vector<CodeRange> RangesOf(uint32_t page) const;
    Status Collect(RowCollector *into) const;

    ElfFile file_;
    std::vector<ElfSegment> code_;
    std::vector<std::unique_ptr<RowSource>> sources_;
    RowSpan entry_{}; // the first function, when no table covers it
    std::string note_;
    uint32_t first_page_ = 0;
    uint32_t pages_ = 0;
};

Result<std::unique_ptr<FileRows>> ElfRows::Open(const ByteSource &source) {
    Result<ElfFile> file = ElfFile::Open(source);
    if (!file.ok()) return file.status();
    if (!file.value().IsLinked()) return file.value().NotLinked();
    auto rows = std::make_unique<ElfRows>();
    rows->file_ = std::move(file.value());
    rows->FindCode();
    rows->OpenSources();
    return std::unique_ptr<FileRows>(std::move(rows));
}

// Segments are cut to the file, pages to what a directory could hold.
void ElfRows::FindCode() {
    const uint64_t limit = std::min(file_.source().size(), uint64_t{DIRECTORY_PAGES} << TEXT_PAGE_SHIFT);
    uint64_t first = UINT64_MAX;
    uint64_t last = 0;
    for (ElfSegment segment : file_.segments()) {
        if (segment.type != PT_LOAD || !(segment.flags & PF_X) || segment.offset >= limit) continue;
        segment.file_size = std::min(segment.file_size, limit - segment.offset);
        if (segment.file_size == 0 || segment.file_size > UINT64_MAX - segment.address) continue;
        first = std::min(first, segment.offset >> TEXT_PAGE_SHIFT);
        last = std::max(last, (segment.offset + segment.file_size - 1) >> TEXT_PAGE_SHIFT);
        code_.push_back(segment);
    }
    if (code_.empty()) return;
    first_page_ = static_cast<uint32_t>(first);
    pages_ = static_cast<uint32_t>(last - first + 1);
}

void ElfRows::AddNote(const std::string &note) {
    if (!note.empty()) note_ += (note_.empty() ? "" : "; ") + note;
}

void ElfRows::OpenSources() {
    const Architecture *architecture = ArchitectureOf(file_.machine());
    if (!architecture || file_.machine() != HostMachine()) {
        AddNote("for another machine (ELF machine " + std::to_string(file_.machine()) + ")");
        return;
    }
    AddSource(OpenEhFrame(file_, *architecture));
    Result<std::unique_ptr<RowSource>> go = OpenGoRows(file_);
    if (!go.ok()) AddNote(go.status().message);
    const bool is_go = go.ok() && go.value();
    if (is_go) AddSource(std::move(go.value()));
    // Go writes a .debug_frame too: it says less, is compressed, and would be unpacked into memory.
    std::string failure;
    if (!is_go) AddSource(OpenDebugFrame(file_, *architecture, &failure));
    AddNote(failure);
    FindEntry();
}

void ElfRows::AddSource(std::unique_ptr<RowSource> source) {
    if (!source) return;
    AddNote(source->note());
    sources_.push_back(std::move(source));
}

void ElfRows::FindEntry() {
    const uint64_t entry = FindProgramEntry(file_);
    if (entry == 0) return;
    RowCollector around(entry, AddClamped(entry, kEntryBytes));
    if (!Collect(&around).ok() || around.Covers(entry)) return;
    entry_ = {entry, around.NextStart(entry), RuleOf(RULE_ROOT)};
}

std::vector<CodeRange> ElfRows::RangesOf(uint32_t page) const {
    const uint64_t start = uint64_t{page} << TEXT_PAGE_SHIFT;
    std::vector<CodeRange> ranges;
    for (const ElfSegment &segment : code_) {
        const uint64_t from = std::max(start, segment.offset);
        const uint64_t to = std::min(start + TEXT_PAGE_BYTES, segment.offset + segment.file_size);
        if (from < to) ranges.push_back({from, to - from, segment.address + (from - segment.offset)});
    }
    return ranges;
}

Status ElfRows::Collect(RowCollector *into) const {
    for (const auto &source : sources_) {
        RowCollector own(into->start(), into->end());
        Status status = source->Collect(&own);
        if (!status.ok()) return status;
        into->FillFrom(own);
    }
    if (entry_.start < entry_.end) {
        RowCollector entry(into->start(), into->end());
        entry.Add(entry_.start, entry_.end, entry_.rule);
        into->FillFrom(entry);
    }
    return Status::Ok();
}

void AppendRow(uint64_t lo, const unwind_rule &rule, std::vector<CfiRow> *rows) {
    if (!rows->empty() && SameRule(rows->back().rule, rule)) return;
    rows->push_back({static_cast<uint16_t>(lo), rule});
}

// What aligns the next function is no code: a gap that begins off the alignment and is too short for one
// more.
bool IsPadding(uint64_t start, uint64_t end) {
    return start % kAlignment != 0 && end % kAlignment == 0 && end - start < kAlignment;
}

// Gaps become rows too: the page answers for each of its bytes. Padding does not: a sixth of all rows would
// be.
std::vector<CfiRow> ToRows(const std::vector<RowSpan> &spans) {
    std::vector<CfiRow> rows;
    uint64_t at = 0;
    for (const RowSpan &span : spans) {
        if (span.start > at && !IsPadding(at, span.start)) AppendRow(at, RuleOf(RULE_NONE), &rows);
        AppendRow(span.start, span.rule, &rows);
        at = span.end;
    }
    if (!rows.empty() && at < TEXT_PAGE_BYTES) AppendRow(at, RuleOf(RULE_NONE), &rows);
    return rows;
}

Result<std::vector<CfiRow>> ElfRows::Page(uint32_t page) const {
    const uint64_t start = uint64_t{page} << TEXT_PAGE_SHIFT;
    RowCollector by_offset(0, TEXT_PAGE_BYTES);
    for (const CodeRange &range : RangesOf(page)) {
        // A byte more on both sides tells where a function begins behind a gap.
        RowCollector by_address(range.address - (range.address > 0),
                                AddClamped(range.address + range.size, 1));
        Status status = Collect(&by_address);
        if (!status.ok()) return status;
        const uint64_t offset = range.offset - start - range.address; // wraps, and back again
        for (const RowSpan &span : WithContextStarts(by_address, file_, range.offset - range.address)) {
            const uint64_t from = std::max(span.start, range.address);
            const uint64_t to = std::min(span.end, range.address + range.size);
            if (from < to) by_offset.Add(from + offset, to + offset, span.rule);
        }
    }
    std::vector<CfiRow> rows = ToRows(by_offset.spans());
    if (rows.size() <= kMaxRows && by_offset.ok()) return rows;
    return Status::Error(Kind::corrupt, "corrupt: text page at " + HexText(start) + " has " +
                                            std::to_string(rows.size()) + " unwind rows");
}

CfiSummary ElfRows::Summary() const {
    CfiSummary summary;
    for (const auto &source : sources_) {
        summary.source += (summary.source.empty() ? "" : " + ") + std::string(source->name());
        summary.functions += source->functions();
    }
    summary.note = note_;
    return summary;
}

size_t ElfRows::memory() const {
    size_t bytes = sizeof *this + (file_.sections().capacity() * sizeof(ElfSection)) +
                   (file_.segments().capacity() * sizeof(ElfSegment));
    for (const auto &source : sources_) {
        bytes += source->memory();
    }
    return bytes;
}

} // namespace

Result<std::unique_ptr<FileRows>> FileRows::Open(const ByteSource &source) {
    return ElfRows::Open(source);
}

} // namespace emberscope
