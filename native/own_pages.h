// The pages of files that this process has mapped: those of Node's executable are half of a small agent.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace emberscope {

struct AddressRange {
    size_t start = 0, end = 0;
};

// From the text of a smaps file: mappings of files that are private, not writable, resident by 1 MiB at
// least, and of which no page was ever written. What is in them is in the file.
std::vector<AddressRange> CleanFileMappings(const std::string &smaps);

// Drops such pages from our page tables. They stay in the page cache, and come back, sixteen at a time, when
// they are touched; those that only the start needed do not. Returns the bytes of the mappings, 0 when
// nothing could be done.
size_t DropCleanFilePages();

} // namespace emberscope
