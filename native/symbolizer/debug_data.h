// The debug sections of one ELF file, mapped or unpacked, as a DWARFContext of LLVM. Only a descriptor comes
// in: nothing here knows a path, and the sections lookups never read (locations, macros) are not unpacked at
// all.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "llvm/ADT/StringMap.h"
#include "llvm/DebugInfo/DWARF/DWARFContext.h"
#include "llvm/Support/MemoryBuffer.h"

#include "../status.h"

namespace emberscope {

// A file mapped read-only, unmapped with the object. A file cut short under the mapping ends this process
// with SIGBUS, which costs the file's lines: the client counts it.
class MappedFile {
  public:
    static Result<MappedFile> Map(int fd);
    MappedFile() = default;
    MappedFile(MappedFile &&other) noexcept;
    MappedFile &operator=(MappedFile &&other) noexcept;
    ~MappedFile();
    llvm::StringRef bytes() const { return {data_, size_}; }

  private:
    const char *data_ = nullptr;
    size_t size_ = 0;
};

class DebugData {
  public:
    // Errors: not_elf, corrupt (sections that lie), unsupported (unpacked size above `unpacked_limit`), io.
    static Result<std::unique_ptr<DebugData>> Open(int fd, uint64_t unpacked_limit);

    bool has_info() const { return sections_.count("debug_info") != 0; }
    llvm::DWARFContext &context() { return *context_; }
    // Forgets all that was parsed so far: LLVM keeps every unit it once looked into. Entries and units of
    // before are invalid after.
    void Renew();
    // Complaints of the DWARF parser so far: the data is damaged, the answers may be partial.
    uint64_t damage() const { return damage_; }

  private:
    DebugData() = default;
    Status ReadSections(uint64_t unpacked_limit);
    Status AddSection(llvm::StringRef name, llvm::StringRef contents);
    Status AddCompressed(llvm::StringRef name, llvm::StringRef contents, uint64_t unpacked_limit);

    MappedFile file_;
    bool little_endian_ = true;
    uint8_t address_size_ = 8;
    uint64_t unpacked_bytes_ = 0;
    uint64_t damage_ = 0;
    llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> sections_;
    std::unique_ptr<llvm::DWARFContext> context_;
};

} // namespace emberscope
