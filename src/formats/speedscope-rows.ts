/** The samples of a speedscope file on their way into a profile. */
import { PairTable } from '../model/pair-table.ts'
import type { Profile, ValueType } from '../model/profile.ts'
import type { ProfileDraft } from './profile-draft.ts'

/** Rows of all profiles that are shown: with times when all have them, else equal ones added up. */
export class SpeedscopeRows {
  readonly #draft: ProfileDraft
  readonly #frames: readonly number[]
  readonly #stack: number[] = []
  readonly #set: number[] = []
  readonly #value: number[] = []
  readonly #time: number[] = []
  #hasTimes = true
  #labelSet = 0
  #nanoseconds: number | null = null

  constructor(draft: ProfileDraft, frames: readonly number[]) {
    this.#draft = draft
    this.#frames = frames
  }

  get frameCount(): number {
    return this.#frames.length
  }

  /** What follows is of this thread ('' for nobody's), in a unit of so many nanoseconds (null: in none of time). */
  begin(thread: string, nanoseconds: number | null): void {
    this.#labelSet = this.#draft.labelSet(thread === '' ? [] : [{ key: 'thread', str: thread }])
    this.#nanoseconds = nanoseconds
  }

  callFrame(parent: number, frame: number): number {
    return this.#draft.call(parent, this.#frames[frame]!)
  }

  /** Frames root first. */
  stackOf(frames: readonly number[]): number {
    let stack = -1
    for (const frame of frames) stack = this.callFrame(stack, frame)
    return stack
  }

  add(stack: number, value: number, at: number | null): void {
    if (at === null) this.#hasTimes = false
    const scale = this.#nanoseconds
    this.#stack.push(stack)
    this.#set.push(this.#labelSet)
    this.#value.push(scale === null ? value : Math.round(value * scale))
    this.#time.push((at ?? 0) * (scale ?? 1))
  }

  finish(type: ValueType, comments: readonly string[]): Profile {
    const hasTimes = this.#hasTimes && this.#nanoseconds !== null && this.#value.every((value) => value >= 0)
    const values = hasTimes ? this.#timedRows() : this.#addedRows()
    let durationNs = 0n
    if (hasTimes && this.#time.length > 0) {
      const [first, last] = rangeOf(this.#time)
      durationNs = BigInt(Math.round(last - first))
    }
    const types = { sampleTypes: [type], defaultSampleType: 0 }
    return this.#draft.finish({ ...types, values: [values], hasTimes, durationNs, comments })
  }

  #timedRows(): Float64Array {
    const [first] = rangeOf(this.#time)
    for (let row = 0; row < this.#stack.length; row++) {
      this.#draft.addSample(this.#stack[row]!, this.#set[row]!, this.#time[row]! - first)
    }
    return Float64Array.from(this.#value)
  }

  #addedRows(): Float64Array {
    const pairs = new PairTable()
    const sums: number[] = []
    for (let row = 0; row < this.#stack.length; row++) {
      const known = pairs.size
      const id = pairs.intern(this.#stack[row]!, this.#set[row]!)
      if (id === known) this.#draft.addSample(this.#stack[row]!, this.#set[row]!, 0)
      sums[id] = (sums[id] ?? 0) + this.#value[row]!
    }
    return Float64Array.from(sums)
  }
}

/** Too many for the arguments of Math.min. */
function rangeOf(values: readonly number[]): [number, number] {
  let [least, most] = [values[0] ?? 0, values[0] ?? 0]
  for (const value of values) {
    if (value < least) least = value
    if (value > most) most = value
  }
  return [least, most]
}
