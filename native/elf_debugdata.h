// .gnu_debugdata ("MiniDebugInfo"): an ELF file with the local functions' symbols, xz-compressed into a
// section.
#pragma once

#include <cstdint>
#include <vector>

#include "elf_file.h"

namespace emberscope {

// The ELF file inside; memory is limited, so an xz bomb is an `unsupported` status. Call only where the
// section exists.
Result<std::vector<uint8_t>> UnpackDebugData(const ElfFile &file, const ElfSection &section);

} // namespace emberscope
