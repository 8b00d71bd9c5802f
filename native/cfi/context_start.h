// Functions that are entered by a return, on a stack that someone prepared (makecontext's __start_context):
// they begin by taking another stack, so that nothing calls them, whatever their table says.
#pragma once

#include <vector>

#include "cfi/row_source.h"
#include "elf_file.h"

namespace emberscope {

// The collector's spans with such functions as roots. The byte before one is a root too: there a return
// address is looked up, and behind a gap no call ends. `offset`: what makes a file offset of an address. The
// collector begins and ends a byte beyond the code that is asked for, so that gaps are seen at its edges.
std::vector<RowSpan> WithContextStarts(const RowCollector &collector, const ElfFile &file, uint64_t offset);

} // namespace emberscope
