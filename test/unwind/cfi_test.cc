// Rows out of call frame information: every instruction, encoding and shape that we claim to read, and what
// becomes of the others.
// sources: native/cfi/*.cc native/elf_file.cc native/elf_gomodule.cc native/elf_gopclntab.cc
// sources: native/file_reader.cc
// libraries: -lz
#include <cstdio>
#include <zlib.h>

#include "cfi/frame_table.h"
#include "check.h"
#include "frame_image.h"

using namespace emberscope;

namespace {

constexpr uint64_t kFunction = kCodeAddress + 0x100; // at file offset 0x1100

void Same(const std::string &found, const std::string &expected, const char *claim) {
    if (!check(found == expected, claim))
        printf("  expected %s\n  found    %s\n", expected.c_str(), found.c_str());
}

// The rows of one function of 64 bytes with these instructions behind the usual CIE, without those around it.
std::string RowsOf(const ByteString &instructions, const char *augmentation = "zR") {
    FrameBytes frames;
    frames.Fde(frames.UsualCie(augmentation), kFunction, 0x40, instructions);
    std::string text = RowsText(FrameImage(frames).bytes);
    const std::string before = "0 none | ";
    const std::string after = " | 1140 none";
    if (!text.starts_with(before) || !text.ends_with(after)) return text;
    return text.substr(before.size(), text.size() - before.size() - after.size());
}

void Instructions() {
    Same(RowsOf({}), "1100 cfa r7+8 ra-8", "a function without instructions has its CIE's rule");
    Same(RowsOf({0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6}),
         "1100 cfa r7+8 ra-8 | 1101 cfa r7+16 ra-8 fp-16 | 1104 cfa r6+16 ra-8 fp-16",
         "a frame pointer is set up");
    Same(RowsOf({0x41, 0x0e, 16, 0x83, 2, 0x44, 0xc3, 0x0e, 8}),
         "1100 cfa r7+8 ra-8 | 1101 cfa r7+16 ra-8 bx-16 | 1105 cfa r7+8 ra-8",
         "restore takes the CIE's rule");
    Same(RowsOf({0x41, 0x8c, 3, 0x41, 0x0e, 16}), "1100 cfa r7+8 ra-8 | 1102 cfa r7+16 ra-8",
         "registers that no rule follows make no rows");
    Same(RowsOf({0x02, 1, 0x0e, 16, 0x03, 2, 0, 0x0e, 24, 0x04, 3, 0, 0, 0, 0x0e, 32}),
         "1100 cfa r7+8 ra-8 | 1101 cfa r7+16 ra-8 | 1103 cfa r7+24 ra-8 | 1106 cfa r7+32 ra-8",
         "advance_loc in all its widths");
    Same(RowsOf({0x41, 0x0a, 0x0e, 32, 0x86, 2, 0x41, 0x0b}),
         "1100 cfa r7+8 ra-8 | 1101 cfa r7+32 ra-8 fp-16 | 1102 cfa r7+8 ra-8",
         "restore_state brings back the CFA and the registers");
    Same(RowsOf({0x41, 0x2e, 16, 0x0e, 24}), "1100 cfa r7+8 ra-8 | 1101 cfa r7+24 ra-8",
         "args_size is only skipped");
    Same(RowsOf({0x41, 0x12, 7, 0x7e, 0x41, 0x13, 0x7d}),
         "1100 cfa r7+8 ra-8 | 1101 cfa r7+16 ra-8 | 1102 cfa r7+24 ra-8", "factored signed CFA offsets");
    Same(RowsOf({0x05, 6, 2, 0x11, 3, 3, 0x41, 0x2f, 6, 3, 0x06, 3}),
         "1100 cfa r7+8 ra-8 fp-16 bx-24 | 1101 cfa r7+8 ra-8 fp+24",
         "the extended forms of offset and restore");
    Same(RowsOf({0x41, 0x08, 6, 0x07, 16}), "1100 cfa r7+8 ra-8 | 1101 root", "no return address is a root");
    Same(RowsOf({0x09, 16, 5}), "1100 cfa r7+8 ra=r5", "a return address in a register, as in vfork");
    Same(RowsOf({0x0c, 10, 0}), "1100 cfa r10+0 ra-8", "a frame based on another register");
    Same(RowsOf({}, "zRS"), "1100 signal", "a signal frame by its augmentation");
    ByteString set_location = {0x41, 0x0e, 16, 0x01};
    FrameBytes frames;
    const uint64_t cie = frames.UsualCie();
    const uint64_t operand = frames.bytes.size() + 8 + 9 + set_location.size();
    AppendValue<int32_t>(&set_location, static_cast<int32_t>(kFunction + 9 - (kFrameAddress + operand)));
    Append(&set_location, {0x0e, 24});
    frames.Fde(cie, kFunction, 0x40, set_location);
    Same(RowsText(FrameImage(frames).bytes),
         "0 none | 1100 cfa r7+8 ra-8 | 1101 cfa r7+16 ra-8 | 1109 cfa r7+24 ra-8 | 1140 none", "set_loc");
}

void Unusable() {
    const std::string unsupported = "1100 unsupported";
    Same(RowsOf({0x41, 0x1e}), unsupported, "an unknown instruction makes the whole function unsupported");
    Same(RowsOf({0x41, 0x0b}), unsupported, "restore_state without remember_state");
    Same(RowsOf(ByteString(40, 0x0a)), unsupported, "remember_state without end");
    Same(RowsOf({0x41, 0x0e, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}),
         unsupported, "a number of more than 64 bits");
    Same(RowsOf({0x41, 0x0f, 0x7f, 0x76, 0}), unsupported, "an expression longer than its function's entry");
    Same(RowsOf({0x41, 0x0e, 0x80, 0x80, 0x80, 0x80, 0x10}), "1100 cfa r7+8 ra-8 | 1101 unsupported",
         "a frame of more than 2 GiB");
    Same(RowsOf({0x41, 0x05, 6, 0x80, 0x80, 2}), "1100 cfa r7+8 ra-8 | 1101 unsupported",
         "a register saved further from the CFA than a rule can say");
    Same(RowsOf({0x41, 0x09, 6, 0}), "1100 cfa r7+8 ra-8 | 1101 unsupported", "rbp in another register");
    Same(RowsOf({0x41, 0x14, 6, 2}), "1100 cfa r7+8 ra-8 | 1101 unsupported", "rbp as a value");
    Same(RowsOf({0x41, 0x16, 6, 2, 0x76, 0}), "1100 cfa r7+8 ra-8 | 1101 unsupported",
         "rbp as an expression's value");
    Same(RowsOf({0x41, 0x0c, 17, 8}), "1100 cfa r7+8 ra-8 | 1101 unsupported", "a vector register as base");
    Same(RowsOf({0x41, 0x2d}), unsupported, "arm64's instruction in x86-64 code");
}

void Expressions() {
    Same(RowsOf({0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22}),
         "1100 plt r7+11 ra-8", "the stubs of lazy binding");
    Same(RowsOf({0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x39, 0x2a, 0x33, 0x24, 0x22}), "1100 plt r7+9 ra-8",
         "the stubs of lazy binding with branch tracking");
    Same(RowsOf({0x0f, 3, 0x76, 0x78, 0x06}), "1100 deref r6-8 then+0 ra-8", "a realigned stack");
    Same(RowsOf({0x0f, 5, 0x77, 0x28, 0x06, 0x23, 8}), "1100 deref r7+40 then+8 ra-8",
         "libcrypto's saved stack pointer");
    Same(RowsOf({0x0f, 5, 0x77, 0x28, 0x06, 0x38, 0x22}), "1100 deref r7+40 then+8 ra-8",
         "with lit and plus");
    Same(RowsOf({0x0f, 6, 0x77, 0x28, 0x06, 0x09, 0xf8, 0x22}), "1100 deref r7+40 then-8 ra-8",
         "with a constant");
    Same(RowsOf({0x0f, 5, 0x77, 0x28, 0x06, 0x38, 0x1c}), "1100 deref r7+40 then-8 ra-8", "with minus");
    Same(RowsOf({0x0f, 2, 0x76, 16}), "1100 cfa r6+16 ra-8", "a plain register and offset");
    Same(RowsOf({0x0f, 4, 0x92, 6, 16, 0x96}), "1100 cfa r6+16 ra-8", "bregx, and a nop");
    Same(RowsOf({0x0f, 4, 0x76, 0, 0x06, 0x06}), "1100 unsupported", "two loads");
    Same(RowsOf({0x0f, 5, 0x77, 0, 0x79, 0, 0x22}), "1100 unsupported", "a sum of two registers");
    Same(RowsOf({0x0f, 1, 0x38}), "1100 unsupported", "a constant");
    Same(RowsOf({0x0f, 0}), "1100 unsupported", "an empty expression");
    Same(RowsOf({0x0f, 1, 0x22}), "1100 unsupported", "an addition to nothing");
    Same(RowsOf({0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0, 0x10, 3, 2, 0x76, 0x70}),
         "1100 deref r6-8 then+0 ra-8 fp@fp+0 bx@fp-16", "registers that a realigned frame saved");
    Same(RowsOf({0x0c, 7, 48, 0x10, 6, 2, 0x77, 16}), "1100 cfa r7+48 ra-8 fp-32",
         "a register saved relative to the frame's own base");
    Same(RowsOf({0x10, 6, 2, 0x23, 24}), "1100 cfa r7+8 ra-8 fp+24", "a register saved relative to the CFA");
    Same(RowsOf({0x10, 6, 2, 0x73, 0}), "1100 unsupported", "a register saved relative to rbx");
}

// A function whose addresses are encoded in some way: the CIE's letter R, the bytes, and text's address.
std::string Encoded(uint8_t encoding, const ByteString &addresses, uint64_t start) {
    FrameBytes frames;
    const uint64_t cie = frames.Cie({1, 'z', 'R', 0, 1, 0x78, 16, 1, encoding}, {0x0c, 7, 8, 0x90, 1});
    ByteString content = addresses;
    content.push_back(0);
    frames.RawFde(cie, start, content, {});
    ImageOptions options;
    options.has_header = false;
    return RowsText(FrameImage(frames, options).bytes);
}

void Encodings() {
    const std::string rows = "0 none | 1100 cfa r7+8 ra-8 | 1140 none";
    ByteString bytes;
    AppendValue<uint64_t>(&bytes, kFunction);
    AppendValue<uint64_t>(&bytes, 0x40);
    Same(Encoded(0x00, bytes, kFunction), rows, "absolute addresses");
    Same(Encoded(0x04, bytes, kFunction), rows, "udata8");
    Same(Encoded(0x0c, bytes, kFunction), rows, "sdata8");
    Same(Encoded(0x80, bytes, kFunction), "", "indirect addresses are refused");
    Same(Encoded(0x40, bytes, kFunction), "", "function-relative addresses are refused");
    Same(Encoded(0x30, bytes, kFunction), "", "data-relative addresses without a data base are refused");
    Same(Encoded(0x0f, bytes, kFunction), "", "an unknown format is refused");
    bytes.clear();
    AppendValue<uint32_t>(&bytes, kFunction);
    AppendValue<uint32_t>(&bytes, 0x40);
    Same(Encoded(0x03, bytes, kFunction), rows, "udata4");
    Same(Encoded(0x0b, bytes, kFunction), rows, "sdata4");
    Same(Encoded(0x01, {0x80, 0xa2, 0x80, 0x02, 0x40}, kFunction), rows, "uleb");
    Same(Encoded(0x09, {0x80, 0xa2, 0x80, 0x02, 0xc0, 0}, kFunction), rows, "sleb");
    bytes.clear();
    // CIE: 4 + 4 + 9 + 5 = 22, padded to 24; the FDE's addresses follow its length and id, padded to eight.
    AppendValue<uint64_t>(&bytes, kFunction);
    AppendValue<uint64_t>(&bytes, 0x40);
    Same(Encoded(0x50, bytes, kFunction), rows, "aligned addresses");
}

void CommonEntries() {
    const std::string rows = "0 none | 1100 cfa r7+8 ra-8 | 1140 none";
    const ByteString usual = {0x0c, 7, 8, 0x90, 1};
    ByteString absolute;
    AppendValue<uint64_t>(&absolute, kFunction);
    AppendValue<uint64_t>(&absolute, 0x40);
    ByteString with_augmentation = absolute;
    with_augmentation.push_back(0);
    const auto rows_with = [&](const ByteString &head, const ByteString &addresses, bool is_long = false) {
        FrameBytes frames;
        frames.RawFde(frames.Cie(head, usual, is_long), kFunction, addresses, {}, is_long);
        return RowsText(FrameImage(frames).bytes);
    };
    Same(rows_with({1, 0, 1, 0x78, 16}, absolute), rows, "version 1 without augmentation");
    Same(rows_with({3, 0, 1, 0x78, 0x90, 0}, absolute), rows, "version 3 has its column as a uleb");
    Same(rows_with({4, 0, 8, 0, 1, 0x78, 16}, absolute), rows, "version 4 has address and segment sizes");
    Same(rows_with({1, 'e', 'h', 0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0x78, 16}, absolute), rows,
         "GCC 2's augmentation");
    Same(rows_with({1, 'z', 'P', 'L', 'R', 0, 1, 0x78, 16, 7, 0x9b, 1, 2, 3, 4, 0x1b, 0}, with_augmentation),
         rows, "a personality, wherever it lies, and language data");
    Same(rows_with({1, 0, 1, 0x78, 16}, absolute, true), rows, "64-bit lengths");
    const std::string bad = "0 none | 1100 unsupported | 1140 none";
    Same(rows_with({1, 0, 1, 0x78, 17}, absolute), bad, "another return address column");
    const std::string unlocated = "0 none | 1100 unsupported | 1800 none";
    Same(rows_with({2, 0, 1, 0x78, 16}, absolute), unlocated, "an unknown version");
    Same(rows_with({4, 0, 4, 0, 1, 0x78, 16}, absolute), unlocated, "32-bit addresses");
    Same(rows_with({1, 'z', 'Q', 'R', 0, 1, 0x78, 16, 1, 0x1b}, with_augmentation), unlocated,
         "an unknown letter");
    Same(rows_with({1, 'q', 0, 1, 0x78, 16}, absolute), bad, "an augmentation without a size");
}

// Two functions with a hole between them, a third behind another terminator.
FrameBytes ThreeFunctions() {
    FrameBytes frames;
    const uint64_t cie = frames.UsualCie();
    frames.Fde(cie, kFunction, 0x40, {});
    frames.Fde(cie, kFunction + 0x80, 0x20, {0x41, 0x0e, 16});
    frames.Terminator();
    frames.Fde(frames.UsualCie(), kFunction + 0xa0, 0x20, {0x0e, 32});
    return frames;
}

void Indexes() {
    const std::string rows =
        "0 none | 1100 cfa r7+8 ra-8 | 1140 none | 1180 cfa r7+8 ra-8 | 1181 cfa r7+16 ra-8 | "
        "11a0 cfa r7+32 ra-8 | 11c0 none";
    Same(RowsText(FrameImage(ThreeFunctions()).bytes), rows, "by the linker's table");
    ImageOptions options;
    options.has_sections = false;
    Same(RowsText(FrameImage(ThreeFunctions(), options).bytes), rows, "without section headers");
    options.swap_first_two = true;
    options.has_sections = true;
    Same(RowsText(FrameImage(ThreeFunctions(), options).bytes), rows,
         "by our own index, when the table is not sorted");
    options.has_header = false;
    Same(RowsText(FrameImage(ThreeFunctions(), options).bytes), rows,
         "by our own index, when there is no table");
    options.has_sections = false;
    Same(RowsText(FrameImage(ThreeFunctions(), options).bytes), "", "neither: no rows, and no error");
    FrameBytes frames = ThreeFunctions();
    frames.bytes.resize(frames.bytes.size() - 4);
    options.has_sections = true;
    Same(RowsText(FrameImage(frames, options).bytes),
         "0 none | 1100 cfa r7+8 ra-8 | 1140 none | 1180 cfa r7+8 ra-8 | 1181 cfa r7+16 ra-8 | 11a0 none",
         "an entry that is cut off costs itself");
    Same(NoteOf(FrameImage(frames, options).bytes),
         ".eh_frame: no entry can be read at 0x5c, what follows is left out", "and is noted");
    frames = ThreeFunctions();
    frames.functions[1].first += 4;
    Same(RowsText(FrameImage(frames).bytes),
         "0 none | 1100 cfa r7+8 ra-8 | 1140 none | 1184 unsupported | 11a0 cfa r7+32 ra-8 | 11c0 none",
         "a table that contradicts its entry is not believed");
    frames = ThreeFunctions();
    frames.functions[1].second = 0x7fff0000;
    Same(RowsText(FrameImage(frames).bytes),
         "0 none | 1100 cfa r7+8 ra-8 | 1140 none | 1180 unsupported | 11a0 cfa r7+32 ra-8 | 11c0 none",
         "a table that points nowhere");
}

// The same content behind a compression header.
FrameBytes Packed(const FrameBytes &frames, const ByteString &header) {
    uLongf size = compressBound(frames.bytes.size());
    ByteString stream(size);
    compress(stream.data(), &size, frames.bytes.data(), frames.bytes.size());
    stream.resize(size);
    FrameBytes packed(false);
    packed.bytes = header;
    Append(&packed.bytes, stream);
    return packed;
}

void DebugFrames() {
    FrameBytes frames(false);
    ByteString addresses;
    AppendValue<uint64_t>(&addresses, kFunction);
    AppendValue<uint64_t>(&addresses, 0x40);
    const uint64_t cie = frames.Cie({3, 0, 1, 0x78, 16}, {0x0c, 7, 8, 0x90, 1});
    frames.RawFde(cie, kFunction, addresses, {0x41, 0x0e, 16});
    const uint64_t wide = frames.Cie({4, 0, 8, 0, 1, 0x78, 16}, {0x0c, 7, 8, 0x90, 1}, true);
    std::memset(addresses.data() + 0, 0, 8);
    frames.RawFde(wide, 0, addresses, {}); // what a linker leaves of a function it threw away
    ImageOptions options;
    options.has_header = false;
    options.section = ".debug_frame";
    options.section_flags = 0;
    const std::string rows = "0 none | 1100 cfa r7+8 ra-8 | 1101 cfa r7+16 ra-8 | 1140 none";
    Same(RowsText(FrameImage(frames, options).bytes), rows, ".debug_frame");

    options.section_flags = SHF_COMPRESSED;
    const auto packed_with = [&](uint32_t method) {
        ByteString header;
        AppendValue<Elf64_Chdr>(&header, {method, 0, frames.bytes.size(), 8});
        return Packed(frames, header);
    };
    Same(RowsText(FrameImage(packed_with(ELFCOMPRESS_ZLIB), options).bytes), rows,
         ".debug_frame, compressed");
    FrameBytes damaged = packed_with(ELFCOMPRESS_ZLIB);
    damaged.bytes.resize(damaged.bytes.size() - 9);
    Same(NoteOf(FrameImage(damaged, options).bytes), "corrupt: .debug_frame: zlib error -5",
         "compressed, cut off");
    damaged.bytes.resize(sizeof(Elf64_Chdr));
    Same(NoteOf(FrameImage(damaged, options).bytes), "corrupt: .debug_frame has no compression header",
         "a compression header alone");
    Same(NoteOf(FrameImage(packed_with(2), options).bytes),
         ".debug_frame is compressed by method 2; only zlib (1) is read: use `objcopy "
         "--compress-debug-sections=zlib`",
         "zstd is not read, and the note says what to do");
    options.section_flags = 0;
    options.section = ".zdebug_frame";
    const ByteString old_header = {'Z', 'L', 'I', 'B', 0, 0, 0, 0, 0, 0, 0, 0};
    Same(RowsText(FrameImage(Packed(frames, old_header), options).bytes), rows, ".zdebug_frame");
    Same(NoteOf(FrameImage(frames, options).bytes), "corrupt: .zdebug_frame has no compression header",
         ".zdebug_frame without its magic");
    FrameBytes bomb;
    bomb.bytes.resize(65 << 20);
    Same(NoteOf(FrameImage(Packed(bomb, old_header), options).bytes),
         ".zdebug_frame unpacks to more than 64 MiB", "a zlib bomb is refused");
}

void Pages() {
    FrameBytes frames;
    const uint64_t cie = frames.UsualCie();
    // File offsets 0x3f00 to 0x8100: pages 0, 1 and 2.
    frames.Fde(cie, kCodeAddress + 0x2f00, 0x4200,
               {0x04, 0x80, 0, 0, 0, 0x0e, 16, 0x04, 0x90, 0x40, 0, 0, 0x0e, 24});
    ImageOptions options;
    options.code_size = 0xc000;
    const ByteString bytes = FrameImage(frames, options).bytes;
    Same(RowsText(bytes, 0), "0 none | 3f00 cfa r7+8 ra-8 | 3f80 cfa r7+16 ra-8",
         "a function starts in a page");
    Same(RowsText(bytes, 1), "0 cfa r7+16 ra-8", "covers the next one");
    Same(RowsText(bytes, 2), "0 cfa r7+16 ra-8 | 10 cfa r7+24 ra-8 | 100 none", "and ends in the third");
    Same(RowsText(bytes, 3), "", "a page that nothing covers");
    Same(RowsText(bytes, 4000000000), "", "a page behind the file");
    const MemorySource source(bytes);
    auto rows = FileRows::Open(source);
    check(rows.ok() && rows.value()->first_page() == 0 && rows.value()->pages() == 4, "pages hold the code");
}

void Padding() {
    FrameBytes frames;
    const uint64_t cie = frames.UsualCie();
    frames.Fde(cie, kFunction, 0x35, {0x0e, 16});
    frames.Fde(cie, kFunction + 0x40, 0x40, {0x0e, 24});
    frames.Fde(cie, kFunction + 0x90, 0x35, {0x0e, 16});
    frames.Fde(cie, kFunction + 0xc8, 0x8, {0x0e, 24});
    Same(RowsText(FrameImage(frames).bytes),
         "0 none | 1100 cfa r7+16 ra-8 | 1140 cfa r7+24 ra-8 | 1180 none | 1190 cfa r7+16 ra-8 | 11c5 none | "
         "11c8 cfa r7+24 ra-8 | 11d0 none",
         "what aligns a function is part of the one before; other gaps are none");
}

void Overlaps() {
    FrameBytes frames;
    const uint64_t cie = frames.UsualCie();
    frames.Fde(cie, kFunction, 0x40, {});
    frames.Fde(cie, kFunction + 0x20, 0x40, {0x0e, 16});
    Same(RowsText(FrameImage(frames).bytes),
         "0 none | 1100 cfa r7+8 ra-8 | 1120 unsupported | 1140 cfa r7+16 ra-8 | 1160 none",
         "two functions that contradict each other are unsupported where they do");
    FrameBytes twice;
    const uint64_t common = twice.UsualCie();
    for (int time = 0; time < 2; ++time)
        twice.Fde(common, kFunction, 0x40, {0x41, 0x0e, 16});
    Same(RowsText(FrameImage(twice).bytes), "0 none | 1100 cfa r7+8 ra-8 | 1101 cfa r7+16 ra-8 | 1140 none",
         "two that say the same are one");
    FrameBytes many;
    const uint64_t shared = many.UsualCie();
    for (uint32_t index = 0; index < 3000; ++index) {
        many.Fde(shared, kCodeAddress + index, 0x2000 - 2 * index,
                 {0x0e, static_cast<uint8_t>(8 + index % 64)});
    }
    ImageOptions options;
    options.code_size = 0x10000;
    Same(RowsText(FrameImage(many, options).bytes).substr(0, 55),
         "corrupt: .eh_frame has overlapping or endless functions",
         "a heap of them is refused in bounded time");
}

// mov %rbx,%rsp: what makecontext() lets a context return to.
void ContextStarts() {
    const ByteString endbr = {0xf3, 0x0f, 0x1e, 0xfa};
    auto rows = [](uint64_t start, ByteString code, uint64_t before = kFunction, uint32_t page = 0,
                   ByteString instructions = {}) {
        FrameBytes frames;
        const uint64_t cie = frames.UsualCie();
        frames.Fde(cie, before, 0x15, {0x41, 0x0e, 16});
        frames.Fde(cie, start, 0x20, instructions);
        ImageOptions options;
        options.code_size = 0x8000;
        options.code.resize(start - kCodeAddress);
        Append(&options.code, code);
        return RowsText(FrameImage(frames, options).bytes, page);
    };
    const std::string before = "0 none | 1100 cfa r7+8 ra-8 | 1101 cfa r7+16 ra-8 | ";
    const uint64_t next = kFunction + 0x20;
    Same(rows(next, {0x48, 0x89, 0xdc}), before + "1115 none | 111f root | 1140 none",
         "a function that begins by taking another stack is a root, with the byte before it");
    Same(rows(next, {0x4c, 0x89, 0xf4}, kFunction, 0, {0x0c, 6, 16, 0x86, 2}),
         before + "1120 cfa r6+16 ra-8 fp-16 | 1140 none",
         "a landing pad in a part of its own that puts the stack pointer back is none");
    ByteString guarded = endbr;
    Append(&guarded, {0x48, 0x89, 0xdc});
    Same(rows(next, guarded), before + "1115 none | 111f root | 1140 none", "behind an endbr64 too");
    Same(rows(next, {0x4c, 0x89, 0xec}), before + "1115 none | 111f root | 1140 none",
         "from a numbered register");
    Same(rows(next, {0x48, 0x89, 0xe5}), before + "1120 cfa r7+8 ra-8 | 1140 none",
         "a frame pointer is no stack");
    Same(rows(next, {0x48, 0x89}), before + "1120 cfa r7+8 ra-8 | 1140 none", "nor is half an instruction");
    Same(rows(kFunction + 0x15, {0x48, 0x89, 0xdc}), before + "1115 cfa r7+8 ra-8 | 1135 none",
         "where no gap lies before it the function before may end in a call");
    const uint64_t second = kCodeAddress + 0x3000; // at the start of the second page
    Same(rows(second, {0x48, 0x89, 0xdc}, second - 0x20),
         "0 none | 3fe0 cfa r7+8 ra-8 | 3fe1 cfa r7+16 ra-8 | 3ff5 none | 3fff root",
         "the byte before lies in the page before");
    Same(rows(second, {0x48, 0x89, 0xdc}, second - 0x20, 1), "0 root | 20 none",
         "and the function in its own");
}

void Entries() {
    FrameBytes frames;
    frames.Fde(frames.UsualCie(), kFunction, 0x40, {});
    ImageOptions options;
    options.entry = kCodeAddress + 0x10;
    Same(RowsText(FrameImage(frames, options).bytes),
         "0 none | 1010 root | 1050 none | 1100 cfa r7+8 ra-8 | 1140 none",
         "an entry point that no table covers is a root");
    options.entry = kFunction - 8;
    Same(RowsText(FrameImage(frames, options).bytes), "0 none | 10f8 root | 1100 cfa r7+8 ra-8 | 1140 none",
         "up to the next function");
    options.entry = kFunction;
    Same(RowsText(FrameImage(frames, options).bytes), "0 none | 1100 cfa r7+8 ra-8 | 1140 none",
         "one that a table covers is what the table says");
    options.machine = EM_RISCV;
    Same(RowsText(FrameImage(frames, options).bytes), "", "code of another machine has no rows");
    Same(NoteOf(FrameImage(frames, options).bytes), "for another machine (ELF machine 243)", "and a note");
}

std::string Arm64Rows(const ByteString &instructions) {
    FrameBytes frames;
    const uint64_t cie = frames.Cie({1, 'z', 'R', 0, 4, 0x78, 30, 1, 0x1b}, {0x0c, 31, 0});
    frames.Fde(cie, kFunction, 0x40, instructions);
    ImageOptions options;
    options.machine = EM_AARCH64;
    const ByteString bytes = FrameImage(frames, options).bytes;
    const MemorySource source(bytes);
    Result<ElfFile> file = ElfFile::Open(source);
    if (!file.ok()) return file.status().message;
    RowCollector rows(kFunction, kFunction + 0x100);
    Status status = OpenEhFrame(file.value(), *ArchitectureOf(EM_AARCH64))->Collect(&rows);
    std::string text = status.message;
    for (const RowSpan &span : rows.spans()) {
        char lo[24];
        snprintf(lo, sizeof lo, "%llx ", static_cast<unsigned long long>(span.start - kFunction));
        text += (text.empty() ? "" : " | ") + std::string(lo) + RuleText(span.rule);
    }
    return text;
}

void Arm64() {
    Same(Arm64Rows({}), "0 cfa r31+0 ra=r30", "a leaf's return address is in x30");
    Same(Arm64Rows({0x41, 0x0e, 32, 0x9d, 4, 0x9e, 3, 0x41, 0x0d, 29}),
         "0 cfa r31+0 ra=r30 | 4 cfa r31+32 ra-24 fp-32 | 8 cfa r29+32 ra-24 fp-32", "a frame record");
    Same(Arm64Rows({0x2d, 0x41, 0x0e, 16, 0x9d, 2, 0x9e, 1, 0x41, 0xde, 0xdd, 0x0e, 0, 0x2d}),
         "0 cfa r31+0 ra=r30 | 4 cfa r31+16 ra-8 fp-16 | 8 cfa r31+0 ra=r30", "signed return addresses");
    Same(Arm64Rows({0x93, 2}), "0 cfa r31+0 ra=r30", "x19 is not followed");
    Same(Arm64Rows({0x0f, 3, 0x8d, 0x70, 0x06}), "0 deref r29-16 then+0 ra=r30", "a realigned stack");
    Same(Arm64Rows({0x07, 30}), "0 root", "a root");
}

// Nothing that a file can hold may crash, hang or be read beyond its end; the sanitizers watch.
void Damage() {
    FrameBytes frames = ThreeFunctions();
    const ByteString whole = FrameImage(frames).bytes;
    uint64_t answered = 0;
    for (size_t length = 0; length < whole.size(); length += length < 0x200 || length > 0x1700 ? 1 : 64) {
        answered += !RowsText({whole.begin(), whole.begin() + static_cast<long>(length)}).empty();
    }
    check(answered > 0, "files cut at every length");
    answered = 0;
    for (size_t at = 0; at < whole.size(); at = at == 0x200 ? 0x1800 : at + 1) {
        for (uint8_t value : {0x00, 0x7f, 0x80, 0xff}) {
            ByteString damaged = whole;
            damaged[at] = value;
            answered += !RowsText(damaged).empty();
        }
    }
    check(answered > 0, "files with any byte changed");
    FrameBytes loop;
    loop.Entry(4, ByteString(16)); // an FDE that is its own CIE
    loop.Entry(0xfffffff0, ByteString(16));
    loop.functions = {{kFunction, 0}, {kFunction + 8, 24}};
    Same(RowsText(FrameImage(loop).bytes), "0 none | 1100 unsupported | 1800 none",
         "entries that lead in a circle");
    FrameBytes huge;
    AppendValue<uint32_t>(&huge.bytes, 0xfffffff0);
    huge.functions = {{kFunction, 0}};
    Same(RowsText(FrameImage(huge).bytes), "0 none | 1100 unsupported | 1800 none", "a length of 4 GB");
}

} // namespace

int main() {
    Instructions();
    Unusable();
    Expressions();
    Encodings();
    CommonEntries();
    Indexes();
    DebugFrames();
    Pages();
    Padding();
    Overlaps();
    ContextStarts();
    Entries();
    Arm64();
    Damage();
    return report();
}
