// Steps in code without rows: signal trampolines, leaf functions, frame pointers, and where such a chain
// ends.
#include "unwind_world.h"

namespace {

constexpr uint64_t kLeaf = kCode + 0x810, kFunction = kCode + 0x800;
constexpr uint64_t kDirect = kCode + 0x1010, kIndirect = kCode + 0x1810, kOther = kCode + 0x2010;
constexpr uint64_t kNoCall = kCode + 0x2810;

void PutCode(uint64_t address, std::initializer_list<uint8_t> bytes) {
    for (uint8_t byte : bytes)
        world->code[address++ - kCode] = byte;
}

// `call target` that returns to `after`.
void PutCall(uint64_t after, uint64_t target) {
    auto displacement = static_cast<uint32_t>(target - after);
    world->code[after - 5 - kCode] = 0xe8;
    memcpy(&world->code[after - 4 - kCode], &displacement, 4);
}

// Code without rows: a leaf, and calls of it and of others; the frame pointer is at word 2.
void Rowless(uint8_t kind = MAPPING_FILE) {
    unwind_mapping mapping = FileMapping();
    mapping.kind = kind;
    Begin(kLeaf, {mapping});
    world->directory[kDirectory] = PAGE_WITHOUT_ROWS;
    PutCall(kDirect, kFunction);
    PutCall(kOther, kCode + 0x9000);
    PutCode(kIndirect - 2, {0xff, 0xd0});
    Set(REGISTER_FP, Slot(2));
}

// A frame record at a word of the stack.
void Put(uint64_t word, uint64_t fp, uint64_t return_address) {
    world->stack[word] = fp;
    world->stack[word + 1] = return_address;
}

void WholeChains() {
    Rowless();
    Put(2, Slot(10), kDirect), Put(10, Slot(30), kIndirect), Put(30, 0, kOther);
    Expect("checked frame pointers to 0 are a guess", STACK_END_GUESSED, {kDirect, kIndirect, kOther});
    Rowless(MAPPING_JIT);
    Put(2, Slot(10), kDirect), Put(10, Slot(30), 0);
    Expect("return address 0 ends it rightly", STACK_END_GUESSED, {kDirect});
    Rowless(MAPPING_NO_TABLES);
    world->state.raw.thread_pointer = Slot(40);
    Put(2, Slot(40), kDirect);
    Expect("so does the thread pointer", STACK_END_GUESSED, {kDirect});
    Rowless();
    Set(REGISTER_FP, 0);
    Expect("frame pointer 0 in the innermost function may be data", STACK_END_GUESSED, {});
    Rowless();
    world->is_code_readable = false;
    Put(2, 0, kDirect);
    Expect("code that is not in memory is believed in executable memory", STACK_END_GUESSED, {kDirect});
    Rowless();
    world->is_code_readable = false;
    Put(2, 0, Slot(5));
    Expect("and nowhere else", STACK_END_NO_ROWS, {});
}

void BrokenChains() {
    static const struct {
        const char *claim;
        uint64_t fp;
        uint32_t end;
    } broken[] = {
        {"a misaligned frame pointer", Slot(2) + 4, STACK_END_NO_ROWS},
        {"a frame below the stack pointer", Slot(0) - 8, STACK_END_NO_ROWS},
        {"a frame more than 1 MiB up", Slot(0) + FRAME_SPAN_MAX + 8, STACK_END_NO_ROWS},
        {"a frame of 1 MiB that is not there", Slot(0) + FRAME_SPAN_MAX, STACK_END_UNREADABLE},
        {"a frame pointer of all ones", ~uint64_t{0}, STACK_END_NO_ROWS},
        {"a frame pointer in the kernel half", 0xffff888000000000, STACK_END_NO_ROWS},
    };
    for (const auto &one : broken) {
        Rowless();
        Set(REGISTER_FP, one.fp);
        Expect(one.claim, one.end, {});
    }
    Rowless(MAPPING_JIT);
    Set(REGISTER_FP, 3);
    Expect("code of a compiler at run time has its own end", STACK_END_JIT, {});
    Rowless();
    Put(2, Slot(2), kDirect);
    Expect("a frame that is its own caller", STACK_END_NO_ROWS, {kDirect});
    for (uint64_t address : {kNoCall, Slot(20), uint64_t{0x10}, uint64_t{0xffffffff81000000}}) {
        Rowless();
        Put(2, Slot(10), address);
        Expect("a word that is no return address", STACK_END_NO_ROWS, {});
    }
}

// main's caller has no frame pointer: a broken chain is the root there, and only there.
void Roots() {
    Rowless();
    Put(2, 1, kDirect);
    world->state.raw.stack_root = Slot(4) + ROOT_SLACK - 8;
    Expect("a chain that breaks near the stack's start", STACK_END_GUESSED, {kDirect});
    Rowless();
    Put(2, 1, kDirect);
    world->state.raw.stack_root = Slot(4) + ROOT_SLACK;
    Expect("far from it", STACK_END_NO_ROWS, {kDirect});
    Rowless();
    Put(2, 1, kDirect);
    world->state.raw.stack_root = Slot(3);
    Expect("and above it, as a thread's", STACK_END_NO_ROWS, {kDirect});
    // musl: main has rows, the C library's start code has none and uses fp as it likes.
    Begin(kCode + TEXT_PAGE_BYTES);
    SetRows(1, {{0, {.kind = RULE_CFA, .base = REGISTER_SP, .offset = 16, .ra_offset = -8}}});
    world->directory[kDirectory] = PAGE_WITHOUT_ROWS;
    world->stack[1] = kNoCall;
    Set(REGISTER_FP, 1);
    world->state.raw.stack_root = Slot(60);
    Expect("start code without rows is the root of a whole stack", STACK_END_ROOT, {kNoCall});
}

void Leaves() {
    Rowless();
    Set(REGISTER_FP, 7);
    world->stack[0] = kDirect;
    Expect("a leaf's caller is at sp when it called the leaf", STACK_END_NO_ROWS, {kDirect});
    check(world->state.raw.registers[REGISTER_SP] == Slot(1), "sp is behind the return address");
    Rowless();
    Set(REGISTER_FP, 7);
    world->stack[0] = kOther;
    Expect("not when it called something else", STACK_END_NO_ROWS, {});
    Rowless();
    Set(REGISTER_PC, kFunction + LEAF_SPAN), Set(REGISTER_FP, 7);
    world->stack[0] = kDirect;
    Expect("nor something too far before", STACK_END_NO_ROWS, {});
    Rowless();
    world->state.raw.is_exact = REGISTERS_KEPT;
    Set(REGISTER_FP, 7);
    world->stack[0] = kDirect;
    Expect("nor in a caller", STACK_END_NO_ROWS, {});
}

void Trampolines() {
    for (bool is_short : {false, true}) {
        Rowless();
        if (is_short) PutCode(kNoCall, {0xb8, 15, 0, 0, 0, 0x0f, 0x05});
        else PutCode(kNoCall, {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05});
        Set(REGISTER_PC, kNoCall);
        world->state.raw.is_exact = REGISTERS_KEPT;
        world->stack[5 + 15] = Slot(50), world->stack[5 + 16] = kLeaf, world->stack[5 + 10] = 0;
        Expect("a signal trampoline without rows is known by its bytes", STACK_END_GUESSED, {kLeaf});
    }
}

void Gaps() {
    Begin(kCode + 0x2000);
    unwind_rule rule = {.kind = RULE_CFA, .base = REGISTER_SP, .offset = 16, .ra_offset = -8};
    SetRows(0, {{0, {}}, {0x1000, rule}, {0x1800, {}}, {0x3000, rule}});
    Set(REGISTER_FP, 7);
    Expect("a gap between functions has no rule", STACK_END_NO_ROWS, {});
    Begin(kCode + 0x2000);
    world->directory.resize(kDirectory);
    Set(REGISTER_FP, 7);
    Expect("a page behind the directory's end has no rows", STACK_END_NO_ROWS, {});
}

// libcrypto: a leaf of its own spares the register that its caller's frame is found by.
void LeftRegisters() {
    const unwind_rule leaf = {.kind = RULE_CFA, .base = REGISTER_SP, .offset = 16, .ra_offset = -8};
    const unwind_rule caller = {.kind = RULE_CFA, .base = 0, .offset = 8, .ra_offset = -8};
    auto begin = [&](uint64_t rax, uint64_t return_address) {
        Rowless();
        SetRows(0, {{0, leaf}, {0x1000, caller}, {0x1400, {.kind = RULE_ROOT}}});
        world->stack[1] = kDirect, world->stack[4] = return_address;
        Set(0, rax);
    };
    begin(Slot(4), kIndirect);
    Expect("what the innermost function left in a register is believed", STACK_END_ROOT,
           {kDirect, kIndirect});
    begin(Slot(4), kNoCall);
    Expect("unless the return address follows no call", STACK_END_LOST_REGISTER, {kDirect});
    begin(Slot(4) + FRAME_SPAN_MAX, kIndirect);
    Expect("or the frame lies far off", STACK_END_LOST_REGISTER, {kDirect});
    begin(Slot(0), kIndirect);
    Expect("or below its callee's", STACK_END_LOST_REGISTER, {kDirect});
    begin(Slot(4), kDirect);
    world->stack[4] = kDirect;
    Expect("and only once", STACK_END_LOST_REGISTER, {kDirect, kDirect});
}

} // namespace

int main() {
    if (REGISTER_COUNT != 17) {
        skip("stacks of x86-64", "this is arm64");
        return report();
    }
    WholeChains();
    BrokenChains();
    Roots();
    Leaves();
    Trampolines();
    Gaps();
    LeftRegisters();
    delete world;
    return report();
}
