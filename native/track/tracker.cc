#include "track/tracker.h"

#include <algorithm>
#include <unordered_map>

#include "track/boot_clock.h"
#include "track/file_table.h"
#include "track/process_images.h"
#include "track/publisher.h"

namespace emberscope {

namespace {

// Of one process: how often a miss may make us read /proc, and repeat what BPF should know already.
constexpr uint64_t kReadNs = 1'000'000'000;
constexpr uint64_t kPublishNs = 1'000'000'000;

} // namespace

struct Tracker::State {
    State(TableMemory &memory, TableStore &store, PageLoader &loader)
        : publisher(memory, store, loader), files(store, {}) {}

    void OnMmap(const ProcessEvent &event);
    void OnExec(const ProcessEvent &event);
    void OnFork(const ProcessEvent &event);
    void OnExit(const ProcessEvent &event);
    void Change(uint32_t pid, ProcessImages *process);
    std::shared_ptr<TrackedMappings> Read(uint32_t pid, uint32_t parent);
    Image *ReadUnknown(const ProcessIdentity &who, uint64_t time_ns);
    void ReadAgain(const ProcessIdentity &who, ProcessImages *process);
    void Publish(ProcessImages *process);
    void EndDead(uint64_t now_ns);
    bool IsOver(uint32_t pid, ProcessImages *process, uint64_t time_ns);

    Publisher publisher;
    FileTable files;
    std::unordered_map<uint32_t, ProcessImages> processes;
    std::vector<uint32_t> changed;  // since the last Flush()
    std::vector<uint32_t> replaced; // whose table was: the old one is kept for a turn
    bool is_reconciling = false;    // events were lost: some processes may have ended unseen
    TrackerStats stats;
};

Tracker::Tracker(TableMemory &memory, TableStore &store, PageLoader &loader)
    : state_(std::make_unique<State>(memory, store, loader)) {}
Tracker::~Tracker() = default;

// Null when there is nothing executable: gone, a zombie, a kernel thread.
std::shared_ptr<TrackedMappings> Tracker::State::Read(uint32_t pid, uint32_t parent) {
    Result<std::vector<ShownFile>> maps = ReadExecutableMaps(pid);
    if (!maps.ok() || maps.value().empty()) return nullptr;
    auto mappings = std::make_shared<TrackedMappings>();
    ImageBuilder builder(mappings.get());
    for (const ShownFile &shown : maps.value())
        builder.Show(shown, files.Identify(shown, {pid, parent}));
    stats.left_out += builder.left_out();
    return mappings;
}

void Tracker::Scan(const std::vector<ProcessIdentity> &processes) {
    for (const ProcessIdentity &who : processes) {
        auto known = state_->processes.find(who.pid);
        if (known != state_->processes.end() && known->second.Find(who, who.start)) continue;
        uint64_t now_ns = BootClockNs();
        if (!IsAlive(who.pid, who.start)) continue;
        std::shared_ptr<TrackedMappings> mappings = state_->Read(who.pid, 0);
        if (!mappings) continue;
        ProcessImages &process = state_->processes[who.pid];
        Image *image = process.Begin(process.current() ? now_ns : who.start, std::move(mappings));
        image->read_ns = now_ns;
        image->identity = who;
        process.ended_ns = 0;
        state_->Publish(&process);
    }
}

void Tracker::Apply(const ProcessEvent &event) {
    if (event.kind == EVENT_LOST) {
        state_->stats.lost_events += static_cast<uint64_t>(std::max(event.extra, 0));
        state_->is_reconciling = true;
    }
    if (event.pid <= 0) return; // of a process that our pid namespace does not see
    if (event.kind == EVENT_MMAP) state_->OnMmap(event);
    if (event.kind == EVENT_EXEC) state_->OnExec(event);
    if (event.kind == EVENT_FORK) state_->OnFork(event);
    if (event.kind == EVENT_EXIT) state_->OnExit(event);
}

void Tracker::State::Change(uint32_t pid, ProcessImages *process) {
    if (!process->is_changed) changed.push_back(pid);
    process->is_changed = true;
}

// Of a process that we do not know there is nothing to add to; when it is sampled, /proc tells all of it.
void Tracker::State::OnMmap(const ProcessEvent &event) {
    uint32_t pid = static_cast<uint32_t>(event.pid);
    auto found = processes.find(pid);
    Image *image = found != processes.end() ? found->second.current() : nullptr;
    if (!image || !image->mappings || event.time_ns < std::max(image->since_ns, image->read_ns)) return;
    ProcessImages &process = found->second;
    ShownFile shown{.start = event.start,
                    .end = event.end,
                    .position = event.file_offset,
                    .device_major = event.device_major,
                    .device_minor = event.device_minor,
                    .inode = event.inode,
                    .path = event.name,
                    .build_id = event.build_id};
    if (shown.end > INT64_MAX) return; // [vsyscall]: the kernel's half
    FileTable::Identity identity = files.Identify(shown, {pid, process.parent});
    ImageBuilder look(image->mappings.get());
    if (look.IsShown(shown, identity)) return;
    if (look.Hides(shown, identity)) {
        process.BeginVersion(event.time_ns);
        process.AddStale({.start = shown.start, .end = shown.end, .since_ns = event.time_ns});
    }
    ImageBuilder builder(process.Mutable());
    builder.Show(shown, identity);
    stats.left_out += builder.left_out();
    Change(pid, &process);
}

// What was read from /proc after the exec is of the new program; of the one before nothing is known then.
void Tracker::State::OnExec(const ProcessEvent &event) {
    ProcessImages &process = processes[static_cast<uint32_t>(event.pid)];
    process.ended_ns = 0;
    Image *before = process.current();
    if (before && event.time_ns < before->since_ns) return;
    if (before && event.time_ns < before->read_ns) {
        uint64_t read_ns = before->read_ns;
        auto mappings = std::exchange(before->mappings, nullptr);
        process.Begin(event.time_ns, std::move(mappings))->read_ns = read_ns;
        return;
    }
    process.Begin(event.time_ns, std::make_shared<TrackedMappings>());
    process.EndStale(event.time_ns);
    process.placement.reset();
    process.published_as.reset();
}

// The child shows what its parent shows, and BPF has copied its entry: the table of the parent as it was
// then.
void Tracker::State::OnFork(const ProcessEvent &event) {
    if (event.extra == event.pid) return; // a thread
    uint32_t pid = static_cast<uint32_t>(event.pid);
    auto found = processes.find(static_cast<uint32_t>(event.extra));
    ProcessImages *parent = found != processes.end() ? &found->second : nullptr;
    Image *origin = parent ? parent->At(event.time_ns) : nullptr;
    auto old = processes.find(pid);
    if (!origin && old == processes.end()) return;
    if (old != processes.end() && old->second.current() &&
        event.time_ns < std::max(old->second.current()->since_ns, old->second.current()->read_ns))
        return; // this is how the process began that /proc showed us since
    std::shared_ptr<TrackedMappings> mappings = origin ? origin->mappings : nullptr;
    std::shared_ptr<Placement> placement;
    if (parent) placement = event.time_ns < parent->placed_ns ? parent->previous : parent->placement;
    ProcessImages &child = processes[pid];
    child.Begin(event.time_ns, std::move(mappings));
    child.parent = static_cast<uint32_t>(event.extra);
    child.ended_ns = 0;
    child.placement = std::move(placement);
    child.published_as.reset();
    if (parent) child.stale = parent->stale; // its entry is a copy
}

// The leader's exit ends the process, mostly; where other threads go on, the next miss brings it back.
void Tracker::State::OnExit(const ProcessEvent &event) {
    if (event.tid != event.pid) return;
    auto found = processes.find(static_cast<uint32_t>(event.pid));
    if (found == processes.end()) return;
    ProcessImages &process = found->second;
    if (process.current() && event.time_ns < process.current()->read_ns) return;
    process.ended_ns = event.time_ns;
    process.placement.reset();
    process.published_as.reset();
}

// Makes BPF see the current image, if it is known whose it is and this process lives.
void Tracker::State::Publish(ProcessImages *process) {
    Image *image = process->current();
    if (!image || !image->identity || !image->mappings || image->mappings->mappings.empty() ||
        process->ended_ns)
        return;
    std::shared_ptr<Placement> placement = publisher.Place(image->mappings, process->placement);
    if (!placement) return;
    uint64_t now_ns = BootClockNs();
    bool is_known = placement == process->placement && process->published_as &&
                    IsSame(*process->published_as, *image->identity);
    if (is_known && now_ns < process->placed_ns + kPublishNs) return process->EndStale(now_ns);
    if (!publisher.Publish(*image->identity, *placement)) return;
    if (placement != process->placement) {
        process->previous = std::exchange(process->placement, placement);
        replaced.push_back(image->identity->pid);
    }
    process->placed_ns = BootClockNs();
    process->published_as = image->identity;
    process->EndStale(process->placed_ns);
}

// A fork from before a table was replaced is told by the next turn's events at the latest; its child needs
// the old one.
void Tracker::Flush() {
    for (uint32_t pid : std::exchange(state_->replaced, {})) {
        auto found = state_->processes.find(pid);
        if (found != state_->processes.end()) found->second.previous.reset();
    }
    for (uint32_t pid : std::exchange(state_->changed, {})) {
        auto found = state_->processes.find(pid);
        if (found == state_->processes.end()) continue;
        found->second.is_changed = false;
        state_->Publish(&found->second);
    }
}

// A process from before us that was not scanned, a fork of one, or one whose exec was lost. Null: it is gone,
// it is an older one of that pid, or it was read just now.
Image *Tracker::State::ReadUnknown(const ProcessIdentity &who, uint64_t time_ns) {
    auto found = processes.find(who.pid);
    ProcessImages *process = found != processes.end() ? &found->second : nullptr;
    Image *current = process ? process->current() : nullptr;
    if (current && current->identity &&
        (current->identity->start > who.start ||
         (current->identity->start == who.start && current->identity->exec_id > who.exec_id)))
        return nullptr;
    if (current && !current->identity && current->since_ns > time_ns) return nullptr;
    uint64_t now_ns = BootClockNs();
    if (process && process->read_for && IsSame(*process->read_for, who) &&
        now_ns < process->read_ns + kReadNs)
        return nullptr;
    if (!IsAlive(who.pid, who.start)) return nullptr;
    stats.rescans++;
    std::shared_ptr<TrackedMappings> mappings = Read(who.pid, process ? process->parent : 0);
    if (!process && !mappings) return nullptr;
    process = &processes[who.pid];
    process->read_ns = now_ns;
    process->read_for = who;
    if (!mappings) return nullptr;
    Image *image = process->Begin(std::min(time_ns, now_ns), std::move(mappings));
    image->read_ns = now_ns;
    image->identity = who;
    process->ended_ns = 0;
    return image;
}

// An address in no mapping: an event was lost, or the return address is none.
void Tracker::State::ReadAgain(const ProcessIdentity &who, ProcessImages *process) {
    uint64_t now_ns = BootClockNs();
    if (now_ns < process->read_ns + kReadNs || !IsAlive(who.pid, who.start)) return;
    process->read_ns = now_ns;
    stats.rescans++;
    std::shared_ptr<TrackedMappings> mappings = Read(who.pid, process->parent);
    Image *image = process->current();
    if (!mappings) return; // its leader ended: what was known is all there is
    image->read_ns = now_ns;
    if (!IsSameMemory(mappings->mappings, image->mappings->mappings)) image->mappings = std::move(mappings);
}

std::shared_ptr<const ImageMappings> Tracker::Learn(const ProcessIdentity &who, uint64_t time_ns,
                                                    uint64_t address) {
    auto found = state_->processes.find(who.pid);
    Image *image = found != state_->processes.end() ? found->second.Find(who, time_ns) : nullptr;
    if (!image || !image->mappings) {
        image = state_->ReadUnknown(who, time_ns);
        if (!image) return nullptr;
        found = state_->processes.find(who.pid);
    }
    ProcessImages &process = found->second;
    if (!image->identity) process.Identify(*image, who);
    if (image != process.current()) return image->mappings;
    if (!MappingAt(*image->mappings, address)) state_->ReadAgain(who, &process);
    if (process.ended_ns && process.ended_ns < time_ns && IsAlive(who.pid, who.start)) process.ended_ns = 0;
    state_->Publish(&process);
    return image->mappings;
}

bool Tracker::IsStale(uint32_t pid, uint64_t time_ns, std::span<const uint64_t> addresses) const {
    auto found = state_->processes.find(pid);
    if (found == state_->processes.end() || found->second.stale.empty()) return false;
    return std::any_of(addresses.begin(), addresses.end(),
                       [&](uint64_t address) { return found->second.IsStale(time_ns, address); });
}

// After lost events: processes that ended, or gave their pid to another, without our being told.
void Tracker::State::EndDead(uint64_t now_ns) {
    is_reconciling = false;
    for (auto &[pid, process] : processes) {
        if (process.ended_ns) continue;
        const Image *image = process.current();
        bool is_alive = image && image->identity ? IsAlive(pid, image->identity->start)
                                                 : ReadProcessStat(pid).has_value();
        if (is_alive) continue;
        process.ended_ns = now_ns;
        process.placement.reset();
    }
}

// Ended before `time_ns`. Where only the leader has, it is asked for again as much later.
bool Tracker::State::IsOver(uint32_t pid, ProcessImages *process, uint64_t time_ns) {
    if (!process->ended_ns || process->ended_ns >= time_ns) return false;
    const Image *image = process->current();
    std::optional<ProcessStat> stat = ReadProcessStat(pid);
    bool is_leaderless =
        stat && stat->threads > 1 && (!image || !image->identity || IsAlive(pid, image->identity->start));
    if (is_leaderless) process->ended_ns = BootClockNs();
    return !is_leaderless;
}

void Tracker::Forget(uint64_t time_ns) {
    uint64_t now_ns = BootClockNs();
    if (state_->is_reconciling) state_->EndDead(now_ns);
    for (auto at = state_->processes.begin(); at != state_->processes.end();) {
        at->second.Forget(time_ns);
        bool is_over = state_->IsOver(at->first, &at->second, time_ns);
        at = is_over ? state_->processes.erase(at) : std::next(at);
    }
    state_->files.Forget(now_ns);
}

TrackerStats Tracker::stats() const {
    TrackerStats stats = state_->stats;
    FileTableStats files = state_->files.stats();
    stats.processes = state_->processes.size();
    stats.files = files.files;
    stats.unreadable_files = files.unreadable;
    stats.refused_files = files.refused;
    stats.published = state_->publisher.published();
    stats.refused = state_->publisher.refused();
    return stats;
}

} // namespace emberscope
