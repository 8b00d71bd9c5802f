#include "tables/bpf_table_memory.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <linux/membarrier.h>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace emberscope {

SharedPages::SharedPages(SharedPages &&other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

SharedPages &SharedPages::operator=(SharedPages &&other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

SharedPages::~SharedPages() {
    if (data_) munmap(data_, bytes_);
}

// The kernel maps whole pages, and refuses more than the map's values fill.
Result<SharedPages> SharedPages::OfMap(int map_fd, size_t bytes, const char *what) {
    auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    SharedPages pages;
    pages.bytes_ = (bytes + page - 1) / page * page;
    void *data = mmap(nullptr, pages.bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
    if (data == MAP_FAILED) return Status::Error(Kind::io, std::string("cannot map ") + what, errno);
    pages.data_ = static_cast<uint8_t *>(data);
    return pages;
}

Result<std::unique_ptr<BpfTableMemory>> BpfTableMemory::Open(const Maps &maps) {
    std::unique_ptr<BpfTableMemory> memory(new BpfTableMemory(maps));
    auto rules = SharedPages::OfMap(maps.rules, RULES_MAX * sizeof(unwind_rule), "the unwind rules");
    if (!rules.ok()) return rules.status();
    memory->rules_ = std::move(rules.value());
    auto directory =
        SharedPages::OfMap(maps.directory, DIRECTORY_PAGES * sizeof(uint32_t), "the unwind directory");
    if (!directory.ok()) return directory.status();
    memory->directory_ = std::move(directory.value());
    return memory;
}

Result<uint8_t *> BpfTableMemory::AddShard(uint32_t index) {
    std::string name = "unwind table shard " + std::to_string(index);
    if (index >= SHARDS_MAX) return Status::Error(Kind::invalid, "no room for " + name);
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
    Fd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "shard", sizeof(uint32_t), SHARD_BYTES, 1, &options));
    if (!map.valid()) return Status::Error(Kind::io, "cannot create " + name, errno);
    auto pages = SharedPages::OfMap(map.get(), SHARD_BYTES, name.c_str());
    if (!pages.ok()) return pages.status();
    int fd = map.get();
    if (bpf_map_update_elem(maps_.shards, &index, &fd, BPF_ANY))
        return Status::Error(Kind::io, "cannot insert " + name, errno);
    shards_[index] = std::move(pages.value());
    if (!first_shard_.valid()) first_shard_ = std::move(map);
    return shards_[index].data();
}

// Where membarrier is refused (nohz_full), an update of the map-in-map waits for the same grace period.
void BpfTableMemory::WaitForReaders() {
    if (!first_shard_.valid() || syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0) return;
    uint32_t slot = 0;
    int fd = first_shard_.get();
    bpf_map_update_elem(maps_.shards, &slot, &fd, BPF_ANY);
}

Status BpfTableMemory::SetProcess(uint32_t pid, const process_entry &entry) {
    if (bpf_map_update_elem(maps_.processes, &pid, &entry, BPF_ANY))
        return Status::Error(Kind::io, "cannot publish the mappings of pid " + std::to_string(pid), errno);
    return Status::Ok();
}

void BpfTableMemory::DropProcess(uint32_t pid) {
    bpf_map_delete_elem(maps_.processes, &pid);
}

} // namespace emberscope
