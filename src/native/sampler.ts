/** Face of the native sampler: BPF programs, perf events, the sample ring and the side-band, as one closable object. */
import type { EventBatch, SampleBatch } from './sample-batch.ts'

/** What to sample. All given filters must hold (AND). */
export interface SamplerOptions {
  /** Samples per second and CPU, 1 to 999. */
  readonly rateHz: number
  /** Event: 'cpu-clock' (software) or 'cycles' (hardware); 'auto' takes cycles where a PMU exists. */
  readonly event: 'auto' | 'cpu-clock' | 'cycles'
  /** Only processes of the pid set (see addTarget) and their later children; false: every process. */
  readonly byPid: boolean
  /** 0: all; else an open descriptor of a cgroup v2 directory. */
  readonly cgroupFd: number
  /** '' : all; else the thread name must be equal (first 15 bytes). */
  readonly comm: string
  readonly kernelStacks: boolean
  /** Timer ticks per sample (and a fraction, see bpf/abi.h), of which one at random is kept; 1: strictly periodic. */
  readonly dither: number
  /** Inode and device of our pid namespace when it is not the host's, else 0. */
  readonly pidNamespaceInode: number
  /** Bytes of the sample ring, a power of two of at least 4096; see ringBytes() in pipeline/ring-size.ts. */
  readonly ringBytes: number
}

export interface NativeSampler {
  /** The event in use: 'cpu-clock' or 'cycles'. */
  readonly event: string
  /** Puts a process into the pid set. Errors: TypeError for no pid; code 'usage' when the set (65 536) is full. */
  addTarget(pid: number): void
  /** Starts the timers. */
  start(): void
  /** Stops the timers; what is in the rings stays to be drained. Safe to call twice. */
  stop(): void
  /** Moves every record now in the ring into one batch, without waiting. */
  drain(): SampleBatch
  /** Moves every side-band record now in the perf rings into one batch, sorted by time. */
  drainEvents(): EventBatch
  /** Values in the order of AbiNames.counters, summed over CPUs. */
  counters(): Float64Array
  /** Runs and nanoseconds of our BPF programs by the kernel's own statistics (BPF_ENABLE_STATS); zeros when not permitted. */
  bpfStats(): { readonly runs: number; readonly timeNs: number }
  /** Frees everything. Safe to call twice; any later call throws AgentError-like Error with code 'sampler_closed'. */
  close(): void
}

export type NativeSamplerConstructor = new (options: SamplerOptions) => NativeSampler
