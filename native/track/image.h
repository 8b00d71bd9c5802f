// The executable memory of one program image as the unwinders want it: sorted mappings, none of which
// overlap. A mapping shown later hides what it overlaps, as in the process.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "track/file_table.h"
#include "track/tracker.h"

namespace emberscope {

class Placement;

// Shared by an image, its forks, what is published of it, and parked samples; changed only by its last owner.
struct TrackedMappings : ImageMappings {
    std::weak_ptr<Placement> placement; // where it is published already
};

// Mappings that would make an image have more than MAPPINGS_MAX are left out, those without a file first.
class ImageBuilder {
  public:
    explicit ImageBuilder(TrackedMappings *image) : image_(image) {}
    // True when the image shows exactly this already, so that Show() would change nothing.
    bool IsShown(const ShownFile &shown, const FileTable::Identity &identity) const;
    // True when Show() would take something with other rows out of sight.
    bool Hides(const ShownFile &shown, const FileTable::Identity &identity) const;
    void Show(const ShownFile &shown, const FileTable::Identity &identity);
    // How many mappings were left out.
    uint64_t left_out() const { return left_out_; }

  private:
    struct Piece {
        unwind_mapping mapping;
        std::shared_ptr<TableFile> file;
    };
    static std::vector<Piece> PiecesOf(const ShownFile &shown, const FileTable::Identity &identity);
    bool ShowsPiece(const Piece &piece) const;
    void ShowPiece(const Piece &piece);
    static void Join(std::vector<Piece> *parts, const Piece &next);
    bool MakeRoom(const Piece &piece);
    size_t FirstEndingAfter(uint64_t address) const;

    TrackedMappings *image_;
    uint64_t left_out_ = 0;
};

// The mapping that holds `address`, nullptr when none does.
const unwind_mapping *MappingAt(const ImageMappings &image, uint64_t address);
bool IsSameMemory(std::span<const unwind_mapping> a, std::span<const unwind_mapping> b);

} // namespace emberscope
