// The program images of one pid, in time: a fork or an exec begins one, a mapping that hides another one
// begins a new version of it, so that a sample finds what was mapped when it was taken.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "track/image.h"
#include "track/publisher.h"

namespace emberscope {

struct Image {
    uint64_t since_ns = 0;
    uint64_t read_ns = 0; // mmap events until then are contained, because /proc was read afterwards
    uint32_t program = 0; // the same for all versions of one image
    std::optional<ProcessIdentity> identity;
    std::shared_ptr<TrackedMappings> mappings; // null: not known
};

// Memory where BPF had the rows of a file that was not there any more, and when.
struct StaleRange {
    uint64_t start = 0, end = 0;                  // addresses
    uint64_t since_ns = 0, until_ns = UINT64_MAX; // the largest: not published yet
};

class ProcessImages {
  public:
    // Oldest first.
    const std::vector<Image> &images() const { return images_; }
    Image *current() { return images_.empty() ? nullptr : &images_.back(); }
    // The image that a sample of `who` at that time met: by identity, else the one of unknown identity that
    // was there then. nullptr: none.
    Image *Find(const ProcessIdentity &who, uint64_t time_ns);
    Image *At(uint64_t time_ns);
    Image *Begin(uint64_t since_ns, std::shared_ptr<TrackedMappings> mappings);
    // A version of the current image whose mappings may be changed.
    Image *BeginVersion(uint64_t since_ns);
    // The current image, with mappings that no one else holds.
    TrackedMappings *Mutable();
    void Identify(const Image &image, const ProcessIdentity &who);
    void AddStale(const StaleRange &range);
    bool IsStale(uint64_t time_ns, uint64_t address) const;
    // What BPF has is right from now on.
    void EndStale(uint64_t now_ns);
    // More than what is there now is known.
    bool HasOld() const { return images_.size() > 1 || !stale.empty(); }
    // Drops images that were replaced before `time_ns`.
    void Forget(uint64_t time_ns);

    uint32_t parent = 0;
    uint64_t ended_ns = 0; // 0: lives
    uint64_t read_ns = 0;  // when /proc was last read because of a miss
    std::optional<ProcessIdentity> read_for;
    // What BPF has for this pid, as far as we know: published, or copied from the parent by its fork.
    std::shared_ptr<Placement> placement;
    std::shared_ptr<Placement> previous; // until every fork from before `placed_ns` was told
    uint64_t placed_ns = 0;              // when `placement` took the place of `previous`
    uint64_t published_ns = 0;           // when BPF was last told
    std::optional<ProcessIdentity> published_as;
    bool is_changed = false; // since the last Flush()
    std::vector<StaleRange> stale;

  private:
    void MakeRoom();
    std::vector<Image> images_;
    uint32_t programs_ = 0;
};

bool IsSame(const ProcessIdentity &a, const ProcessIdentity &b);

} // namespace emberscope
