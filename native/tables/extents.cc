#include "tables/extents.h"

#include <iterator>

namespace emberscope {

std::optional<uint32_t> Extents::Take(uint32_t size) {
    auto best = by_size_.lower_bound({size, 0});
    if (size == 0 || best == by_size_.end()) return std::nullopt;
    auto [found, start] = *best;
    Erase(by_start_.find(start));
    if (found > size) Insert(start + size, found - size);
    return start;
}

void Extents::Free(uint32_t start, uint32_t size) {
    if (size == 0) return;
    auto next = by_start_.lower_bound(start);
    if (next != by_start_.begin()) {
        auto previous = std::prev(next);
        if (AreJoined(previous->first + previous->second, start)) {
            start = previous->first;
            size += previous->second;
            Erase(previous);
        }
    }
    if (next != by_start_.end() && AreJoined(start + size, next->first)) {
        size += next->second;
        Erase(next);
    }
    Insert(start, size);
}

bool Extents::AreJoined(uint32_t end, uint32_t start) const {
    return end == start && (boundary_ == 0 || start % boundary_ != 0);
}

void Extents::Insert(uint32_t start, uint32_t size) {
    by_start_.emplace(start, size);
    by_size_.emplace(size, start);
    free_ += size;
}

void Extents::Erase(std::map<uint32_t, uint32_t>::iterator range) {
    free_ -= range->second;
    by_size_.erase({range->second, range->first});
    by_start_.erase(range);
}

} // namespace emberscope
