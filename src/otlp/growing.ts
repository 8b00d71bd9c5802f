/** Columns of integers that grow while a message is read. Sizes follow what was read, never what a message claims. */
import { LIMITS } from '../model/limits.ts'
import { tooMany } from './faults.ts'
import type { Lists } from './model.ts'

/** A 64-bit value of each sample, in halves. */
const MOST_INTS = 2 * LIMITS.samples

export class GrowingInts {
  #values = new Int32Array(16)
  length = 0

  push(value: number): void {
    if (this.length === this.#values.length) {
      if (this.length >= MOST_INTS) tooMany('too many samples', LIMITS.samples)
      const grown = new Int32Array(2 * this.length)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.length++] = value
  }

  finish(): Int32Array {
    return this.#values.slice(0, this.length)
  }

  /** Pairs of halves, low first, as 64-bit numbers (x86-64 and arm64 are little-endian). */
  finishWide(): BigInt64Array {
    return new BigInt64Array(this.finish().buffer as ArrayBuffer)
  }
}

/** Lists end to end: `values` are pushed, `close` ends one list. */
export class GrowingLists {
  readonly values = new GrowingInts()
  readonly #start = new GrowingInts()

  constructor() {
    this.#start.push(0)
  }

  close(): void {
    this.#start.push(this.values.length)
  }

  finish(): Lists {
    return { start: this.#start.finish(), values: this.values.finish() }
  }
}
