#include "cfa_program.h"

#include "frame_rule.h"

namespace emberscope {

namespace {

// Compilers nest these once or twice.
constexpr size_t kMaxRemembered = 32;

enum Opcode : uint8_t {
    kNop = 0x00,
    kSetLoc = 0x01,
    kAdvanceLoc1 = 0x02,
    kAdvanceLoc2 = 0x03,
    kAdvanceLoc4 = 0x04,
    kOffsetExtended = 0x05,
    kRestoreExtended = 0x06,
    kUndefined = 0x07,
    kSameValue = 0x08,
    kRegister = 0x09,
    kRememberState = 0x0a,
    kRestoreState = 0x0b,
    kDefCfa = 0x0c,
    kDefCfaRegister = 0x0d,
    kDefCfaOffset = 0x0e,
    kDefCfaExpression = 0x0f,
    kExpression = 0x10,
    kOffsetExtendedSf = 0x11,
    kDefCfaSf = 0x12,
    kDefCfaOffsetSf = 0x13,
    kValOffset = 0x14,
    kValOffsetSf = 0x15,
    kValExpression = 0x16,
    kAdvanceLoc8 = 0x1d, // MIPS's, and known to every reader
    kNegateRaStateWithPc = 0x2c,
    kNegateRaState = 0x2d, // arm64: whether the return address is signed, which a walker finds out by itself
    kArgsSize = 0x2e,
    kNegativeOffsetExtended = 0x2f,
    kAdvanceLoc = 0x40, // these three keep an operand in their low six bits
    kOffset = 0x80,
    kRestore = 0xc0,
    kOperandMask = 0x3f,
};

class Program {
  public:
    Program(Bytes instructions, const Cie &cie, const Architecture &architecture, const PointerBases &bases)
        : cursor_(instructions), cie_(cie), architecture_(architecture), bases_(bases) {}

    FrameState state;
    uint64_t location = 0;

    bool AtEnd() const { return cursor_.AtEnd(); }
    // One instruction; false when it is none, or out of place.
    bool Step();

  private:
    bool StepSaved(uint8_t opcode);
    bool StepCfa(uint8_t opcode);
    bool StepOther(uint8_t opcode);
    bool Advance(uint64_t delta);
    bool SetLocation();
    bool Save(uint64_t number, SavedRegister saved);
    bool Restore(uint64_t number);
    bool Remember();
    bool Recall();
    int64_t Factored(int64_t offset) const {
        return static_cast<int64_t>(static_cast<uint64_t>(offset) *
                                    static_cast<uint64_t>(cie_.data_alignment));
    }
    int64_t FactoredUleb() { return Factored(static_cast<int64_t>(cursor_.Uleb())); }
    int64_t FactoredSleb() { return Factored(cursor_.Sleb()); }

    Cursor cursor_;
    const Cie &cie_;
    const Architecture &architecture_;
    const PointerBases &bases_;
    std::vector<FrameState> remembered_;
};

bool Program::Advance(uint64_t delta) {
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(delta, cie_.code_alignment, &bytes)) return false;
    return !__builtin_add_overflow(location, bytes, &location);
}

bool Program::SetLocation() {
    uint64_t address = 0;
    if (!TakePointer(&cursor_, cie_.pointer_encoding, bases_, &address) || address < location) return false;
    location = address;
    return true;
}

bool Program::Save(uint64_t number, SavedRegister saved) {
    if (SavedRegister *known = state.Find(architecture_, number)) *known = saved;
    return true;
}

bool Program::Restore(uint64_t number) {
    FrameState initial = cie_.initial;
    const SavedRegister *known = initial.Find(architecture_, number);
    return !known || Save(number, *known);
}

bool Program::Remember() {
    if (remembered_.size() == kMaxRemembered) return false;
    remembered_.push_back(state);
    return true;
}

bool Program::Recall() {
    if (remembered_.empty()) return false;
    state = remembered_.back();
    remembered_.pop_back();
    return true;
}

bool Program::StepSaved(uint8_t opcode) {
    const uint64_t number = cursor_.Uleb();
    switch (opcode) {
    case kOffsetExtended:
        return Save(number, {Place::at_cfa, FactoredUleb(), {}});
    case kOffsetExtendedSf:
        return Save(number, {Place::at_cfa, FactoredSleb(), {}});
    case kNegativeOffsetExtended:
        return Save(number, {Place::at_cfa, -FactoredUleb(), {}});
    case kValOffset:
        return Save(number, {Place::cfa_value, FactoredUleb(), {}});
    case kValOffsetSf:
        return Save(number, {Place::cfa_value, FactoredSleb(), {}});
    case kRestoreExtended:
        return Restore(number);
    case kUndefined:
        return Save(number, {Place::undefined, 0, {}});
    case kSameValue:
        return Save(number, {Place::same_value, 0, {}});
    case kRegister:
        return Save(number, {Place::in_register, static_cast<int64_t>(cursor_.Uleb()), {}});
    case kExpression:
        return Save(number, {Place::at_expression, 0, cursor_.Block(cursor_.Uleb())});
    case kValExpression:
        return Save(number, {Place::expression_value, 0, cursor_.Block(cursor_.Uleb())});
    default:
        return false;
    }
}

bool Program::StepCfa(uint8_t opcode) {
    state.defined = true;
    switch (opcode) {
    case kDefCfa:
    case kDefCfaSf:
        state.by_expression = false;
        state.base = cursor_.Uleb();
        state.offset = opcode == kDefCfa ? static_cast<int64_t>(cursor_.Uleb()) : FactoredSleb();
        return true;
    case kDefCfaRegister:
        state.by_expression = false;
        state.base = cursor_.Uleb();
        return true;
    // These two leave an expression in force, as the run-time unwinders do.
    case kDefCfaOffset:
        state.offset = static_cast<int64_t>(cursor_.Uleb());
        return true;
    case kDefCfaOffsetSf:
        state.offset = FactoredSleb();
        return true;
    default:
        state.by_expression = true;
        state.expression = cursor_.Block(cursor_.Uleb());
        return true;
    }
}

bool Program::StepOther(uint8_t opcode) {
    switch (opcode) {
    case kNop:
        return true;
    case kSetLoc:
        return SetLocation();
    case kAdvanceLoc1:
        return Advance(cursor_.Take<uint8_t>());
    case kAdvanceLoc2:
        return Advance(cursor_.Take<uint16_t>());
    case kAdvanceLoc4:
        return Advance(cursor_.Take<uint32_t>());
    case kAdvanceLoc8:
        return Advance(cursor_.Take<uint64_t>());
    case kRememberState:
        return Remember();
    case kRestoreState:
        return Recall();
    case kArgsSize:
        cursor_.Uleb();
        return true;
    case kNegateRaState:
    case kNegateRaStateWithPc:
        return architecture_.return_in_register;
    case kDefCfa:
    case kDefCfaRegister:
    case kDefCfaOffset:
    case kDefCfaExpression:
    case kDefCfaSf:
    case kDefCfaOffsetSf:
        return StepCfa(opcode);
    default:
        return StepSaved(opcode);
    }
}

bool Program::Step() {
    const auto byte = cursor_.Take<uint8_t>();
    const uint64_t operand = byte & kOperandMask;
    bool done = false;
    switch (byte & ~kOperandMask) {
    case kAdvanceLoc:
        done = Advance(operand);
        break;
    case kOffset:
        done = Save(operand, {Place::at_cfa, FactoredUleb(), {}});
        break;
    case kRestore:
        done = Restore(operand);
        break;
    default:
        done = StepOther(byte);
    }
    return done && cursor_.ok();
}

} // namespace

bool RunInitial(Bytes instructions, const Architecture &architecture, Cie *cie) {
    const PointerBases nowhere;
    Program program(instructions, *cie, architecture, nowhere);
    while (!program.AtEnd()) {
        if (!program.Step()) return false;
    }
    cie->initial = program.state;
    return program.location == 0;
}

bool RunFunction(const Fde &fde, const Cie &cie, const PointerBases &bases, const Architecture &architecture,
                 uint64_t start, uint64_t end, std::vector<RowSpan> *rows) {
    end = std::min(end, fde.end);
    Program program(fde.instructions, cie, architecture, bases);
    program.state = cie.initial;
    program.location = fde.start;
    for (uint64_t from = fde.start; from < end; from = program.location) {
        while (program.location == from && !program.AtEnd()) {
            if (!program.Step()) return false;
        }
        const bool is_last = program.location == from;
        const uint64_t until = is_last ? end : std::min(end, program.location);
        // What moves the location changes nothing else: the state is still that of `from`.
        if (until > start) {
            rows->push_back({std::max(from, start), until, RuleOfState(program.state, cie, architecture)});
        }
        if (is_last) return true;
    }
    return true;
}

} // namespace emberscope
