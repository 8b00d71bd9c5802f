// What is special about a function of a Go program, besides its stack depths: roots of stacks, the runtime's
// switches from one stack to another, signal frames, and where assembly keeps the caller's frame pointer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "elf_gopclntab.h"

namespace emberscope {

enum class GoRole {
    plain,
    root,          // the first frame of its stack
    root_switched, // leaves its caller's stack for good: the first frame of the new one
    switched,      // runs on another stack for a while; the frame pointer stays with the old one
    signal_return, // the kernel's signal frame lies at sp
};

// `name` may be empty where `function` has no flags and its version has them: such functions are plain.
GoRole RoleOf(std::string_view name, const GoFunction &function);

// First address in `code` (the function's bytes, at its start) behind the instruction that gives sp a value
// from elsewhere, counted from the start; 0 when none is found: then it may be anywhere.
uint64_t FindStackSwitch(Bytes code, bool arm64);

// The instruction of a function in assembly that saves the caller's frame pointer at sp + offset; in_force:
// from where on, counted from the start.
struct FramePointerSave {
    uint64_t in_force = 0;
    int32_t offset = 0;
};
std::optional<FramePointerSave> FindFramePointerSave(Bytes code, bool arm64);

} // namespace emberscope
