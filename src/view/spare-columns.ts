/**
 * Columns of zeros that were made ahead. The first write to each page of fresh memory is a trap into the kernel: for a column of a
 * million numbers that is 10 ms and more, most of what a filter costs. So the worker makes some while nobody waits for it, and
 * the next filter begins with memory that is there.
 */

/** Columns that two filters and a search take: weights and totals of each; a structure with the map to it, and the matches. */
const FLOATS = 4
const INTS = 7
/** Smaller columns are not worth it; the spares of larger ones would be a burden. */
const MIN_LENGTH = 100_000
const MAX_LENGTH = 2_000_000

/** Spare columns of one length. */
class SpareColumns {
  #length = 0
  #floats: Float64Array[] = []
  #ints: Int32Array[] = []

  /** Tells how long the columns will be that are asked for. Those of another length go. */
  expect(length: number): void {
    const wanted = length < MIN_LENGTH || length > MAX_LENGTH ? 0 : length
    if (wanted === this.#length) return
    this.#length = wanted
    this.#floats = []
    this.#ints = []
  }

  /** Makes a column that is missing; false when none is. */
  prepare(): boolean {
    if (this.#length === 0) return false
    if (this.#floats.length < FLOATS) this.#floats.push(new Float64Array(this.#length).fill(0))
    else if (this.#ints.length < INTS) this.#ints.push(new Int32Array(this.#length).fill(0))
    else return false
    return true
  }

  /** Zeros, for the caller to keep. */
  floats(length: number): Float64Array {
    const spare = this.#fits(length) ? this.#floats.pop() : undefined
    return spare?.subarray(0, length) ?? new Float64Array(length)
  }

  /** Zeros, for the caller to keep. */
  ints(length: number): Int32Array {
    const spare = this.#fits(length) ? this.#ints.pop() : undefined
    return spare?.subarray(0, length) ?? new Int32Array(length)
  }

  /** A short column would hold on to much more memory than it needs. */
  #fits(length: number): boolean {
    return length <= this.#length && length * 2 > this.#length
  }
}

/** Those of this thread. */
export const spareColumns = new SpareColumns()
