#include "go_functions.h"

#include <algorithm>
#include <array>

namespace emberscope {

namespace {

constexpr size_t kPrologue = 96; // where assembly saves registers, behind the check for stack space too

// By name, because the numbers of runtime's special functions changed with almost every version.
constexpr std::array<std::string_view, 7> kRoots = {
    "runtime.goexit", "runtime.mstart",   "runtime.rt0_go",     "_rt0_amd64_linux",
    "_rt0_amd64",     "_rt0_arm64_linux", "runtime.mstart_stub"};
constexpr std::array<std::string_view, 5> kLeavers = {"runtime.mcall", "runtime.morestack", "runtime.gogo",
                                                      "gogo", "runtime.switchToCrashStack0"};
// Of Go 1.16, which had no flags yet.
constexpr std::array<std::string_view, 6> kSwitches = {"runtime.systemstack", "runtime.asmcgocall",
                                                       "runtime.cgocallback", "runtime.nanotime1",
                                                       "runtime.walltime1",   "time.now"};
constexpr std::array<std::string_view, 2> kSignalReturns = {"runtime.sigreturn__sigaction",
                                                            "runtime.sigreturn"};

template <size_t Count> bool IsOneOf(std::string_view name, const std::array<std::string_view, Count> &list) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

// A value for rsp: mov from memory, mov from a register, and (alignment), lea unless from rsp itself.
bool WritesStackPointer(Bytes code) {
    if (code.size() < 4 || (code[0] & 0xf8) != 0x48) return false;
    const bool rsp_is_reg = (code[2] & 0x38) == 0x20 && (code[0] & 4) == 0;
    switch (code[1]) {
    case 0x8b:
        return rsp_is_reg;
    case 0x8d:
        return rsp_is_reg && ((code[2] & 7) != 4 || code[3] != 0x24);
    case 0x89:
        return (code[2] & 0xc7) == 0xc4 && (code[0] & 1) == 0;
    case 0x83:
    case 0x81:
        return code[2] == 0xe4 && (code[0] & 1) == 0;
    default:
        return false;
    }
}

// push %rbp; mov %rsp,%rbp, or mov %rbp,d(%rsp).
std::optional<FramePointerSave> SaveAt(Bytes code, size_t at) {
    if (LoadAt<uint32_t>(code, at) == 0xe5894855) return FramePointerSave{at + 1, 0};
    if (LoadAt<uint32_t>(code, at) == 0x246c8948)
        return FramePointerSave{at + 5, LoadAt<int8_t>(code, at + 4)};
    if (LoadAt<uint32_t>(code, at) == 0x24ac8948)
        return FramePointerSave{at + 8, LoadAt<int32_t>(code, at + 4)};
    return std::nullopt;
}

// stp x29,x30,[sp,#imm]
std::optional<FramePointerSave> SaveAtArm64(Bytes code, size_t at) {
    const auto instruction = LoadAt<uint32_t>(code, at);
    if ((instruction & 0xffe07fff) != 0xa9007bfd) return std::nullopt;
    return FramePointerSave{at + 4, static_cast<int32_t>((instruction >> 15 & 0x3f) * 8)};
}

} // namespace

GoRole RoleOf(std::string_view name, const GoFunction &function) {
    if (IsOneOf(name, kRoots)) return GoRole::root;
    if (IsOneOf(name, kLeavers)) return GoRole::root_switched;
    if (IsOneOf(name, kSignalReturns)) return GoRole::signal_return;
    // The runtime ends its own walk in the signal handler; ours goes on through the signal frame.
    if ((function.flags & kGoTopFrame) && name != "runtime.sigtramp") return GoRole::root;
    if ((function.flags & kGoWritesStackPointer) || IsOneOf(name, kSwitches)) return GoRole::switched;
    return GoRole::plain;
}

uint64_t FindStackSwitch(Bytes code, bool arm64) {
    for (size_t at = 0; at + 4 <= code.size(); at += arm64 ? 4 : 1) {
        if (!arm64) {
            // No instruction of these is shorter than 3 bytes, and none after it starts earlier.
            if (WritesStackPointer(code.subspan(at))) return at + 3;
            continue;
        }
        const auto instruction = LoadAt<uint32_t>(code, at);
        const bool is_add_sp = (instruction & 0xff80001f) == 0x9100001f; // add sp, xn, #imm
        if (is_add_sp && (instruction >> 5 & 31) != 31) return at + 4;
    }
    return 0;
}

std::optional<FramePointerSave> FindFramePointerSave(Bytes code, bool arm64) {
    const size_t limit = std::min(code.size(), kPrologue);
    for (size_t at = 0; at + 4 <= limit; at += arm64 ? 4 : 1) {
        const auto save = arm64 ? SaveAtArm64(code, at) : SaveAt(code, at);
        if (save) return save;
    }
    return std::nullopt;
}

} // namespace emberscope
