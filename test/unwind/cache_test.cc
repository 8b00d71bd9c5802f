// The disk cache: what comes back is what was written, whatever happened to the disk in between.
// sources: native/tables/page_loader.cc native/tables/open_files.cc native/tables/row_cache.cc
// sources: native/tables/idle_thread.cc native/tables/kept_pages.cc
// sources: native/tables/cache_format.cc native/tables/row_check.cc native/file_reader.cc
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "check.h"
#include "tables/row_check.h"
#include "tables/cache_format.h"
#include "tables/page_loader.h"
#include "tables/row_cache.h"

using namespace emberscope;

namespace {

constexpr uint64_t kMiB = 1 << 20;
const CacheKey kKey{"0123456789abcdef", 4711, 1000};

std::string directory;
int parsed = 0;

uint32_t Today() {
    return static_cast<uint32_t>(time(nullptr) / 86400);
}

std::vector<CfiRow> Rows(uint32_t page, uint32_t count) {
    std::vector<CfiRow> rows;
    for (uint32_t i = 0; i < count; ++i) {
        int32_t offset = static_cast<int32_t>(page * 64 + i % 7 * 8);
        rows.push_back({static_cast<uint16_t>(i), {.kind = RULE_CFA, .base = REGISTER_SP, .offset = offset}});
    }
    return rows;
}

bool AreEqual(const std::vector<CfiRow> &a, const std::vector<CfiRow> &b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
        if (a[i].lo != b[i].lo || memcmp(&a[i].rule, &b[i].rule, sizeof a[i].rule) != 0) return false;
    }
    return true;
}

std::vector<CachedPage> Pages(std::vector<uint32_t> numbers, uint32_t count, uint32_t day = Today()) {
    std::vector<CachedPage> pages;
    for (uint32_t number : numbers) {
        pages.push_back(CachedPage::Of(number, day, Rows(number, count)));
    }
    return pages;
}

std::vector<uint8_t> Bytes3() {
    std::vector<CachedPage> pages = Pages({7, 3, 90000}, 9);
    pages[1] = CachedPage::Of(3, 5, {}); // looked at, without rows
    return CacheFile::Write(kKey, {pages[0].view(), pages[1].view(), pages[2].view()});
}

void Format() {
    std::optional<CacheFile> file = CacheFile::Read(Bytes3(), kKey);
    check(file && file->pages().size() == 3, "what is written can be read");
    check(file && AreEqual(RowsOf(*file->Find(7)), Rows(7, 9)), "with its rows");
    check(file && file->Find(3)->rows.empty() && file->Find(3)->day == 5, "and their absence");
    check(file && file->Find(90000) && !file->Find(8), "each page by its number");
    check(CacheFile::Read(CacheFile::Write(kKey, {}), kKey).has_value(), "a file may have no page");
    CacheKey build = kKey, size = kKey, owner = kKey;
    build.build_id[0] = 'f', size.file_bytes++, owner.owner++;
    check(!CacheFile::Read(Bytes3(), build) && !CacheFile::Read(Bytes3(), size) &&
              !CacheFile::Read(Bytes3(), owner),
          "another build, size or owner has nothing in it");
    check(kKey.FileName() != build.FileName() && kKey.FileName() != size.FileName() &&
              kKey.FileName() != owner.FileName(),
          "and another name");
}

void Damage() {
    const std::vector<uint8_t> whole = Bytes3();
    size_t accepted = 0;
    for (size_t at = 0; at < whole.size(); ++at) {
        for (uint8_t bits : {0x01, 0x80, 0xff}) {
            std::vector<uint8_t> bytes = whole;
            bytes[at] ^= bits;
            accepted += CacheFile::Read(std::move(bytes), kKey).has_value();
        }
    }
    check(accepted == 0, "damage at any byte is noticed");
    for (size_t size = 0; size < whole.size(); ++size) {
        std::vector<uint8_t> bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
        accepted += CacheFile::Read(bytes, kKey).has_value();
        bytes.resize(whole.size());
        if (bytes == whole) continue; // it ends with zeros
        accepted += CacheFile::Read(std::move(bytes), kKey).has_value();
    }
    std::vector<uint8_t> longer = whole;
    longer.push_back(0);
    accepted += CacheFile::Read(std::move(longer), kKey).has_value();
    check(accepted == 0, "so is any other length, cut or filled with zeros");
}

// With a right checksum: only the meaning is wrong.
void Malice() {
    const std::vector<uint8_t> whole = Bytes3();
    size_t harmless = 0;
    for (size_t at = 0; at < whole.size(); ++at) {
        for (uint8_t value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
            std::vector<uint8_t> bytes = whole;
            bytes[at] = value;
            Seal(&bytes);
            std::optional<CacheFile> file = CacheFile::Read(std::move(bytes), kKey);
            for (size_t i = 0; file && i < file->pages().size(); ++i) {
                harmless += !RowsOf(file->pages()[i]).empty();
            }
        }
    }
    check(harmless > 0, "any byte under a right checksum is read within bounds, or refused");
    auto refused = [](CachedPage page) {
        return !CacheFile::Read(CacheFile::Write(kKey, {page.view()}), kKey).has_value();
    };
    CachedPage descends = Pages({1}, 5)[0], late = descends, no_rule = descends, no_kind = descends;
    descends.rows[3].lo = 1;
    late.rows[0].lo = 1, late.rows[1].lo = 2;
    no_rule.rows[4].rule = 5;
    no_kind.rules[2].kind = RULE_KIND_COUNT;
    check(refused(descends) && refused(late), "rows out of order are refused");
    check(refused(no_rule) && refused(no_kind), "rules that do not exist are refused");
    CachedPage page = Pages({1}, 5)[0];
    check(!CacheFile::Read(CacheFile::Write(kKey, {page.view(), page.view()}), kKey), "pages come once");
    std::vector<uint8_t> many = whole;
    memset(many.data() + 28, 0xff, 4); // the number of pages
    Seal(&many);
    check(!CacheFile::Read(std::move(many), kKey), "more pages than the file can have are refused");
}

void LargestFile() {
    std::vector<CachedPage> pages;
    for (uint32_t number = 0; number < 320; ++number) {
        pages.push_back(CachedPage::Of(number, number % 4 == 0 ? 10 : 20, Rows(number, kPageRowsMax)));
    }
    std::vector<PageView> views;
    for (const CachedPage &page : pages) {
        views.push_back(page.view());
    }
    std::vector<uint8_t> bytes = CacheFile::Write(kKey, views);
    check(bytes.size() <= kCacheFileBytesMax, "a file has a largest size");
    std::optional<CacheFile> file = CacheFile::Read(std::move(bytes), kKey);
    uint32_t recent = 0;
    for (size_t i = 0; file && i < file->pages().size(); ++i) {
        recent += file->pages()[i].day == 20;
    }
    check(recent == 240 && !file->Find(316),
          "beyond it the pages that were asked for longest ago are left out");
}

mode_t ModeOf(const std::string &path) {
    struct stat info{};
    return lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

bool IsThere(const std::string &path) {
    return access(path.c_str(), F_OK) == 0;
}

void Create(const std::string &path, const std::string &text = "") {
    Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    (void)!write(fd.get(), text.data(), text.size());
}

void Directory() {
    std::string path = directory + "/a/b/rows";
    RowCache cache(path);
    check(cache.IsUsable() && ModeOf(path) == 0700, "a missing directory is made, for us alone");
    check(!RowCache("").IsUsable() && RowCache("").note().empty(),
          "no directory is no cache, and no complaint");
    chmod(path.c_str(), 0750);
    RowCache open_to_group(path);
    check(!open_to_group.IsUsable() && open_to_group.note().find("mode 0700") != std::string::npos,
          "a directory that others may enter is not used, and the note says what to do");
    chmod(path.c_str(), 0700);
    std::string link = directory + "/link";
    check(symlink(path.c_str(), link.c_str()) == 0 && !RowCache(link).IsUsable(),
          "a symbolic link is not followed");
    Create(directory + "/file");
    check(!RowCache(directory + "/file").IsUsable(), "a file is no directory");
    if (geteuid() != 0) return skip("a directory of another user", "not root");
    check(chown(path.c_str(), 4321, 0) == 0 && !RowCache(path).IsUsable(),
          "a directory of another user is not used");
}

bool HasPages(const RowCache &cache, std::vector<uint32_t> numbers, uint32_t count) {
    std::optional<CacheFile> file = cache.Load(kKey);
    if (!file || file->pages().size() != numbers.size()) return false;
    for (uint32_t number : numbers) {
        const PageView *page = file->Find(number);
        if (page == nullptr || !AreEqual(RowsOf(*page), Rows(number, count))) return false;
    }
    return true;
}

void Files() {
    std::string path = directory + "/files", name = path + "/" + kKey.FileName();
    RowCache cache(path);
    check(!cache.Load(kKey), "an empty cache has nothing");
    check(cache.Store(kKey, Pages({1, 2}, 50)).ok() && HasPages(cache, {1, 2}, 50), "pages are kept");
    check(ModeOf(name) == 0600, "in a file of ours alone");
    check(cache.Store(kKey, Pages({5, 2}, 50)).ok() && HasPages(cache, {1, 2, 5}, 50),
          "others are added to them");
    auto replaced = [&] { return cache.Store(kKey, Pages({9}, 50)).ok() && HasPages(cache, {9}, 50); };
    Create(name, "nonsense");
    check(!cache.Load(kKey) && replaced(), "a damaged file counts as absent, and is replaced");
    chmod(name.c_str(), 0666);
    check(!cache.Load(kKey) && replaced(), "so does one that others may write");
    rename(name.c_str(), (path + "/elsewhere").c_str());
    check(symlink("elsewhere", name.c_str()) == 0 && !cache.Load(kKey) && replaced(),
          "so does a symbolic link");
    unlink(name.c_str());
    check(mkfifo(name.c_str(), 0600) == 0 && !cache.Load(kKey) && replaced(), "so does a pipe");
    Create(name, "");
    check(truncate(name.c_str(), 1 << 30) == 0 && !cache.Load(kKey) && replaced(),
          "so does one that is too large");
    unlink(name.c_str());
    mkdir(name.c_str(), 0700);
    Status status = cache.Store(kKey, Pages({1}, 5));
    check(!status.ok() && status.message.find("cannot write") != std::string::npos,
          "what cannot be replaced is an error");
    rmdir(name.c_str());
    if (geteuid() != 0) return skip("a file of another user", "not root");
    check(replaced() && chown(name.c_str(), 4321, 0) == 0 && !cache.Load(kKey) && replaced(),
          "a file of another user counts as absent");
}

void Executables() {
    RowCache cache(directory + "/files");
    std::string path = directory + "/program";
    Create(path, "text");
    Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::optional<CacheKey> key = cache.KeyOf(fd.get(), "abcd");
    check(key && key->file_bytes == 4 && key->owner == geteuid(),
          "a file is known by build id, size and owner");
    check(!cache.KeyOf(fd.get(), "") && !cache.KeyOf(fd.get(), "../../x") && !cache.KeyOf(-1, "abcd") &&
              !cache.KeyOf(fd.get(), std::string(65, 'a')),
          "one without a proper build id is not cached");
    chmod(path.c_str(), 0777);
    check(!cache.KeyOf(fd.get(), "abcd"), "nor is one that everybody may write");
}

void SetUsed(const std::string &path, time_t when) {
    timespec times[2] = {{when, 0}, {when, 0}};
    utimensat(AT_FDCWD, path.c_str(), times, 0);
}

void Trimming() {
    std::string path = directory + "/trim";
    RowCache cache(path, 64 << 10);
    std::vector<std::string> names;
    for (uint64_t i = 0; i < 30; ++i) {
        CacheKey key = kKey;
        key.file_bytes = i;
        names.push_back(path + "/" + key.FileName());
        check(cache.Store(key, Pages({1}, 1400)).ok(), "a file is stored");
        SetUsed(names.back(), time(nullptr) - 100000 + static_cast<time_t>((i * 7) % 30));
    }
    CacheKey used = kKey;
    used.file_bytes = 0; // the oldest
    check(cache.Load(used).has_value(), "a file is read");
    Create(path + "/.new-1-1", "left behind"), SetUsed(path + "/.new-1-1", time(nullptr) - 7200);
    Create(path + "/.new-1-2", "being written"), Create(path + "/notes.txt", "not ours");
    cache.Trim();
    uint32_t left = 0;
    for (uint64_t i = 0; i < 30; ++i) {
        left += IsThere(names[i]);
    }
    check(left >= 9 && left <= 11, "files beyond the size go");
    check(IsThere(names[0]), "not the one just used");
    bool by_age = true;
    for (uint64_t i = 1; i < 30; ++i) {
        by_age &= IsThere(names[i]) == ((i * 7) % 30 > 30 - left);
    }
    check(by_age, "those used longest ago go first");
    check(!IsThere(path + "/.new-1-1") && IsThere(path + "/.new-1-2"), "so does what a dead writer left");
    check(IsThere(path + "/notes.txt"), "nothing else");
}

bool HasTemporaries(const std::string &path) {
    return system(("ls -A " + path + " | grep -q '^.new-'").c_str()) == 0;
}

void FullDisk() {
    std::string path = directory + "/full";
    RowCache cache(path);
    check(cache.Store(kKey, Pages({1}, 10)).ok(), "there is room at first");
    signal(SIGXFSZ, SIG_IGN);
    rlimit before{}, small{};
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 2000;
    setrlimit(RLIMIT_FSIZE, &small);
    Status status = cache.Store(kKey, Pages({2}, 2000));
    setrlimit(RLIMIT_FSIZE, &before);
    check(!status.ok() && status.error_number == EFBIG, "a write that fails is an error");
    check(HasPages(cache, {1}, 10) && !HasTemporaries(path),
          "what was there stays, and nothing is left behind");
    std::string disk = directory + "/disk";
    mkdir(disk.c_str(), 0700);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("none", disk.c_str(), "tmpfs", 0, "size=32k,mode=0700") != 0) {
        return skip("a full disk", strerror(errno));
    }
    {
        RowCache small_cache(disk);
        check(small_cache.Store(kKey, Pages({1}, 1000)).ok(), "a small disk has room for a page");
        status = small_cache.Store(kKey, Pages({2, 3, 4, 5, 6, 7, 8, 9}, 1000));
        check(!status.ok() && status.error_number == ENOSPC, "but not for eight");
        check(HasPages(small_cache, {1}, 1000) && !HasTemporaries(disk), "and keeps what it had");
    }
    umount(disk.c_str());
}

void TwoWriters() {
    std::string path = directory + "/two";
    auto write = [&](uint32_t first) {
        RowCache cache(path);
        for (uint32_t i = 0; i < 60; ++i) {
            (void)cache.Store(kKey, Pages({first + i}, 100));
            if (i % 10 == 0) cache.Trim();
        }
    };
    std::thread other([&] { write(1000); });
    write(0);
    other.join();
    std::optional<CacheFile> file = RowCache(path).Load(kKey);
    // Who is last replaces what the other one added meanwhile: that costs a parse, never a wrong row.
    check(file && (file->Find(59) || file->Find(1059)),
          "two writers leave a whole file, with what came last");
    for (size_t i = 0; file && i < file->pages().size(); ++i) {
        const PageView &page = file->pages()[i];
        if (!AreEqual(RowsOf(page), Rows(page.page, 100))) check(0, "each page has its own rows");
    }
    check(!HasTemporaries(path), "and nothing else");
}

class CountedRows : public FileRows {
  public:
    uint32_t first_page() const override { return 0; }
    uint32_t pages() const override { return 65536; }
    Result<std::vector<CfiRow>> Page(uint32_t page) const override {
        ++parsed;
        return Rows(page, 300);
    }
    CfiSummary Summary() const override { return {}; }
    size_t memory() const override { return 0; }
};

Result<std::unique_ptr<FileRows>> OpenCounted(const ByteSource &) {
    return std::unique_ptr<FileRows>(new CountedRows());
}

std::vector<LoadedPage> TakeAll(PageLoader *loader) {
    std::vector<LoadedPage> pages;
    for (int i = 0; i < 60000 && !loader->IsIdle(); ++i) {
        for (LoadedPage &page : loader->Take()) {
            pages.push_back(std::move(page));
        }
        usleep(500);
    }
    return pages;
}

bool AreRight(const std::vector<LoadedPage> &pages, size_t count) {
    bool right = pages.size() == count;
    for (const LoadedPage &page : pages) {
        right &= AreEqual(page.rows, Rows(page.page, 300));
    }
    return right;
}

// What one run of the profiler leaves for the next one.
void NextRun() {
    std::string path = directory + "/runs";
    auto file = std::make_shared<TableFile>();
    Create(directory + "/binary", "elf");
    file->fd = Fd(open((directory + "/binary").c_str(), O_RDONLY | O_CLOEXEC));
    file->build_id = "feed01", file->pages = 1000;
    {
        PageLoader loader(path, 16 * kMiB, OpenCounted);
        loader.AskCached(file);
        check(TakeAll(&loader).empty(), "an empty cache has no page to load");
        for (uint32_t page = 0; page < 25; ++page) {
            loader.Ask(file, page * 3, false);
        }
        check(AreRight(TakeAll(&loader), 25) && parsed == 25, "the first run parses");
    }
    {
        PageLoader loader(path, 16 * kMiB, OpenCounted);
        loader.AskCached(file);
        loader.AskCached(file);
        check(AreRight(TakeAll(&loader), 25) && parsed == 25, "the next one finds all of it in the cache");
        loader.Ask(file, 3, true);
        check(AreRight(TakeAll(&loader), 1) && parsed == 25, "page by page too");
        LoaderStats stats = loader.stats();
        check(stats.from_cache == 26 && stats.parsed == 0, "and says so");
    }
    CacheKey key = *RowCache(path).KeyOf(file->fd.get(), file->build_id);
    std::vector<uint32_t> numbers;
    for (uint32_t page = 100; page < 400; ++page) {
        numbers.push_back(page);
    }
    check(RowCache(path).Store(key, Pages(numbers, 300, Today() - 30)).ok(), "some pages are of last month");
    {
        PageLoader loader(path, 16 * kMiB, OpenCounted);
        loader.AskCached(file);
        check(AreRight(TakeAll(&loader), 25), "those are not loaded before they are asked for");
        loader.Ask(file, 200, true);
        check(AreRight(TakeAll(&loader), 1) && parsed == 25, "then they come from the cache");
    }
    std::optional<CacheFile> stored = RowCache(path).Load(key);
    check(stored && stored->Find(200)->day == Today() && stored->Find(201)->day == Today() - 30,
          "and are of today again");
    check(RowCache(path).Store(key, Pages(numbers, 300)).ok(), "all pages are of today");
    {
        PageLoader loader(path, 16 * kMiB, OpenCounted);
        loader.AskCached(file);
        loader.Help(1000);
        check(TakeAll(&loader).size() == 256, "what is loaded unasked is bounded");
        file->pages = 10;
        loader.AskCached(file);
        check(TakeAll(&loader).size() == 4, "and within the file");
    }
    chmod(path.c_str(), 0755);
    file->pages = 1000;
    PageLoader loader(path, 16 * kMiB, OpenCounted);
    loader.Ask(file, 0, true);
    check(AreRight(TakeAll(&loader), 1) && parsed == 26 && loader.note().find("0700") != std::string::npos,
          "without a usable cache pages are parsed, and the note says why");
}

void FailingCache() {
    std::string path = directory + "/failing";
    Create(directory + "/binary2", "elf");
    auto file = std::make_shared<TableFile>();
    file->fd = Fd(open((directory + "/binary2").c_str(), O_RDONLY | O_CLOEXEC));
    file->build_id = "feed02", file->pages = 100;
    PageLoader loader(path, 4 * kMiB, OpenCounted);
    // Where its file would be there is a directory.
    mkdir((path + "/" + RowCache(path).KeyOf(file->fd.get(), "feed02")->FileName()).c_str(), 0700);
    for (uint32_t page = 0; page < 100; ++page) {
        loader.Ask(file, page, false);
    }
    check(AreRight(TakeAll(&loader), 100), "a cache that cannot be written harms no page");
    for (int i = 0; i < 200 && loader.stats().not_written == 0; ++i) {
        usleep(100000);
    }
    check(loader.stats().not_written == 100 && loader.note().find("cannot write") != std::string::npos,
          "what could not be written is counted, and noted");
}

} // namespace

int main() {
    char name[] = "/tmp/cache_test.XXXXXX";
    if (mkdtemp(name) == nullptr) {
        skip("the disk cache", "no directory for its files");
        return report();
    }
    directory = name;
    Format();
    Damage();
    Malice();
    LargestFile();
    Directory();
    Files();
    Executables();
    Trimming();
    TwoWriters();
    NextRun();
    FailingCache();
    FullDisk();
    (void)!system(("rm -rf " + directory).c_str());
    return report();
}
