#include "frame_section.h"

namespace emberscope {

namespace {

constexpr uint32_t kLongLength = 0xffffffff;
constexpr size_t kMaxHeader = 4 + 8 + 8;

} // namespace

bool FrameReader::ReadEntry(uint64_t at, FrameEntry *entry) {
    *entry = {};
    if (at >= section_->size) return false;
    Cursor cursor(window_.At(section_->offset + at, std::min<uint64_t>(kMaxHeader, section_->size - at)));
    uint64_t length = cursor.Take<uint32_t>();
    if (!cursor.ok()) return false;
    entry->at = at;
    const bool is_long = length == kLongLength;
    if (is_long) length = cursor.Take<uint64_t>();
    const uint64_t id_at = at + cursor.at();
    entry->next = id_at;
    entry->is_terminator = length == 0;
    if (entry->is_terminator) return cursor.ok();
    // The id of .eh_frame has four bytes even behind a long length (LSB, 10.6.1).
    const bool is_wide = is_long && !section_->is_eh;
    const uint64_t id = is_wide ? cursor.Take<uint64_t>() : cursor.Take<uint32_t>();
    const uint64_t id_size = is_wide ? 8 : 4;
    if (!cursor.ok() || length < id_size || !FitsIn(id_at, length, section_->size)) return false;
    entry->next = id_at + length;
    entry->body = id_at + id_size;
    entry->body_size = length - id_size;
    const uint64_t cie_id = section_->is_eh ? 0 : is_wide ? UINT64_MAX : UINT32_MAX;
    entry->is_cie = id == cie_id;
    // A pointer before the section wraps, and is then found to lie behind it.
    if (!entry->is_cie) entry->cie = section_->is_eh ? id_at - id : id;
    return true;
}

Bytes FrameReader::ReadBody(const FrameEntry &entry, uint64_t limit) {
    const uint64_t size = std::min(entry.body_size, limit);
    if (size <= kWindow) return window_.At(section_->offset + entry.body, size);
    large_.resize(size);
    Result<size_t> count = section_->source->Read(section_->offset + entry.body, large_);
    return Bytes(large_).first(count.ok() ? count.value() : 0);
}

} // namespace emberscope
