// Fuzzes unwind rows: a whole ELF file, or, when the first byte is no ELF magic, the bare content of
// .eh_frame (even) or .debug_frame (odd) in a sound file. Besides crashes it checks what the table store
// relies on: rows ascend from zero, neighbours differ, rules hold what unwinders can follow.
#include <cstdlib>

#include "../../test/unwind/frame_image.h"

using namespace emberscope;

static void CheckRule(const unwind_rule &rule) {
    const bool has_base = rule.kind == RULE_CFA || rule.kind == RULE_CFA_DEREF;
    if (rule.kind >= RULE_KIND_COUNT || (has_base && rule.base >= REGISTER_COUNT)) abort();
    if ((rule.saved & SAVED_RA_REGISTER) && rule.ra_register >= REGISTER_COUNT) abort();
    if ((rule.saved & SAVED_FP_AT_CFA) && (rule.saved & SAVED_FP_AT_FP)) abort();
    if ((rule.saved & SAVED_BX_AT_CFA) && (rule.saved & SAVED_BX_AT_FP)) abort();
}

static void CheckPage(const FileRows &rows, uint32_t page) {
    const Result<std::vector<CfiRow>> found = rows.Page(page);
    if (!found.ok()) return;
    const std::vector<CfiRow> &list = found.value();
    if (!list.empty() && list[0].lo != 0) abort();
    if (list.size() > UINT16_MAX) abort();
    for (size_t index = 0; index < list.size(); ++index) {
        CheckRule(list[index].rule);
        if (index == 0) continue;
        if (list[index].lo <= list[index - 1].lo || SameRule(list[index].rule, list[index - 1].rule)) abort();
    }
}

static void CheckFile(Bytes bytes) {
    const MemorySource source(bytes);
    const Result<std::unique_ptr<FileRows>> rows = FileRows::Open(source);
    if (!rows.ok()) return;
    const FileRows &file = *rows.value();
    if (uint64_t{file.pages()} > (bytes.size() >> TEXT_PAGE_SHIFT) + 1) abort();
    for (uint32_t page = 0; page < file.pages(); ++page) {
        CheckPage(file, file.first_page() + page);
    }
    if (!file.Summary().source.empty() && file.memory() == 0) abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 0 && data[0] == 0x7f) CheckFile({data, size});
    if (size == 0 || data[0] == 0x7f) return 0;
    const bool is_debug = data[0] & 1;
    FrameBytes frames(!is_debug);
    frames.bytes.assign(data + 1, data + size);
    ImageOptions options;
    options.has_header = false;
    options.section = is_debug ? ".debug_frame" : ".eh_frame";
    options.section_flags = is_debug ? 0 : SHF_ALLOC;
    options.entry = kCodeAddress;
    CheckFile(FrameImage(frames, options).bytes);
    return 0;
}
