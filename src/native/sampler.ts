/** Face of the native sampler: BPF programs, perf events, the sample ring and the side-band, as one closable object. */
import type { EventBatch, SampleBatch } from './sample-batch.ts'

/** A target with a rate of its own, named by one of these. */
export interface RateRule {
  readonly by: 'cgroup' | 'pidNamespace' | 'comm' | 'pid'
  /** An open descriptor of a cgroup v2 directory; used by 'cgroup', as the others by theirs. */
  readonly cgroupFd: number
  /** Inode of the innermost one. */
  readonly pidNamespace: number
  /** Thread name, its first 15 bytes. */
  readonly comm: string
  /** Processes, and with them what they fork from now on. */
  readonly pids: readonly number[]
  /** Of `rateHz`: 0 for no samples, or 1/1024 to 1. */
  readonly share: number
}

/** What to sample. All given filters must hold (AND). */
export interface SamplerOptions {
  /** Samples per second and CPU of the timer, 1 to 999: the highest rate of all. */
  readonly rateHz: number
  /** Share of `rateHz` for what no rule names. Without rules it is not used: all has the timer's rate. */
  readonly baseShare: number
  /** The first that names the task decides; at most 16. */
  readonly rateRules: readonly RateRule[]
  /** Event: 'cpu-clock' (software) or 'cycles' (hardware); 'auto' takes cycles where a PMU exists. */
  readonly event: 'auto' | 'cpu-clock' | 'cycles'
  /** Only processes of the pid set (see addTarget) and their later children; false: every process. */
  readonly byPid: boolean
  /** None: all; else open descriptors of cgroup v2 directories, at most 64, of which one must hold the task. */
  readonly cgroupFds: readonly number[]
  /** None: all; else the thread name must be equal (first 15 bytes) to one of these, at most 256. */
  readonly comms: readonly string[]
  /** None: all; else inodes of pid namespaces, at most 64: the task's innermost one must be among them. */
  readonly pidNamespaces: readonly number[]
  readonly kernelStacks: boolean
  /** Timer ticks per sample (and a fraction, see bpf/abi.h), of which one at random is kept; 1: strictly periodic. */
  readonly dither: number
  /** Inode and device of our pid namespace when it is not the host's, else 0. */
  readonly pidNamespaceInode: number
  /** Bytes of the sample ring, a power of two of at least 4096; see ringBytes() in pipeline/ring-size.ts. */
  readonly ringBytes: number
  /** Which of the two BPF unwinders: 'auto' takes the loop (kernels from 5.17 on) where it can. */
  readonly unwinder: 'auto' | UnwinderVariant
  /** Where parsed unwind tables are kept between runs; '' for nowhere. */
  readonly cacheDir: string
  /** Unwind tables in kernel memory, at least 1 MiB: past it the least used are evicted. */
  readonly kernelBudgetBytes: number
  /** Indexes of tables and stacks that wait for a table, in our memory, at least 1 MiB. */
  readonly userBudgetBytes: number
  /** Bytes of the ring of raw stacks, a power of two of at least 4096; see rawRingBytes(). */
  readonly rawRingBytes: number
  /** Stacks that may be unwound in user space in a second, of all CPUs together; 0: none. */
  readonly rawStacksPerSecond: number
}

export type UnwinderVariant = 'loop' | 'tail-calls'

/** What unwinding holds and has done. Sizes in bytes. */
export interface UnwindStats {
  readonly tracker: {
    readonly processes: number
    readonly files: number
    readonly unreadableFiles: number
    readonly published: number
    readonly rescans: number
    readonly lostEvents: number
  }
  readonly tables: {
    /** Every BPF map but the shards: rings, directory, rules, hashes. */
    readonly mapBytes: number
    /** Filled in the shards now, and at most so far. */
    readonly bytes: number
    readonly bytesMax: number
    /** The shards as the kernel charges them. */
    readonly shardBytes: number
    readonly pages: number
    readonly evicted: number
    /** Pages that found no room. */
    readonly refused: number
    readonly rules: number
    readonly mappingTables: number
  }
  readonly loader: {
    readonly parsed: number
    readonly fromCache: number
    readonly failed: number
    /** Asked while too many were. */
    readonly refused: number
    /** Pages, to the cache; and not, for want of room, rights or time. */
    readonly written: number
    readonly notWritten: number
    readonly bytes: number
  }
  readonly raw: {
    /** Stacks that user space finished. */
    readonly finished: number
    readonly parked: number
    readonly parkedBytes: number
    readonly unmatched: number
    readonly overflowed: number
  }
  /** What does not work as it should (the cache, mostly), '' when all does. */
  readonly note: string
}

export interface NativeSampler {
  /** The event in use: 'cpu-clock' or 'cycles'. */
  readonly event: string
  /** The unwinder in use. */
  readonly unwinder: UnwinderVariant
  /** Samples that wait for an unwind table: a drain() soon will bring them. */
  readonly waitingStacks: number
  /** Bytes that the last drain() found in each ring. */
  readonly drainedBytes: { readonly samples: number; readonly rawStacks: number }
  /** Samples per second and CPU from the next tick on, 1 to 999. Errors: RangeError; code 'usage' when the kernel refuses. */
  setRate(rateHz: number): void
  /** Between two drains: the next batch's stack ids begin at 0 again, and all its stacks are new. */
  forgetStacks(): void
  /** Puts a process into the pid set. Errors: TypeError for no pid; code 'usage' when the set (65 536) is full. */
  addTarget(pid: number): void
  /** Reads the mappings of the processes that run, then starts the timers. */
  start(): void
  /** Stops the timers; what is in the rings stays to be drained. Safe to call twice. */
  stop(): void
  /**
   * Moves every record now in the rings into one batch, without waiting. A sample that met a table which was not loaded
   * comes in a later batch, once it is. After stop() the last of them come, which may take some seconds.
   */
  drain(): SampleBatch
  /** The process events up to the last drain(), and at least as far as its samples, as one batch sorted by time. */
  drainEvents(): EventBatch
  /** Values in the order of AbiNames.counters, summed over CPUs. */
  counters(): Float64Array
  /** Runs and nanoseconds of our BPF programs by the kernel's own statistics (BPF_ENABLE_STATS); zeros when not permitted. */
  bpfStats(): { readonly runs: number; readonly timeNs: number }
  unwindStats(): UnwindStats
  /** Frees everything. Safe to call twice; any later call throws AgentError-like Error with code 'sampler_closed'. */
  close(): void
}

export type NativeSamplerConstructor = new (options: SamplerOptions) => NativeSampler
