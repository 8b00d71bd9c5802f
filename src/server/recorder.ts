/** The flight recorder's face; see agent-server.ts for who reads it. */
import type { Profile } from '../model/profile.ts'

export interface RecorderOptions {
  /** How far back it reaches. */
  readonly minutes: number
  /** Bytes of packed windows it may hold. */
  readonly maxBytes: number
}

/** A window that is held. `id` counts from 1 and is never reused. */
export interface RecordedWindow {
  readonly id: number
  /** Start, unix epoch nanoseconds. */
  readonly timeNs: bigint
  readonly durationNs: bigint
  readonly samples: number
}

export interface RecorderStats {
  readonly windows: number
  readonly bytes: number
  readonly maxBytes: number
  /** Windows ever added, and those that left, by reason. */
  readonly added: number
  readonly dropped: { readonly age: number; readonly size: number; readonly too_large: number }
}

/** The last minutes, packed. */
export class Recorder {
  constructor(_options: RecorderOptions) {}
  add(_profile: Profile): RecordedWindow | null {
    return null
  }
  /** The windows that touch [fromNs, toNs), merged; null when there is none. */
  between(_fromNs: bigint, _toNs: bigint): Profile | null {
    return null
  }
  windows(): RecordedWindow[] {
    return []
  }
  stats(): RecorderStats {
    return { windows: 0, bytes: 0, maxBytes: 0, added: 0, dropped: { age: 0, size: 0, too_large: 0 } }
  }
}
