#include "unwind/raw_queue.h"

#include <chrono>
#include <cstring>
#include <ctime>
#include <unordered_map>
#include <utility>
#include <vector>

#include "unwind/user_unwind.h"

namespace emberscope {

namespace {

// A half of a pair may come a turn later than the other, when its ring was read up to a record still in
// work on another CPU.
constexpr uint64_t kOtherHalfNs = 300'000'000;
// On a busy host the idle thread gets no time, and then we parse ourselves.
constexpr uint64_t kIdleThreadNs = 60'000'000;
constexpr uint32_t kPagesOfHelp = 32; // some milliseconds
// Then nobody will bring the page any more.
constexpr uint64_t kPageNs = 10'000'000'000;
// How long a turn waits for what it just asked for: samples that come meanwhile would miss it too.
constexpr uint64_t kPatienceSteps = 4;
constexpr timespec kStep{0, 500'000};
constexpr auto kLastTurnMax = std::chrono::seconds(5);

struct Waiting {
    sample_header header{};
    std::vector<uint64_t> kernel_frames, user_frames;
    raw_stack raw{};
    std::vector<std::byte> stack;
    std::shared_ptr<const ImageMappings> image;
    bool has_sample = false, has_stack = false;
    // Since the last step that led anywhere:
    bool has_learned = false;
    bool has_parked = false;
    uint64_t arrival_ns = 0;

    uint64_t bytes() const {
        return sizeof(*this) + stack.capacity() +
               (kernel_frames.capacity() + user_frames.capacity()) * sizeof(uint64_t);
    }
    ProcessIdentity who() const { return {header.pid, header.exec_id, header.process_start}; }
};

using Item = std::unique_ptr<Waiting>;

// A page that samples wait for.
struct Demand {
    std::vector<Item> items;
    uint64_t asked_ns = 0; // by the first of them
};

uint64_t KeyOf(uint16_t cpu, uint32_t ticket) {
    return static_cast<uint64_t>(cpu) << 32 | ticket;
}

bool ReadFrames(std::span<const std::byte> record, Waiting *item) {
    size_t kernel = item->header.kernel_frames, user = item->header.user_frames;
    if (kernel + user > MAX_FRAMES || user == 0 ||
        record.size() < sizeof(sample_header) + (kernel + user) * sizeof(uint64_t))
        return false;
    item->kernel_frames.resize(kernel);
    item->user_frames.resize(user);
    const std::byte *frames = record.data() + sizeof(sample_header);
    if (kernel > 0) std::memcpy(item->kernel_frames.data(), frames, kernel * sizeof(uint64_t));
    std::memcpy(item->user_frames.data(), frames + kernel * sizeof(uint64_t), user * sizeof(uint64_t));
    return true;
}

std::vector<std::byte> RecordOf(const Waiting &item) {
    size_t kernel = item.kernel_frames.size() * sizeof(uint64_t);
    size_t user = item.user_frames.size() * sizeof(uint64_t);
    std::vector<std::byte> record(sizeof(sample_header) + kernel + user);
    std::memcpy(record.data(), &item.header, sizeof(sample_header));
    if (kernel > 0) std::memcpy(record.data() + sizeof(sample_header), item.kernel_frames.data(), kernel);
    if (user > 0) std::memcpy(record.data() + sizeof(sample_header) + kernel, item.user_frames.data(), user);
    return record;
}

} // namespace

struct RawQueue::State {
    Tracker &tracker;
    TableStore &store;
    PageLoader &loader;
    uint64_t budget_bytes;
    Finished finished;

    std::unordered_map<uint64_t, Item> halves;    // by cpu and ticket
    std::vector<Item> ready;                      // paired since the last turn
    std::unordered_map<uint32_t, Demand> demands; // by directory word
    uint64_t now_ns = 0;                          // of the last turn
    uint64_t parked = 0, parked_bytes = 0;
    RawStats counts;

    void AddHalf(uint64_t key, Item half);
    void Finish(Item item, stack_end end);
    void Park(Item item, const std::shared_ptr<TableFile> &file, uint32_t page);
    bool LearnImage(Waiting *item);
    void Advance(Item item);
    void GoOn(Demand demand, stack_end end_without_page);
    void Install();
    void ExpireHalves(bool is_last);
    void ExpireDemands();
    bool HasNewDemand() const;
    void WaitBriefly();
    bool IsStarved() const;
    void WaitForPages();
};

void RawQueue::State::Finish(Item item, stack_end end) {
    if (item->user_frames.size() > MAX_USER_FRAMES) {
        item->user_frames.resize(MAX_USER_FRAMES);
        end = STACK_END_DEPTH;
    }
    item->header.ticket = 0;
    item->header.user_frames = static_cast<uint16_t>(item->user_frames.size());
    item->header.stack_end = static_cast<uint8_t>(end);
    counts.finished++;
    finished(RecordOf(*item));
}

// Joins the two halves of a sample; either may come first.
void RawQueue::State::AddHalf(uint64_t key, Item half) {
    half->arrival_ns = now_ns;
    auto [found, is_first] = halves.try_emplace(key, nullptr);
    if (is_first) {
        parked_bytes += half->bytes();
        found->second = std::move(half);
        return;
    }
    Item other = std::move(found->second);
    halves.erase(found);
    parked_bytes -= other->bytes();
    if (other->has_sample == half->has_sample) { // a ticket that came round: the older one lost its half
        counts.unmatched++;
        if (other->has_sample) Finish(std::move(other), STACK_END_RAW_FULL);
        return AddHalf(key, std::move(half));
    }
    Item &sample = half->has_sample ? half : other;
    Item &stack = half->has_sample ? other : half;
    sample->raw = stack->raw;
    sample->stack = std::move(stack->stack);
    sample->has_stack = true;
    parked_bytes += sample->bytes();
    ready.push_back(std::move(sample));
}

// True when the image is another one than before: worth another try.
bool RawQueue::State::LearnImage(Waiting *item) {
    if (item->has_learned) return false;
    item->has_learned = true;
    auto image = tracker.Learn(item->who(), item->header.time_ns, item->raw.registers[REGISTER_PC]);
    bool is_other = image && image != item->image;
    if (image) item->image = std::move(image);
    return is_other;
}

void RawQueue::State::Park(Item item, const std::shared_ptr<TableFile> &file, uint32_t page) {
    bool has_place = page - file->first_page < file->pages && file->directory != kNoDirectory;
    if (item->has_parked || !has_place) return Finish(std::move(item), STACK_END_PAGE_MISSING);
    item->has_parked = true;
    uint64_t bytes = item->bytes();
    if (parked_bytes + bytes > budget_bytes) {
        counts.overflowed++;
        return Finish(std::move(item), STACK_END_RAW_BACKLOG);
    }
    auto [demand, is_first] = demands.try_emplace(file->directory + page - file->first_page);
    if (is_first && !loader.Ask(file, page, true)) {
        demands.erase(demand);
        counts.overflowed++;
        return Finish(std::move(item), STACK_END_RAW_BACKLOG);
    }
    if (is_first) demand->second.asked_ns = now_ns;
    parked_bytes += bytes;
    parked++;
    demand->second.items.push_back(std::move(item));
}

// Unwinds up to the end, or to a page that is not there.
void RawQueue::State::Advance(Item item) {
    if (!item->image && !LearnImage(item.get())) return Finish(std::move(item), STACK_END_UNKNOWN_PROCESS);
    while (true) {
        size_t frames = item->user_frames.size();
        UserUnwind result = Unwind(store, *item->image, &item->raw, item->stack, &item->user_frames);
        if (item->user_frames.size() > frames) item->has_learned = item->has_parked = false;
        if (result.end == STACK_END_PAGE_MISSING && result.mapping < item->image->files.size() &&
            item->image->files[result.mapping]) {
            std::shared_ptr<TableFile> file = item->image->files[result.mapping];
            return Park(std::move(item), file, result.page);
        }
        bool is_unknown = result.end == STACK_END_UNKNOWN_MAPPING || result.end == STACK_END_UNKNOWN_PROCESS;
        if (!is_unknown || !LearnImage(item.get())) return Finish(std::move(item), result.end);
    }
}

// `end_without_page`: for the samples, when nothing was installed.
void RawQueue::State::GoOn(Demand demand, stack_end end_without_page) {
    for (Item &item : demand.items) {
        parked--;
        parked_bytes -= item->bytes();
        if (end_without_page == STACK_END_COUNT) Advance(std::move(item));
        else Finish(std::move(item), end_without_page);
    }
}

// Each page is followed at once by the samples that wait for it: the next one may evict it.
void RawQueue::State::Install() {
    for (LoadedPage &loaded : loader.Take()) {
        if (loaded.file->directory == kNoDirectory) continue;
        uint32_t word = loaded.file->directory + loaded.page - loaded.file->first_page;
        bool is_there = store.page_state(word) != PAGE_NOT_LOADED || store.SetPage(word, loaded.rows);
        auto found = demands.find(word);
        if (found == demands.end()) continue;
        Demand demand = std::move(found->second);
        demands.erase(found);
        GoOn(std::move(demand), is_there ? STACK_END_COUNT : STACK_END_PAGE_MISSING);
    }
}

void RawQueue::State::ExpireHalves(bool is_last) {
    for (auto next = halves.begin(); next != halves.end();) {
        auto half = next++;
        if (!is_last && now_ns - half->second->arrival_ns < kOtherHalfNs) continue;
        Item item = std::move(half->second);
        halves.erase(half);
        parked_bytes -= item->bytes();
        counts.unmatched++;
        if (item->has_sample) Finish(std::move(item), STACK_END_RAW_FULL);
    }
}

void RawQueue::State::ExpireDemands() {
    std::vector<Demand> expired;
    for (auto next = demands.begin(); next != demands.end();) {
        auto demand = next++;
        if (now_ns - demand->second.asked_ns < kPageNs) continue;
        expired.push_back(std::move(demand->second));
        demands.erase(demand);
    }
    for (Demand &demand : expired)
        GoOn(std::move(demand), STACK_END_PAGE_MISSING);
}

bool RawQueue::State::HasNewDemand() const {
    for (const auto &[word, demand] : demands)
        if (demand.asked_ns == now_ns) return true;
    return false;
}

void RawQueue::State::WaitBriefly() {
    for (uint64_t i = 0; i < kPatienceSteps && HasNewDemand(); i++) {
        nanosleep(&kStep, nullptr);
        Install();
    }
}

bool RawQueue::State::IsStarved() const {
    for (const auto &[word, demand] : demands)
        if (now_ns - demand.asked_ns >= kIdleThreadNs) return true;
    return false;
}

// After the last sample: nothing else is to be done but to parse what is still asked for.
void RawQueue::State::WaitForPages() {
    auto deadline = std::chrono::steady_clock::now() + kLastTurnMax;
    while (!demands.empty() && std::chrono::steady_clock::now() < deadline) {
        loader.Help(kPagesOfHelp);
        Install();
        if (!demands.empty()) nanosleep(&kStep, nullptr); // a page may be in work on the idle thread
    }
    auto left = std::exchange(demands, {});
    for (auto &[word, demand] : left)
        GoOn(std::move(demand), STACK_END_PAGE_MISSING);
}

RawQueue::RawQueue(Tracker &tracker, TableStore &store, PageLoader &loader, uint64_t budget_bytes,
                   Finished finished)
    : state_(new State{tracker, store, loader, budget_bytes, std::move(finished), {}, {}, {}, 0, 0, 0, {}}) {}

RawQueue::~RawQueue() = default;

void RawQueue::AddStack(std::span<const std::byte> record) {
    auto item = std::make_unique<Waiting>();
    if (record.size() < sizeof(raw_stack)) return void(state_->counts.unmatched++);
    std::memcpy(&item->raw, record.data(), sizeof(raw_stack));
    record = record.subspan(sizeof(raw_stack));
    uint64_t bytes = uint64_t{item->raw.stack_bytes} + item->raw.root_bytes;
    if (item->raw.stack_bytes > RAW_STACK_BYTES_MAX || item->raw.root_bytes > RAW_ROOT_BYTES_MAX ||
        bytes > record.size())
        return void(state_->counts.unmatched++);
    item->stack.assign(record.begin(), record.begin() + static_cast<ptrdiff_t>(bytes));
    item->has_stack = true;
    uint64_t key = KeyOf(item->raw.cpu, item->raw.ticket);
    state_->AddHalf(key, std::move(item));
}

void RawQueue::AddSample(std::span<const std::byte> record) {
    auto item = std::make_unique<Waiting>();
    if (record.size() >= sizeof(sample_header))
        std::memcpy(&item->header, record.data(), sizeof(sample_header));
    // The decoder counts what contradicts itself.
    if (record.size() < sizeof(sample_header) || !ReadFrames(record, item.get()))
        return state_->finished(record);
    item->has_sample = true;
    uint64_t key = KeyOf(item->header.cpu, item->header.ticket);
    state_->AddHalf(key, std::move(item));
}

void RawQueue::Turn(uint64_t now_ns, bool is_last) {
    if (state_->now_ns == 0) // what came before the first turn
        for (auto &[key, half] : state_->halves)
            half->arrival_ns = now_ns;
    state_->now_ns = now_ns;
    for (Item &item : std::exchange(state_->ready, {})) {
        state_->parked_bytes -= item->bytes();
        state_->Advance(std::move(item));
    }
    state_->ExpireHalves(is_last);
    state_->ExpireDemands();
    state_->Install();
    if (!is_last) state_->WaitBriefly();
    if (!is_last && state_->IsStarved()) {
        state_->loader.Help(kPagesOfHelp);
        state_->Install();
    }
    if (is_last) state_->WaitForPages();
}

uint64_t RawQueue::waiting() const {
    return state_->parked + state_->halves.size() + state_->ready.size();
}

RawStats RawQueue::stats() const {
    RawStats stats = state_->counts;
    stats.parked = waiting();
    stats.parked_bytes = state_->parked_bytes;
    auto consider = [&stats](const Waiting &item) {
        if (item.has_sample && (stats.oldest_time_ns == 0 || item.header.time_ns < stats.oldest_time_ns))
            stats.oldest_time_ns = item.header.time_ns;
    };
    for (const auto &[key, half] : state_->halves)
        consider(*half);
    for (const auto &[word, demand] : state_->demands)
        for (const Item &item : demand.items)
            consider(*item);
    return stats;
}

} // namespace emberscope
