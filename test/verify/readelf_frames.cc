#include "readelf_frames.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace verify {

namespace {

// Lines of `readelf --debug-dump=HOW PATH`.
class Lines {
  public:
    Lines(const char *how, const std::string &path) {
        int ends[2];
        if (pipe(ends) != 0) return;
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
        posix_spawn_file_actions_addclose(&actions, ends[0]);
        const std::string dump = std::string("--debug-dump=") + how;
        const char *argv[] = {"readelf",    "-W",   dump.c_str(), "--debug-dump=no-follow-links",
                              path.c_str(), nullptr};
        if (posix_spawnp(&pid_, "readelf", &actions, nullptr, const_cast<char **>(argv), environ) != 0)
            pid_ = -1;
        posix_spawn_file_actions_destroy(&actions);
        close(ends[1]);
        input_ = fdopen(ends[0], "r");
    }
    ~Lines() {
        free(line_);
        if (input_) fclose(input_);
        if (pid_ > 0) waitpid(pid_, nullptr, 0);
    }
    bool started() const { return pid_ > 0 && input_; }
    bool Next(std::string_view *line) {
        const ssize_t length = getline(&line_, &capacity_, input_);
        if (length <= 0) return false;
        *line = {line_, static_cast<size_t>(length) - (line_[length - 1] == '\n')};
        return true;
    }

  private:
    pid_t pid_ = -1;
    FILE *input_ = nullptr;
    char *line_ = nullptr;
    size_t capacity_ = 0;
};

std::string_view TakeWord(std::string_view *rest) {
    const size_t start = rest->find_first_not_of(' ');
    if (start == std::string_view::npos) return {};
    const size_t end = std::min(rest->find(' ', start), rest->size());
    const std::string_view word = rest->substr(start, end - start);
    rest->remove_prefix(end);
    return word;
}

uint64_t Hex(std::string_view text) {
    return strtoull(std::string(text).c_str(), nullptr, 16);
}

int RegisterNumber(std::string_view name) {
    static constexpr std::string_view kNames[] = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi",
                                                  "rbp", "rsp", "r8",  "r9",  "r10", "r11",
                                                  "r12", "r13", "r14", "r15", "rip"};
    for (int number = 0; number < 17; ++number) {
        if (kNames[number] == name) return number;
    }
    return -1;
}

Column ToColumn(std::string_view text) {
    if (text == "u" || text == "n") return {'u', 0};
    if (text == "s") return {'s', 0};
    if (text == "exp") return {'e', 0};
    if (text == "vexp") return {'x', 0};
    if (text.starts_with('r')) return {'r', strtoll(text.data() + 1, nullptr, 10)};
    return {text.empty() ? '?' : text[0], strtoll(std::string(text.substr(1)).c_str(), nullptr, 10)};
}

// Heads of entries, which both dumps print alike.
struct Entry {
    uint64_t at = 0, cie = 0, start = 0, end = 0;
    bool is_cie = false;
    std::string augmentation;
};

bool ToEntry(std::string_view line, Entry *entry) {
    *entry = {};
    const bool is_cie =
        line.find(" CIE \"") != std::string_view::npos || line.ends_with(" CIE"); // the raw dump
    const size_t fde = line.find(" FDE cie=");
    if (!is_cie && fde == std::string_view::npos) return false;
    entry->is_cie = is_cie;
    entry->at = Hex(TakeWord(&line));
    if (is_cie) {
        const size_t quote = line.find('"');
        if (quote != std::string_view::npos)
            entry->augmentation = line.substr(quote + 1, line.find('"', quote + 1) - quote - 1);
        return true;
    }
    entry->cie = Hex(line.substr(line.find("cie=") + 4));
    const size_t range = line.find("pc=") + 3;
    entry->start = Hex(line.substr(range));
    entry->end = Hex(line.substr(line.find("..", range) + 2));
    return true;
}

struct CieRow {
    Row row;
    bool is_signal_frame = false;
};

class InterpretedReader {
  public:
    explicit InterpretedReader(Frames *frames) : frames_(frames) {}
    bool sees_expressions() const { return sees_expressions_; }
    void Line(std::string_view line) {
        if (line.starts_with("Contents of the")) return StartSection(line);
        Entry entry;
        if (ToEntry(line, &entry)) return StartEntry(entry);
        if (line.starts_with("   LOC")) return ReadColumns(line);
        if (!columns_.empty() && line.size() > 16 && line[0] != ' ') ReadRow(line);
        if (line.empty()) columns_.clear();
    }

  private:
    void StartSection(std::string_view line) {
        is_debug_frame_ = line.find("debug_frame") != std::string_view::npos;
        cies_.clear();
    }
    void StartEntry(const Entry &entry) {
        columns_.clear();
        in_cie_ = entry.is_cie;
        if (entry.is_cie) {
            cie_ = &(cies_[entry.at] = {});
            cie_->is_signal_frame = entry.augmentation.find('S') != std::string::npos;
            return;
        }
        const CieRow &cie = cies_[entry.cie];
        Function function;
        function.entry = entry.at;
        function.start = entry.start;
        function.end = entry.end;
        function.is_signal_frame = cie.is_signal_frame;
        function.is_debug_frame = is_debug_frame_;
        function.rows.push_back(cie.row);
        function.rows[0].location = entry.start;
        frames_->functions.push_back(std::move(function));
    }
    void ReadColumns(std::string_view line) {
        columns_.clear();
        for (std::string_view word = TakeWord(&line); !word.empty(); word = TakeWord(&line))
            columns_.emplace_back(word);
    }
    void ReadRow(std::string_view line) {
        Row row;
        for (const std::string &column : columns_) {
            const std::string_view word = TakeWord(&line);
            if (word.starts_with('r') && line.starts_with(" (")) TakeWord(&line); // "r10 (r10)"
            if (column == "LOC") row.location = Hex(word);
            else if (column == "CFA") ReadCfa(word, &row);
            else if (column == "rbx") row.rbx = ToColumn(word);
            else if (column == "rbp") row.rbp = ToColumn(word);
            else if (column == "ra") row.ra = ToColumn(word);
        }
        sees_expressions_ |= row.cfa_by_expression || row.rbx.kind == 'e' || row.rbp.kind == 'e';
        if (in_cie_) cie_->row = row;
        else AddRow(row);
    }
    static void ReadCfa(std::string_view word, Row *row) {
        row->cfa_by_expression = word == "exp";
        if (row->cfa_by_expression) return;
        const size_t sign = word.find_first_of("+-");
        row->cfa_register = RegisterNumber(word.substr(0, sign));
        if (sign != std::string_view::npos)
            row->cfa_offset = strtoll(std::string(word.substr(sign)).c_str(), nullptr, 10);
    }
    void AddRow(const Row &row) {
        std::vector<Row> &rows = frames_->functions.back().rows;
        if (rows.back().location == row.location) rows.back() = row;
        else rows.push_back(row);
    }

    Frames *frames_;
    std::map<uint64_t, CieRow> cies_;
    CieRow *cie_ = nullptr;
    bool in_cie_ = false;
    bool is_debug_frame_ = false;
    bool sees_expressions_ = false;
    std::vector<std::string> columns_;
};

// The raw dump, for the one thing that the interpreted one leaves out.
class ExpressionReader {
  public:
    explicit ExpressionReader(ExpressionsAt *found) : found_(found) {}
    void Line(std::string_view line) {
        Entry entry;
        if (line.starts_with("Contents of the")) {
            Flush();
            is_eh_frame_ = line.find("eh_frame") != std::string_view::npos;
        } else if (is_eh_frame_ && ToEntry(line, &entry)) {
            StartEntry(entry);
        } else if (is_eh_frame_ && line.starts_with("  DW_CFA_")) {
            Instruction(line.substr(9));
        }
    }
    void Flush() {
        const bool has_any = !now_.cfa.empty() || !now_.rbx.empty() || !now_.rbp.empty();
        if (in_function_ && has_any) (*found_)[{entry_.at, location_}] = now_;
        if (entry_.is_cie) cies_[entry_.at] = now_;
    }

  private:
    void StartEntry(const Entry &entry) {
        Flush();
        entry_ = entry;
        in_function_ = !entry.is_cie;
        location_ = entry.start;
        initial_ = in_function_ ? cies_[entry.cie] : Expressions();
        now_ = initial_;
        remembered_.clear();
    }
    // "def_cfa_expression (DW_OP_breg6 (rbp): -8; DW_OP_deref)", "expression: r6 (rbp) (DW_OP_breg6 (rbp):
    // 0)"
    void Instruction(std::string_view text) {
        if (text.starts_with("advance_loc") || text.starts_with("set_loc")) {
            Flush();
            const size_t to = text.find(text[0] == 'a' ? " to " : ": ");
            location_ = Hex(text.substr(to + (text[0] == 'a' ? 4 : 2)));
        } else if (text.starts_with("remember_state")) {
            remembered_.push_back(now_);
        } else if (text.starts_with("restore_state") && !remembered_.empty()) {
            now_ = remembered_.back();
            remembered_.pop_back();
        } else if (text.starts_with("def_cfa_expression")) {
            now_.cfa = Inside(text);
        } else if (text.starts_with("def_cfa:") || text.starts_with("def_cfa_register") ||
                   text.starts_with("def_cfa_sf")) {
            now_.cfa.clear();
        } else if (!text.starts_with("def_cfa_offset")) {
            RegisterInstruction(text);
        }
    }
    void RegisterInstruction(std::string_view text) {
        for (auto [name, number, column] :
             {std::tuple{"(rbx)", "r3 ", &Expressions::rbx}, std::tuple{"(rbp)", "r6 ", &Expressions::rbp}}) {
            const size_t at = text.find(": ");
            if (at == std::string_view::npos || !text.substr(at + 2).starts_with(number)) continue;
            if (text.starts_with("expression")) now_.*column = Inside(text.substr(text.find(name) + 5));
            else if (text.starts_with("restore")) now_.*column = initial_.*column;
            else (now_.*column).clear();
        }
    }
    static std::string Inside(std::string_view text) {
        const size_t open = text.find('(');
        const size_t end = text.rfind(')');
        return open == std::string_view::npos || end < open
                   ? ""
                   : std::string(text.substr(open + 1, end - open - 1));
    }

    ExpressionsAt *found_;
    Entry entry_;
    bool is_eh_frame_ = false;
    bool in_function_ = false;
    uint64_t location_ = 0;
    Expressions initial_, now_;
    std::vector<Expressions> remembered_;
    std::map<uint64_t, Expressions> cies_;
};

} // namespace

bool ReadFrames(const std::string &path, Frames *frames) {
    std::string_view line;
    Lines interpreted("frames-interp", path);
    if (!interpreted.started()) return false;
    InterpretedReader reader(frames);
    while (interpreted.Next(&line))
        reader.Line(line);
    for (const Function &function : frames->functions)
        frames->rows += function.rows.size();
    if (!reader.sees_expressions()) return true;
    Lines raw("frames", path);
    ExpressionReader expressions(&frames->expressions);
    while (raw.started() && raw.Next(&line))
        expressions.Line(line);
    expressions.Flush();
    return raw.started();
}

} // namespace verify
