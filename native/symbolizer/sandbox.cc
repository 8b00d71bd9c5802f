// Order matters: rights go first, while the system calls for it are still allowed; the filter comes last.
#include "sandbox.h"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace emberscope {
namespace {

constexpr unsigned kNobody = 65534;
constexpr uint64_t kFirstFile = 3;

#if defined(__x86_64__)
constexpr uint32_t kAuditArch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kAuditArch = AUDIT_ARCH_AARCH64;
#else
#error "the system call filter is written for x86-64 and aarch64"
#endif

Status Failed(const char *step) {
    const int error = errno;
    return Status::Error(Kind::not_permitted, std::string(step) + ": " + strerror(error), error);
}

Status SetLimit(int resource, uint64_t value, const char *name) {
    struct rlimit limit;
    if (getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return Failed(name);
    // Never above what we were started with: raising a hard limit needs a capability.
    if (limit.rlim_max != RLIM_INFINITY && value > limit.rlim_max) value = limit.rlim_max;
    limit.rlim_cur = limit.rlim_max = value;
    if (setrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return Failed(name);
    return Status::Ok();
}

Status SetLimits(const SandboxLimits &limits) {
    const struct {
        int resource;
        uint64_t value;
        const char *name;
    } rows[] = {
        {RLIMIT_DATA, limits.heap_bytes, "RLIMIT_DATA"},
        {RLIMIT_AS, limits.address_space_bytes, "RLIMIT_AS"},
        {RLIMIT_CPU, limits.cpu_seconds, "RLIMIT_CPU"},
        {RLIMIT_FSIZE, 0, "RLIMIT_FSIZE"},
        {RLIMIT_CORE, 0, "RLIMIT_CORE"},
        {RLIMIT_NOFILE, kFirstFile + limits.files, "RLIMIT_NOFILE"},
        {RLIMIT_NPROC, 0, "RLIMIT_NPROC"},
    };
    for (const auto &row : rows) {
        if (Status status = SetLimit(row.resource, row.value, row.name); !status.ok()) return status;
    }
    return Status::Ok();
}

Status CloseOtherFiles(uint64_t files) {
    const unsigned first = static_cast<unsigned>(kFirstFile + files);
    if (syscall(SYS_close_range, first, ~0U, 0) == 0) return Status::Ok();
    // Before Linux 5.9: one by one, up to the highest number a process may have here.
    if (errno != ENOSYS) return Failed("close_range");
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return Failed("RLIMIT_NOFILE");
    for (rlim_t fd = first; fd < limit.rlim_max && fd < (1 << 20); ++fd) {
        close(static_cast<int>(fd));
    }
    return Status::Ok();
}

Status BecomeNobody() {
    if (geteuid() != 0 && getuid() != 0) return Status::Ok();
    if (setgroups(0, nullptr) != 0 && errno != EPERM) return Failed("setgroups");
    // EINVAL: the user namespace has no such id (a rootless container). EPERM: the container has no
    // CAP_SETGID and CAP_SETUID, as a pod of ours. Root without capabilities and without a way to open
    // anything is then as little as we can be.
    const auto may_stay = [] { return errno == EINVAL || errno == EPERM; };
    if (setresgid(kNobody, kNobody, kNobody) != 0 && !may_stay()) return Failed("setresgid");
    if (setresuid(kNobody, kNobody, kNobody) != 0 && !may_stay()) return Failed("setresuid");
    return Status::Ok();
}

Status DropCapabilities() {
    // The bounding set can only be emptied with CAP_SETPCAP; no_new_privs makes it moot without.
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
        prctl(PR_CAPBSET_DROP, capability);
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (Status status = BecomeNobody(); !status.ok()) return status;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
    if (syscall(SYS_capset, &header, none) != 0) return Failed("capset");
    return Status::Ok();
}

// Allowed whatever the arguments. Measured with strace over DWARF 4 and 5, compressed, split and damaged
// files.
constexpr int kAllowed[] = {
    SYS_read,       SYS_write,        SYS_pread64,       SYS_lseek,     SYS_close, SYS_fstat,
    SYS_munmap,     SYS_mremap,       SYS_brk,           SYS_madvise,   SYS_futex, SYS_exit,
    SYS_exit_group, SYS_rt_sigreturn, SYS_clock_gettime, SYS_getrandom,
};
// Allowed without PROT_EXEC in the third argument.
constexpr int kAllowedWithoutExec[] = {SYS_mmap, SYS_mprotect};

sock_filter Load(size_t offset) {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}

sock_filter Return(uint32_t action) {
    return BPF_STMT(BPF_RET | BPF_K, action);
}

std::vector<sock_filter> BuildFilter() {
    std::vector<sock_filter> filter;
    // x32 calls come under the same audit architecture, but their numbers have bit 30 set: in no row below.
    filter.push_back(Load(offsetof(seccomp_data, arch)));
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kAuditArch, 1, 0));
    filter.push_back(Return(SECCOMP_RET_KILL_PROCESS));
    filter.push_back(Load(offsetof(seccomp_data, nr)));
    for (int number : kAllowed) {
        filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 1));
        filter.push_back(Return(SECCOMP_RET_ALLOW));
    }
    for (int number : kAllowedWithoutExec) {
        // Not this number: skip the four instructions that look at its third argument (both targets are
        // little-endian, so the low word of the 64-bit argument comes first).
        filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 4));
        filter.push_back(Load(offsetof(seccomp_data, args[2])));
        filter.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0));
        filter.push_back(Return(SECCOMP_RET_ALLOW));
        filter.push_back(Return(SECCOMP_RET_KILL_PROCESS));
    }
    filter.push_back(Return(SECCOMP_RET_KILL_PROCESS));
    return filter;
}

Status InstallFilter() {
    std::vector<sock_filter> filter = BuildFilter();
    const sock_fprog program = {static_cast<unsigned short>(filter.size()), filter.data()};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) return Failed("seccomp filter");
    return Status::Ok();
}

} // namespace

Status EnterSandbox(const SandboxLimits &limits) {
    if (Status status = CloseOtherFiles(limits.files); !status.ok()) return status;
    if (Status status = DropCapabilities(); !status.ok()) return status;
    // Set after the change of uid, which clears it: we die with the agent that asks.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return Failed("PR_SET_PDEATHSIG");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Failed("PR_SET_NO_NEW_PRIVS");
    if (Status status = SetLimits(limits); !status.ok()) return status;
    return InstallFilter();
}

} // namespace emberscope
