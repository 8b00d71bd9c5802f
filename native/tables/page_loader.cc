#include "tables/page_loader.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <deque>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unordered_map>

#include "tables/handoff.h"
#include "tables/open_files.h"
#include "tables/row_cache.h"

namespace emberscope {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kAskedMax = 16384;  // pages and files asked for at a time
constexpr size_t kQueueCells = 1024; // of those, how many the thread finds without our doing
// Cached pages that are loaded before a sample asks: those of the last days, no more than this many of a
// file.
constexpr size_t kCachedPagesMax = 128;
constexpr uint32_t kCachedDays = 7;
constexpr uint32_t kWholeFile = 0xffffffff; // asked instead of a page

// When parsed pages go to the disk: after some quiet, or a long time, or when they take too much memory.
constexpr std::chrono::seconds kQuiet{5}, kLongest{30};
constexpr std::chrono::seconds kAfterFailure{60}; // a full disk is not tried for each file
constexpr std::chrono::milliseconds kLastWrite{1500};
constexpr int kLastWaitMs = 2000;

uint32_t Today() {
    return static_cast<uint32_t>(time(nullptr) / 86400);
}

uint64_t MemoryOf(const LoadedPage &page) {
    return sizeof page + page.rows.capacity() * sizeof(CfiRow) + page.error.capacity();
}

// An eventfd: rings once for any number of calls, also for one that came before anybody waited.
class Bell {
  public:
    Bell() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    void Ring() {
        uint64_t one = 1;
        (void)!write(fd_.get(), &one, sizeof one);
    }
    // False when it did not ring in that time; negative: no limit.
    bool Wait(int milliseconds) {
        pollfd waited{fd_.get(), POLLIN, 0};
        poll(&waited, 1, milliseconds);
        uint64_t count = 0;
        return read(fd_.get(), &count, sizeof count) == sizeof count;
    }

  private:
    Fd fd_;
};

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

// A page that the cache does not have, or not as one of today.
struct ToKeep {
    CacheKey key;
    CachedPage page;
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
        : cache(cache_directory), open(std::move(open)), share(budget_bytes / 4),
          own_files(cache, this->open, share, &files_bytes),
          thread_files(cache, this->open, share, &files_bytes) {}
    ~State() { delete note.load(); }

    // Of the thread that asks.
    bool Enqueue(const AskedPtr &item);
    void Refill();
    AskedPtr NextToHelp();
    AskedPtr StuckPage();
    bool IsWanted(const Ready &ready);

    // Of either.
    bool IsFull() const { return ready_bytes.load() > share; }
    bool Work(const AskedPtr &item, OpenFiles *files);
    void Load(const AskedPtr &item, uint32_t page, OpenFiles *files);
    void Keep(const ReadPage &read, const LoadedPage &page);
    void Note(const std::string &text);

    // Of the loader's own thread.
    void Run();
    AskedPtr Next();
    bool MustWrite(bool is_quiet) const;
    void CollectKept();
    void WriteKept(Clock::time_point deadline);

    const RowCache cache;
    const OpenRows open;
    const uint64_t
        share; // bytes: a quarter of the budget, for each thread's files, what is ready, what is to be kept

    std::atomic<uint64_t> ready_bytes{0}, files_bytes{0}, kept_bytes{0};
    std::atomic<uint64_t> parsed{0}, from_cache{0}, failed{0}, written{0}, not_written{0};

    std::unordered_map<AskedKey, AskedPtr, AskedKeyHash> asked; // until Take() gave it
    std::deque<AskedPtr> more_urgent, more_plain;               // what the queues had no room for
    AskedPtr helping;                                           // a whole file that Help() began
    AskedPtr suspect;    // a page that the thread had claimed, and not finished, at the last Help()
    OpenFiles own_files; // Help()'s

    BoundedQueue<AskedPtr> urgent{kQueueCells}, plain{kQueueCells};
    HandoffList<Ready> ready;
    HandoffList<ToKeep> to_keep;
    Bell bell;
    std::atomic<bool> must_end{false};
    std::atomic<const std::string *> note{nullptr};
    uint64_t refused = 0;

    bool has_thread = false;
    pthread_t thread{};
    std::atomic<pid_t> thread_id{0};
    Bell ended;
    OpenFiles thread_files;
    AskedPtr unfinished; // a whole file that the thread has begun
    std::unordered_map<std::string, std::pair<CacheKey, std::vector<CachedPage>>> kept;
    Clock::time_point oldest_kept{}, newest_kept{}, not_before{};
};

// Whether the queue of the thread or the deque behind it, an item stays in its order.
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
    if (loaded.error.empty() && is_new) Keep(read, loaded);
    ready_bytes.fetch_add(MemoryOf(loaded));
    ready.Add({item, std::move(loaded)});
}

void PageLoader::State::Keep(const ReadPage &read, const LoadedPage &page) {
    if (!read.key) return;
    if (kept_bytes.load() > share) { // the thread gets no time to write
        not_written.fetch_add(1);
        return;
    }
    CachedPage cached = CachedPage::Of(page.page, Today(), page.rows);
    kept_bytes.fetch_add(cached.memory());
    to_keep.Add({*read.key, std::move(cached)});
}

// The first one stays: what follows is mostly its consequence.
void PageLoader::State::Note(const std::string &text) {
    const std::string *none = nullptr;
    auto *copy = new std::string(text);
    if (!note.compare_exchange_strong(none, copy)) delete copy;
}

AskedPtr PageLoader::State::NextToHelp() {
    if (helping) return helping;
    Refill();
    for (auto *queue : {&urgent, &plain}) {
        while (std::optional<AskedPtr> item = queue->Pop()) {
            if (!(*item)->is_claimed.exchange(true)) return *item;
        }
    }
    return StuckPage();
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
    constexpr int kOneSecondMs = 1000;
    while (!must_end.load()) {
        AskedPtr item = IsFull() ? nullptr : Next();
        if (item) {
            if (!Work(item, &thread_files)) unfinished = item;
        } else {
            thread_files.CloseForgotten();
            bell.Wait(kept.empty() ? -1 : kOneSecondMs);
        }
        CollectKept();
        if (MustWrite(!item)) WriteKept(Clock::time_point::max());
    }
    CollectKept();
    WriteKept(Clock::now() + kLastWrite);
}

void PageLoader::State::CollectKept() {
    for (ToKeep &one : to_keep.TakeAll()) {
        newest_kept = Clock::now();
        if (kept.empty()) oldest_kept = newest_kept;
        auto &[key, pages] = kept[one.key.FileName()];
        key = one.key;
        pages.push_back(std::move(one.page));
    }
}

bool PageLoader::State::MustWrite(bool is_quiet) const {
    if (kept.empty()) return false;
    Clock::time_point now = Clock::now();
    if (now < not_before) return false;
    return kept_bytes.load() > share / 2 || (is_quiet && now - newest_kept > kQuiet) ||
           now - oldest_kept > kLongest;
}

void PageLoader::State::WriteKept(Clock::time_point deadline) {
    if (kept.empty()) return;
    bool has_failed = false;
    for (auto &[name, one] : kept) {
        auto &[key, pages] = one;
        Status status = Status::Ok();
        if (!has_failed && Clock::now() < deadline) {
            status = cache.Store(key, pages);
            if (!status.ok()) Note(status.message);
            has_failed = !status.ok();
            (has_failed ? not_written : written).fetch_add(pages.size());
        } else {
            not_written.fetch_add(pages.size());
        }
        for (const CachedPage &page : pages) {
            kept_bytes.fetch_sub(page.memory());
        }
    }
    kept.clear();
    if (has_failed) not_before = Clock::now() + kAfterFailure;
    else if (Clock::now() < deadline) cache.Trim();
}

namespace {

// Gives way to everything else, for the processor and for the disk.
void BecomeIdle() {
    constexpr int kIdleClass = 3 << 13, kThisThread = 1;
    sched_param parameters{};
    sched_setscheduler(0, SCHED_IDLE, &parameters);
    syscall(SYS_ioprio_set, kThisThread, 0, kIdleClass);
    pthread_setname_np(pthread_self(), "unwind-tables");
}

void BecomeNormal(pid_t thread) {
    constexpr int kNoClass = 0, kOneThread = 1;
    sched_param parameters{};
    sched_setscheduler(thread, SCHED_OTHER, &parameters);
    syscall(SYS_ioprio_set, kOneThread, thread, kNoClass);
}

} // namespace

PageLoader::PageLoader(std::string cache_directory, uint64_t budget_bytes, OpenRows open)
    : state_(std::make_shared<State>(cache_directory, budget_bytes, std::move(open))) {
    if (!state_->cache.note().empty()) state_->Note(state_->cache.note());
    auto main = [](void *argument) -> void * {
        std::unique_ptr<std::shared_ptr<State>> owned(static_cast<std::shared_ptr<State> *>(argument));
        std::shared_ptr<State> state = *owned;
        BecomeIdle();
        state->thread_id.store(static_cast<pid_t>(syscall(SYS_gettid)));
        state->Run();
        state->ended.Ring();
        return nullptr;
    };
    // Signals are for the threads that expect them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    auto *argument = new std::shared_ptr<State>(state_);
    state_->has_thread = pthread_create(&state_->thread, nullptr, main, argument) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (state_->has_thread) return;
    delete argument;
    state_->Note("unwind tables are loaded by the thread that drains: no other could be started");
}

PageLoader::~PageLoader() {
    if (!state_->has_thread) return;
    pid_t thread = state_->thread_id.load();
    if (thread != 0) BecomeNormal(thread);
    state_->must_end.store(true);
    state_->bell.Ring();
    // A thread that is stuck in a file is left behind; what it works on is its own.
    if (state_->ended.Wait(kLastWaitMs)) pthread_join(state_->thread, nullptr);
    else pthread_detach(state_->thread);
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
    for (uint32_t i = 0; i < pages && !state_->IsFull(); ++i) {
        AskedPtr item = state_->NextToHelp();
        if (!item) break;
        state_->helping = state_->Work(item, &state_->own_files) ? nullptr : item;
    }
    state_->own_files.CloseForgotten();
    if (!state_->to_keep.IsEmpty()) state_->bell.Ring();
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
    stats.bytes = state_->files_bytes.load() + state_->ready_bytes.load() + state_->kept_bytes.load();
    stats.written = state_->written.load();
    stats.not_written = state_->not_written.load();
    return stats;
}

std::string PageLoader::note() const {
    const std::string *note = state_->note.load();
    return note == nullptr ? "" : *note;
}

} // namespace emberscope
