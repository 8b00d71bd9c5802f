#include "sideband.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <utility>

#include "track/boot_clock.h"

namespace emberscope {

namespace {

// Per CPU, for a burst of 3 000 mmaps between two drains; a smaller one when the memlock limit refuses it.
constexpr size_t kRingBytes = 512 * 1024;
constexpr size_t kRingBytesMin = 32 * 1024;

// An event further ahead of our clock than this is not held back: then it is the clock that is wrong.
constexpr uint64_t kHeldNsMax = 1'000'000'000;

perf_event_attr SidebandAttributes(bool asks_build_ids) {
    perf_event_attr attr{};
    attr.size = sizeof(attr);
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_DUMMY;
    attr.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME;
    attr.disabled = 1;
    attr.mmap = 1;
    attr.mmap2 = 1;
    attr.build_id = asks_build_ids; // MMAP2 carries the build id instead of device and inode
    attr.comm = 1;
    attr.comm_exec = 1;
    attr.task = 1;
    attr.sample_id_all = 1;
    attr.use_clockid = 1;
    attr.clockid = CLOCK_BOOTTIME;
    return attr;
}

void *MapRing(int fd, size_t *data_bytes) {
    size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    for (size_t bytes = kRingBytes; bytes >= kRingBytesMin; bytes /= 2) {
        void *base = mmap(nullptr, page + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        *data_bytes = bytes;
        if (base != MAP_FAILED || errno != EPERM) return base;
    }
    return MAP_FAILED;
}

template <typename T> bool ReadAt(std::span<const std::byte> record, size_t offset, T *value) {
    if (offset + sizeof(T) > record.size()) return false;
    std::memcpy(value, record.data() + offset, sizeof(T));
    return true;
}

std::string TextAt(std::span<const std::byte> record, size_t offset, size_t end) {
    if (offset >= end || end > record.size()) return {};
    const char *text = reinterpret_cast<const char *>(record.data()) + offset;
    return std::string(text, strnlen(text, end - offset));
}

std::string Hex(const uint8_t *bytes, size_t count) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (size_t i = 0; i < count; i++) {
        text += digits[bytes[i] >> 4];
        text += digits[bytes[i] & 15];
    }
    return text;
}

// The trailer that sample_id_all adds to every record: {pid, tid}, time.
constexpr size_t kTrailerBytes = 16;

// struct { header; u32 pid, tid; u64 addr, len, pgoff; union { u32 maj, min; u64 ino, gen; | u8 size, r1; u16
// r2; u8 id[20]; };
//          u32 prot, flags; char filename[]; trailer }
bool DecodeMmap(std::span<const std::byte> record, uint16_t misc, ProcessEvent *event) {
    uint64_t length = 0;
    event->kind = EVENT_MMAP;
    if (!ReadAt(record, 16, &event->start) || !ReadAt(record, 24, &length) ||
        !ReadAt(record, 32, &event->file_offset))
        return false;
    event->end = event->start + length;
    std::array<uint8_t, 24> identity{};
    if (!ReadAt(record, 40, &identity)) return false;
    if (misc & PERF_RECORD_MISC_MMAP_BUILD_ID) {
        event->build_id = Hex(identity.data() + 4, std::min<size_t>(identity[0], 20));
    } else {
        std::memcpy(&event->device_major, identity.data(), 4);
        std::memcpy(&event->device_minor, identity.data() + 4, 4);
        std::memcpy(&event->inode, identity.data() + 8, 8);
    }
    event->name = TextAt(record, 72, record.size() - kTrailerBytes);
    return event->end > event->start;
}

bool DecodeBody(std::span<const std::byte> record, const perf_event_header &header, ProcessEvent *event) {
    if (header.type == PERF_RECORD_LOST) {
        uint64_t lost = 0;
        event->kind = EVENT_LOST;
        if (!ReadAt(record, 16, &lost)) return false;
        event->extra = static_cast<int32_t>(std::min<uint64_t>(lost, INT32_MAX));
        return true;
    }
    if (header.type == PERF_RECORD_FORK || header.type == PERF_RECORD_EXIT) { // pid, ppid, tid, ptid, time
        event->kind = header.type == PERF_RECORD_FORK ? EVENT_FORK : EVENT_EXIT;
        if (event->kind == EVENT_FORK && !ReadAt(record, 12, &event->extra)) return false;
        return ReadAt(record, 8, &event->pid) && ReadAt(record, 16, &event->tid);
    }
    if (!ReadAt(record, 8, &event->pid) || !ReadAt(record, 12, &event->tid)) return false;
    if (header.type == PERF_RECORD_MMAP2) return DecodeMmap(record, header.misc, event);
    if (header.type != PERF_RECORD_COMM) return false;
    event->kind = header.misc & PERF_RECORD_MISC_COMM_EXEC ? EVENT_EXEC : EVENT_COMM;
    event->name = TextAt(record, 16, record.size() - kTrailerBytes);
    return true;
}

bool IsFollowed(const ProcessEvent &event, std::unordered_set<int32_t> *followed) {
    if (event.kind == EVENT_LOST) return true;
    if (event.kind == EVENT_FORK && followed->contains(event.extra)) followed->insert(event.pid);
    return followed->contains(event.pid);
}

} // namespace

bool DecodeSidebandRecord(std::span<const std::byte> record, ProcessEvent *event) {
    perf_event_header header;
    if (!ReadAt(record, 0, &header) || header.size != record.size() ||
        record.size() < sizeof(header) + kTrailerBytes)
        return false;
    return ReadAt(record, record.size() - 8, &event->time_ns) && DecodeBody(record, header, event);
}

Sideband::~Sideband() {
    for (const Ring &ring : rings_) {
        munmap(ring.base, ring.data_bytes + static_cast<size_t>(sysconf(_SC_PAGESIZE)));
        close(ring.fd);
    }
}

// Kernels before 5.12 know no build ids in mmap events and refuse the bit; they tell device and inode.
Result<int> Sideband::OpenEvent(int cpu) {
    perf_event_attr attr = SidebandAttributes(asks_build_ids_);
    long fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno == EINVAL && asks_build_ids_) {
        asks_build_ids_ = false;
        return OpenEvent(cpu);
    }
    return Status::Error(Kind::not_permitted,
                         "cannot open the process event stream on cpu " + std::to_string(cpu), errno);
}

Status Sideband::Open(const std::vector<int> &cpus) {
    for (int cpu : cpus) {
        Result<int> fd = OpenEvent(cpu);
        if (!fd.ok()) return fd.status();
        size_t bytes = 0;
        void *base = MapRing(fd.value(), &bytes);
        if (base == MAP_FAILED) {
            int error = errno;
            close(fd.value());
            return Status::Error(Kind::io, "cannot map the process event ring on cpu " + std::to_string(cpu),
                                 error);
        }
        rings_.push_back({fd.value(), base, bytes});
    }
    return Status::Ok();
}

Status Sideband::Enable() {
    for (const Ring &ring : rings_)
        if (ioctl(ring.fd, PERF_EVENT_IOC_ENABLE, 0))
            return Status::Error(Kind::io, "cannot start the process event stream", errno);
    return Status::Ok();
}

namespace {

// Bytes of a ring of `size` bytes from position `at` on, which may wrap around its end.
void CopyOut(const std::byte *data, size_t size, uint64_t at, std::span<std::byte> into) {
    size_t begin = static_cast<size_t>(at % size);
    size_t first = std::min(into.size(), size - begin);
    std::memcpy(into.data(), data + begin, first);
    std::memcpy(into.data() + first, data, into.size() - first);
}

} // namespace

// The kernel writes at head, we read from tail up to it.
void Sideband::DrainRing(const Ring &ring, std::vector<ProcessEvent> *events) {
    auto *page = static_cast<perf_event_mmap_page *>(ring.base);
    const auto *data = static_cast<const std::byte *>(ring.base) + page->data_offset;
    uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
    uint64_t tail = page->data_tail;
    std::vector<std::byte> record;
    while (tail < head) {
        perf_event_header header;
        CopyOut(data, ring.data_bytes, tail, std::as_writable_bytes(std::span(&header, 1)));
        if (header.size < sizeof(header) || header.size > ring.data_bytes) break;
        record.resize(header.size);
        CopyOut(data, ring.data_bytes, tail, record);
        ProcessEvent event{};
        if (DecodeSidebandRecord(record, &event)) events->push_back(std::move(event));
        tail += header.size;
    }
    __atomic_store_n(&page->data_tail, head, __ATOMIC_RELEASE);
}

// Rings are read one after the other: what a later one had written meanwhile may follow, in time, on what an
// earlier one writes now. A child's exec must not come before its fork.
void Sideband::HoldBack(uint64_t until_ns, std::vector<ProcessEvent> *events) {
    auto later = std::partition_point(events->begin(), events->end(),
                                      [&](const ProcessEvent &event) { return event.time_ns <= until_ns; });
    if (later == events->end() || events->back().time_ns > until_ns + kHeldNsMax) return;
    held_.assign(std::make_move_iterator(later), std::make_move_iterator(events->end()));
    events->erase(later, events->end());
}

std::vector<ProcessEvent> Sideband::Drain(std::unordered_set<int32_t> *followed) {
    uint64_t now_ns = BootClockNs();
    std::vector<ProcessEvent> events = std::exchange(held_, {});
    for (const Ring &ring : rings_)
        DrainRing(ring, &events);
    std::stable_sort(events.begin(), events.end(),
                     [](const ProcessEvent &a, const ProcessEvent &b) { return a.time_ns < b.time_ns; });
    HoldBack(now_ns, &events);
    if (followed)
        std::erase_if(events, [&](const ProcessEvent &event) { return !IsFollowed(event, followed); });
    return events;
}

} // namespace emberscope
