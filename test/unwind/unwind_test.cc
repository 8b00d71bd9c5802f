// unwind_step() by every kind of rule, over made-up tables and stacks of x86-64.
#include "unwind_world.h"

namespace {

constexpr uint64_t kLeaf = kCode + 0x1010, kMiddle = kCode + 0x2010, kOuter = kCode + 0x3010;

unwind_rule FromSp(int32_t offset, uint8_t saved = 0) {
    return {.kind = RULE_CFA,
            .base = REGISTER_SP,
            .saved = saved,
            .ra_register = 0,
            .offset = offset,
            .fp_offset = -16,
            .bx_offset = -24,
            .ra_offset = -8,
            .addend = 0};
}

unwind_rule Kind(rule_kind kind) {
    unwind_rule rule = {};
    rule.kind = kind;
    return rule;
}

unwind_rule From(uint8_t base, int32_t offset, uint8_t saved = 0) {
    unwind_rule rule = FromSp(offset, saved);
    rule.base = base;
    return rule;
}

// Functions of 0x1000 bytes: `leaf` at 0x1000, then a middle one with a frame of 32 bytes, then the first.
void Functions(const unwind_rule &leaf) {
    Begin(kLeaf);
    SetRows(0, {{0, Kind(RULE_NONE)}, {0x1000, leaf}, {0x2000, FromSp(32)}, {0x3000, Kind(RULE_ROOT)}});
}

void Put(uint64_t word, uint64_t value) {
    world->stack[word] = value;
}

void FramesBySp() {
    Functions(FromSp(16));
    Put(1, kMiddle), Put(5, kOuter);
    Expect("CFA = sp + n, return address below it", STACK_END_ROOT, {kMiddle, kOuter});
    check(world->state.raw.registers[REGISTER_SP] == Slot(6), "sp is the last CFA");
    Functions(FromSp(16));
    Put(1, kCode + 0x3000), Put(5, kOuter);
    Expect("a return address behind a function's last call belongs to that function", STACK_END_ROOT,
           {kCode + 0x3000, kOuter});
    Functions(FromSp(16));
    Set(REGISTER_PC, kCode + 0x2000);
    Put(3, kOuter);
    Expect("the innermost pc is looked up as it is", STACK_END_ROOT, {kOuter});
    Functions(FromSp(16));
    Set(REGISTER_PC, kCode + 0x2000);
    world->state.raw.is_exact = REGISTERS_SYSCALL;
    Put(1, kOuter);
    Expect("a pc behind a system call is looked up before it", STACK_END_ROOT, {kOuter});
}

void SavedRegisters() {
    Functions(FromSp(32, SAVED_FP_AT_CFA | SAVED_BX_AT_CFA));
    Put(3, kOuter), Put(2, 0xf0), Put(1, 0xb0);
    Set(REGISTER_FP, 1), Set(REGISTER_BX, 2);
    Expect("fp and rbx come from the frame", STACK_END_ROOT, {kOuter});
    check(world->state.raw.registers[REGISTER_FP] == 0xf0, "fp is the caller's");
    check(world->state.raw.registers[REGISTER_BX] == 0xb0, "rbx is the caller's");

    // A realigned stack: CFA = *(fp - 8), fp saved at fp.
    unwind_rule realigned = From(REGISTER_FP, -8, SAVED_FP_AT_FP | SAVED_BX_AT_FP);
    realigned.kind = RULE_CFA_DEREF;
    realigned.fp_offset = 0, realigned.bx_offset = -16;
    Functions(realigned);
    Set(REGISTER_FP, Slot(8));
    Put(7, Slot(20)), Put(8, 0xf0), Put(6, 0xb0), Put(19, kOuter);
    Expect("CFA read from the frame, fp saved at fp", STACK_END_ROOT, {kOuter});
    check(world->state.raw.registers[REGISTER_FP] == 0xf0 && world->state.raw.registers[REGISTER_BX] == 0xb0,
          "fp and rbx of a realigned frame");

    realigned.addend = 16;
    Functions(realigned);
    Set(REGISTER_FP, Slot(8));
    Put(7, Slot(18)), Put(19, kOuter);
    Expect("an addend behind the read", STACK_END_ROOT, {kOuter});
}

void OtherBases() {
    Functions(From(10, 16));
    Set(10, Slot(4)), Put(5, kOuter);
    Expect("any register is a base in the innermost frame", STACK_END_ROOT, {kOuter});
    Functions(FromSp(16));
    SetRows(0, {{0, Kind(RULE_NONE)}, {0x1000, FromSp(16)}, {0x2000, From(10, 32)}});
    Put(1, kMiddle);
    Expect("a register that is not kept ends it", STACK_END_LOST_REGISTER, {kMiddle});
    Functions(From(200, 16));
    Expect("a register that does not exist ends it", STACK_END_LOST_REGISTER, {});
    Functions(From(REGISTER_BX, 16));
    Set(REGISTER_BX, Slot(4)), Put(5, kOuter);
    Expect("rbx is a base anywhere", STACK_END_ROOT, {kOuter});
    unwind_rule in_register = FromSp(0, SAVED_RA_REGISTER);
    in_register.ra_register = 5;
    Functions(in_register);
    Set(5, kOuter);
    Expect("the return address is in a register (vfork)", STACK_END_ROOT, {kOuter});
    SetRows(0, {{0, Kind(RULE_NONE)}, {0x1000, FromSp(16)}, {0x2000, in_register}});
    Begin(kLeaf);
    SetRows(0, {{0, Kind(RULE_NONE)}, {0x1000, FromSp(16)}, {0x2000, in_register}});
    Put(1, kMiddle);
    Expect("but not in a caller's", STACK_END_LOST_REGISTER, {kMiddle});
}

void ProcedureLinkage() {
    unwind_rule stub = Kind(RULE_PLT);
    stub.offset = 11;
    Functions(stub);
    Put(0, kOuter);
    Expect("a stub before its push", STACK_END_ROOT, {kOuter});
    Functions(stub);
    Set(REGISTER_PC, kCode + 0x101b);
    Put(1, kOuter);
    Expect("a stub behind its push", STACK_END_ROOT, {kOuter});
}

// Puts a ucontext's registers for the interrupted function at kMiddle.
void PutSignalFrame(uint64_t at_word, uint64_t sp) {
    for (uint64_t i = 0; i < 17; i++)
        Put(at_word + 5 + i, 1000 + i);
    Put(at_word + 5 + 15, sp), Put(at_word + 5 + 16, kMiddle);
}

void Signals() {
    Begin(kLeaf);
    std::vector<Row> rows = {{0, Kind(RULE_NONE)},
                             {0x1000, FromSp(16)},
                             {0x2000, From(12, 0)},
                             {0x3000, Kind(RULE_ROOT)},
                             {0x3800, Kind(RULE_SIGNAL)}};
    SetRows(0, rows);
    Put(1, kCode + 0x3801);
    PutSignalFrame(2, Slot(100));
    Put(2 + 5 + 4, Slot(300)); // r12
    Put(299, kOuter);
    Expect("a signal frame gives every register", STACK_END_ROOT, {kCode + 0x3801, kMiddle, kOuter});
    bool is_right = true;
    static const int order[] = {8, 9, 10, 11, -1, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2};
    Begin(kCode + 0x3800);
    SetRows(0, rows);
    PutSignalFrame(0, Slot(100));
    check(unwind_step(&world->state) == STEP_CALLER, "a tick may hit the trampoline");
    for (int i = 0; i < 15; i++)
        if (order[i] >= 0) is_right = is_right && world->state.raw.registers[order[i]] == 1000U + i;
    check(is_right, "the kernel's order of registers");
    check(world->state.raw.is_exact == REGISTERS_EXACT, "behind a signal frame all registers are true");

    Begin(kLeaf);
    SetRows(0, rows);
    Put(1, kCode + 0x3801);
    PutSignalFrame(2, Slot(0));
    Put(2 + 5 + 4, Slot(60)), Put(59, kOuter);
    Expect("the interrupted stack may lie below the handler's (alternate stacks)", STACK_END_ROOT,
           {kCode + 0x3801, kMiddle, kOuter});
    Begin(kLeaf);
    SetRows(0, rows);
    world->stack.resize(12);
    Put(1, kCode + 0x3801);
    Expect("a signal frame beyond the stack is unreadable", STACK_END_UNREADABLE, {kCode + 0x3801});
    Begin(kLeaf);
    SetRows(0, rows);
    Put(1, kCode + 0x3801);
    PutSignalFrame(2, Slot(100)), Put(2 + 5 + 16, 0xffffffff81000000);
    Expect("a signal frame with a kernel address is none", STACK_END_BAD_RETURN, {kCode + 0x3801});
}

void StackSwitches() {
    unwind_rule promised = From(REGISTER_FP, 16, SAVED_FP_AT_CFA);
    promised.kind = RULE_FRAME_POINTER;
    Functions(promised);
    Set(REGISTER_SP, Slot(500)), Set(REGISTER_FP, Slot(10));
    Put(10, 0xf0), Put(11, kOuter);
    Expect("a promised frame pointer may lead to a lower stack", STACK_END_ROOT, {kOuter});
    check(world->state.raw.guessed == 0, "and is no guess");
    Functions(promised);
    Set(REGISTER_FP, 0);
    Expect("frame pointer 0 is a root there", STACK_END_ROOT, {});
    Functions(promised);
    Set(REGISTER_FP, Slot(10));
    Put(10, Slot(10)), Put(11, kLeaf);
    Walk();
    check(world->count == MAX_USER_FRAMES && world->state.end == STACK_END_DEPTH,
          "a circle of them ends at the depth limit");
    Functions(FromSp(16, RULE_GUESSED));
    Put(1, kOuter);
    Expect("a rule that was guessed makes the stack one", STACK_END_GUESSED, {kOuter});
}

void Ends() {
    Functions(Kind(RULE_UNSUPPORTED));
    Expect("a shape that cannot be followed", STACK_END_UNSUPPORTED, {});
    unwind_rule strange = FromSp(16);
    strange.kind = 250;
    Functions(strange);
    Expect("a kind that does not exist", STACK_END_UNSUPPORTED, {});
    Functions(FromSp(0));
    Expect("a frame that does not lie above its callee's", STACK_END_BAD_CFA, {});
    Functions(FromSp(-64));
    Expect("a frame below", STACK_END_BAD_CFA, {});
    Functions(FromSp(16));
    Expect("return address 0 is a root", STACK_END_ROOT, {});
    Functions(FromSp(16));
    Put(1, 0x10);
    Expect("a return address in page 0", STACK_END_BAD_RETURN, {});
    Functions(FromSp(16));
    Put(1, 0xffffffff81000000);
    Expect("a return address in the kernel half", STACK_END_BAD_RETURN, {});
    Functions(FromSp(16));
    Set(REGISTER_SP, 0x10000);
    Expect("a stack that is not there", STACK_END_UNREADABLE, {});
    Functions(FromSp(16));
    Set(REGISTER_SP, ~uint64_t{7});
    Expect("a stack pointer at the end of everything", STACK_END_BAD_CFA, {});
    Functions(FromSp(INT32_MAX));
    Expect("the largest offset", STACK_END_UNREADABLE, {});
}

void Depth() {
    for (uint64_t depth : {uint64_t{MAX_USER_FRAMES}, uint64_t{MAX_USER_FRAMES} + 1}) {
        Functions(FromSp(16));
        std::vector<uint64_t> callers(depth - 1, kLeaf);
        callers.back() = kOuter;
        for (uint64_t i = 0; i < callers.size(); i++)
            Put(1 + 2 * i, callers[i]);
        callers.resize(MAX_USER_FRAMES - 1);
        if (depth > MAX_USER_FRAMES) Expect("1025 frames are cut at 1024", STACK_END_DEPTH, callers);
        else Expect("1024 frames are whole", STACK_END_ROOT, callers);
    }
}

void Misses() {
    Begin(kLeaf);
    Expect("a page that is not loaded", STACK_END_PAGE_MISSING, {});
    check(unwind_address(&world->state) == kLeaf, "leaves the registers as they were");
    SetRows(0, {{0, FromSp(16)}, {0x3000, Kind(RULE_ROOT)}});
    world->state.page_location = PAGE_NOT_LOADED;
    Put(1, kOuter);
    Expect("and goes on when it is", STACK_END_ROOT, {kOuter});
    Begin(kLeaf, {});
    Expect("a process without mappings", STACK_END_UNKNOWN_MAPPING, {});
    Begin(kLeaf);
    world->state.mapping_table = 0;
    Expect("an unknown process", STACK_END_UNKNOWN_PROCESS, {});
    Functions(FromSp(16));
    Put(1, kCode + kCodeBytes + 0x1000);
    Expect("a return address in no mapping", STACK_END_UNKNOWN_MAPPING, {kCode + kCodeBytes + 0x1000});
    Begin(kLeaf);
    process_entry stale = SetMappings({FileMapping()});
    stale.id++;
    unwind_begin(&world->state);
    open_mappings(&world->state, &stale);
    Expect("a table that another process has by now", STACK_END_UNKNOWN_PROCESS, {});
}

} // namespace

int main() {
    if (REGISTER_COUNT != 17) {
        skip("stacks of x86-64", "this is arm64");
        return report();
    }
    FramesBySp();
    SavedRegisters();
    OtherBases();
    ProcedureLinkage();
    Signals();
    StackSwitches();
    Ends();
    Depth();
    Misses();
    delete world;
    return report();
}
