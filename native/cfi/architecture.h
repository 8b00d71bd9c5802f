// What call frame information means on each architecture we follow, by DWARF register numbers. A run-time
// value, so that the rules of either can be made and tested on both.
#pragma once

#include <cstdint>

namespace emberscope {

constexpr uint64_t kNoRegister = UINT64_MAX;

struct Architecture {
    uint8_t stack_pointer;
    uint64_t frame_pointer;
    uint64_t kept; // a second register whose value rules carry through frames, kNoRegister when none
    uint64_t return_address; // the column that must hold it
    uint64_t registers;      // those below may be the base of a frame
    // A return address without a rule is still in its register; elsewhere that would be no frame at all.
    bool return_in_register;
};

// By e_machine; nullptr when we follow no such stacks.
const Architecture *ArchitectureOf(uint16_t machine);
// e_machine of the host this is compiled for.
uint16_t HostMachine();

} // namespace emberscope
