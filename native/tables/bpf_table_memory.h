// The unwind tables' memory inside BPF maps: every array is mapped, so that rows are written without a system
// call. A shard is a map of its own, put into the map-in-map `shards` when it is first needed.
#pragma once

#include <array>
#include <memory>

#include "file_reader.h"
#include "tables/table_memory.h"

namespace emberscope {

// Memory shared with the kernel; unmapped at the end.
class SharedPages {
  public:
    SharedPages() = default;
    SharedPages(SharedPages &&other) noexcept;
    SharedPages &operator=(SharedPages &&other) noexcept;
    SharedPages(const SharedPages &) = delete;
    SharedPages &operator=(const SharedPages &) = delete;
    ~SharedPages();
    // Maps the values of an array map made with BPF_F_MMAPABLE. Errors: io.
    static Result<SharedPages> OfMap(int map_fd, size_t bytes, const char *what);
    uint8_t *data() const { return data_; }

  private:
    uint8_t *data_ = nullptr;
    size_t bytes_ = 0;
};

class BpfTableMemory : public TableMemory {
  public:
    // Descriptors of the loaded maps (bpf/maps.h); they must outlive this object.
    struct Maps {
        int shards, directory, rules, processes;
    };
    static Result<std::unique_ptr<BpfTableMemory>> Open(const Maps &maps);

    Result<uint8_t *> AddShard(uint32_t index) override;
    unwind_rule *rules() override { return reinterpret_cast<unwind_rule *>(rules_.data()); }
    uint32_t *directory() override { return reinterpret_cast<uint32_t *>(directory_.data()); }
    void WaitForReaders() override;
    Status SetProcess(uint32_t pid, const process_entry &entry) override;
    void DropProcess(uint32_t pid) override;

  private:
    explicit BpfTableMemory(const Maps &maps) : maps_(maps) {}
    Maps maps_;
    SharedPages rules_, directory_;
    std::array<SharedPages, SHARDS_MAX> shards_;
    Fd first_shard_; // kept for WaitForReaders()
};

} // namespace emberscope
