// SPDX-License-Identifier: Apache-2.0
// Sorted mappings that do not overlap, against a plain picture of memory page by page: random mappings that
// hide, split and join each other, parts of files without a directory, and the limit.
// sources: native/track/image.cc native/file_reader.cc
#include "track/image.h"

#include <map>
#include <random>

#include "check.h"

using namespace emberscope;

namespace {

constexpr uint64_t kPage = 4096;

FileTable::Identity File(uint32_t directory, uint32_t first_page, uint32_t pages) {
    auto file = std::make_shared<TrackedFile>();
    file->directory = directory, file->first_page = first_page, file->pages = pages;
    return {MAPPING_FILE, file};
}

ShownFile At(uint64_t start, uint64_t end, uint64_t position = 0) {
    return {.start = start * kPage, .end = end * kPage, .position = position * kPage, .path = "/f"};
}

const FileTable::Identity kJit{MAPPING_JIT, nullptr}, kBare{MAPPING_NO_TABLES, nullptr};

// What a page of memory is: kind, file and file page; nothing: not mapped.
struct Cell {
    int kind = -1;
    const TableFile *file = nullptr;
    uint64_t position = 0;
    bool operator==(const Cell &) const = default;
};

Cell CellAt(const TrackedMappings &image, uint64_t page) {
    const unwind_mapping *mapping = MappingAt(image, page * kPage);
    if (!mapping) return {};
    size_t index = static_cast<size_t>(mapping - image.mappings.data());
    if (mapping->kind != MAPPING_FILE) return {mapping->kind, image.files[index].get(), 0};
    return {mapping->kind, image.files[index].get(), mapping->position + page * kPage - mapping->start};
}

bool IsInOrder(const TrackedMappings &image) {
    bool holds = image.mappings.size() == image.files.size();
    for (size_t i = 0; i < image.mappings.size(); i++) {
        const unwind_mapping &mapping = image.mappings[i];
        holds &= mapping.start < mapping.end && (mapping.kind == MAPPING_FILE) == (image.files[i] != nullptr);
        holds &= i == 0 || image.mappings[i - 1].end <= mapping.start;
    }
    return holds;
}

} // namespace

static void TestRandom() {
    constexpr uint64_t kPages = 200;
    constexpr uint64_t kText = TEXT_PAGE_BYTES / kPage;
    std::vector<FileTable::Identity> files = {File(100, 0, 4), File(200, 1, 2), File(0, 3, 9), kJit, kBare};
    std::mt19937 random(4711);
    bool is_right = true, is_ordered = true, tells_shown = true;
    for (int round = 0; round < 200; round++) {
        TrackedMappings image;
        std::vector<Cell> cells(kPages);
        for (int step = 0; step < 60; step++) {
            uint64_t start = random() % (kPages - 1), end = start + 1 + random() % (kPages - start - 1);
            if (random() % 2) end = std::min(end, start + 8);
            const FileTable::Identity &identity = files[random() % files.size()];
            uint64_t position = random() % 3 ? start : random() % 64; // most are congruent: they join
            std::vector<Cell> after = cells;
            for (uint64_t page = start; page < end; page++) {
                uint64_t shows = position + page - start;
                const TableFile *file = identity.file.get();
                bool is_code = file && shows / kText >= file->first_page &&
                               shows / kText < file->first_page + file->pages;
                after[page] = is_code ? Cell{MAPPING_FILE, file, shows * kPage}
                                      : Cell{file ? MAPPING_NO_TABLES : identity.kind, nullptr, 0};
            }
            ImageBuilder builder(&image);
            ShownFile shown = At(start, end, position);
            tells_shown &= builder.IsShown(shown, identity) == (after == cells);
            bool hides = false;
            for (uint64_t page = start; page < end; page++)
                hides |= cells[page].kind == MAPPING_FILE && !(cells[page] == after[page]);
            tells_shown &= builder.Hides(shown, identity) == hides;
            builder.Show(shown, identity);
            cells = std::move(after);
            is_ordered &= IsInOrder(image);
        }
        for (uint64_t page = 0; page < kPages; page++)
            is_right &= CellAt(image, page) == cells[page];
    }
    check(is_right, "every page shows what was mapped last");
    check(is_ordered, "mappings are sorted, do not overlap, and have their files beside them");
    check(tells_shown, "what would change nothing, or hide a file, is told");
}

static void TestJoin() {
    TrackedMappings image;
    ImageBuilder builder(&image);
    for (uint64_t page = 0; page < 1000; page += 2)
        builder.Show(At(1000 + page, 1001 + page), kJit);
    check(image.mappings.size() == 500, "run-time code with gaps between");
    for (uint64_t page = 1; page < 1000; page += 2)
        builder.Show(At(1000 + page, 1001 + page), kJit);
    check(image.mappings.size() == 1 && image.mappings[0].end == 2000 * kPage,
          "the gaps filled: one mapping");
    auto file = File(64, 0, 16);
    builder.Show(At(2000, 2010, 0), file);
    builder.Show(At(2010, 2020, 10), file);
    builder.Show(At(2020, 2030, 40), file);
    check(image.mappings.size() == 3, "a file joins where it goes on, not where it does not");
    check(image.mappings[1].directory == 64 && image.mappings[1].position == 0, "its first mapping");
    check(!MappingAt(image, 2030 * kPage) && !MappingAt(image, 1000 * kPage - 1), "ends are exclusive");
}

static void TestDirectory() {
    TrackedMappings image;
    ImageBuilder builder(&image);
    constexpr uint64_t kText = TEXT_PAGE_BYTES / kPage;
    builder.Show(At(0x1000, 0x1000 + 4 * kText, 0), File(7, 1, 2)); // text pages 0 to 3 of the file
    check(image.mappings.size() == 3 && image.mappings[1].kind == MAPPING_FILE, "code between what is none");
    check(image.mappings[1].start == (0x1000 + kText) * kPage &&
              image.mappings[1].end == (0x1000 + 3 * kText) * kPage,
          "only pages that have a directory word are shown with it");
    check(image.mappings[1].position == TEXT_PAGE_BYTES && image.mappings[1].directory + 1 == 7,
          "the word of file page 1 is the first of the range");
    ImageBuilder again(&image);
    again.Show({.start = 0x9000000, .end = 0x9001000, .position = UINT64_MAX - 100, .path = "/f"},
               File(7, 1, 2));
    again.Show({.start = 0x9100000, .end = UINT64_MAX, .position = 0, .path = "/f"}, File(7, 0, 65536));
    check(IsInOrder(image), "positions and ends at the edge of numbers");
}

static void TestLimit() {
    TrackedMappings image;
    ImageBuilder builder(&image);
    for (uint64_t i = 0; i < MAPPINGS_MAX + 100; i++)
        builder.Show(At(10 + 2 * i, 11 + 2 * i), kJit);
    check(image.mappings.size() <= MAPPINGS_MAX && image.mappings.size() >= MAPPINGS_MAX - 2,
          "not more than allowed");
    check(builder.left_out() >= 100 && builder.left_out() <= 102, "what is left out is counted");
    auto file = File(1, 0, 16);
    builder.Show(At(1'000'000, 1'000'010), file);
    check(MappingAt(image, 1'000'005 * kPage) != nullptr, "a file takes the place of run-time code");
    for (uint64_t i = 0; i < 2 * MAPPINGS_MAX; i++)
        builder.Show(At(2'000'000 + 2 * i, 2'000'001 + 2 * i), file);
    check(image.mappings.size() <= MAPPINGS_MAX && IsInOrder(image),
          "files beyond the limit are left out too");
}

int main() {
    TestRandom();
    TestJoin();
    TestDirectory();
    TestLimit();
    return report();
}
