#include "architecture.h"

#include <elf.h>

namespace emberscope {

namespace {

constexpr Architecture kX86{.stack_pointer = 7,
                            .frame_pointer = 6,
                            .kept = 3,
                            .return_address = 16,
                            .registers = 16,
                            .return_in_register = false};
constexpr Architecture kArm64{.stack_pointer = 31,
                              .frame_pointer = 29,
                              .kept = kNoRegister,
                              .return_address = 30,
                              .registers = 32,
                              .return_in_register = true};

} // namespace

const Architecture *ArchitectureOf(uint16_t machine) {
    if (machine == EM_X86_64) return &kX86;
    return machine == EM_AARCH64 ? &kArm64 : nullptr;
}

uint16_t HostMachine() {
#if defined(__aarch64__)
    return EM_AARCH64;
#else
    return EM_X86_64;
#endif
}

} // namespace emberscope
