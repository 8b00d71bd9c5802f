#include "track/image.h"

#include <algorithm>
#include <cstring>

#include "span.h"

namespace emberscope {

namespace {

uint64_t PositionAt(const unwind_mapping &mapping, uint64_t address) {
    return mapping.position + (address - mapping.start);
}

// Same rows at every address that both cover.
bool IsAlike(const unwind_mapping &a, const unwind_mapping &b) {
    if (a.kind != b.kind) return false;
    return a.kind != MAPPING_FILE ||
           (a.directory == b.directory && a.position - a.start == b.position - b.start);
}

unwind_mapping Between(const unwind_mapping &mapping, uint64_t start, uint64_t end) {
    unwind_mapping part = mapping;
    part.start = std::max<uint64_t>(mapping.start, start);
    part.end = std::min<uint64_t>(mapping.end, end);
    // The same bytes for the same memory: equal images are found by comparing them.
    part.position = mapping.kind == MAPPING_FILE ? PositionAt(mapping, part.start) : 0;
    return part;
}

// Puts what `get` makes of each part in the place of the elements [first, last).
template <typename T, typename Parts, typename Get>
void Splice(std::vector<T> *list, size_t first, size_t last, const Parts &parts, Get get) {
    auto begin = list->begin() + static_cast<ptrdiff_t>(first);
    if (parts.size() < last - first)
        list->erase(begin, begin + static_cast<ptrdiff_t>(last - first - parts.size()));
    else list->insert(begin, parts.size() - (last - first), T{});
    std::transform(parts.begin(), parts.end(), list->begin() + static_cast<ptrdiff_t>(first), get);
}

} // namespace

const unwind_mapping *MappingAt(const ImageMappings &image, uint64_t address) {
    const auto &mappings = image.mappings;
    auto after =
        std::upper_bound(mappings.begin(), mappings.end(), address,
                         [](uint64_t value, const unwind_mapping &mapping) { return value < mapping.end; });
    return after != mappings.end() && after->start <= address ? &*after : nullptr;
}

bool IsSameMemory(std::span<const unwind_mapping> a, std::span<const unwind_mapping> b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

size_t ImageBuilder::FirstEndingAfter(uint64_t address) const {
    const auto &mappings = image_->mappings;
    auto at = std::partition_point(mappings.begin(), mappings.end(),
                                   [&](const unwind_mapping &mapping) { return mapping.end <= address; });
    return static_cast<size_t>(at - mappings.begin());
}

// A directory has words for the file's pages [first_page, first_page + pages) only; beyond them lie those of
// another file. Memory that shows other parts of the file has no tables.
std::vector<ImageBuilder::Piece> ImageBuilder::PiecesOf(const ShownFile &shown,
                                                        const FileTable::Identity &identity) {
    unwind_mapping whole{};
    whole.start = shown.start;
    whole.end = shown.end;
    whole.kind = static_cast<uint8_t>(identity.kind);
    if (!identity.file) return {{whole, nullptr}};
    const TableFile &file = *identity.file;
    uint64_t code_start = uint64_t{file.first_page} << TEXT_PAGE_SHIFT;
    uint64_t code_end = code_start + (uint64_t{file.pages} << TEXT_PAGE_SHIFT);
    uint64_t position = shown.path == "[vdso]" ? 0 : shown.position;
    // Process addresses where the code begins and ends, as far as the mapping goes.
    uint64_t begin = AddClamped(shown.start, code_start > position ? code_start - position : 0);
    uint64_t end = AddClamped(shown.start, code_end > position ? code_end - position : 0);
    begin = std::min(begin, shown.end);
    end = std::clamp(end, begin, shown.end);
    unwind_mapping bare = whole, code = whole;
    bare.kind = MAPPING_NO_TABLES;
    code.position = position;
    code.directory = file.directory - file.first_page;
    std::vector<Piece> pieces;
    if (begin > shown.start) pieces.push_back({Between(bare, shown.start, begin), nullptr});
    if (end > begin) pieces.push_back({Between(code, begin, end), identity.file});
    if (end < shown.end) pieces.push_back({Between(bare, end, shown.end), nullptr});
    return pieces;
}

bool ImageBuilder::ShowsPiece(const Piece &piece) const {
    const unwind_mapping *shown = MappingAt(*image_, piece.mapping.start);
    return shown && shown->end >= piece.mapping.end && IsAlike(*shown, piece.mapping);
}

bool ImageBuilder::IsShown(const ShownFile &shown, const FileTable::Identity &identity) const {
    std::vector<Piece> pieces = PiecesOf(shown, identity);
    return std::all_of(pieces.begin(), pieces.end(), [&](const Piece &piece) { return ShowsPiece(piece); });
}

bool ImageBuilder::Hides(const ShownFile &shown, const FileTable::Identity &identity) const {
    const auto &mappings = image_->mappings;
    for (const Piece &piece : PiecesOf(shown, identity))
        for (size_t i = FirstEndingAfter(piece.mapping.start);
             i < mappings.size() && mappings[i].start < piece.mapping.end; i++)
            if (mappings[i].kind == MAPPING_FILE && !IsAlike(mappings[i], piece.mapping)) return true;
    return false;
}

void ImageBuilder::Show(const ShownFile &shown, const FileTable::Identity &identity) {
    for (const Piece &piece : PiecesOf(shown, identity))
        if (!ShowsPiece(piece)) ShowPiece(piece);
}

// For a file's mapping, memory without rows gives way: there, rows are no loss.
bool ImageBuilder::MakeRoom(const Piece &piece) {
    auto &mappings = image_->mappings;
    if (mappings.size() + 2 <= MAPPINGS_MAX) return true; // a piece and what it cuts in two
    left_out_++;
    auto bare = std::find_if(mappings.rbegin(), mappings.rend(),
                             [](const unwind_mapping &mapping) { return mapping.kind != MAPPING_FILE; });
    if (!piece.file || bare == mappings.rend()) return false;
    auto at = mappings.rend() - bare - 1;
    mappings.erase(mappings.begin() + at);
    image_->files.erase(image_->files.begin() + at);
    return mappings.size() + 2 <= MAPPINGS_MAX;
}

// Replaces what the piece overlaps, and its neighbours, by what is left of them, joined where they are alike.
void ImageBuilder::ShowPiece(const Piece &piece) {
    if (!MakeRoom(piece)) return;
    auto &mappings = image_->mappings;
    auto &files = image_->files;
    size_t first = FirstEndingAfter(piece.mapping.start), last = first;
    while (last < mappings.size() && mappings[last].start < piece.mapping.end)
        last++;
    first -= first > 0 ? 1 : 0;
    last += last < mappings.size() ? 1 : 0;
    std::vector<Piece> parts;
    for (size_t i = first; i < last; i++)
        Join(&parts, {Between(mappings[i], 0, piece.mapping.start), files[i]});
    Join(&parts, piece);
    for (size_t i = first; i < last; i++)
        Join(&parts, {Between(mappings[i], piece.mapping.end, UINT64_MAX), files[i]});
    auto mapping_of = [](const Piece &part) { return part.mapping; };
    auto file_of = [](const Piece &part) { return part.file; };
    Splice(&mappings, first, last, parts, mapping_of);
    Splice(&files, first, last, parts, file_of);
}

void ImageBuilder::Join(std::vector<Piece> *parts, const Piece &next) {
    if (next.mapping.start >= next.mapping.end) return;
    if (!parts->empty()) {
        unwind_mapping &before = parts->back().mapping;
        if (before.end == next.mapping.start && IsAlike(before, next.mapping)) {
            before.end = next.mapping.end;
            return;
        }
    }
    parts->push_back(next);
}

} // namespace emberscope
