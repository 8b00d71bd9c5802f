// Unwind(): the unwinder over copied stack bytes and a table store, and how it goes on after a miss.
// sources: native/unwind/user_unwind.cc native/tables/table_store.cc native/tables/arena.cc
// sources: native/tables/extents.cc native/tables/rule_table.cc native/tables/row_check.cc
// sources: native/file_reader.cc
#include <cstring>
#include <string>
#include <vector>

#include "check.h"
#include "tables/plain_memory.h"
#include "unwind/user_unwind.h"

using namespace emberscope;

namespace {

constexpr uint64_t kFile = 0x400000, kJit = 0x900000, kStack = 0x7ffc12340000;
constexpr uint32_t kFirstPage = 3; // of the file that has rows

unwind_rule FromSp(int32_t offset) {
    return {.kind = RULE_CFA, .base = REGISTER_SP, .offset = offset, .ra_offset = -8};
}

// A file of two pages mapped at kFile, run-time code at kJit, and a copied stack.
struct Process {
    PlainMemory memory;
    TableStore store{memory, 4 << 20};
    uint32_t directory = 0;
    ImageMappings image;
    raw_stack raw = {};
    std::vector<uint64_t> stack = std::vector<uint64_t>(64, 0);
    std::vector<uint64_t> frames;

    Process() {
        directory = store.AddDirectory(2).value();
        image.mappings = {{.start = kFile,
                           .end = kFile + 2 * TEXT_PAGE_BYTES,
                           .position = kFirstPage << TEXT_PAGE_SHIFT,
                           .directory = directory - kFirstPage,
                           .kind = MAPPING_FILE,
                           .padding = {}},
                          {.start = kJit,
                           .end = kJit + 0x10000,
                           .position = 0,
                           .directory = 0,
                           .kind = MAPPING_JIT,
                           .padding = {}}};
        image.files = {std::make_shared<TableFile>(), nullptr};
        raw.is_exact = REGISTERS_EXACT;
        raw.stack_start = kStack;
        SetPc(kFile + 0x100);
        raw.registers[REGISTER_SP] = kStack;
    }

    void SetPc(uint64_t pc) {
        raw.registers[REGISTER_PC] = pc;
        frames = {pc};
    }

    // Page 0: frames of 16 bytes. Page 1: frames of 32, and the root.
    void Load(uint32_t page) {
        unwind_rule root = {};
        root.kind = RULE_ROOT;
        if (page == 0) store.SetPage(directory, std::vector<CfiRow>{{0, FromSp(16)}});
        else store.SetPage(directory + 1, std::vector<CfiRow>{{0, FromSp(32)}, {0x2000, root}});
    }

    UserUnwind Run() {
        std::span<const std::byte> bytes = std::as_bytes(std::span(stack));
        return Unwind(store, image, &raw, bytes, &frames);
    }
};

bool Is(const Process &process, std::vector<uint64_t> callers) {
    callers.insert(callers.begin(), process.frames.front());
    return process.frames == callers;
}

void PageByPage() {
    Process process;
    const uint64_t second = kFile + TEXT_PAGE_BYTES + 0x200, root = kFile + TEXT_PAGE_BYTES + 0x2100;
    process.stack[1] = kFile + 0x300, process.stack[3] = second, process.stack[7] = root;
    UserUnwind result = process.Run();
    check(result.end == STACK_END_PAGE_MISSING && result.mapping == 0 && result.page == kFirstPage,
          "a page that is missing is named by mapping and page of the file");
    check(Is(process, {}), "nothing was found yet");
    process.Load(0);
    result = process.Run();
    check(result.end == STACK_END_PAGE_MISSING && result.page == kFirstPage + 1,
          "a second run goes on to the next page");
    check(Is(process, {kFile + 0x300, second}), "with the frames up to it");
    check(process.raw.is_exact == REGISTERS_KEPT && process.raw.registers[REGISTER_SP] == kStack + 32,
          "the state is that of the last frame");
    process.Load(1);
    check(process.Run().end == STACK_END_ROOT, "a third run reaches the root");
    check(Is(process, {kFile + 0x300, second, root}), "with every frame once");
}

void EndsOfTheCopy() {
    Process process;
    process.Load(0);
    for (uint64_t i = 1; i < 64; i += 2)
        process.stack[i] = kFile + 0x300;
    check(process.Run().end == STACK_END_RAW_SHORT && process.frames.size() == 33,
          "a stack deeper than its copy is short");
    Process below;
    below.store.SetPage(
        below.directory,
        std::vector<CfiRow>{
            {0, {.kind = RULE_CFA_DEREF, .base = REGISTER_SP, .offset = -8, .ra_offset = -8}}});
    check(below.Run().end == STACK_END_UNREADABLE, "bytes below the copy cannot be read");
    Process none;
    none.Load(0);
    none.stack.clear();
    check(none.Run().end == STACK_END_RAW_SHORT, "a copy without bytes is short");
    Process high;
    high.Load(0);
    high.raw.stack_start = ~uint64_t{7};
    high.raw.registers[REGISTER_SP] = ~uint64_t{7} - 8;
    check(high.Run().end != STACK_END_ROOT, "a stack at the end of everything gives no root");
}

void SecondPiece() {
    constexpr int32_t kHuge = 0x90000;
    const uint64_t root = kFile + TEXT_PAGE_BYTES + 0x2100;
    Process process;
    process.store.SetPage(process.directory, std::vector<CfiRow>{{0, FromSp(kHuge)}});
    process.Load(1);
    process.raw.root_start = kStack + kHuge - 64, process.raw.root_bytes = 256;
    process.stack[32 + 7] = root;
    check(process.Run().end == STACK_END_ROOT && Is(process, {root}),
          "a frame larger than the first piece ends in the second");
    Process between = Process();
    between.store.SetPage(between.directory, std::vector<CfiRow>{{0, FromSp(kHuge - 64)}});
    between.raw.root_start = kStack + kHuge - 64, between.raw.root_bytes = 256;
    check(between.Run().end == STACK_END_RAW_SHORT, "what lies between the pieces is not there");
    between.raw.root_bytes = ~0U;
    check(between.Run().end != STACK_END_ROOT, "a second piece larger than both gives no root");
}

void Mappings() {
    Process process;
    process.Load(0);
    process.stack[1] = 0x700000;
    check(process.Run().end == STACK_END_UNKNOWN_MAPPING && Is(process, {0x700000}),
          "an address in no mapping is a miss");
    process.image.mappings.clear();
    process.image.files.clear();
    check(process.Run().end == STACK_END_UNKNOWN_MAPPING, "and so is one of no mappings at all");
}

void RunTimeCode() {
    Process process;
    process.SetPc(kJit + 0x10);
    process.raw.registers[REGISTER_FP] = kStack + 64;
    process.stack[8] = 0, process.stack[9] = kJit + 0x50;
    check(process.Run().end == STACK_END_GUESSED && Is(process, {kJit + 0x50}),
          "frame pointers of run-time code are followed unchecked");
    process.SetPc(kJit + 0x10);
    process.raw.registers[REGISTER_SP] = kStack, process.raw.registers[REGISTER_FP] = kStack + 64;
    process.stack[9] = 0x700000;
    check(process.Run().end == STACK_END_JIT && Is(process, {}), "but into executable memory only");
}

void Depth() {
    Process process;
    process.Load(0);
    process.stack.assign(4 * MAX_USER_FRAMES, kFile + 0x300);
    process.frames.assign(1000, kFile + 0x300);
    check(process.Run().end == STACK_END_DEPTH && process.frames.size() == MAX_USER_FRAMES,
          "frames that BPF had found count for the depth limit");
}

} // namespace

int main() {
    PageByPage();
    EndsOfTheCopy();
    SecondPiece();
    Mappings();
    RunTimeCode();
    Depth();
    return report();
}
