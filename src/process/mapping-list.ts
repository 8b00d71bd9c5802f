/** What one program has mapped, in the order of time: a later mapping hides those before it that it overlaps. */
import type { Mapping } from './executable-table.ts'

export interface TimedMapping extends Mapping {
  readonly sinceNs: number
}

export class MappingList {
  readonly #entries: TimedMapping[]
  /** Start and end of each entry, side by side: a search reads some cache lines of these, and one entry. */
  #bounds: Float64Array

  /** `entries`: oldest first; the list's own from now on. */
  constructor(entries: TimedMapping[]) {
    this.#entries = entries
    this.#bounds = new Float64Array(2 * entries.length)
    for (const [i, entry] of entries.entries()) this.#bound(i, entry)
  }

  get length(): number {
    return this.#entries.length
  }

  /** A list of its own, of the same mappings. */
  copy(): MappingList {
    return new MappingList([...this.#entries])
  }

  /** The newest `count`, oldest first. */
  newest(count: number): TimedMapping[] {
    return this.#entries.slice(-count)
  }

  push(mapping: TimedMapping): void {
    const i = this.#entries.push(mapping) - 1
    if (2 * i === this.#bounds.length) {
      const grown = new Float64Array(2 * this.#bounds.length + 8)
      grown.set(this.#bounds)
      this.#bounds = grown
    }
    this.#bound(i, mapping)
  }

  #bound(i: number, { start, end }: Mapping): void {
    this.#bounds[2 * i] = start
    this.#bounds[2 * i + 1] = end
  }

  /** The newest that shares an address with [start, end). */
  overlapping(start: number, end: number): TimedMapping | undefined {
    const bounds = this.#bounds
    for (let i = this.#entries.length - 1; i >= 0; i--)
      if (bounds[2 * i]! < end && start < bounds[2 * i + 1]!) return this.#entries[i]
    return undefined
  }

  /**
   * Finds the newest mapping that covers an address and was there at that time; else the newest that covers it. Frames
   * of one stack are mostly of few files: the last answer is remembered, with the range of addresses in which it holds.
   */
  finder(timeNs: number): (address: number) => TimedMapping | null {
    const [entries, bounds] = [this.#entries, this.#bounds]
    let last: TimedMapping | null = null
    let [from, to] = [0, 0]
    return (address) => {
      if (address >= from && address < to) return last
      let [above, below, later] = [0, Number.POSITIVE_INFINITY, null as TimedMapping | null]
      for (let i = entries.length - 1; i >= 0; i--) {
        const start = bounds[2 * i]!
        const end = bounds[2 * i + 1]!
        if (address >= end) above = Math.max(above, end)
        else if (address < start) below = Math.min(below, start)
        else if (entries[i]!.sinceNs > timeNs) later ??= entries[i]!
        else {
          last = entries[i]!
          from = Math.max(above, start)
          to = Math.min(below, end)
          return last
        }
      }
      return later
    }
  }
}
