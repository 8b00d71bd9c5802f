#include "kernel_features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cstdint>
#include <sys/resource.h>

#include "file_reader.h"

namespace emberscope {

bool HasBpfLoop() {
    return libbpf_probe_bpf_helper(BPF_PROG_TYPE_PERF_EVENT, BPF_FUNC_loop, nullptr) == 1;
}

bool HasRuntimeAllocatedHashes() {
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
    Fd map(bpf_map_create(BPF_MAP_TYPE_HASH, "probe", sizeof(uint32_t), sizeof(uint32_t), 1, &options));
    if (!map.valid()) return false;
    // r1 = map; r0 = 0; exit: the verifier judges the map by its mere use.
    bpf_insn program[] = {
        {.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map.get()},
        {},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    Fd loaded(bpf_prog_load(BPF_PROG_TYPE_PERF_EVENT, "probe", "GPL", program,
                            sizeof(program) / sizeof(*program), nullptr));
    return loaded.valid();
}

void RaiseMemoryLockLimit() {
    rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0 || getrlimit(RLIMIT_MEMLOCK, &limit)) return;
    limit.rlim_cur = limit.rlim_max; // without CAP_SYS_RESOURCE
    setrlimit(RLIMIT_MEMLOCK, &limit);
}

} // namespace emberscope
