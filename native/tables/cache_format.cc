#include "tables/cache_format.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string_view>

#include "tables/row_check.h"

namespace emberscope {

namespace {

// Raised with every change of the layout, of unwind_rule, and of how call frame information becomes rules.
constexpr uint32_t kLayout = 4;
constexpr char kMagic[8] = {'e', 'm', 'b', 'r', 'o', 'w', 's', '\n'};
constexpr size_t kBuildIdMax = 64;
#if defined(__aarch64__)
constexpr uint16_t kMachine = 183;
#else
constexpr uint16_t kMachine = 62;
#endif

struct cache_header {
    char magic[8];
    uint32_t layout;
    uint16_t machine; // e_machine
    uint16_t kinds;   // RULE_KIND_COUNT
    uint64_t file_bytes;
    uint32_t owner;
    uint32_t pages;
    uint64_t sum; // of all bytes, this field being zero
    char build_id[kBuildIdMax];
};
static_assert(sizeof(cache_header) == 104, "no padding");

struct cache_index {
    uint32_t page, day, rules, rows;
};

uint64_t Checksum(Bytes bytes) {
    uint64_t sum = 0x243f6a8885a308d3 ^ bytes.size();
    for (size_t at = 0; at < bytes.size(); at += sizeof sum) {
        uint64_t word = 0;
        std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
        sum =
            (sum ^ word) * 0x9e3779b97f4a7c15; // odd, and the shift keeps every bit: no single change is lost
        sum ^= sum >> 29;
    }
    return sum;
}

cache_header HeaderOf(const CacheKey &key, size_t pages) {
    cache_header header{};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    header.layout = kLayout;
    header.machine = kMachine;
    header.kinds = RULE_KIND_COUNT;
    header.file_bytes = key.file_bytes;
    header.owner = key.owner;
    header.pages = static_cast<uint32_t>(pages);
    std::memcpy(header.build_id, key.build_id.data(), std::min(key.build_id.size(), kBuildIdMax));
    return header;
}

size_t PayloadBytes(uint64_t rules, uint64_t rows) {
    return rules * sizeof(unwind_rule) + rows * sizeof(unwind_row);
}

size_t FileBytes(const PageView &page) {
    return sizeof(cache_index) + PayloadBytes(page.rules.size(), page.rows.size());
}

// The sum too: a file is ours when a header made now is equal.
bool IsHeaderRight(std::vector<uint8_t> *bytes, const CacheKey &key) {
    cache_header header{};
    if (bytes->size() < sizeof header || bytes->size() > kCacheFileBytesMax) return false;
    std::memcpy(&header, bytes->data(), sizeof header);
    cache_header wanted = HeaderOf(key, header.pages);
    std::memcpy(bytes->data(), &wanted, sizeof wanted);
    Seal(bytes);
    return std::memcmp(&header, bytes->data(), sizeof header) == 0;
}

bool IsPageRight(const PageView &page) {
    if (page.rows.size() > kPageRowsMax || (!page.rows.empty() && page.rows[0].lo != 0)) return false;
    if (!std::all_of(page.rules.begin(), page.rules.end(), IsValidRule)) return false;
    for (size_t i = 0; i < page.rows.size(); ++i) {
        if (i > 0 && page.rows[i].lo <= page.rows[i - 1].lo) return false;
        if (page.rows[i].rule >= page.rules.size()) return false;
    }
    return true;
}

// Newest first, as many as a file may hold.
void DropOldest(std::vector<PageView> *pages) {
    std::stable_sort(pages->begin(), pages->end(), [](auto &a, auto &b) { return a.day > b.day; });
    size_t bytes = sizeof(cache_header);
    size_t kept = 0;
    while (kept < pages->size() && bytes + FileBytes((*pages)[kept]) <= kCacheFileBytesMax) {
        bytes += FileBytes((*pages)[kept++]);
    }
    pages->resize(kept);
}

template <typename T> void Append(std::vector<uint8_t> *bytes, std::span<const T> items) {
    auto *start = reinterpret_cast<const uint8_t *>(items.data());
    bytes->insert(bytes->end(), start, start + items.size_bytes());
}

} // namespace

std::string CacheKey::FileName() const {
    return build_id + "-" + HexText(file_bytes).substr(2) + "-" + std::to_string(owner) + ".rows";
}

CachedPage CachedPage::Of(uint32_t page, uint32_t day, std::span<const CfiRow> rows) {
    CachedPage cached{page, day, {}, {}};
    std::map<std::string_view, uint16_t> indexes; // by the rule's bytes, which lie in `rows`
    cached.rows.reserve(rows.size());
    for (const CfiRow &row : rows) {
        std::string_view bytes(reinterpret_cast<const char *>(&row.rule), sizeof row.rule);
        auto [found, is_new] = indexes.try_emplace(bytes, static_cast<uint16_t>(cached.rules.size()));
        if (is_new) cached.rules.push_back(row.rule);
        cached.rows.push_back({row.lo, found->second});
    }
    return cached;
}

size_t CachedPage::memory() const {
    return sizeof *this + PayloadBytes(rules.capacity(), rows.capacity());
}

std::optional<CacheFile> CacheFile::Read(std::vector<uint8_t> bytes, const CacheKey &key) {
    if (!IsHeaderRight(&bytes, key)) return std::nullopt;
    CacheFile file;
    file.bytes_ = std::move(bytes);
    cache_header header{};
    std::memcpy(&header, file.bytes_.data(), sizeof header);
    size_t index = sizeof header;
    if (!FitsIn(index, header.pages * sizeof(cache_index), file.bytes_.size())) return std::nullopt;
    size_t at = index + header.pages * sizeof(cache_index);
    for (uint32_t i = 0; i < header.pages; ++i, index += sizeof(cache_index)) {
        auto entry = LoadAt<cache_index>(file.bytes_, index);
        if (!FitsIn(at, PayloadBytes(entry.rules, entry.rows), file.bytes_.size())) return std::nullopt;
        auto *rules = reinterpret_cast<const unwind_rule *>(file.bytes_.data() + at);
        PageView page{entry.page, entry.day, {rules, entry.rules}, {}};
        page.rows = {reinterpret_cast<const unwind_row *>(rules + entry.rules), entry.rows};
        bool ascends = file.pages_.empty() || file.pages_.back().page < page.page;
        if (!ascends || !IsPageRight(page)) return std::nullopt;
        file.pages_.push_back(page);
        at += PayloadBytes(entry.rules, entry.rows);
    }
    if (at != file.bytes_.size()) return std::nullopt;
    return file;
}

std::vector<uint8_t> CacheFile::Write(const CacheKey &key, std::vector<PageView> pages) {
    DropOldest(&pages);
    std::sort(pages.begin(), pages.end(), [](auto &a, auto &b) { return a.page < b.page; });
    cache_header header = HeaderOf(key, pages.size());
    std::vector<uint8_t> bytes;
    Append(&bytes, std::span<const cache_header>(&header, 1));
    for (const PageView &page : pages) {
        cache_index entry{page.page, page.day, static_cast<uint32_t>(page.rules.size()),
                          static_cast<uint32_t>(page.rows.size())};
        Append(&bytes, std::span<const cache_index>(&entry, 1));
    }
    for (const PageView &page : pages) {
        Append(&bytes, page.rules);
        Append(&bytes, page.rows);
    }
    Seal(&bytes);
    return bytes;
}

void Seal(std::vector<uint8_t> *bytes) {
    cache_header header{};
    if (bytes->size() < sizeof header) return;
    std::memcpy(&header, bytes->data(), sizeof header);
    header.sum = 0;
    std::memcpy(bytes->data(), &header, sizeof header);
    header.sum = Checksum(*bytes);
    std::memcpy(bytes->data(), &header, sizeof header);
}

const PageView *CacheFile::Find(uint32_t page) const {
    auto at = std::lower_bound(pages_.begin(), pages_.end(), page,
                               [](const PageView &entry, uint32_t wanted) { return entry.page < wanted; });
    return at != pages_.end() && at->page == page ? &*at : nullptr;
}

std::vector<CfiRow> RowsOf(const PageView &page) {
    std::vector<CfiRow> rows;
    rows.reserve(page.rows.size());
    for (const unwind_row &row : page.rows) {
        rows.push_back({row.lo, page.rules[row.rule]});
    }
    return rows;
}

} // namespace emberscope
