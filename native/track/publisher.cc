#include "track/publisher.h"

namespace emberscope {

std::shared_ptr<Placement> Publisher::Place(const std::shared_ptr<TrackedMappings> &image,
                                            const std::shared_ptr<Placement> &old) {
    if (old && &old->image() == image.get()) return old;
    if (old && IsSameMemory(old->image().mappings, image->mappings)) return old;
    if (std::shared_ptr<Placement> placed = image->placement.lock()) return placed;
    TableStore::Placed placed = store_.AddMappings(image->mappings);
    if (placed.location == 0) {
        refused_++;
        return nullptr;
    }
    auto placement = std::make_shared<Placement>(store_, placed, image);
    image->placement = placement;
    for (const std::shared_ptr<TableFile> &file : image->files) {
        auto *tracked = static_cast<TrackedFile *>(file.get()); // the file table makes no other
        if (!tracked || tracked->is_asked) continue;
        tracked->is_asked = true;
        loader_.AskCached(file);
    }
    return placement;
}

bool Publisher::Publish(const ProcessIdentity &who, const Placement &placement) {
    process_entry entry{};
    entry.start = who.start;
    entry.exec_id = who.exec_id;
    entry.location = placement.placed().location;
    entry.id = placement.placed().id;
    bool is_set = memory_.SetProcess(who.pid, entry).ok();
    (is_set ? published_ : refused_)++;
    return is_set;
}

} // namespace emberscope
