/** What the composition root hands to the command line: the one thing the cli cannot import, the capture itself. */
import type { LoadedConfig } from '../config/load.ts'
import type { Profile } from '../model/profile.ts'

/** How a launched command ended; exactly one of the two is set. */
export interface ExitStatus {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export type CaptureTarget =
  | { readonly kind: 'pids'; readonly pids: number[]; readonly name: string }
  | {
      readonly kind: 'command'
      readonly pid: number
      readonly name: string
      /** Lets the command run; until then its process waits behind a gate. */
      release(): void
      readonly ended: Promise<ExitStatus>
    }
  | { readonly kind: 'all' }

export interface CaptureRequest {
  readonly target: CaptureTarget
  /** null: until the target ends or `stop` is aborted. */
  readonly durationMs: number | null
  readonly rateHz: number
  readonly kernelStacks: boolean
  /** Absolute path of a cgroup v2 directory, '' for all. */
  readonly cgroupPath: string
  /** Thread name, '' for all. */
  readonly comm: string
  /** With the source text around the sampled lines. */
  readonly source: boolean
  /** Aborted once: finish early, keep everything captured so far. */
  readonly stop: AbortSignal
}

export interface Progress {
  readonly samples: number
  readonly elapsedMs: number
  /** CPU cores the target used so far. */
  readonly cores: number
  /** The hottest function so far, when it is known cheaply. */
  readonly hottest?: string
}

export interface CaptureHooks {
  /** The timers run; a command may be released. */
  onReady(): void
  onProgress(progress: Progress): void
  /** Sampling is over; names are looked up now. */
  onSampled(): void
}

export interface CaptureResult {
  /** `capture` filled in, but for timing.lastSampleToFilesNs (0). */
  readonly profile: Profile
  /** process.hrtime.bigint() when the last sample was taken or sampling ended. */
  readonly lastSampleMonotonicNs: bigint
}

/** Samples, symbolizes and gives the profile. Errors: AgentError. */
export type Capture = (request: CaptureRequest, hooks: CaptureHooks) => Promise<CaptureResult>

export interface WatchRequest {
  /** Empty: every process. */
  readonly pids: readonly number[]
  readonly cgroupPath: string
  readonly comm: string
  readonly rateHz: number
  readonly kernelStacks: boolean
  readonly windowMs: number
}

/** A capture without end; `stop` hands out the last window and may be called twice. */
export interface Watching {
  stop(): Promise<void>
}

/** Samples until stopped and gives a profile for every window, each with `capture`. Errors: AgentError. */
export type Watch = (request: WatchRequest, onWindow: (profile: Profile) => void) => Promise<Watching>

/** Runs until a signal ends it; gives the exit code. Errors: AgentError when the agent cannot start. */
export type RunAgent = (request: {
  readonly loaded: LoadedConfig
  /** The same sources again. */
  readonly reload: () => Promise<LoadedConfig>
  /** Absolute path, '' for none. */
  readonly file: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly version: string
}) => Promise<number>

export interface Deps {
  readonly capture: Capture
  readonly watch: Watch
  readonly agent: RunAgent
}
