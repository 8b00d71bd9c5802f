#include <algorithm>
#include <utility>

#include "track/tracker_state.h"

namespace emberscope {

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
        aging.push_back(pid);
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
    aging.push_back(static_cast<uint32_t>(event.pid));
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
    aging.push_back(pid);
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
    aging.push_back(static_cast<uint32_t>(event.pid));
    process.placement.reset();
    process.published_as.reset();
}

} // namespace emberscope
