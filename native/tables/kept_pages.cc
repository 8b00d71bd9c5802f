#include "tables/kept_pages.h"

#include <ctime>

namespace emberscope {

namespace {

constexpr std::chrono::seconds kQuiet{5}, kLongest{30};
constexpr std::chrono::seconds kAfterFailure{60}; // a full disk is not tried for each file

} // namespace

uint32_t Today() {
    return static_cast<uint32_t>(time(nullptr) / 86400);
}

void KeptPages::Add(const CacheKey &key, uint32_t page, std::span<const CfiRow> rows) {
    if (bytes_.load() > bytes_max_) { // the thread gets no time to write
        not_written_.fetch_add(1);
        return;
    }
    CachedPage cached = CachedPage::Of(page, Today(), rows);
    bytes_.fetch_add(cached.memory());
    added_.Add({key, std::move(cached)});
}

bool KeptPages::Collect() {
    for (Added &one : added_.TakeAll()) {
        newest_ = Clock::now();
        if (files_.empty()) oldest_ = newest_;
        auto &[key, pages] = files_[one.key.FileName()];
        key = one.key;
        pages.push_back(std::move(one.page));
    }
    return !files_.empty();
}

void KeptPages::WriteWhenDue(bool is_quiet) {
    if (files_.empty()) return;
    Clock::time_point now = Clock::now();
    bool is_due =
        bytes_.load() > bytes_max_ / 2 || (is_quiet && now - newest_ > kQuiet) || now - oldest_ > kLongest;
    if (is_due && now >= not_before_) WriteAll(Clock::time_point::max());
}

void KeptPages::WriteAll(Clock::time_point deadline) {
    bool is_writing = true, is_written = false;
    for (const auto &[name, file] : files_) {
        const auto &[key, pages] = file;
        is_writing = is_writing && Clock::now() < deadline && WriteFile(key, pages).ok();
        is_written |= is_writing;
        (is_writing ? written_ : not_written_).fetch_add(pages.size());
        for (const CachedPage &page : pages) {
            bytes_.fetch_sub(page.memory());
        }
    }
    files_.clear();
    if (is_written && Clock::now() < deadline) cache_.Trim();
}

Status KeptPages::WriteFile(const CacheKey &key, const std::vector<CachedPage> &pages) {
    Status status = cache_.Store(key, pages);
    if (status.ok()) return status;
    note_->Set(status.message);
    not_before_ = Clock::now() + kAfterFailure;
    return status;
}

} // namespace emberscope
