#include "tables/open_files.h"

#include <algorithm>

#include "tables/row_check.h"

namespace emberscope {

namespace {

constexpr size_t kFilesMax = 256;

} // namespace

OpenFiles::OpenFiles(const RowCache &cache, const OpenRows &open, uint64_t budget_bytes,
                     std::atomic<uint64_t> *memory)
    : cache_(cache), open_(open), budget_(budget_bytes), memory_(memory) {}

OpenFiles::~OpenFiles() {
    memory_->fetch_sub(used_);
}

ReadPage OpenFiles::Read(const std::shared_ptr<TableFile> &file, uint32_t page) {
    OpenFile &open = Open(file);
    ReadPage read;
    read.key = open.key;
    const PageView *cached = open.cached ? open.cached->Find(page) : nullptr;
    if (cached != nullptr) {
        read.is_cached = true;
        read.day = cached->day;
        read.rows = RowsOf(*cached);
        return read;
    }
    OpenExecutable(&open, file->fd.get());
    read.error = open.error;
    if (!open.rows) return read;
    Result<std::vector<CfiRow>> rows = open.rows->Page(page);
    Weigh(&open);
    if (!rows.ok()) read.error = rows.status().message;
    else if (!AreValidRows(rows.value())) read.error = "corrupt: its unwind rows are out of order or unknown";
    else read.rows = std::move(rows.value());
    return read;
}

std::vector<uint32_t> OpenFiles::CachedPages(const std::shared_ptr<TableFile> &file, uint32_t day,
                                             size_t limit) {
    const OpenFile &open = Open(file);
    std::vector<const PageView *> chosen;
    if (open.cached) {
        for (const PageView &page : open.cached->pages()) {
            bool is_of_file = page.page - file->first_page < file->pages;
            if (is_of_file && page.day >= day) chosen.push_back(&page);
        }
    }
    std::stable_sort(chosen.begin(), chosen.end(), [](auto *a, auto *b) { return a->day > b->day; });
    std::vector<uint32_t> pages;
    for (size_t i = 0; i < std::min(chosen.size(), limit); ++i) {
        pages.push_back(chosen[i]->page);
    }
    return pages;
}

OpenFiles::OpenFile &OpenFiles::Open(const std::shared_ptr<TableFile> &file) {
    auto found = places_.find(file.get());
    if (found != places_.end() && found->second->file.lock() != file) {
        Close(found->second); // another file lay at this address
        found = places_.end();
    }
    if (found != places_.end()) {
        files_.splice(files_.begin(), files_, found->second);
        return files_.front();
    }
    files_.emplace_front();
    places_[file.get()] = files_.begin();
    OpenFile &open = files_.front();
    open.file = file;
    open.address = file.get();
    open.key = cache_.KeyOf(file->fd.get(), file->build_id);
    if (open.key) open.cached = cache_.Load(*open.key);
    Weigh(&open);
    return open;
}

// Once: a file that cannot be read is not tried again for each of its pages.
void OpenFiles::OpenExecutable(OpenFile *open, int fd) {
    if (open->rows || !open->error.empty()) return;
    Result<FileSource> source = FileSource::Open(fd);
    if (!source.ok()) {
        open->error = source.status().message;
        return;
    }
    open->source = source.value();
    Result<std::unique_ptr<FileRows>> rows = open_(open->source);
    if (rows.ok()) open->rows = std::move(rows.value());
    else open->error = rows.status().message;
    if (!open->rows && open->error.empty()) open->error = "it has no unwind rows";
    if (open->rows && open->rows->memory() > budget_) {
        open->error = "the index of its unwind tables takes " + std::to_string(open->rows->memory() >> 20) +
                      " MiB, more than there are for all files";
        open->rows.reset();
    }
    Weigh(open);
}

// Counts what the file takes now, and closes others until all fit. The file is the first of the list.
void OpenFiles::Weigh(OpenFile *open) {
    uint64_t memory =
        sizeof *open + (open->cached ? open->cached->memory() : 0) + (open->rows ? open->rows->memory() : 0);
    used_ += memory - open->memory;
    memory_->fetch_add(memory - open->memory);
    open->memory = memory;
    while (files_.size() > 1 && (used_ > budget_ || files_.size() > kFilesMax)) {
        Close(std::prev(files_.end()));
    }
}

void OpenFiles::CloseForgotten() {
    for (auto next = files_.begin(); next != files_.end();) {
        auto place = next++;
        if (place->file.expired()) Close(place);
    }
}

void OpenFiles::Close(Place place) {
    used_ -= place->memory;
    memory_->fetch_sub(place->memory);
    places_.erase(place->address);
    files_.erase(place);
}

} // namespace emberscope
