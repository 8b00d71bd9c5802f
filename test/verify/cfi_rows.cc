// Compares the rows of native/cfi with readelf's, at every row of every function of the files given (or
// listed on standard input). Usage: cfi_rows [--sample N] [--seed S] [FILE...]. A difference that rules
// cannot avoid is counted by its class; any other is printed, and the exit code is 1.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <memory>
#include <unistd.h>
#include <optional>
#include <set>

#include "cfi/file_rows.h"
#include "cfi/row_source.h"
#include "readelf_frames.h"

using namespace emberscope;
using verify::Column;
using verify::Expressions;
using verify::Function;

namespace {

constexpr uint64_t kMostPrinted = 20;

struct Totals {
    uint64_t files = 0, functions = 0, rows = 0, unexplained = 0, bytes_beyond = 0;
    std::map<std::string, uint64_t> classes; // differences that are none, or cannot be avoided
    std::map<std::string, uint64_t> skipped; // files, by reason
    std::map<std::string, uint64_t> shapes;  // expressions, and the rule each became
};

// Our rows by ELF address.
class OurRows {
  public:
    OurRows(const ElfFile &file, const FileRows &rows) : file_(file), rows_(rows) {}

    // The rule at an address, and where it ends (at its page's end at the latest); nothing outside of code.
    std::optional<unwind_rule> At(uint64_t address, uint64_t *end) {
        uint64_t offset = 0;
        if (!ToOffset(address, &offset)) return std::nullopt;
        const auto page = static_cast<uint32_t>(offset >> TEXT_PAGE_SHIFT);
        if (page != page_ || !loaded_) Load(page);
        const auto lo = static_cast<uint16_t>(offset % TEXT_PAGE_BYTES);
        auto row = std::upper_bound(page_rows_.begin(), page_rows_.end(), lo,
                                    [](uint16_t at, const CfiRow &other) { return at < other.lo; });
        const uint64_t until = row == page_rows_.end() ? TEXT_PAGE_BYTES : row->lo;
        *end = address + (until - lo);
        return row == page_rows_.begin() ? RuleOf(RULE_NONE) : std::prev(row)->rule;
    }
    uint64_t failed_pages() const { return failed_pages_; }
    // mov %rbx,%rsp: how glibc's __start_context begins. Its table claims a caller.
    bool StartsContext(uint64_t address) const {
        static constexpr uint8_t kMove[] = {0x48, 0x89, 0xdc};
        uint64_t offset = 0;
        uint8_t code[sizeof kMove] = {};
        return ToOffset(address, &offset) && file_.source().ReadExact(offset, code, "code").ok() &&
               !memcmp(code, kMove, sizeof kMove);
    }

  private:
    bool ToOffset(uint64_t address, uint64_t *offset) const {
        for (const ElfSegment &segment : file_.segments()) {
            const bool holds = segment.type == PT_LOAD && (segment.flags & PF_X) &&
                               address >= segment.address && address - segment.address < segment.file_size;
            if (!holds) continue;
            *offset = segment.offset + (address - segment.address);
            return true;
        }
        return false;
    }
    void Load(uint32_t page) {
        Result<std::vector<CfiRow>> rows = rows_.Page(page);
        failed_pages_ += !rows.ok();
        page_rows_ = rows.ok() ? std::move(rows.value()) : std::vector<CfiRow>();
        page_ = page;
        loaded_ = true;
    }

    const ElfFile &file_;
    const FileRows &rows_;
    std::vector<CfiRow> page_rows_;
    uint32_t page_ = 0;
    bool loaded_ = false;
    uint64_t failed_pages_ = 0;
};

bool FitsShort(int64_t value) {
    return value >= INT16_MIN && value <= INT16_MAX;
}

// What a row of readelf's must become; nothing when no rule can say it, `why` says why.
class Expectation {
  public:
    Expectation(const verify::Row &row, const Expressions &expressions)
        : row_(row), expressions_(expressions) {}
    std::optional<unwind_rule> Rule(std::string *why) {
        if (row_.ra.kind == 'u') return RuleOf(RULE_ROOT);
        if (!Cfa()) *why = "CFA " + (row_.cfa_by_expression ? expressions_.cfa : std::string("register"));
        else if (!Saved(row_.rbp, expressions_.rbp, 1, 2, &rule_.fp_offset))
            *why = Describe("rbp", row_.rbp) + " " + expressions_.rbp;
        else if (!Saved(row_.rbx, expressions_.rbx, 4, 8, &rule_.bx_offset))
            *why = Describe("rbx", row_.rbx) + " " + expressions_.rbx;
        else if (!ReturnAddress()) *why = Describe("ra", row_.ra);
        else return rule_;
        return std::nullopt;
    }

  private:
    static std::string Describe(const char *name, const Column &column) {
        return std::string(name) + " " + column.kind + (column.kind == 'c' ? " far from the CFA" : "");
    }
    bool Cfa() {
        rule_.kind = RULE_CFA;
        if (row_.cfa_by_expression) return CfaExpression(expressions_.cfa.c_str());
        rule_.base = static_cast<uint8_t>(row_.cfa_register);
        rule_.offset = static_cast<int32_t>(row_.cfa_offset);
        return row_.cfa_register >= 0 && row_.cfa_register < 16 && rule_.offset == row_.cfa_offset;
    }
    bool CfaExpression(const char *text) {
        unsigned base = 0;
        int offset = 0;
        int addend = 0;
        char name[8];
        int end = 0;
        sscanf(text,
               "DW_OP_breg7 (rsp): 8; DW_OP_breg16 (rip): 0; DW_OP_lit15; DW_OP_and; DW_OP_lit%d; DW_OP_ge; "
               "DW_OP_lit3; DW_OP_shl; DW_OP_plus%n",
               &offset, &end);
        if (end > 0 && !text[end]) return Set(RULE_PLT, 7, offset, 0);
        if (sscanf(text, "DW_OP_breg%u (%7[a-z0-9]): %d%n", &base, name, &offset, &end) < 3) return false;
        if (!text[end]) return Set(RULE_CFA, base, offset, 0);
        const char *rest = text + end;
        if (!strcmp(rest, "; DW_OP_deref")) return Set(RULE_CFA_DEREF, base, offset, 0);
        end = 0;
        sscanf(rest, "; DW_OP_deref; DW_OP_plus_uconst: %d%n", &addend, &end);
        return end > 0 && !rest[end] && Set(RULE_CFA_DEREF, base, offset, addend);
    }
    bool Set(rule_kind kind, unsigned base, int offset, int addend) {
        rule_.kind = static_cast<uint8_t>(kind);
        rule_.base = static_cast<uint8_t>(base);
        rule_.offset = offset;
        rule_.addend = static_cast<int16_t>(addend);
        return base < 16;
    }
    bool Saved(const Column &column, const std::string &expression, int at_cfa, int at_fp, int16_t *offset) {
        int64_t from = column.offset;
        int bit = at_cfa;
        if (column.kind == 'u' || column.kind == 's') return true;
        if (column.kind == 'e') {
            unsigned base = 0;
            int value = 0;
            int end = 0;
            sscanf(expression.c_str(), "DW_OP_breg%u (%*[a-z0-9]): %d%n", &base, &value, &end);
            if (end == 0 || expression[end]) return false;
            const bool by_cfa = !row_.cfa_by_expression && static_cast<int>(base) == row_.cfa_register;
            if (!by_cfa && base != 6) return false;
            from = by_cfa ? value - row_.cfa_offset : value;
            bit = by_cfa ? at_cfa : at_fp;
        } else if (column.kind != 'c') {
            return false;
        }
        *offset = static_cast<int16_t>(from);
        rule_.saved |= static_cast<uint8_t>(bit);
        return FitsShort(from);
    }
    bool ReturnAddress() {
        if (row_.ra.kind == 'r') {
            rule_.saved |= SAVED_RA_REGISTER;
            rule_.ra_register = static_cast<uint8_t>(row_.ra.offset);
            return row_.ra.offset < 16;
        }
        rule_.ra_offset = static_cast<int16_t>(row_.ra.offset);
        return row_.ra.kind == 'c' && FitsShort(row_.ra.offset);
    }

    const verify::Row &row_;
    const Expressions &expressions_;
    unwind_rule rule_{};
};

std::string Describe(const unwind_rule &rule) {
    static constexpr const char *kKinds[] = {
#define KIND_TEXT(name, text, ...) text,
        RULE_KINDS(KIND_TEXT)
#undef KIND_TEXT
    };
    char text[160];
    snprintf(text, sizeof text, "%s base %u offset %d addend %d saved %u fp %d bx %d ra %d in %u",
             kKinds[rule.kind], rule.base, rule.offset, rule.addend, rule.saved, rule.fp_offset,
             rule.bx_offset, rule.ra_offset, rule.ra_register);
    return text;
}

class Comparison {
  public:
    Comparison(const std::string &path, OurRows ours, verify::Frames frames, Totals *totals)
        : path_(path), ours_(std::move(ours)), frames_(std::move(frames)), totals_(totals) {}

    void Run() {
        KeepTheSourceInForce();
        FindOverlaps();
        for (const Function &function : frames_.functions)
            CompareFunction(function);
        CompareBeyond();
        if (ours_.failed_pages()) totals_->classes["pages refused as corrupt"] += ours_.failed_pages();
    }

  private:
    // .debug_frame only counts where .eh_frame says nothing.
    void KeepTheSourceInForce() {
        std::vector<Function> &functions = frames_.functions;
        std::stable_sort(functions.begin(), functions.end(), [](const Function &one, const Function &other) {
            return std::pair(one.is_debug_frame, one.start) < std::pair(other.is_debug_frame, other.start);
        });
        auto debug = std::partition_point(functions.begin(), functions.end(),
                                          [](const Function &function) { return !function.is_debug_frame; });
        const std::vector<Function> by_debug(std::make_move_iterator(debug),
                                             std::make_move_iterator(functions.end()));
        functions.erase(debug, functions.end());
        for (const Function &function : functions)
            if (function.start == function.end) empty_.insert(function.start);
        std::erase_if(functions, [](const Function &function) { return function.start >= function.end; });
        const size_t by_eh = functions.size();
        for (const Function &function : by_debug) {
            auto next =
                std::partition_point(functions.begin(), functions.begin() + by_eh,
                                     [&](const Function &other) { return other.end <= function.start; });
            const bool is_covered = next != functions.begin() + by_eh && next->start < function.end;
            if (is_covered) ++totals_->classes["functions of .debug_frame that .eh_frame describes"];
            else if (function.start != 0 && function.start < function.end) functions.push_back(function);
        }
        std::stable_sort(functions.begin(), functions.end(),
                         [](const Function &one, const Function &other) { return one.start < other.start; });
    }
    void FindOverlaps() {
        uint64_t reached = 0;
        for (const Function &function : frames_.functions) {
            if (function.start < reached)
                overlaps_.push_back({function.start, std::min(reached, function.end)});
            reached = std::max(reached, function.end);
        }
    }
    bool IsOverlapped(uint64_t address) const {
        return std::any_of(overlaps_.begin(), overlaps_.end(), [address](auto range) {
            return address >= range.first && address < range.second;
        });
    }

    void CompareFunction(const Function &function) {
        ++totals_->functions;
        for (size_t index = 0; index < function.rows.size(); ++index) {
            const verify::Row &row = function.rows[index];
            const uint64_t next =
                index + 1 < function.rows.size() ? function.rows[index + 1].location : function.end;
            const uint64_t end = std::min(next, function.end);
            if (row.location < end) CompareRow(function, row, end);
            else ++totals_->classes["rows behind the end of their function"];
        }
    }
    void CompareRow(const Function &function, const verify::Row &row, uint64_t end) {
        static const Expressions kNone;
        auto expressions = frames_.expressions.find({function.entry, row.location});
        const bool has = expressions != frames_.expressions.end();
        std::string why;
        std::optional<unwind_rule> expected = Expectation(row, has ? expressions->second : kNone).Rule(&why);
        if (function.is_signal_frame && row.ra.kind != 'u') expected = RuleOf(RULE_SIGNAL);
        ++totals_->rows;
        for (uint64_t at = row.location; at < end;) {
            uint64_t until = 0;
            const std::optional<unwind_rule> rule = ours_.At(at, &until);
            if (!rule) return void(++totals_->classes["rows outside of executable segments"]);
            Judge(function.start, at, expected, *rule, why);
            at = until;
        }
        if (has && expected)
            ++totals_->shapes[expressions->second.cfa + " | " + expressions->second.rbp + " | " +
                              expressions->second.rbx + " -> " + Describe(*expected)];
    }
    void Judge(uint64_t start, uint64_t at, const std::optional<unwind_rule> &expected,
               const unwind_rule &rule, const std::string &why) {
        if (expected && SameRule(*expected, rule)) return;
        if (!expected && rule.kind == RULE_UNSUPPORTED)
            return void(++totals_->classes["no rule can say: " + why]);
        if (rule.kind == RULE_ROOT && ours_.StartsContext(start))
            return void(++totals_->classes["functions that begin by taking another stack"]);
        if (rule.kind == RULE_NONE && empty_.contains(at))
            return void(++totals_->classes["the linker's table names an empty function of the same start"]);
        if (rule.kind == RULE_UNSUPPORTED && IsOverlapped(at))
            return void(++totals_->classes["functions that contradict each other"]);
        Print(at, expected ? Describe(*expected) : "unsupported: " + why, Describe(rule));
    }
    void Print(uint64_t at, const std::string &expected, const std::string &ours) {
        if (++totals_->unexplained > kMostPrinted) return;
        printf("%s %llx: readelf %s; ours %s\n", path_.c_str(), static_cast<unsigned long long>(at),
               expected.c_str(), ours.c_str());
    }

    // Between functions there must be no rule at all, but in what aligns the next one: it has the rule before
    // it.
    void CompareBeyond() {
        uint64_t reached = 0;
        for (const Function &function : frames_.functions) {
            if (reached > 0 && function.start > reached) {
                const bool aligns = reached % 16 != 0 && function.start % 16 == 0;
                if (aligns && function.start - reached < 16) ++totals_->classes["gaps that align a function"];
                else CompareGap(reached, function.start);
            }
            reached = std::max(reached, function.end);
        }
    }
    // What begins there has no function of its own: the linker's start code, mostly.
    bool AlignsEntryPoint(uint64_t at, uint64_t until) {
        if (until - at >= 16 || until % 16 != 0) return false;
        uint64_t beyond = 0;
        const std::optional<unwind_rule> rule = ours_.At(until, &beyond);
        return rule && rule->kind == RULE_ROOT;
    }
    void CompareGap(uint64_t start, uint64_t end) {
        for (uint64_t at = start; at < end;) {
            uint64_t until = 0;
            const std::optional<unwind_rule> rule = ours_.At(at, &until);
            if (!rule) return;
            until = std::min(until, end);
            if (at == start && until < end && AlignsEntryPoint(at, until)) {
                ++totals_->classes["gaps that align a function"];
                at = until;
                continue;
            }
            if (rule->kind == RULE_ROOT && until - at <= 64)
                ++totals_->classes["entry points without a function"];
            else if (rule->kind == RULE_UNSUPPORTED)
                ++totals_->classes["the linker's table names a function that lies elsewhere"];
            else if (rule->kind != RULE_NONE) Print(at, "nothing", Describe(*rule));
            at = until;
        }
    }

    const std::string &path_;
    OurRows ours_;
    verify::Frames frames_;
    Totals *totals_;
    std::vector<std::pair<uint64_t, uint64_t>> overlaps_;
    std::set<uint64_t> empty_; // starts of functions without a byte
};

void CompareFile(const std::string &path, Totals *totals) {
    Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    Result<FileSource> source = FileSource::Open(fd.get());
    if (!source.ok()) return void(++totals->skipped["cannot be read"]);
    Result<ElfFile> file = ElfFile::Open(source.value());
    if (!file.ok() || !file.value().IsLinked()) return void(++totals->skipped["no linked 64-bit ELF file"]);
    if (file.value().machine() != EM_X86_64) return void(++totals->skipped["for another machine"]);
    Result<std::unique_ptr<FileRows>> rows = FileRows::Open(source.value());
    if (!rows.ok()) return void(++totals->skipped["refused: " + rows.status().message]);
    const ElfSection *section = file.value().FindSection(".eh_frame");
    if (section && section->type == SHT_NOBITS) return void(++totals->skipped["debug data only"]);
    const CfiSummary summary = rows.value()->Summary();
    if (summary.source.find("gopclntab") != std::string::npos)
        return void(++totals->skipped["Go's own tables"]);
    verify::Frames frames;
    if (!verify::ReadFrames(path, &frames)) return void(++totals->skipped["readelf does not run"]);
    if (frames.functions.empty()) return void(++totals->skipped["no call frame information"]);
    ++totals->files;
    Comparison(path, OurRows(file.value(), *rows.value()), std::move(frames), totals).Run();
}

std::vector<std::string> ReadPaths() {
    std::vector<std::string> paths;
    char *line = nullptr;
    size_t capacity = 0;
    for (ssize_t length = 0; (length = getline(&line, &capacity, stdin)) > 0;)
        paths.emplace_back(line, static_cast<size_t>(length) - (line[length - 1] == '\n'));
    free(line);
    return paths;
}

bool IsElf(const std::string &path) {
    Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    Result<FileSource> source = FileSource::Open(fd.get());
    uint8_t magic[SELFMAG] = {};
    return source.ok() && source.value().ReadExact(0, magic, "magic").ok() && !memcmp(magic, ELFMAG, SELFMAG);
}

// The same `count` of the ELF files among them for the same seed.
void Sample(std::vector<std::string> *paths, size_t count, uint64_t seed) {
    std::erase_if(*paths, [](const std::string &path) { return !IsElf(path); });
    std::sort(paths->begin(), paths->end());
    for (size_t left = paths->size(); left > 1; --left) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        std::swap((*paths)[left - 1], (*paths)[(seed >> 33) % left]);
    }
    paths->resize(std::min(count, paths->size()));
}

int Report(const Totals &totals) {
    for (const auto &[shape, count] : totals.shapes)
        if (getenv("CFI_SHAPES"))
            printf("shape %s: %llu\n", shape.c_str(), static_cast<unsigned long long>(count));
    for (const auto &[reason, count] : totals.skipped)
        printf("skipped: %llu files: %s\n", static_cast<unsigned long long>(count), reason.c_str());
    for (const auto &[name, count] : totals.classes)
        printf("explained: %llu: %s\n", static_cast<unsigned long long>(count), name.c_str());
    printf("%llu files, %llu functions, %llu rows compared, %llu unexplained\n",
           static_cast<unsigned long long>(totals.files), static_cast<unsigned long long>(totals.functions),
           static_cast<unsigned long long>(totals.rows), static_cast<unsigned long long>(totals.unexplained));
    return totals.unexplained > 0;
}

} // namespace

int main(int argc, char **argv) {
    std::vector<std::string> paths;
    size_t sample = 0;
    uint64_t seed = 1;
    for (int index = 1; index < argc; ++index) {
        if (!strcmp(argv[index], "--sample") && index + 1 < argc)
            sample = strtoull(argv[++index], nullptr, 10);
        else if (!strcmp(argv[index], "--seed") && index + 1 < argc)
            seed = strtoull(argv[++index], nullptr, 10);
        else paths.emplace_back(argv[index]);
    }
    if (paths.empty()) paths = ReadPaths();
    if (sample > 0) Sample(&paths, sample, seed);
    Totals totals;
    for (const std::string &path : paths) {
        if (isatty(2)) fprintf(stderr, "\r\033[K%s", path.c_str());
        CompareFile(path, &totals);
    }
    return Report(totals);
}
