/**
 * The flight recorder: the last minutes of windows in memory, packed and compressed, so that what happened can be
 * looked at after it happened.
 *
 * A window is packed at once (a few milliseconds) and compressed on a worker thread. Nothing is unpacked until somebody
 * asks, and the page and the command line unpack for themselves: they get the compressed bytes as they lie here.
 */
import { deflate, inflateSync } from 'node:zlib'
import { decodeWindow, encodeWindowSteps } from '../formats/packed-window.ts'
import { ProfileMerger } from '../model/merge-profiles.ts'
import type { Profile } from '../model/profile.ts'
import { atOnce, type Steps } from '../model/steps.ts'

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
  /** Of packed windows; those of the last moment may still be uncompressed. */
  readonly bytes: number
  readonly maxBytes: number
  /** Windows ever added, and those that left, by reason: too old, no room for newer ones, larger than all the room. */
  readonly added: number
  readonly dropped: { readonly age: number; readonly size: number; readonly too_large: number }
}

interface Held {
  readonly window: RecordedWindow
  bytes: Uint8Array
  isCompressed: boolean
  /** Compressed, or found to be incompressible for want of memory: its size is final. */
  isSettled: boolean
  /** Settles once the bytes are compressed; never rejects. */
  compressed: Promise<void>
}

/** Level 3 halves the time of 6 for 5 % of size. */
const LEVEL = 3
/** No window unpacks to more: the limit holds in the reader too (`MAX_WINDOW_BYTES` of the page). */
const MAX_UNPACKED_BYTES = 2 ** 28

/** The last minutes, oldest first. */
export class Recorder {
  readonly #maxAgeNs: bigint
  readonly #maxBytes: number
  readonly #dropped = { age: 0, size: 0, too_large: 0 }
  #held: Held[] = []
  #bytes = 0
  #heldNs = 0n
  #added = 0

  constructor({ minutes, maxBytes }: RecorderOptions) {
    this.#maxAgeNs = BigInt(Math.round(minutes * 60)) * 1_000_000_000n
    this.#maxBytes = maxBytes
  }

  /** Takes a window in; null when it alone is larger than the whole room, which is counted. */
  add(profile: Profile): RecordedWindow | null {
    return atOnce(this.addSteps(profile))
  }

  /** The same in steps; not for two windows at a time. */
  *addSteps(profile: Profile): Steps<RecordedWindow | null> {
    const { timeNs, durationNs } = profile
    this.#added++
    const window = { id: this.#added, timeNs, durationNs, samples: profile.samples.stack.length }
    if (this.#maxAgeNs <= 0n || this.#maxBytes <= 0) return null
    const bytes = yield* encodeWindowSteps(profile)
    const held: Held = { window, bytes, isCompressed: false, isSettled: false, compressed: Promise.resolve() }
    held.compressed = this.#compress(held)
    this.#held.push(held)
    this.#bytes += bytes.length
    this.#heldNs += durationNs
    this.#dropOld()
    return window
  }

  #compress(held: Held): Promise<void> {
    return new Promise((resolve) => {
      deflate(held.bytes, { level: LEVEL }, (error, packed) => {
        // Without memory for it the window stays as it is; it counts with its full size then.
        if (error === null) {
          if (this.#held.includes(held)) this.#bytes += packed.length - held.bytes.length
          // zlib's buffer has room to spare that would stay allocated with it.
          held.bytes = Uint8Array.prototype.slice.call(packed)
          held.isCompressed = true
        }
        held.isSettled = true
        this.#dropOverSize()
        resolve()
      })
    })
  }

  /** Age is the time recorded since, not that of a clock, which may step. */
  #dropOld(): void {
    while (this.#held.length > 1 && this.#heldNs - this.#held[0]!.window.durationNs >= this.#maxAgeNs)
      this.#drop('age')
  }

  /** What has no room is known once it is compressed. */
  #dropOverSize(): void {
    while (this.#bytes > this.#maxBytes && this.#held.length > 0 && this.#held[0]!.isSettled) {
      this.#drop(this.#held.length === 1 ? 'too_large' : 'size')
    }
  }

  /** Drops the oldest windows until so many bytes are free, or none is left; gives the bytes that it freed. */
  shrink(bytes: number): number {
    const before = this.#bytes
    while (this.#held.length > 0 && before - this.#bytes < bytes) this.#drop('size')
    return before - this.#bytes
  }

  #drop(reason: 'age' | 'size' | 'too_large'): void {
    const { bytes, window } = this.#held.shift()!
    this.#bytes -= bytes.length
    this.#heldNs -= window.durationNs
    this.#dropped[reason]++
  }

  /** The windows that overlap [fromNs, toNs), merged; null when there is none. Blocks some ms a window. */
  between(fromNs: bigint, toNs: bigint): Profile | null {
    const merger = new ProfileMerger()
    for (const held of this.#overlapping(fromNs, toNs)) merger.add(unpack(held))
    return merger.finish()
  }

  /** The same with a pause after each window, so that sampling goes on meanwhile. */
  async merge(fromNs: bigint, toNs: bigint): Promise<Profile | null> {
    const merger = new ProfileMerger()
    for (const held of this.#overlapping(fromNs, toNs)) {
      merger.add(unpack(held))
      await new Promise(setImmediate)
    }
    return merger.finish()
  }

  /** The deflated bytes (`decodeWindow` reads them inflated) of a window; null when it is not here any more. */
  async packed(id: number): Promise<Uint8Array | null> {
    const held = this.#held.find(({ window }) => window.id === id)
    if (held === undefined) return null
    await held.compressed
    return held.isCompressed ? held.bytes : null
  }

  windows(): RecordedWindow[] {
    return this.#held.map(({ window }) => window)
  }

  stats(): RecorderStats {
    return {
      windows: this.#held.length,
      bytes: this.#bytes,
      maxBytes: this.#maxBytes,
      added: this.#added,
      dropped: { ...this.#dropped },
    }
  }

  #overlapping(fromNs: bigint, toNs: bigint): Held[] {
    return this.#held.filter((held) => held.window.timeNs < toNs && endOf(held) > fromNs)
  }
}

/** A window of no length still ends after it began. */
function endOf({ window }: Held): bigint {
  return window.timeNs + (window.durationNs > 0n ? window.durationNs : 1n)
}

function unpack({ bytes, isCompressed }: Held): Profile {
  return decodeWindow(isCompressed ? inflateSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES }) : bytes)
}
