// Puts images where the BPF unwinder finds them: a table in the arena, shared by every process that shows the
// same, and the process's entry.
#pragma once

#include <cstdint>
#include <memory>

#include "tables/page_loader.h"
#include "tables/table_store.h"
#include "track/image.h"

namespace emberscope {

// A published mapping table; given back when the last process that may use it lets go.
class Placement {
  public:
    Placement(TableStore &store, TableStore::Placed placed, std::shared_ptr<const TrackedMappings> image)
        : store_(store), placed_(placed), image_(std::move(image)) {}
    Placement(const Placement &) = delete;
    Placement &operator=(const Placement &) = delete;
    ~Placement() { store_.DropMappings(placed_); }
    TableStore::Placed placed() const { return placed_; }
    const TrackedMappings &image() const { return *image_; }

  private:
    TableStore &store_;
    TableStore::Placed placed_;
    std::shared_ptr<const TrackedMappings> image_; // keeps its files
};

class Publisher {
  public:
    Publisher(TableMemory &memory, TableStore &store, PageLoader &loader)
        : memory_(memory), store_(store), loader_(loader) {}

    // The table of an image: `old` when it shows the same, one of another process, or a new one. Null when
    // there is no room. Asks the loader for what it has cached of files that are new.
    std::shared_ptr<Placement> Place(const std::shared_ptr<TrackedMappings> &image,
                                     const std::shared_ptr<Placement> &old);
    // Points a process at a table. False when the map is full.
    bool Publish(const ProcessIdentity &who, const Placement &placement);
    uint64_t published() const { return published_; }
    uint64_t refused() const { return refused_; }

  private:
    TableMemory &memory_;
    TableStore &store_;
    PageLoader &loader_;
    uint64_t published_ = 0, refused_ = 0;
};

} // namespace emberscope
