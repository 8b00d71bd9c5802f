#include "tables/page_loader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <unordered_map>

#include "tables/handoff.h"
#include "tables/idle_thread.h"
#include "tables/kept_pages.h"
#include "tables/open_files.h"
#include "tables/row_cache.h"

namespace emberscope {

namespace {

constexpr size_t kAskedMax = 16384;  // pages and files asked for at a time
constexpr size_t kQueueCells = 1024; // of those, how many the thread finds without our doing
// Cached pages that are loaded before a sample asks: those of the last days, no more than this many of a
// file.
constexpr size_t kCachedPagesMax = 256;
constexpr uint32_t kCachedDays = 7;
constexpr uint32_t kWholeFile = 0xffffffff; // asked instead of a page
constexpr int kKeptPauseMs = 1000;          // between looks whether pages are due on the disk
constexpr std::chrono::milliseconds kLastWrite{1500};
constexpr int kLastWaitMs = 2000;

uint64_t MemoryOf(const LoadedPage &page) {
    return sizeof page + page.rows.capacity() * sizeof(CfiRow) + page.error.capacity();
}

// What was asked for: one page, or what the cache has of a file.
struct Asked {
    std::shared_ptr<TableFile> file;
    uint32_t page = 0;
    // It may be queued twice, first plainly and then urgently, and taken from both: one thread works on it.
    std::atomic<bool> is_claimed{false};
    bool is_urgent = false;         // known to the asking thread only
    bool is_listed = false;         // the rest: known to the thread that claimed it only
    std::vector<uint32_t> cached{}; // pages still to load, the next one last
};
using AskedPtr = std::shared_ptr<Asked>;

struct Ready {
    AskedPtr asked;
    LoadedPage page; // without a file: the last one of a whole file has come
};

struct AskedKey {
    const TableFile *file;
    uint32_t page;
    bool operator==(const AskedKey &) const = default;
};

struct AskedKeyHash {
    size_t operator()(const AskedKey &key) const {
        return std::hash<const void *>()(key.file) ^ (key.page * size_t{0x9e3779b97f4a7c15});
    }
};

} // namespace

struct PageLoader::State {
    State(const std::string &cache_directory, uint64_t budget_bytes, OpenRows open)
        : cache(cache_directory), open(std::move(open)), share(budget_bytes / 4), kept(cache, share, &note),
          own_files(cache, this->open, share, &files_bytes),
          thread_files(cache, this->open, share, &files_bytes) {}

    // Of the thread that asks.
    bool Enqueue(const AskedPtr &item);
    void Refill();
    AskedPtr NextToHelp();
    void GiveBack(const AskedPtr &item);
    AskedPtr StuckPage();
    bool IsWanted(const Ready &ready);

    // Of either.
    bool IsFull() const { return ready_bytes.load() > share; }
    bool Work(const AskedPtr &item, OpenFiles *files);
    void Load(const AskedPtr &item, uint32_t page, OpenFiles *files);

    // Of the loader's own thread.
    void Run();
    AskedPtr Next();

    const RowCache cache;
    const OpenRows open;
    const uint64_t
        share; // bytes: a quarter of the budget, for each thread's files, what is ready, what is to be kept
    FirstText note;
    std::atomic<uint64_t> ready_bytes{0}, files_bytes{0};
    std::atomic<uint64_t> parsed{0}, from_cache{0}, failed{0};
    KeptPages kept;

    std::unordered_map<AskedKey, AskedPtr, AskedKeyHash> asked; // until Take() gave it
    std::deque<AskedPtr> more_urgent, more_plain;               // what the queues had no room for
    uint64_t refused = 0;
    AskedPtr suspect;    // a page that the thread had claimed, and not finished, at the last Help()
    OpenFiles own_files; // Help()'s

    BoundedQueue<AskedPtr> urgent{kQueueCells}, plain{kQueueCells};
    HandoffList<Ready> ready;

    IdleThread thread;
    Bell bell;
    std::atomic<bool> must_end{false};
    OpenFiles thread_files;
    AskedPtr unfinished; // a whole file that the thread has begun
};

bool PageLoader::State::Enqueue(const AskedPtr &item) {
    if (asked.size() > kAskedMax) {
        ++refused;
        return false;
    }
    (item->is_urgent ? more_urgent : more_plain).push_back(item);
    Refill();
    bell.Ring();
    return true;
}

void PageLoader::State::Refill() {
    while (!more_urgent.empty() && urgent.Push(more_urgent.front())) {
        more_urgent.pop_front();
    }
    while (!more_plain.empty() && plain.Push(more_plain.front())) {
        more_plain.pop_front();
    }
}

// False when the page was there already: asked twice, or loaded by the other thread meanwhile.
bool PageLoader::State::IsWanted(const Ready &ready) {
    auto found = asked.find({ready.asked->file.get(), ready.asked->page});
    if (!ready.page.file) {
        if (found != asked.end() && found->second == ready.asked) asked.erase(found);
        return false;
    }
    if (ready.asked->page == kWholeFile) {
        found = asked.find({ready.page.file.get(), ready.page.page});
        if (found == asked.end()) return true; // unasked: preloaded
        found->second->is_claimed.store(true);
        asked.erase(found);
        return true;
    }
    if (found == asked.end() || found->second != ready.asked) return false;
    asked.erase(found);
    return true;
}

// One page of what was asked for. False: there is more to do for it.
bool PageLoader::State::Work(const AskedPtr &item, OpenFiles *files) {
    if (item->page != kWholeFile) {
        Load(item, item->page, files);
        return true;
    }
    if (!item->is_listed) {
        item->is_listed = true;
        item->cached = files->CachedPages(item->file, Today() - kCachedDays, kCachedPagesMax);
        std::reverse(item->cached.begin(), item->cached.end());
    } else if (!item->cached.empty()) {
        uint32_t page = item->cached.back();
        item->cached.pop_back();
        Load(item, page, files);
    }
    if (!item->cached.empty()) return false;
    ready.Add({item, {}});
    return true;
}

void PageLoader::State::Load(const AskedPtr &item, uint32_t page, OpenFiles *files) {
    ReadPage read = files->Read(item->file, page);
    LoadedPage loaded{item->file, page, std::move(read.rows), std::move(read.error)};
    if (!loaded.error.empty()) failed.fetch_add(1);
    else (read.is_cached ? from_cache : parsed).fetch_add(1);
    // A page that a sample asked for is one of today; what is only preloaded grows old.
    bool is_new = !read.is_cached || (item->page != kWholeFile && read.day != Today());
    if (read.key && loaded.error.empty() && is_new) kept.Add(*read.key, page, loaded.rows);
    ready_bytes.fetch_add(MemoryOf(loaded));
    ready.Add({item, std::move(loaded)});
}

// The next that nobody has claimed; else one that its owner has no time for.
AskedPtr PageLoader::State::NextToHelp() {
    Refill();
    for (auto *queue : {&urgent, &plain}) {
        while (std::optional<AskedPtr> item = queue->Pop()) {
            if (!(*item)->is_claimed.exchange(true)) return *item;
        }
    }
    return StuckPage();
}

// A whole file that Help() has begun: there may be no other call of it.
void PageLoader::State::GiveBack(const AskedPtr &item) {
    item->is_claimed.store(false);
    more_plain.push_back(item);
    Refill();
    bell.Ring();
}

// A page that samples wait for and that the thread has had since the last call: it gets no time. Whoever is
// second with it has worked in vain, no more.
AskedPtr PageLoader::State::StuckPage() {
    for (const auto &[key, item] : asked) {
        if (!item->is_urgent || key.page == kWholeFile || !item->is_claimed.load()) continue;
        AskedPtr before = std::exchange(suspect, item);
        return before == item ? std::exchange(suspect, nullptr) : nullptr;
    }
    return nullptr;
}

AskedPtr PageLoader::State::Next() {
    while (std::optional<AskedPtr> item = urgent.Pop()) {
        if (!(*item)->is_claimed.exchange(true)) return *item;
    }
    if (unfinished) return std::exchange(unfinished, nullptr);
    while (std::optional<AskedPtr> item = plain.Pop()) {
        if (!(*item)->is_claimed.exchange(true)) return *item;
    }
    return nullptr;
}

void PageLoader::State::Run() {
    while (!must_end.load()) {
        AskedPtr item = IsFull() ? nullptr : Next();
        if (item && !Work(item, &thread_files)) unfinished = item;
        bool is_waiting = kept.Collect();
        kept.WriteWhenDue(!item);
        if (item) continue;
        thread_files.CloseForgotten();
        bell.Wait(is_waiting ? kKeptPauseMs : -1);
    }
    kept.Collect();
    kept.WriteAll(KeptPages::Clock::now() + kLastWrite);
}

PageLoader::PageLoader(const std::string &cache_directory, uint64_t budget_bytes, OpenRows open)
    : state_(std::make_shared<State>(cache_directory, budget_bytes, std::move(open))) {
    if (!state_->cache.note().empty()) state_->note.Set(state_->cache.note());
    // The thread has its own share in the state: it may be left behind.
    bool has_thread = state_->thread.Start("unwind-tables", [state = state_] { state->Run(); });
    if (!has_thread)
        state_->note.Set("unwind tables are made by the thread that drains: no other could be started");
}

PageLoader::~PageLoader() {
    state_->thread.Hurry();
    state_->must_end.store(true);
    state_->bell.Ring();
    state_->thread.Join(kLastWaitMs);
}

bool PageLoader::Ask(const std::shared_ptr<TableFile> &file, uint32_t page, bool is_urgent) {
    if (page - file->first_page >= file->pages || page == kWholeFile) {
        ++state_->refused;
        return false;
    }
    AskedPtr &item = state_->asked[{file.get(), page}];
    if (item && (item->is_urgent || !is_urgent || item->is_claimed.load())) return true;
    if (!item) item = std::make_shared<Asked>(file, page);
    item->is_urgent = is_urgent;
    AskedPtr copy = item;
    if (state_->Enqueue(copy)) return true;
    state_->asked.erase({file.get(), page});
    return false;
}

void PageLoader::AskCached(const std::shared_ptr<TableFile> &file) {
    if (!state_->cache.IsUsable() || file->build_id.empty()) return;
    auto [found, is_new] = state_->asked.try_emplace({file.get(), kWholeFile});
    if (!is_new) return;
    found->second = std::make_shared<Asked>(file, kWholeFile);
    AskedPtr copy = found->second;
    if (!state_->Enqueue(copy)) state_->asked.erase({file.get(), kWholeFile});
}

std::vector<LoadedPage> PageLoader::Take() {
    std::vector<LoadedPage> pages;
    std::vector<Ready> taken = state_->ready.TakeAll();
    for (Ready &ready : taken) {
        if (ready.page.file) state_->ready_bytes.fetch_sub(MemoryOf(ready.page));
        if (state_->IsWanted(ready)) pages.push_back(std::move(ready.page));
    }
    if (!taken.empty()) {
        state_->Refill();
        state_->bell.Ring();
    }
    return pages;
}

void PageLoader::Help(uint32_t pages) {
    AskedPtr begun;
    for (uint32_t i = 0; i < pages && !state_->IsFull(); ++i) {
        AskedPtr item = begun ? begun : state_->NextToHelp();
        if (!item) break;
        begun = state_->Work(item, &state_->own_files) ? nullptr : item;
    }
    if (begun) state_->GiveBack(begun);
    state_->own_files.CloseForgotten();
    if (state_->kept.HasNew()) state_->bell.Ring();
}

bool PageLoader::IsIdle() const {
    return state_->asked.empty() && state_->ready.IsEmpty();
}

LoaderStats PageLoader::stats() const {
    LoaderStats stats;
    stats.parsed = state_->parsed.load();
    stats.from_cache = state_->from_cache.load();
    stats.failed = state_->failed.load();
    stats.refused = state_->refused;
    stats.bytes = state_->files_bytes.load() + state_->ready_bytes.load() + state_->kept.bytes();
    stats.written = state_->kept.written();
    stats.not_written = state_->kept.not_written();
    return stats;
}

std::string PageLoader::note() const {
    return state_->note.Get();
}

} // namespace emberscope
