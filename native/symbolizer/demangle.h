// Mangled names -> names for people: Itanium C++, Rust v0, Rust legacy. D names are left as they are.
#pragma once

#include <string>
#include <string_view>

namespace emberscope {

// Longer names stay as they are: the demangler recurses with the name's nesting.
constexpr size_t kMaxMangledBytes = 16 * 1024;

// The readable form, or the name itself where it is not mangled or cannot be read. What a compiler adds to
// the parts of a function (.cold, .part.0, .isra.0, .constprop.0) follows as " [clone .part.0]", as binutils
// and perf write it, and stays as it is on a C name. .llvm.N and .lto_priv.N are left away: they tell
// nothing.
std::string Demangle(std::string_view name);

} // namespace emberscope
