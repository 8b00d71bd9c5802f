#include "track/tracker.h"

#include <algorithm>
#include <utility>

#include "track/boot_clock.h"
#include "track/tracker_state.h"

namespace emberscope {

namespace {

// How often a miss makes us repeat what BPF should know of a process already.
constexpr uint64_t kPublishNs = 1'000'000'000;

} // namespace

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
        state_->aging.push_back(who.pid);
        Image *image = process.Begin(process.current() ? now_ns : who.start, std::move(mappings));
        image->read_ns = now_ns;
        image->identity = who;
        process.ended_ns = 0;
        state_->Publish(&process);
    }
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
    if (is_known && now_ns < process->published_ns + kPublishNs) return process->EndStale(now_ns);
    if (!publisher.Publish(*image->identity, *placement)) return;
    process->published_ns = BootClockNs();
    if (placement != process->placement) {
        process->previous = std::exchange(process->placement, placement);
        process->placed_ns = process->published_ns;
        replaced.push_back(image->identity->pid);
    }
    process->published_as = image->identity;
    process->EndStale(process->published_ns);
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
        aging.push_back(pid);
        process.placement.reset();
    }
}

// True when more of it is to be forgotten later.
bool Tracker::State::ForgetOf(uint32_t pid, uint64_t time_ns) {
    auto found = processes.find(pid);
    if (found == processes.end()) return false;
    ProcessImages &process = found->second;
    process.Forget(time_ns);
    if (!IsOver(pid, &process, time_ns)) return process.ended_ns || process.HasOld();
    processes.erase(found);
    return false;
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
    std::vector<uint32_t> &aging = state_->aging;
    std::ranges::sort(aging);
    aging.erase(std::ranges::unique(aging).begin(), aging.end());
    std::erase_if(aging, [&](uint32_t pid) { return !state_->ForgetOf(pid, time_ns); });
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
