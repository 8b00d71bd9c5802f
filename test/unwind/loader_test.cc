// The loader with files whose rows are made up: what is asked comes, once, whoever works.
// sources: native/tables/page_loader.cc native/tables/open_files.cc native/tables/row_cache.cc
// sources: native/tables/idle_thread.cc native/tables/kept_pages.cc
// sources: native/tables/cache_format.cc native/tables/row_check.cc native/file_reader.cc
// threads
#include <atomic>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "check.h"
#include "tables/page_loader.h"

using namespace emberscope;

namespace {

constexpr uint64_t kMiB = 1 << 20;

std::atomic<int> opened{0}, parsed{0};
std::atomic<bool> is_stuck{false}; // parsing waits until it is false

std::vector<CfiRow> RowsOfPage(uint32_t page, uint32_t count) {
    std::vector<CfiRow> rows;
    for (uint32_t i = 0; i < count; ++i) {
        int32_t offset = static_cast<int32_t>(page * 8 + i % 7 * 8);
        rows.push_back(
            {static_cast<uint16_t>(i * 60), {.kind = RULE_CFA, .base = REGISTER_SP, .offset = offset}});
    }
    return rows;
}

// Rows by the first byte of the file: '0' none, 'e' errors, 'd' out of order, 'm' a large index, else `count`
// of them.
class FakeRows : public FileRows {
  public:
    FakeRows(char kind, uint64_t size) : kind_(kind), size_(size) { ++opened; }
    uint32_t first_page() const override { return 0; }
    uint32_t pages() const override { return 65536; }
    Result<std::vector<CfiRow>> Page(uint32_t page) const override {
        ++parsed;
        while (is_stuck.load() && page == 13) {
            usleep(1000);
        }
        if (kind_ == 'e') return Status::Error(Kind::corrupt, "corrupt: page " + std::to_string(page));
        std::vector<CfiRow> rows = RowsOfPage(page, kind_ == '0' ? 0 : 200);
        if (kind_ == 'd') std::swap(rows[3], rows[4]);
        return rows;
    }
    CfiSummary Summary() const override { return {}; }
    size_t memory() const override { return kind_ == 'm' ? 100 * kMiB : size_; }

  private:
    char kind_;
    uint64_t size_;
};

Result<std::unique_ptr<FileRows>> OpenFake(const ByteSource &source) {
    uint8_t kind = 0;
    Status status = source.ReadExact(0, {&kind, 1}, "the file");
    if (!status.ok()) return status;
    if (kind == 'x') return Status::Error(Kind::not_elf, "no ELF file");
    return std::unique_ptr<FileRows>(new FakeRows(static_cast<char>(kind), source.size()));
}

std::string directory; // of this run, for files and caches

std::shared_ptr<TableFile> File(char kind, const std::string &build_id = "") {
    static int files = 0;
    auto file = std::make_shared<TableFile>();
    file->path = directory + "/file" + std::to_string(files++);
    file->fd = Fd(open(file->path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0755));
    std::string bytes = std::string(1, kind) + build_id;
    (void)!write(file->fd.get(), bytes.data(), bytes.size());
    file->build_id = build_id;
    file->pages = 4096;
    return file;
}

bool IsRight(const LoadedPage &page, uint32_t count = 200) {
    std::vector<CfiRow> wanted = RowsOfPage(page.page, count);
    if (page.rows.size() != wanted.size()) return false;
    for (size_t i = 0; i < wanted.size(); ++i) {
        if (page.rows[i].lo != wanted[i].lo || page.rows[i].rule.offset != wanted[i].rule.offset)
            return false;
    }
    return true;
}

// Everything asked for, within a minute.
std::vector<LoadedPage> TakeAll(PageLoader *loader) {
    std::vector<LoadedPage> pages;
    for (int i = 0; i < 60000; ++i) {
        for (LoadedPage &page : loader->Take()) {
            pages.push_back(std::move(page));
        }
        if (loader->IsIdle()) break;
        usleep(1000);
    }
    return pages;
}

void Asking() {
    PageLoader loader("", 16 * kMiB, OpenFake);
    check(loader.IsIdle() && loader.Take().empty() && loader.note().empty(),
          "nothing asked is nothing to do");
    auto file = File('a');
    for (uint32_t page = 0; page < 100; ++page) {
        loader.Ask(file, page, false);
        loader.Ask(file, page, page % 3 == 0);
    }
    int opened_before = opened;
    std::vector<LoadedPage> pages = TakeAll(&loader);
    std::set<uint32_t> numbers;
    bool right = true;
    for (const LoadedPage &page : pages) {
        numbers.insert(page.page);
        right &= page.file == file && page.error.empty() && IsRight(page);
    }
    check(pages.size() == 100 && numbers.size() == 100, "each page comes once, however often it was asked");
    check(right, "with its rows");
    check(opened - opened_before <= 1, "a file is opened once");
    check(loader.Ask(file, 5, true) && TakeAll(&loader).size() == 1, "a page can be asked again later");
    check(!loader.Ask(file, 4096, true) && loader.stats().refused == 1, "pages beyond the file are refused");
    check(loader.stats().parsed == 101 && loader.stats().failed == 0, "pages are counted");
}

void HostileFiles() {
    PageLoader loader("", 16 * kMiB, OpenFake);
    std::map<char, std::string> errors;
    for (char kind : {'x', 'e', 'd', 'm', '0'}) {
        auto file = File(kind);
        loader.Ask(file, 1, true);
        for (const LoadedPage &page : TakeAll(&loader)) {
            errors[kind] = page.rows.empty() ? page.error : "rows";
        }
    }
    auto gone = std::make_shared<TableFile>();
    gone->pages = 10;
    loader.Ask(gone, 1, true);
    for (const LoadedPage &page : TakeAll(&loader)) {
        errors['g'] = page.error;
    }
    check(errors['x'] == "no ELF file", "no rows from what is no ELF file");
    check(errors['e'] == "corrupt: page 1", "no rows from a damaged page");
    check(errors['d'].find("out of order") != std::string::npos, "no rows that are out of order");
    check(errors['m'].find("100 MiB") != std::string::npos, "no index beyond the budget");
    check(errors.contains('0') && errors['0'].empty(), "a page without rows is no error");
    check(errors['g'].find("cannot stat") != std::string::npos, "a descriptor that is none is an error");
    check(loader.stats().failed == 5, "failures are counted");
}

void Helping() {
    is_stuck = true;
    PageLoader loader("", 16 * kMiB, OpenFake);
    auto file = File('a');
    int before = parsed;
    loader.Ask(file, 13, true); // the thread will not come back from this one
    for (int i = 0; i < 60000 && parsed == before; ++i) {
        usleep(1000);
    }
    for (uint32_t page = 100; page < 150; ++page) {
        loader.Ask(file, page, page % 2 == 0);
    }
    std::vector<LoadedPage> pages;
    for (int i = 0; i < 5; ++i) {
        loader.Help(10);
        for (LoadedPage &page : loader.Take()) {
            pages.push_back(std::move(page));
        }
    }
    check(pages.size() == 50, "with the thread stuck, helping does the work");
    check(!loader.IsIdle(), "but for what the thread has");
    std::thread release([] {
        usleep(100000);
        is_stuck = false;
    });
    loader.Help(1);
    loader.Help(1); // has it twice now: it waits in FakeRows too
    release.join();
    check(TakeAll(&loader).size() == 1, "what the thread has is taken from it, and comes once");
}

void Budget() {
    PageLoader loader("", 4 * kMiB, OpenFake);
    std::vector<std::shared_ptr<TableFile>> files;
    for (int i = 0; i < 8; ++i) {
        files.push_back(File('a'));
        if (ftruncate(files.back()->fd.get(), 300 << 10) != 0) return skip("the budget", "no disk space");
        for (uint32_t page = 0; page < 300; ++page) {
            loader.Ask(files.back(), page, false);
        }
    }
    uint64_t most = 0;
    usleep(300000); // nobody takes
    size_t count = 0;
    // The thread may have the last page for long: it gets no time while other things run.
    for (int i = 0; i < 60000 && !loader.IsIdle(); ++i) {
        most = std::max(most, loader.stats().bytes);
        size_t taken = loader.Take().size();
        count += taken;
        loader.Help(3);
        if (taken == 0) usleep(1000);
    }
    check(count == 2400, "every page comes though the budget is small");
    check(most <= 4 * kMiB, "which is not exceeded while nobody takes what is ready");
    files.clear();
    uint64_t refused = 0;
    auto file = File('a');
    file->pages = 100000;
    for (uint32_t page = 0; page < 100000; ++page) {
        refused += !loader.Ask(file, page, false);
    }
    check(refused > 80000 && loader.stats().refused == refused,
          "what is asked is bounded, and refusals are counted");
    for (int i = 0; i < 60000 && !loader.IsIdle(); ++i) {
        size_t taken = loader.Take().size();
        count += taken;
        loader.Help(100);
        if (taken == 0) usleep(1000);
    }
    check(loader.IsIdle() && count == 2400 + 100000 - refused, "the rest is done");
}

void RandomUse(uint32_t seed) {
    std::string cache = directory + "/random" + std::to_string(seed % 2);
    std::vector<std::shared_ptr<TableFile>> files;
    for (int i = 0; i < 6; ++i) {
        files.push_back(File('a', "ab0" + std::to_string(i)));
    }
    PageLoader loader(cache, 2 * kMiB, OpenFake);
    std::mt19937 random(seed);
    std::set<std::pair<TableFile *, uint32_t>> asked;
    bool right = true;
    for (int i = 0; i < 4000; ++i) {
        auto &file = files[random() % files.size()];
        uint32_t page = random() % 200;
        switch (random() % 8) {
        case 0: {
            for (const LoadedPage &taken : loader.Take()) {
                right &= IsRight(taken) && taken.error.empty();
                asked.erase({taken.file.get(), taken.page});
            }
            break;
        }
        case 1:
            loader.Help(random() % 4);
            break;
        case 2:
            loader.AskCached(file);
            break;
        case 3:
            if (random() % 20 == 0) {
                loader.Take();
                asked.clear(); // what is in work may still come
                file = File('a', file->build_id);
            }
            break;
        default:
            asked.insert({file.get(), page}), loader.Ask(file, page, random() % 2 == 0);
        }
    }
    for (const LoadedPage &taken : TakeAll(&loader)) {
        right &= IsRight(taken);
        asked.erase({taken.file.get(), taken.page});
    }
    check(right, "whatever is asked in whatever order, pages have their own rows");
    check(asked.empty(), "and none is forgotten");
    check(loader.note().empty(), "without a complaint");
}

void Ending() {
    for (int i = 0; i < 50; ++i) {
        PageLoader loader(i % 2 == 0 ? "" : directory + "/ending", kMiB, OpenFake);
        auto file = File('a', "cd");
        for (uint32_t page = 0; page < static_cast<uint32_t>(i); ++page) {
            loader.Ask(file, page, false);
        }
        if (i % 3 == 0) loader.Help(5);
    }
    check(1, "a loader can end at any time");
}

} // namespace

int main() {
    char name[] = "/tmp/loader_test.XXXXXX";
    if (mkdtemp(name) == nullptr) {
        skip("the page loader", "no directory for its files");
        return report();
    }
    directory = name;
    Asking();
    HostileFiles();
    Helping();
    Budget();
    for (uint32_t seed = 1; seed <= 6; ++seed) {
        RandomUse(seed);
    }
    Ending();
    (void)!system(("rm -rf " + directory).c_str());
    return report();
}
