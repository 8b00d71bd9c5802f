#include <algorithm>

#include "track/boot_clock.h"
#include "track/tracker_state.h"

namespace emberscope {

namespace {

constexpr uint64_t kReadNs = 1'000'000'000; // how often a miss may make us read /proc again, for one process

} // namespace

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
    aging.push_back(who.pid);
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

bool Tracker::HasStale(uint32_t pid) const {
    auto found = state_->processes.find(pid);
    return found != state_->processes.end() && !found->second.stale.empty();
}

bool Tracker::IsStale(uint32_t pid, uint64_t time_ns, std::span<const uint64_t> addresses) const {
    if (!HasStale(pid)) return false;
    const ProcessImages &images = state_->processes.find(pid)->second;
    return std::any_of(addresses.begin(), addresses.end(),
                       [&](uint64_t address) { return images.IsStale(time_ns, address); });
}

} // namespace emberscope
