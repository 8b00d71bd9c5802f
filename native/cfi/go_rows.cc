#include "go_rows.h"

#include <elf.h>

#include "elf_gopclntab.h"
#include "go_functions.h"

namespace emberscope {

namespace {

// DWARF numbers, of the file's machine: it need not be ours.
constexpr uint8_t kX86Fp = 6, kX86Sp = 7, kArmFp = 29, kArmLr = 30, kArmSp = 31;
// Steps of a function that begins before the asked range; the longest functions known have 100 000.
constexpr uint64_t kMaxSteps = 1 << 22;
constexpr size_t kMaxVarint = 5;
constexpr int32_t kMaxDepth = INT32_MAX - 8; // the runtime calls with frames of up to 1 GiB
constexpr uint64_t kMaxSwitchCode = 4096;

// The value in force over [start, end) of one function's table of values by pc.
struct Depth {
    uint64_t start, end;
    int32_t bytes;
};

// Walks such a table: pairs of varints, change of value (zigzag) and length in pc units.
class DepthWalk {
  public:
    DepthWalk(const GoTable &table, GoTableReader *reader, const GoFunction &function)
        : reader_(reader), unit_(table.instruction_unit), offset_(function.pcsp), end_(function.end),
          depth_{function.start, function.start, -1} {}

    // False at the end of the function or of the table.
    bool Next() {
        const Bytes bytes = reader_->Values(offset_, 2 * kMaxVarint);
        size_t at = 0;
        const uint32_t change = Varint(bytes, &at);
        const uint32_t units = Varint(bytes, &at);
        const bool is_first = depth_.end == depth_.start && steps_ == 0;
        if ((change == 0 && !is_first) || units == 0 || at > bytes.size()) return false;
        if (depth_.end >= end_ || ++steps_ > kMaxSteps) return false;
        const uint32_t magnitude = change >> 1;
        depth_.bytes =
            static_cast<int32_t>(static_cast<uint32_t>(depth_.bytes) + (change & 1 ? ~magnitude : magnitude));
        depth_.start = depth_.end;
        depth_.end = std::min(end_, depth_.end + uint64_t{units} * unit_);
        offset_ += at;
        return true;
    }
    const Depth &depth() const { return depth_; }
    bool is_endless() const { return steps_ > kMaxSteps; }

  private:
    // Moves `at` beyond the bytes when they end within the number.
    static uint32_t Varint(Bytes bytes, size_t *at) {
        uint32_t value = 0;
        for (unsigned shift = 0; shift < 7 * kMaxVarint && *at < bytes.size(); shift += 7) {
            const uint8_t byte = bytes[(*at)++];
            value |= static_cast<uint32_t>(byte & 0x7f) << shift;
            if (!(byte & 0x80)) return value;
        }
        *at = bytes.size() + 1;
        return 0;
    }

    GoTableReader *reader_;
    uint64_t unit_;
    uint64_t offset_;
    uint64_t end_;
    uint64_t steps_ = 0;
    Depth depth_;
};

// How one function keeps what its caller needs.
struct Frame {
    GoRole role = GoRole::plain;
    uint64_t switched_from = 0;       // addresses from here on may run on another stack
    bool has_frame = true;            // of a switch: the frame pointer points to its own frame
    bool is_assembly = false;         // then the caller's frame pointer is where `save` put it, if anywhere
    uint64_t saved_from = UINT64_MAX; // addresses from here on, at depths of at least saved_depth
    int32_t save_offset = 0;          // from sp
    int32_t saved_depth = 0;
    int32_t saved_cfa_offset = 0;
};

class GoRows : public RowSource {
  public:
    GoRows(const ElfFile &file, GoTable table)
        : file_(file), table_(table), arm64_(file.machine() == EM_AARCH64) {}

    const char *name() const override { return ".gopclntab"; }
    uint64_t functions() const override { return table_.functions; }
    size_t memory() const override { return sizeof *this; }
    std::string note() const override { return ""; }

    Status Collect(RowCollector *into) const override {
        GoTableReader reader(table_);
        for (uint64_t index = reader.IndexOf(into->start()); index < table_.functions; ++index) {
            GoFunction function;
            const bool sound = reader.Function(index, &function);
            // One byte on: the row of a signal return starts a byte early.
            if (function.start > into->end()) break;
            if (!sound || function.pcsp == 0) continue;
            Status added = AddFunction(function, &reader, into);
            if (!added.ok()) return added;
        }
        return Status::Ok();
    }

  private:
    Status AddFunction(const GoFunction &function, GoTableReader *reader, RowCollector *into) const;
    Frame FrameOf(const GoFunction &function, GoTableReader *reader) const;
    std::vector<uint8_t> CodeOf(const GoFunction &function) const;
    void AddDepth(const Depth &depth, Frame *frame, RowCollector *into) const;
    unwind_rule RuleAt(int32_t depth, const Frame &frame, bool is_saved) const;
    unwind_rule X86Rule(int32_t depth, const Frame &frame, bool is_saved) const;
    unwind_rule Arm64Rule(int32_t depth, const Frame &frame, bool is_saved) const;
    unwind_rule SwitchedRule(int32_t depth, const Frame &frame) const;

    const ElfFile &file_;
    GoTable table_;
    bool arm64_;
};

std::vector<uint8_t> GoRows::CodeOf(const GoFunction &function) const {
    const uint64_t size = std::min(function.end - function.start, kMaxSwitchCode);
    uint64_t offset = 0;
    std::vector<uint8_t> code(size);
    if (!file_.OffsetOf(function.start, size, &offset)) return {};
    if (!file_.source().ReadExact(offset, code, "Go function").ok()) return {};
    return code;
}

Frame GoRows::FrameOf(const GoFunction &function, GoTableReader *reader) const {
    Frame frame;
    // Compiled functions have no flags; reading a name for each of them would double the work.
    if (function.flags == 0 && GoTableHasFlags(table_)) return frame;
    frame.role = RoleOf(reader->Name(function, 64), function);
    frame.is_assembly = function.flags & kGoAssembly;
    if (frame.role == GoRole::plain && !frame.is_assembly) return frame;
    const std::vector<uint8_t> code = CodeOf(function);
    if (frame.is_assembly) {
        if (const auto save = FindFramePointerSave(code, arm64_)) {
            frame.saved_from = function.start + save->in_force;
            frame.save_offset = save->offset;
        }
    }
    if (frame.role == GoRole::switched || frame.role == GoRole::root_switched) {
        frame.switched_from = function.start + FindStackSwitch(code, arm64_);
        frame.has_frame = false;
        for (DepthWalk walk(table_, reader, function); walk.Next();) {
            frame.has_frame = frame.has_frame || walk.depth().bytes > 0;
        }
    }
    return frame;
}

Status GoRows::AddFunction(const GoFunction &function, GoTableReader *reader, RowCollector *into) const {
    Frame frame = FrameOf(function, reader);
    if (frame.role == GoRole::root) {
        into->Add(function.start, function.end, RuleOf(RULE_ROOT));
        return Status::Ok();
    }
    if (frame.role == GoRole::signal_return) {
        // The handler's return address is the function's start and is looked up one byte before it.
        into->Add(function.start - 1, function.end, RuleOf(RULE_SIGNAL));
        return Status::Ok();
    }
    DepthWalk walk(table_, reader, function);
    while (walk.Next() && walk.depth().start < into->end()) {
        AddDepth(walk.depth(), &frame, into);
    }
    if (!walk.is_endless()) return Status::Ok();
    return Status::Error(Kind::corrupt,
                         "corrupt: .gopclntab: values of " + HexText(function.start) + " do not end");
}

// A depth's rows: split where the frame pointer is saved, and where the stack is switched.
void GoRows::AddDepth(const Depth &depth, Frame *frame, RowCollector *into) const {
    uint64_t cuts[] = {depth.start, depth.end, depth.end, depth.end};
    size_t count = 1;
    if (frame->saved_from >= depth.start && frame->saved_from < depth.end) {
        frame->saved_depth = depth.bytes;
        frame->saved_cfa_offset = frame->save_offset - depth.bytes - (arm64_ ? 0 : 8);
        if (frame->saved_from > depth.start) cuts[count++] = frame->saved_from;
    }
    const bool has_switch = frame->role == GoRole::switched || frame->role == GoRole::root_switched;
    if (has_switch && frame->switched_from > depth.start && frame->switched_from < depth.end) {
        cuts[count++] = frame->switched_from;
    }
    if (count == 3 && cuts[1] > cuts[2]) std::swap(cuts[1], cuts[2]); // the first is depth.start
    for (size_t index = 0; index < count; ++index) {
        const uint64_t start = cuts[index];
        const bool is_switched = has_switch && start >= frame->switched_from;
        const bool is_saved = start >= frame->saved_from && depth.bytes >= frame->saved_depth;
        into->Add(start, cuts[index + 1],
                  is_switched ? SwitchedRule(depth.bytes, *frame) : RuleAt(depth.bytes, *frame, is_saved));
    }
}

unwind_rule GoRows::RuleAt(int32_t depth, const Frame &frame, bool is_saved) const {
    if (depth < 0 || depth > kMaxDepth) return RuleOf(RULE_UNSUPPORTED);
    return arm64_ ? Arm64Rule(depth, frame, is_saved) : X86Rule(depth, frame, is_saved);
}

unwind_rule GoRows::X86Rule(int32_t depth, const Frame &frame, bool is_saved) const {
    unwind_rule rule = RuleOf(RULE_CFA);
    rule.base = kX86Sp;
    rule.offset = depth + 8;
    rule.ra_offset = -8;
    // Compiled code: the frame's first word.
    const int32_t fp_offset = frame.is_assembly ? frame.saved_cfa_offset : -16;
    const bool has_fp = frame.is_assembly ? is_saved : depth > 0;
    if (!has_fp || fp_offset < INT16_MIN) return rule;
    rule.saved = SAVED_FP_AT_CFA;
    rule.fp_offset = static_cast<int16_t>(fp_offset);
    return rule;
}

// The return address is the frame's lowest word and the caller's frame pointer lies right below it, under sp.
unwind_rule GoRows::Arm64Rule(int32_t depth, const Frame &frame, bool is_saved) const {
    unwind_rule rule = RuleOf(RULE_CFA);
    rule.base = kArmSp;
    rule.offset = depth;
    if (depth == 0) {
        rule.saved = SAVED_RA_REGISTER;
        rule.ra_register = kArmLr;
        return rule;
    }
    const int32_t fp_offset = frame.is_assembly && is_saved ? frame.saved_cfa_offset : -depth - 8;
    if (fp_offset < INT16_MIN) return RuleOf(RULE_UNSUPPORTED);
    rule.saved = SAVED_FP_AT_CFA;
    rule.fp_offset = static_cast<int16_t>(fp_offset);
    rule.ra_offset = static_cast<int16_t>(fp_offset + 8);
    return rule;
}

// sp is of no use; the frame pointer was set before and points into the stack that was left.
unwind_rule GoRows::SwitchedRule(int32_t depth, const Frame &frame) const {
    if (frame.role == GoRole::root_switched) return RuleOf(RULE_ROOT);
    // Left its frame already (the last instruction): sp is its own again.
    if (depth == 0 && frame.has_frame) return RuleAt(depth, frame, false);
    unwind_rule rule = RuleOf(RULE_FRAME_POINTER);
    rule.saved = SAVED_FP_AT_CFA;
    // Before Go 1.21 a switch has no frame: the frame pointer is its caller's, and that is passed over.
    if (!frame.has_frame) rule.saved |= RULE_GUESSED;
    if (arm64_) {
        if (depth < 0 || depth > INT16_MAX - 8) return RuleOf(RULE_UNSUPPORTED);
        rule.base = kArmFp;
        rule.offset = depth + 8;
        rule.fp_offset = static_cast<int16_t>(-depth - 8);
        rule.ra_offset = static_cast<int16_t>(-depth);
        return rule;
    }
    rule.base = kX86Fp;
    rule.offset = 16;
    rule.fp_offset = -16;
    rule.ra_offset = -8;
    return rule;
}

} // namespace

Result<std::unique_ptr<RowSource>> OpenGoRows(const ElfFile &file) {
    Result<GoTable> table = FindGoTable(file);
    if (!table.ok()) return table.status();
    if (!table.value().file) return std::unique_ptr<RowSource>();
    if (file.machine() != EM_X86_64 && file.machine() != EM_AARCH64) {
        return Status::Error(Kind::unsupported,
                             ".gopclntab: no rules for machine " + std::to_string(file.machine()));
    }
    return std::unique_ptr<RowSource>(std::make_unique<GoRows>(file, table.value()));
}

} // namespace emberscope
