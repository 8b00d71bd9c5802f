// Compressed sections (SHF_COMPRESSED, and .zdebug_* of older tools), unpacked into memory.
#pragma once

#include <memory>
#include <vector>

#include "elf_file.h"

namespace emberscope {

class UnpackedSection {
  public:
    explicit UnpackedSection(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)), source_(bytes_) {}
    UnpackedSection(const UnpackedSection &) = delete;
    UnpackedSection &operator=(const UnpackedSection &) = delete;
    const ByteSource &source() const { return source_; }
    uint64_t size() const { return bytes_.size(); }

  private:
    std::vector<uint8_t> bytes_;
    MemorySource source_;
};

bool IsPacked(const ElfSection &section);
// Memory is limited to what the data really holds and to 64 MiB. Kinds: corrupt, io, unsupported (zstd, too
// large).
Result<std::unique_ptr<UnpackedSection>> UnpackSection(const ElfFile &file, const ElfSection &section);

} // namespace emberscope
