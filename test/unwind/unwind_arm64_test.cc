// unwind_step() as it is built for arm64: return addresses in the link register, signed ones, the kernel's
// signal frame, leaf functions.
#define __TARGET_ARCH_arm64
#include "unwind_world.h"

namespace {

constexpr uint64_t kLeaf = kCode + 0x1010, kMiddle = kCode + 0x2010, kOuter = kCode + 0x3010;

unwind_rule FromSp(int32_t offset, uint8_t saved, int16_t fp_offset, int16_t ra_offset) {
    return {.kind = RULE_CFA,
            .base = REGISTER_SP,
            .saved = saved,
            .ra_register = REGISTER_LR,
            .offset = offset,
            .fp_offset = fp_offset,
            .bx_offset = 0,
            .ra_offset = ra_offset,
            .addend = 0};
}

unwind_rule Kind(rule_kind kind) {
    unwind_rule rule = {};
    rule.kind = kind;
    return rule;
}

std::vector<Row> Functions() {
    return {{0, Kind(RULE_NONE)},
            {0x1000, FromSp(0, SAVED_RA_REGISTER, 0, 0)},
            {0x2000, FromSp(32, SAVED_FP_AT_CFA, -32, -24)},
            {0x3000, Kind(RULE_ROOT)},
            {0x3800, Kind(RULE_SIGNAL)}};
}

void BeginAtLeaf() {
    Begin(kLeaf);
    SetRows(0, Functions());
    Set(REGISTER_LR, kMiddle);
}

void Chains() {
    BeginAtLeaf();
    world->stack[0] = 0xf0, world->stack[1] = kOuter;
    Expect("a leaf without a frame, then a frame record", STACK_END_ROOT, {kMiddle, kOuter});
    check(world->state.raw.registers[REGISTER_FP] == 0xf0, "fp is the caller's");
    check(world->state.raw.registers[REGISTER_SP] == Slot(4), "the leaf took no stack");
    BeginAtLeaf();
    world->stack[1] = kOuter | 0x002a000000000000;
    Expect("a signed return address is stripped", STACK_END_ROOT, {kMiddle, kOuter});
    BeginAtLeaf();
    Set(REGISTER_LR, kLeaf);
    Expect("the link register is true in the innermost frame only", STACK_END_LOST_REGISTER, {kLeaf});
}

void Signals() {
    BeginAtLeaf();
    Set(REGISTER_LR, kCode + 0x3804);
    for (uint64_t i = 0; i < 33; i++)
        world->stack[39 + i] = 1000 + i; // sp + 312
    world->stack[39 + 30] = kMiddle, world->stack[39 + 31] = Slot(200), world->stack[39 + 32] = kLeaf;
    world->stack[201] = kOuter;
    Expect("a leaf that a signal hit", STACK_END_ROOT, {kCode + 0x3804, kLeaf, kMiddle, kOuter});
    check(world->state.raw.registers[19] == 1019, "the registers are in their order");
}

void WithoutRows() {
    Begin(kLeaf);
    world->directory[kDirectory] = PAGE_WITHOUT_ROWS;
    uint32_t call = 0x94000000 | (((kCode + 0x1000 - (kMiddle - 4)) >> 2) & 0x3ffffff); // bl
    memcpy(&world->code[kMiddle - 4 - kCode], &call, 4);
    uint32_t indirect = 0xd63f0000; // blr x0
    memcpy(&world->code[kOuter - 4 - kCode], &indirect, 4);
    Set(REGISTER_LR, kMiddle), Set(REGISTER_FP, Slot(4));
    world->stack[4] = 0, world->stack[5] = kOuter;
    Expect("a leaf by its link register, then a frame record", STACK_END_GUESSED, {kMiddle, kOuter});

    uint64_t trampoline = 0xd4000001d2801168; // mov x8, #139; svc #0
    memcpy(&world->code[0x3c00], &trampoline, 8);
    Set(REGISTER_PC, kCode + 0x3c00), Set(REGISTER_SP, Slot(0));
    world->state.raw.is_exact = REGISTERS_KEPT;
    world->stack[39 + 32] = kLeaf;
    Expect("a signal trampoline is known by its bytes", STACK_END_GUESSED, {kLeaf});
}

} // namespace

int main() {
    Chains();
    Signals();
    WithoutRows();
    delete world;
    return report();
}
