// From what the call frame instructions say to the rule that both unwinders follow.
#pragma once

#include "cie.h"
#include "tables.h"

namespace emberscope {

// RULE_UNSUPPORTED for every state whose frame the rule could not give exactly.
unwind_rule RuleOfState(const FrameState &state, const Cie &cie, const Architecture &architecture);

} // namespace emberscope
