// ELF files with call frame information, put together in memory byte by byte, and rows as text.
#pragma once

#include <cstdint>
#include <cstring>
#include <elf.h>
#include <string>
#include <vector>

#include "cfi/file_rows.h"
#include "cfi/row_source.h"

using ByteString = std::vector<uint8_t>;

inline void Append(ByteString *to, const ByteString &bytes) {
    to->insert(to->end(), bytes.begin(), bytes.end());
}

template <typename T> void AppendValue(ByteString *to, T value) {
    const size_t at = to->size();
    to->resize(at + sizeof value);
    std::memcpy(to->data() + at, &value, sizeof value);
}

constexpr uint64_t kCodeOffset = 0x1000;
constexpr uint64_t kCodeAddress = 0x401000; // far from its offset, so that nobody mixes them up
constexpr uint64_t kFrameAddress = 0x800000;

// .eh_frame or .debug_frame under construction; entries know where they lie.
class FrameBytes {
  public:
    explicit FrameBytes(bool is_eh = true) : is_eh_(is_eh) {}
    ByteString bytes;
    std::vector<std::pair<uint64_t, uint64_t>> functions; // start, offset of the FDE

    // Content behind the id; padded to whole words with DW_CFA_nop. Returns the offset.
    uint64_t Entry(uint64_t id, ByteString content, bool is_long = false) {
        const uint64_t at = bytes.size();
        const bool is_wide = is_long && !is_eh_;
        const uint64_t id_size = is_wide ? 8 : 4;
        while ((content.size() + id_size) % 4)
            content.push_back(0);
        if (is_long) AppendValue<uint32_t>(&bytes, 0xffffffff);
        if (is_long) AppendValue<uint64_t>(&bytes, content.size() + id_size);
        else AppendValue<uint32_t>(&bytes, content.size() + id_size);
        if (is_wide) AppendValue<uint64_t>(&bytes, id);
        else AppendValue<uint32_t>(&bytes, id);
        Append(&bytes, content);
        return at;
    }
    // `head`: from the version to the end of the augmentation data.
    uint64_t Cie(const ByteString &head, const ByteString &instructions, bool is_long = false) {
        ByteString content = head;
        Append(&content, instructions);
        return Entry(is_eh_ ? 0 : is_long ? UINT64_MAX : UINT32_MAX, content, is_long);
    }
    // GCC's: CFA = rsp + 8, return address at CFA - 8, pc-relative signed 32-bit addresses.
    uint64_t UsualCie(const char *augmentation = "zR") {
        ByteString head = {1};
        Append(&head, ByteString(augmentation, augmentation + strlen(augmentation) + 1));
        Append(&head, {1, 0x78, 16, 1, 0x1b});
        return Cie(head, {0x0c, 7, 8, 0x90, 1});
    }
    uint64_t Fde(uint64_t cie, uint64_t start, uint32_t size, const ByteString &instructions) {
        ByteString content;
        const uint64_t body = bytes.size() + 8;
        AppendValue<int32_t>(&content, static_cast<int32_t>(start - (kFrameAddress + body)));
        AppendValue<uint32_t>(&content, size);
        content.push_back(0);
        return RawFde(cie, start, content, instructions);
    }
    // `addresses`: start, size and augmentation data as the CIE says they are encoded.
    uint64_t RawFde(uint64_t cie, uint64_t start, ByteString addresses, const ByteString &instructions,
                    bool is_long = false) {
        Append(&addresses, instructions);
        const uint64_t id_at = bytes.size() + (is_long ? 12 : 4);
        const uint64_t at = Entry(is_eh_ ? id_at - cie : cie, addresses, is_long);
        functions.push_back({start, at});
        return at;
    }
    void Terminator() { AppendValue<uint32_t>(&bytes, 0); }

  private:
    bool is_eh_;
};

struct ImageOptions {
    uint64_t code_size = 0x800;
    uint64_t entry = 0;
    bool has_header = true; // .eh_frame_hdr
    bool has_sections = true;
    bool swap_first_two = false; // in the sorted table
    uint16_t machine = EM_X86_64;
    const char *section = ".eh_frame";
    uint64_t section_flags = SHF_ALLOC;
    ByteString code; // at the start of the code, zeros after it
};

// An executable: code at kCodeOffset, then the frames at kFrameAddress, then .eh_frame_hdr, then sections.
class FrameImage {
  public:
    FrameImage(const FrameBytes &frames, const ImageOptions &options = {}) : options_(options) {
        bytes.resize(kCodeOffset + options.code_size);
        std::copy(options.code.begin(), options.code.end(), bytes.begin() + kCodeOffset);
        frames_at_ = bytes.size();
        frames_size_ = frames.bytes.size();
        Append(&bytes, frames.bytes);
        while (bytes.size() % 8)
            bytes.push_back(0);
        header_at_ = bytes.size();
        if (options.has_header) Append(&bytes, Header(frames));
        frames_end_ = bytes.size();
        WriteHeaders();
    }
    ByteString bytes;

  private:
    ByteString Header(const FrameBytes &frames) const {
        const uint64_t address = kFrameAddress + (header_at_ - frames_at_);
        ByteString header = {1, 0x1b, 0x03, 0x3b};
        AppendValue<int32_t>(&header, static_cast<int32_t>(kFrameAddress - (address + 4)));
        AppendValue<uint32_t>(&header, frames.functions.size());
        auto functions = frames.functions;
        if (options_.swap_first_two) std::swap(functions[0], functions[1]);
        for (auto [start, at] : functions) {
            AppendValue<int32_t>(&header, static_cast<int32_t>(start - address));
            AppendValue<int32_t>(&header, static_cast<int32_t>(kFrameAddress + at - address));
        }
        return header;
    }
    void WriteHeaders() {
        const bool loads_frames = options_.section_flags & SHF_ALLOC;
        std::vector<Elf64_Phdr> segments(loads_frames ? options_.has_header ? 3 : 2 : 1);
        segments[0] = {PT_LOAD, PF_R | PF_X,        kCodeOffset,        kCodeAddress,
                       0,       options_.code_size, options_.code_size, 4096};
        if (loads_frames) {
            const uint64_t size = frames_end_ - frames_at_;
            segments[1] = {PT_LOAD, PF_R, frames_at_, kFrameAddress, 0, size, size, 4096};
        }
        if (segments.size() == 3) {
            const uint64_t size = frames_end_ - header_at_;
            const uint64_t address = kFrameAddress + (header_at_ - frames_at_);
            segments[2] = {PT_GNU_EH_FRAME, PF_R, header_at_, address, 0, size, size, 4};
        }
        Elf64_Ehdr header{};
        std::memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = ELFCLASS64;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_type = ET_EXEC;
        header.e_machine = options_.machine;
        header.e_entry = options_.entry;
        header.e_phoff = sizeof header;
        header.e_phentsize = sizeof(Elf64_Phdr);
        header.e_phnum = segments.size();
        if (options_.has_sections) AddSections(&header);
        std::memcpy(bytes.data(), &header, sizeof header);
        std::memcpy(bytes.data() + sizeof header, segments.data(), segments.size() * sizeof segments[0]);
    }
    void AddSections(Elf64_Ehdr *header) {
        std::string names = std::string("\0.shstrtab\0", 11) + options_.section + '\0';
        const uint64_t names_at = bytes.size();
        bytes.insert(bytes.end(), names.begin(), names.end());
        while (bytes.size() % 8)
            bytes.push_back(0);
        Elf64_Shdr sections[3] = {};
        sections[1] = {
            11, SHT_PROGBITS, options_.section_flags, kFrameAddress, frames_at_, frames_size_, 0, 0, 8, 0};
        sections[2] = {1, SHT_STRTAB, 0, 0, names_at, names.size(), 0, 0, 1, 0};
        if (!(options_.section_flags & SHF_ALLOC)) sections[1].sh_addr = 0;
        header->e_shoff = bytes.size();
        header->e_shentsize = sizeof(Elf64_Shdr);
        header->e_shnum = 3;
        header->e_shstrndx = 2;
        const auto *raw = reinterpret_cast<const uint8_t *>(sections);
        bytes.insert(bytes.end(), raw, raw + sizeof sections);
    }

    ImageOptions options_;
    uint64_t frames_at_ = 0, frames_size_ = 0, header_at_ = 0, frames_end_ = 0;
};

// "cfa r7+8 ra-8 fp-16": what a rule says, fields that it does not use left out.
inline std::string RuleText(const unwind_rule &rule) {
    static constexpr const char *kKinds[] = {"none", "root",   "cfa", "deref",
                                             "plt",  "signal", "fp",  "unsupported"};
    char text[128];
    std::string all = kKinds[rule.kind];
    if (rule.kind != RULE_CFA && rule.kind != RULE_CFA_DEREF && rule.kind != RULE_PLT) return all;
    snprintf(text, sizeof text, " r%u%+d", rule.base, rule.offset);
    all += text;
    if (rule.kind == RULE_CFA_DEREF) snprintf(text, sizeof text, " then%+d", rule.addend), all += text;
    if (rule.saved & SAVED_RA_REGISTER) snprintf(text, sizeof text, " ra=r%u", rule.ra_register);
    else snprintf(text, sizeof text, " ra%+d", rule.ra_offset);
    all += text;
    if (rule.saved & SAVED_FP_AT_CFA) snprintf(text, sizeof text, " fp%+d", rule.fp_offset), all += text;
    if (rule.saved & SAVED_FP_AT_FP) snprintf(text, sizeof text, " fp@fp%+d", rule.fp_offset), all += text;
    if (rule.saved & SAVED_BX_AT_CFA) snprintf(text, sizeof text, " bx%+d", rule.bx_offset), all += text;
    if (rule.saved & SAVED_BX_AT_FP) snprintf(text, sizeof text, " bx@fp%+d", rule.bx_offset), all += text;
    return all;
}

// "1000 cfa r7+8 ra-8 | 1010 none": the rows of a page, or why there are none.
inline std::string PageText(const emberscope::Result<std::vector<emberscope::CfiRow>> &page) {
    if (!page.ok()) return page.status().message;
    std::string text;
    for (const emberscope::CfiRow &row : page.value()) {
        char lo[16];
        snprintf(lo, sizeof lo, "%x ", row.lo);
        text += (text.empty() ? "" : " | ") + std::string(lo) + RuleText(row.rule);
    }
    return text;
}

inline std::string RowsText(const ByteString &bytes, uint32_t page = 0) {
    const emberscope::MemorySource source(bytes);
    auto rows = emberscope::FileRows::Open(source);
    return rows.ok() ? PageText(rows.value()->Page(page)) : rows.status().message;
}

inline std::string NoteOf(const ByteString &bytes) {
    const emberscope::MemorySource source(bytes);
    auto rows = emberscope::FileRows::Open(source);
    return rows.ok() ? rows.value()->Summary().note : rows.status().message;
}
