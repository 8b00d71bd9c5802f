#include "track/process_images.h"

#include <algorithm>

namespace emberscope {

namespace {

// Of one pid, between two calls of Forget(): a program that maps and unmaps all day must not fill our memory.
constexpr size_t kImagesMax = 64;
constexpr size_t kStaleMax = 64;

} // namespace

bool IsSame(const ProcessIdentity &a, const ProcessIdentity &b) {
    return a.pid == b.pid && a.exec_id == b.exec_id && a.start == b.start;
}

// The kernel tells of an exec a moment before it counts it: a sample between them has the identity of the
// program before, which is then found by it. A process starts before its fork is told.
Image *ProcessImages::Find(const ProcessIdentity &who, uint64_t time_ns) {
    Image *earliest = nullptr;
    for (auto image = images_.rbegin(); image != images_.rend(); ++image) {
        if (!image->identity || !IsSame(*image->identity, who)) continue;
        if (image->since_ns <= time_ns) return &*image;
        earliest = &*image;
    }
    if (earliest) return earliest;
    Image *there = At(time_ns);
    return there && !there->identity && who.start <= there->since_ns ? there : nullptr;
}

Image *ProcessImages::At(uint64_t time_ns) {
    for (auto image = images_.rbegin(); image != images_.rend(); ++image)
        if (image->since_ns <= time_ns) return &*image;
    return nullptr;
}

void ProcessImages::MakeRoom() {
    if (images_.size() >= kImagesMax) images_.erase(images_.begin());
}

Image *ProcessImages::Begin(uint64_t since_ns, std::shared_ptr<TrackedMappings> mappings) {
    MakeRoom();
    images_.push_back({.since_ns = since_ns,
                       .read_ns = 0,
                       .program = ++programs_,
                       .identity = {},
                       .mappings = std::move(mappings)});
    return &images_.back();
}

Image *ProcessImages::BeginVersion(uint64_t since_ns) {
    MakeRoom();
    Image version = images_.back();
    version.since_ns = since_ns;
    images_.push_back(std::move(version));
    return &images_.back();
}

TrackedMappings *ProcessImages::Mutable() {
    std::shared_ptr<TrackedMappings> &mappings = images_.back().mappings;
    if (mappings.use_count() > 1) {
        mappings = std::make_shared<TrackedMappings>(*mappings);
        mappings->placement.reset();
    }
    return mappings.get();
}

void ProcessImages::Identify(const Image &image, const ProcessIdentity &who) {
    uint32_t program = image.program;
    for (Image &version : images_)
        if (version.program == program) version.identity = who;
}

// Beyond the limit the last range grows: too much is called stale then, never too little.
void ProcessImages::AddStale(const StaleRange &range) {
    if (stale.size() < kStaleMax) return stale.push_back(range);
    StaleRange &last = stale.back();
    last.start = std::min(last.start, range.start);
    last.end = std::max(last.end, range.end);
    last.until_ns = range.until_ns;
}

bool ProcessImages::IsStale(uint64_t time_ns, uint64_t address) const {
    return std::any_of(stale.begin(), stale.end(), [&](const StaleRange &range) {
        return range.start <= address && address < range.end && range.since_ns <= time_ns &&
               time_ns <= range.until_ns;
    });
}

void ProcessImages::EndStale(uint64_t now_ns) {
    for (StaleRange &range : stale)
        range.until_ns = std::min(range.until_ns, now_ns);
}

void ProcessImages::Forget(uint64_t time_ns) {
    std::erase_if(stale, [&](const StaleRange &range) { return range.until_ns < time_ns; });
    size_t ended = 0;
    while (ended + 1 < images_.size() && images_[ended + 1].since_ns < time_ns)
        ended++;
    images_.erase(images_.begin(), images_.begin() + static_cast<ptrdiff_t>(ended));
}

} // namespace emberscope
