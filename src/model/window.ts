import type { Executable } from './executable.ts'
import type { FrameKind, Label, StackTable } from './profile.ts'
import type { Origins } from './sampled-process.ts'

/**
 * A closed stretch of capture, before names: frames are (executable, address), stacks a prefix tree of frames.
 * Made by aggregate/, consumed by symbolize/.
 */
export interface Window {
  readonly executables: readonly Executable[]
  readonly frames: FrameTable
  /** `location` here is an index into `frames`. */
  readonly stacks: StackTable
  readonly samples: {
    readonly stack: Int32Array
    readonly labelSet: Int32Array
    /** Nanoseconds since `timeNs`. */
    readonly timeNs: Float64Array
    /** Nanoseconds of CPU that each stands for; null where that is `periodNs` for all. */
    readonly periodNs: Float64Array | null
  }
  readonly labelSets: readonly (readonly Label[])[]
  readonly origins?: Origins
  /** Start, unix epoch nanoseconds. */
  readonly timeNs: bigint
  readonly durationNs: number
  /** Nanoseconds of CPU one sample stands for, of what has no rate of its own. */
  readonly periodNs: number
}

/** Distinct frames as columns. */
export interface FrameTable {
  /** Index into `Window.executables`. */
  readonly executable: Int32Array
  /** File offset or process address, by the executable's kind; already the lookup address. */
  readonly address: Float64Array
  readonly kind: readonly FrameKind[]
}
