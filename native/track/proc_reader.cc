#include "track/proc_reader.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "file_reader.h"
#include "track/boot_clock.h"

namespace emberscope {

namespace {

constexpr uint64_t kTickNs = 10'000'000;       // USER_HZ is 100 in every kernel's ABI
constexpr size_t kReadBytes = 64 * 1024;       // a path is at most 4 pages, escapes included
constexpr uint64_t kKernelHalf = 1ull << 63;   // [vsyscall] lies there; no user code is sampled in it
constexpr std::string_view kNewline = "\\012"; // the one character that maps files escape

// Takes a number and the character after it; false when there is none.
template <typename T> bool TakeNumber(std::string_view *text, int base, char after, T *value) {
    auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *value, base);
    size_t taken = static_cast<size_t>(end - text->data());
    if (error != std::errc() || taken >= text->size() || *end != after) return false;
    text->remove_prefix(taken + 1);
    return true;
}

std::string Unescape(std::string_view text) {
    std::string path;
    for (size_t at = text.find(kNewline); at != std::string_view::npos; at = text.find(kNewline)) {
        path.append(text.substr(0, at)).push_back('\n');
        text.remove_prefix(at + kNewline.size());
    }
    return path.append(text);
}

// Hands each whole line to `take` and moves the rest to the front. False when `take` wants no more.
template <typename Take> bool TakeLines(std::vector<char> *buffer, size_t *filled, Take take) {
    std::string_view text(buffer->data(), *filled);
    for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        if (!take(text.substr(0, end))) return false;
        text.remove_prefix(end + 1);
    }
    if (text.size() == buffer->size()) text = {}; // a line of 64 KiB is none of the kernel's
    std::memmove(buffer->data(), text.data(), text.size());
    *filled = text.size();
    return true;
}

Fd OpenProcFile(uint32_t pid, const char *name) {
    std::string path = "/proc/" + std::to_string(pid) + "/" + name;
    return Fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

ssize_t ReadSome(const Fd &file, char *into, size_t size) {
    ssize_t count;
    do
        count = read(file.get(), into, size);
    while (count < 0 && errno == EINTR);
    return count;
}

} // namespace

// "7f00-7f01 r-xp 00001000 fd:01 1234     /usr/lib/x.so"
std::optional<ShownFile> ParseMapsLine(std::string_view line) {
    ShownFile shown;
    if (!TakeNumber(&line, 16, '-', &shown.start) || !TakeNumber(&line, 16, ' ', &shown.end)) return {};
    if (line.size() < 5 || line[2] != 'x' || line[4] != ' ') return {};
    line.remove_prefix(5);
    if (!TakeNumber(&line, 16, ' ', &shown.position) || !TakeNumber(&line, 16, ':', &shown.device_major) ||
        !TakeNumber(&line, 16, ' ', &shown.device_minor))
        return {};
    auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), shown.inode);
    if (error != std::errc() || shown.start >= shown.end || shown.end > kKernelHalf) return {};
    line.remove_prefix(static_cast<size_t>(end - line.data()));
    size_t path = line.find_first_not_of(' ');
    if (path != std::string_view::npos) shown.path = Unescape(line.substr(path));
    return shown;
}

Result<std::vector<ShownFile>> ReadExecutableMaps(uint32_t pid, const ReadLimits &limits) {
    Fd file = OpenProcFile(pid, "maps");
    if (!file.valid())
        return Status::Error(errno == EACCES || errno == EPERM ? Kind::not_permitted : Kind::io,
                             "cannot open /proc/" + std::to_string(pid) + "/maps", errno);
    std::vector<ShownFile> maps;
    std::vector<char> buffer(kReadBytes);
    size_t filled = 0, lines = 0;
    uint64_t end_ns = BootClockNs() + limits.time_ns;
    auto take = [&](std::string_view line) {
        if (std::optional<ShownFile> shown = ParseMapsLine(line)) maps.push_back(std::move(*shown));
        return ++lines < limits.lines;
    };
    for (;;) {
        ssize_t count = ReadSome(file, buffer.data() + filled, buffer.size() - filled);
        if (count <= 0) break; // ESRCH too: its memory is gone
        filled += static_cast<size_t>(count);
        if (!TakeLines(&buffer, &filled, take) || BootClockNs() > end_ns) break;
    }
    return maps;
}

// "pid (name) S parent ..."; the name may hold spaces, parentheses and newlines. man 5 proc: field 20 is the
// number of threads, 22 the start time.
std::optional<ProcessStat> ReadProcessStat(uint32_t pid) {
    Fd file = OpenProcFile(pid, "stat");
    if (!file.valid()) return {};
    std::array<char, 1024> buffer{};
    ssize_t count = ReadSome(file, buffer.data(), buffer.size());
    std::string_view text(buffer.data(), count > 0 ? static_cast<size_t>(count) : 0);
    size_t name_end = text.rfind(')');
    if (name_end == std::string_view::npos || text.size() < name_end + 5) return {};
    ProcessStat stat;
    stat.state = text[name_end + 2];
    text.remove_prefix(name_end + 4);
    std::array<int64_t, 19> fields{}; // 4 to 22
    for (int64_t &field : fields)
        if (!TakeNumber(&text, 10, ' ', &field)) return {};
    stat.parent = static_cast<uint32_t>(fields[0]);
    stat.threads = static_cast<uint32_t>(fields[16]);
    stat.start_ticks = static_cast<uint64_t>(fields[18]);
    return stat;
}

// A leader that ended before its other threads is a zombie with more than one thread. A tick of tolerance:
// the kernel rounds.
bool IsAlive(uint32_t pid, uint64_t start) {
    std::optional<ProcessStat> stat = ReadProcessStat(pid);
    if (!stat || stat->state == 'X' || (stat->state == 'Z' && stat->threads < 2)) return false;
    uint64_t ticks = (start + static_cast<uint64_t>(BootClockShiftNs())) / kTickNs;
    return stat->start_ticks + 1 >= ticks && stat->start_ticks <= ticks + 1;
}

} // namespace emberscope
