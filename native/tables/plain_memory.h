// Unwind tables in ordinary memory, without BPF: for tests, fuzzers and measurements.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "tables/table_memory.h"

namespace emberscope {

class PlainMemory : public TableMemory {
  public:
    // AddShard() fails beyond `shards_max`.
    explicit PlainMemory(uint32_t shards_max = SHARDS_MAX)
        : shards_max_(shards_max), rules_(RULES_MAX), directory_(DIRECTORY_PAGES) {}

    Result<uint8_t *> AddShard(uint32_t index) override {
        if (index != shards_.size() || index >= shards_max_) {
            return Status::Error(Kind::invalid, "shard " + std::to_string(index) + " cannot be made");
        }
        shards_.push_back(std::make_unique<Shard>());
        return shards_.back()->bytes;
    }
    unwind_rule *rules() override { return rules_.data(); }
    uint32_t *directory() override { return directory_.data(); }
    void WaitForReaders() override { ++waits_; }
    Status SetProcess(uint32_t pid, const process_entry &entry) override {
        processes_[pid] = entry;
        return Status::Ok();
    }
    void DropProcess(uint32_t pid) override { processes_.erase(pid); }

    const std::map<uint32_t, process_entry> &processes() const { return processes_; }
    uint64_t waits() const { return waits_; } // calls of WaitForReaders()

  private:
    struct alignas(ARENA_UNIT) Shard {
        uint8_t bytes[SHARD_BYTES];
    };
    uint32_t shards_max_;
    std::vector<std::unique_ptr<Shard>> shards_; // zeroed by make_unique
    std::vector<unwind_rule> rules_;
    std::vector<uint32_t> directory_;
    std::map<uint32_t, process_entry> processes_;
    uint64_t waits_ = 0;
};

} // namespace emberscope
