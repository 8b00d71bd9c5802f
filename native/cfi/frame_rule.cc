#include "frame_rule.h"

#include <limits>

#include "cfa_expression.h"
#include "row_source.h"

namespace emberscope {

namespace {

template <typename Field> bool Fits(int64_t value) {
    return value >= std::numeric_limits<Field>::min() && value <= std::numeric_limits<Field>::max();
}

bool SetCfa(const FrameState &state, const Architecture &architecture, unwind_rule *rule) {
    AddressShape shape{state.base, state.offset, false, 0};
    uint8_t threshold = 0;
    if (state.by_expression && !architecture.return_in_register &&
        ReadPltShape(state.expression, &threshold)) {
        rule->kind = RULE_PLT;
        rule->base = architecture.stack_pointer;
        rule->offset = threshold;
        return true;
    }
    if (state.by_expression && !ReadAddressShape(state.expression, false, &shape)) return false;
    if (shape.base >= architecture.registers || !Fits<int32_t>(shape.offset)) return false;
    if (!Fits<int16_t>(shape.addend)) return false;
    rule->kind = shape.is_loaded ? RULE_CFA_DEREF : RULE_CFA;
    rule->base = static_cast<uint8_t>(shape.base);
    rule->offset = static_cast<int32_t>(shape.offset);
    rule->addend = static_cast<int16_t>(shape.addend);
    return true;
}

// Where a register was saved, as far as rules can say it.
enum class Home { kept, at_cfa, at_frame_pointer, lost };

Home FindHome(const SavedRegister &saved, const FrameState &state, const Architecture &architecture,
              uint64_t own_number, int64_t *offset) {
    switch (saved.place) {
    case Place::unset:
    case Place::same_value:
        return Home::kept;
    case Place::at_cfa:
        *offset = saved.offset;
        return Home::at_cfa;
    case Place::in_register:
        return static_cast<uint64_t>(saved.offset) == own_number ? Home::kept : Home::lost;
    case Place::at_expression:
        break;
    default:
        return Home::lost;
    }
    AddressShape shape;
    if (!ReadAddressShape(saved.expression, true, &shape) || shape.is_loaded) return Home::lost;
    *offset = shape.offset;
    if (shape.base == kCfaBase) return Home::at_cfa;
    if (!state.by_expression && shape.base == state.base)
        return __builtin_sub_overflow(shape.offset, state.offset, offset) ? Home::lost : Home::at_cfa;
    return shape.base == architecture.frame_pointer ? Home::at_frame_pointer : Home::lost;
}

// False when the rule cannot say it. `at_cfa`, `at_frame_pointer`: the register's bits in unwind_rule.saved.
bool SetSaved(Home home, int64_t from, uint8_t at_cfa, uint8_t at_frame_pointer, unwind_rule *rule,
              int16_t *offset) {
    if (home == Home::kept) return true;
    if (home == Home::lost || !Fits<int16_t>(from)) return false;
    rule->saved |= home == Home::at_cfa ? at_cfa : at_frame_pointer;
    *offset = static_cast<int16_t>(from);
    return true;
}

bool SetReturnAddress(const FrameState &state, const Architecture &architecture, unwind_rule *rule) {
    const SavedRegister &saved = state.return_address;
    uint64_t in = kNoRegister;
    if (saved.place == Place::in_register) in = static_cast<uint64_t>(saved.offset);
    else if (saved.place == Place::unset || saved.place == Place::same_value)
        in = architecture.return_address;
    if (in != kNoRegister) {
        if (in >= architecture.registers) return false; // x86-64: no rule for the return address at all
        rule->saved |= SAVED_RA_REGISTER;
        rule->ra_register = static_cast<uint8_t>(in);
        return true;
    }
    int64_t offset = 0;
    const Home home = FindHome(saved, state, architecture, architecture.return_address, &offset);
    if (home != Home::at_cfa || !Fits<int16_t>(offset)) return false;
    rule->ra_offset = static_cast<int16_t>(offset);
    return true;
}

} // namespace

unwind_rule RuleOfState(const FrameState &state, const Cie &cie, const Architecture &architecture) {
    if (state.return_address.place == Place::undefined) return RuleOf(RULE_ROOT);
    if (cie.is_signal_frame) return RuleOf(RULE_SIGNAL);
    unwind_rule rule{};
    int64_t offset = 0;
    bool exact =
        state.defined && SetCfa(state, architecture, &rule) && SetReturnAddress(state, architecture, &rule);
    Home home = FindHome(state.frame_pointer, state, architecture, architecture.frame_pointer, &offset);
    exact = exact && SetSaved(home, offset, SAVED_FP_AT_CFA, SAVED_FP_AT_FP, &rule, &rule.fp_offset);
    home = FindHome(state.kept, state, architecture, architecture.kept, &offset);
    exact = exact && SetSaved(home, offset, SAVED_BX_AT_CFA, SAVED_BX_AT_FP, &rule, &rule.bx_offset);
    return exact ? rule : RuleOf(RULE_UNSUPPORTED);
}

} // namespace emberscope
