/** What one drain() moves over the native boundary: struct of arrays, the only shape TypeScript sees of a record. */

/**
 * All sample records that were in the ring, in ring order, plus the stacks not seen before in this session.
 *
 * Shape: sample i shows stack `stack[i]` (a dense id, valid until forgetStacks()). Stacks `firstNewStack + j`
 * (j = 0..newStackPid.length-1) are described once, in the batch where they first occur: frames of stack j are
 * frames[newStackStart[j]..newStackStart[j+1]), leaf first, the first `newStackKernelFrames[j]` of them kernel frames.
 * `frames` are process addresses as the CPU saw them (callers: return addresses), see model/addresses.ts.
 */
export interface SampleBatch {
  readonly stack: Int32Array
  readonly pid: Int32Array
  readonly tid: Int32Array
  /** CLOCK_BOOTTIME nanoseconds. */
  readonly timeNs: Float64Array
  /** CLOCK_BOOTTIME nanoseconds of the start of its process: with the pid, its identity. */
  readonly processStartNs: Float64Array
  /** Inode of the cgroup v2 directory that the thread is in. */
  readonly cgroupId: Float64Array
  /** Index into `comms`: the thread's name when the sample was taken. */
  readonly comm: Int32Array
  readonly comms: readonly string[]
  /** Index into AbiNames.stackEnds. */
  readonly stackEnd: Uint8Array
  /** At whose rate it was taken: 0 the base rate, else 1 + the index into SamplerOptions.rateRules. */
  readonly rule: Uint8Array
  readonly firstNewStack: number
  readonly newStackPid: Int32Array
  readonly newStackTimeNs: Float64Array
  readonly newStackKernelFrames: Int32Array
  readonly newStackStart: Int32Array
  readonly frames: Float64Array
}

/** Process events of the perf side-band, sorted by time. Strings are '' when the kind has none. */
export interface EventBatch {
  /** Index into AbiNames.eventKinds: 'mmap' | 'comm' | 'exec' | 'fork' | 'exit' | 'lost'. */
  readonly kind: Uint8Array
  readonly pid: Int32Array
  readonly tid: Int32Array
  /** fork: parent pid; lost: number of records lost; else 0. */
  readonly extra: Int32Array
  readonly timeNs: Float64Array
  /** mmap only: process addresses [start, end) and file offset. */
  readonly start: Float64Array
  readonly end: Float64Array
  readonly fileOffset: Float64Array
  /** mmap: path; comm, exec: the name. */
  readonly name: readonly string[]
  /** mmap: build id in hex. */
  readonly buildId: readonly string[]
}

/** Names of the enums that BPF and C++ share (from bpf/abi.h), exported by the addon. */
export interface AbiNames {
  readonly version: number
  readonly stackEnds: readonly {
    readonly name: string
    readonly quality: 'complete' | 'approximate' | 'truncated'
  }[]
  readonly counters: readonly string[]
  readonly eventKinds: readonly string[]
}
