// Unwind rows of Go code out of .gopclntab: its stack depth at every pc, which the runtime itself relies on
// to copy stacks. Unlike the .debug_frame that Go writes, it survives stripping and tells roots and stack
// switches.
#pragma once

#include <memory>

#include "elf_file.h"
#include "row_source.h"

namespace emberscope {

// A null pointer when the file is no Go program; `file` and its source must outlive the rows. Errors: corrupt
// (a Go program whose table cannot be used), unsupported (a machine we have no rules for), io.
Result<std::unique_ptr<RowSource>> OpenGoRows(const ElfFile &file);

} // namespace emberscope
