/** What a continuous capture is asked, whom it tells, and what it counts: the shapes of continuous.ts. */
import type { CountByReason, Profile } from '../model/profile.ts'
import type { SampledProcess } from '../model/sampled-process.ts'
import type { RatePlan } from './rate-plan.ts'

/** Who is sampled. An empty list is no filter; one of a list must hold, of every list that is not empty. */
export interface ContinuousFilters {
  /** These processes and all they fork; those that live at the start. */
  readonly pids: readonly number[]
  /** Directories of cgroup v2 and all below them, at most 64. */
  readonly cgroupPaths: readonly string[]
  /** Thread names (their first 15 bytes), at most 256. */
  readonly comms: readonly string[]
  /** Inodes of pid namespaces (of /proc/PID/ns/pid), at most 64; nested namespaces are others. */
  readonly pidNamespaces?: readonly number[]
}

export interface ContinuousRequest {
  readonly filters: ContinuousFilters
  /** Samples per second and CPU, 1 to 999: the highest, where targets have rates of their own. */
  readonly rateHz: number
  /** Which share of it each target has; absent: all have all of it. */
  readonly plan?: RatePlan
  readonly kernelStacks: boolean
  readonly windowMs: number
  /** 0 to 1: a window lasts windowMs * (1 ± jitter), uniformly, so that a fleet does not export in step. */
  readonly jitter: number
}

export interface ContinuousSinks {
  /** Windows in order of time, each with `capture` and `origins`; one without samples too. */
  onWindow(profile: Profile): void
  /** After a turn: processes that this window has not sampled before. Once per window while they go on. */
  onProcesses(seen: readonly SampledProcess[]): void
}

/** Sums since the start, unless said otherwise. captured = kept + all of dropped + waiting. */
export interface ContinuousStats {
  /** The highest, now. */
  readonly rateHz: number
  /** By target where they have rates of their own, now: 'comm nginx' -> Hz, '' for what no rule names. */
  readonly targetRates: ReadonlyMap<string, number>
  /** Ticks in targets that were no sample because the target's rate is lower. Not captured. */
  readonly thinned: number
  readonly event: string
  readonly unwinder: string
  readonly captured: number
  readonly kept: number
  /** In the ring or parked until an unwind table is loaded, now. */
  readonly waiting: number
  readonly dropped: CountByReason
  readonly stacks: {
    readonly complete: number
    readonly approximate: number
    readonly truncated: CountByReason
  }
  /** Frames weighted by samples, of the windows that were handed out. */
  readonly frames: { readonly named: number; readonly unnamed: CountByReason }
  /** Nanoseconds of CPU in our BPF programs, estimated from one run in sixteen; and their runs. */
  readonly bpfNs: number
  readonly bpfRuns: number
  /** Process events the kernel could not deliver. */
  readonly lostEvents: number
  /** The fullest that each ring was when it was drained, 0 to 1, since the start. */
  readonly ringUse: { readonly samples: number; readonly rawStacks: number }
  readonly windows: number
  /** Windows that are closed and wait for their names. */
  readonly windowsWaiting: number
  /** Of the last window: our time on the main thread to close, name and build it. */
  readonly lastWindowJsMs: number
  /** Longest time the event loop was held while a window was closed, named and handed on. */
  readonly longestPauseMs: number
  /** Memory of all BPF maps. */
  readonly mapBytes: number
  /** exec of this process to the first sample; 0 before. */
  readonly startToFirstSampleNs: number
}
