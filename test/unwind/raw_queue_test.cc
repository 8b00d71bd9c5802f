// SPDX-License-Identifier: Apache-2.0
// The queue of raw stacks against a small world: tables, tracker, loader and unwinder are replaced here.
// An address is page << TEXT_PAGE_SHIFT | offset; a stack is a list of return addresses, 0 is its end.
// sources: native/unwind/raw_queue.cc native/file_reader.cc
#include "unwind/raw_queue.h"

#include <cstring>
#include <map>
#include <set>
#include <string>

#include "check.h"
#include "unwind/user_unwind.h"

namespace emberscope {

namespace {

constexpr uint32_t kDirectory = 100, kFirstPage = 1, kPages = 8;
constexpr uint64_t kBase = 0x7000;

struct World {
    std::set<uint32_t> loaded;      // directory words
    std::vector<uint32_t> asked;    // file pages, in order
    std::vector<uint32_t> delivers; // what Take() gives next, as file pages
    uint32_t helped = 0;            // pages parsed in the caller's thread
    bool idle_thread_runs = true;   // else only Help() parses
    bool help_works = true;
    bool refuses = false;                   // to take a demand
    bool has_room = true;                   // for SetPage
    bool keeps_pages = true;                // false: a page is gone as soon as it was published
    std::shared_ptr<ImageMappings> image;   // what Learn() gives
    std::shared_ptr<ImageMappings> learned; // and what it gives from the second time on
    uint32_t learns = 0;
};
World *world;

std::shared_ptr<ImageMappings> ImageOf(uint32_t pages) {
    auto image = std::make_shared<ImageMappings>();
    auto file = std::make_shared<TableFile>();
    file->directory = kDirectory, file->first_page = kFirstPage, file->pages = kPages;
    image->mappings.push_back(
        {.start = kFirstPage << TEXT_PAGE_SHIFT, .end = (kFirstPage + pages) << TEXT_PAGE_SHIFT});
    image->files.push_back(file);
    return image;
}

uint64_t Pc(uint32_t page) {
    return static_cast<uint64_t>(page) << TEXT_PAGE_SHIFT | 0x10;
}

} // namespace

struct TableStore::State {};
struct Tracker::State {};
struct PageLoader::State {};

TableStore::TableStore(TableMemory &, uint64_t) {}
TableStore::~TableStore() = default;
bool TableStore::SetPage(uint32_t word, std::span<const CfiRow>) {
    if (world->has_room && world->keeps_pages) world->loaded.insert(word);
    return world->has_room;
}
uint32_t TableStore::page_state(uint32_t word) const {
    return world->loaded.contains(word) ? 1 : PAGE_NOT_LOADED;
}

Tracker::Tracker(TableMemory &, TableStore &, PageLoader &) {}
Tracker::~Tracker() = default;
std::shared_ptr<const ImageMappings> Tracker::Learn(const ProcessIdentity &, uint64_t, uint64_t) {
    return world->learns++ == 0 || !world->learned ? world->image : world->learned;
}

Result<std::unique_ptr<FileRows>> FileRows::Open(const ByteSource &) {
    return Status::Error(Kind::not_elf, "no file is read here");
}

PageLoader::PageLoader(const std::string &, uint64_t, OpenRows) {}
PageLoader::~PageLoader() = default;
bool PageLoader::Ask(const std::shared_ptr<TableFile> &, uint32_t page, bool) {
    if (world->refuses) return false;
    world->asked.push_back(page);
    if (world->idle_thread_runs) world->delivers.push_back(page);
    return true;
}
void PageLoader::Help(uint32_t pages) {
    world->helped += pages;
    if (world->help_works) world->delivers = world->asked;
}
std::vector<LoadedPage> PageLoader::Take() {
    std::vector<LoadedPage> pages;
    for (uint32_t page : std::exchange(world->delivers, {}))
        pages.push_back({ImageOf(kPages)->files[0], page, {}, ""});
    return pages;
}

UserUnwind Unwind(const TableStore &store, const ImageMappings &image, raw_stack *raw,
                  std::span<const std::byte> stack, std::vector<uint64_t> *frames) {
    while (true) {
        auto &pc = raw->registers[REGISTER_PC], &sp = raw->registers[REGISTER_SP];
        auto page = static_cast<uint32_t>(pc >> TEXT_PAGE_SHIFT);
        if (pc < image.mappings[0].start || pc >= image.mappings[0].end) return {STACK_END_UNKNOWN_MAPPING};
        if (store.page_state(kDirectory + page - kFirstPage) == PAGE_NOT_LOADED)
            return {STACK_END_PAGE_MISSING, 0, page};
        uint64_t offset = sp - raw->stack_start;
        if (offset + 8 > stack.size()) return {STACK_END_RAW_SHORT};
        std::memcpy(&pc, stack.data() + offset, 8);
        sp += 8;
        if (pc == 0) return {STACK_END_ROOT};
        frames->push_back(pc);
    }
}

} // namespace emberscope

using namespace emberscope;

namespace {

using Record = std::vector<std::byte>;

template <typename T> void Append(Record *record, const T &value) {
    const auto *bytes = reinterpret_cast<const std::byte *>(&value);
    record->insert(record->end(), bytes, bytes + sizeof(T));
}

Record SampleOf(uint32_t ticket, uint64_t pc, uint64_t time_ns = 7) {
    Record record;
    sample_header header{};
    header.time_ns = time_ns, header.pid = 5, header.tid = 6, header.ticket = ticket, header.cpu = 3;
    header.kernel_frames = 1, header.user_frames = 1, header.stack_end = STACK_END_PAGE_MISSING;
    Append(&record, header);
    Append(&record, 0xffffffff81000000);
    Append(&record, pc);
    return record;
}

Record StackOf(uint32_t ticket, uint64_t pc, const std::vector<uint64_t> &callers) {
    Record record;
    raw_stack raw{};
    raw.ticket = ticket, raw.cpu = 3, raw.stack_start = kBase;
    raw.stack_bytes = static_cast<uint32_t>(callers.size() * 8);
    raw.registers[REGISTER_PC] = pc, raw.registers[REGISTER_SP] = kBase;
    Append(&record, raw);
    for (uint64_t caller : callers)
        Append(&record, caller);
    return record;
}

// Nobody touches the tables here.
class NoMemory : public TableMemory {
    Result<uint8_t *> AddShard(uint32_t) override { return Status::Error(Kind::invalid, "none"); }
    unwind_rule *rules() override { return nullptr; }
    uint32_t *directory() override { return nullptr; }
    void WaitForReaders() override {}
    Status SetProcess(uint32_t, const process_entry &) override { return Status::Ok(); }
    void DropProcess(uint32_t) override {}
};

// The queue and what came out of it.
struct Bench {
    World own;
    NoMemory memory;
    PageLoader loader{"", 0};
    TableStore store;
    Tracker tracker;
    RawQueue queue;
    std::vector<Record> finished;
    uint64_t now_ns = 1'000'000'000'000;

    explicit Bench(uint64_t budget = 1 << 20)
        : store(memory, 0), tracker(memory, store, loader),
          queue(tracker, store, loader, budget, [this](std::span<const std::byte> record) {
              finished.emplace_back(record.begin(), record.end());
          }) {
        world = &own;
        own.image = ImageOf(kPages);
    }
    // A tenth of a second after the last one.
    void Turn(bool is_last) {
        now_ns += 100'000'000;
        queue.Turn(now_ns, is_last);
    }
    void Add(uint32_t ticket, uint64_t pc, const std::vector<uint64_t> &callers) {
        queue.AddSample(SampleOf(ticket, pc));
        queue.AddStack(StackOf(ticket, pc, callers));
    }
    sample_header header(size_t i) const {
        sample_header header;
        std::memcpy(&header, finished[i].data(), sizeof(header));
        return header;
    }
    uint64_t frame(size_t i, size_t at) const {
        uint64_t value;
        std::memcpy(&value, finished[i].data() + sizeof(sample_header) + at * 8, 8);
        return value;
    }
    // True when sample i came out with that end and that many user frames.
    bool Ended(size_t i, stack_end end, uint32_t frames) const {
        return finished.size() > i && header(i).stack_end == end && header(i).user_frames == frames;
    }
};

void TestWholeStack() {
    Bench bench;
    bench.own.loaded = {kDirectory, kDirectory + 1};
    bench.Add(1, Pc(1), {Pc(2), Pc(1), 0});
    check(bench.finished.empty(), "nothing is unwound before the turn: events come first");
    bench.Turn(false);
    check(bench.Ended(0, STACK_END_ROOT, 3), "a pair is unwound to its root");
    check(bench.header(0).ticket == 0 && bench.header(0).kernel_frames == 1 && bench.header(0).tid == 6,
          "it keeps its header, without a ticket");
    check(bench.frame(0, 0) == 0xffffffff81000000 && bench.frame(0, 1) == Pc(1) && bench.frame(0, 3) == Pc(1),
          "kernel frames first, then the user frames from the leaf");
    check(bench.finished[0].size() == sizeof(sample_header) + 4 * 8,
          "the record is as long as its header says");
    RawStats stats = bench.queue.stats();
    check(stats.finished == 1 && stats.parked == 0 && stats.parked_bytes == 0 && stats.oldest_time_ns == 0,
          "and nothing is left");
}

void TestHalves() {
    Bench bench;
    bench.own.loaded = {kDirectory};
    bench.queue.AddStack(StackOf(1, Pc(1), {0}));
    bench.Turn(false);
    bench.queue.AddSample(SampleOf(1, Pc(1)));
    bench.queue.AddSample(SampleOf(2, Pc(1)));
    bench.Turn(false);
    check(bench.Ended(0, STACK_END_ROOT, 1) && bench.finished.size() == 1,
          "the halves of a sample may come in any order, a turn apart");
    check(bench.queue.stats().oldest_time_ns == 7, "the time of the oldest sample that waits is known");
    for (int i = 0; i < 3; i++)
        bench.Turn(false);
    check(bench.Ended(1, STACK_END_RAW_FULL, 1),
          "a sample whose raw stack never comes is handed on as it is");
    bench.queue.AddStack(StackOf(9, Pc(1), {0}));
    bench.Turn(true);
    check(bench.queue.stats().unmatched == 2 && bench.finished.size() == 2 &&
              bench.queue.stats().parked_bytes == 0,
          "a raw stack without a sample is counted and dropped");
    bench.queue.AddSample(SampleOf(4, Pc(1)));
    bench.Add(4, Pc(1), {0});
    bench.Turn(true);
    check(bench.Ended(2, STACK_END_RAW_FULL, 1) && bench.Ended(3, STACK_END_ROOT, 1),
          "a ticket that came round ends the older sample");
}

void TestPages() {
    Bench bench;
    bench.Add(1, Pc(1), {Pc(2), 0});
    bench.Add(2, Pc(1), {0});
    bench.Turn(false);
    check(bench.own.asked == std::vector<uint32_t>({1, 2}), "each missing page is asked for once");
    check(bench.Ended(0, STACK_END_ROOT, 1), "a page that came is used in the same turn");
    check(bench.Ended(1, STACK_END_ROOT, 2) && bench.queue.stats().parked_bytes == 0,
          "so is the next one that a stack needs, when it comes soon");
}

void TestStarvedLoader() {
    Bench bench;
    bench.own.idle_thread_runs = false;
    bench.Add(1, Pc(1), {0});
    bench.Turn(false);
    check(bench.own.helped == 0 && bench.finished.empty(), "the idle thread gets its time");
    bench.Turn(false);
    check(bench.own.helped > 0 && bench.Ended(0, STACK_END_ROOT, 1), "then the draining thread parses");
    bench.Add(2, Pc(2), {Pc(3), 0});
    bench.Turn(true);
    check(bench.Ended(1, STACK_END_ROOT, 2), "the last turn parses what is asked for, page by page");
}

void TestRefusedPages() {
    Bench bench;
    bench.own.has_room = false;
    bench.Add(1, Pc(1), {0});
    bench.Turn(false);
    check(bench.Ended(0, STACK_END_PAGE_MISSING, 1), "a page that finds no room ends its samples");
    bench.own.has_room = true, bench.own.keeps_pages = false;
    bench.Add(2, Pc(2), {0});
    bench.Turn(false);
    check(bench.Ended(1, STACK_END_PAGE_MISSING, 1),
          "a page that is evicted at once is not asked for in a circle");
}

void TestLostPages() {
    Bench bench;
    bench.own.refuses = true;
    bench.Add(1, Pc(1), {0});
    bench.Turn(false);
    check(bench.Ended(0, STACK_END_RAW_BACKLOG, 1), "a loader with too much to do ends the sample");
    check(bench.queue.stats().overflowed == 1, "which is counted");
    bench.own.refuses = false, bench.own.idle_thread_runs = false, bench.own.help_works = false;
    bench.Add(2, Pc(1), {0});
    for (int i = 0; i < 120; i++)
        bench.Turn(false);
    check(bench.Ended(1, STACK_END_PAGE_MISSING, 1) && bench.queue.stats().parked_bytes == 0,
          "a page that never comes is not waited for without end");
}

void TestBudget() {
    Bench bench(3000);
    bench.own.idle_thread_runs = false;
    for (uint32_t ticket = 1; ticket <= 4; ticket++)
        bench.Add(ticket, Pc(1), std::vector<uint64_t>(64, Pc(1)));
    bench.Turn(false);
    RawStats stats = bench.queue.stats();
    check(stats.parked > 0 && stats.parked_bytes <= 3000, "parked stacks stay within their budget");
    check(stats.overflowed == bench.finished.size() && stats.overflowed + stats.parked == 4,
          "what does not fit is handed on");
    check(bench.Ended(0, STACK_END_RAW_BACKLOG, 1), "and says why it is short");
}

void TestLearning() {
    Bench bench;
    bench.own.loaded = {kDirectory, kDirectory + 1};
    bench.own.image = ImageOf(1), bench.own.learned = ImageOf(2);
    bench.Add(1, Pc(1), {Pc(2), 0});
    bench.Turn(false);
    check(bench.Ended(0, STACK_END_ROOT, 2) && bench.own.learns == 2, "an unknown mapping is learned, once");
    bench.Add(2, Pc(1), {Pc(2), Pc(7), 0});
    bench.Turn(false);
    check(bench.Ended(1, STACK_END_UNKNOWN_MAPPING, 3), "what stays unknown is the end");
    bench.own.image = bench.own.learned = nullptr;
    bench.Add(3, Pc(1), {0});
    bench.Turn(false);
    check(bench.Ended(2, STACK_END_UNKNOWN_PROCESS, 1), "a process nobody knows ends its sample");
}

void TestDepth() {
    Bench bench;
    bench.own.loaded = {kDirectory};
    std::vector<uint64_t> callers(MAX_USER_FRAMES, Pc(1));
    callers.push_back(0);
    bench.Add(1, Pc(1), callers);
    bench.Turn(false);
    check(bench.Ended(0, STACK_END_DEPTH, MAX_USER_FRAMES), "a stack is cut where the kernel's would be");
}

void TestBadRecords() {
    Bench bench;
    Record sample = SampleOf(1, Pc(1)), stack = StackOf(1, Pc(1), {Pc(1), 0});
    for (size_t bytes = 0; bytes < stack.size(); bytes++)
        bench.queue.AddStack(std::span(stack).first(bytes));
    check(bench.queue.stats().unmatched == stack.size(), "a raw stack that is cut short is counted");
    for (size_t bytes = 0; bytes < sample.size(); bytes++)
        bench.queue.AddSample(std::span(sample).first(bytes));
    check(bench.finished.size() == sample.size(), "a sample that is cut short is left to the decoder");
    raw_stack raw{};
    raw.stack_bytes = RAW_STACK_BYTES_MAX + 1;
    Record large(sizeof(raw) + raw.stack_bytes);
    std::memcpy(large.data(), &raw, sizeof(raw));
    bench.queue.AddStack(large);
    raw.stack_bytes = 8, raw.root_bytes = RAW_ROOT_BYTES_MAX + 1;
    std::memcpy(large.data(), &raw, sizeof(raw));
    bench.queue.AddStack(large);
    raw.stack_bytes = 8, raw.root_bytes = 16;
    std::memcpy(large.data(), &raw, sizeof(raw));
    bench.queue.AddStack(std::span(large).first(sizeof(raw) + 16));
    check(bench.queue.stats().parked == 0, "so is one larger than any, or than its record");
}

} // namespace

int main() {
    TestWholeStack();
    TestHalves();
    TestPages();
    TestStarvedLoader();
    TestRefusedPages();
    TestLostPages();
    TestBudget();
    TestLearning();
    TestDepth();
    TestBadRecords();
    return report();
}
