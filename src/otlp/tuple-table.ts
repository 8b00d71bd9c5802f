/**
 * Interns short lists of 32-bit integers: a function as (name, system name, file, line), a location, a set of
 * attributes. Equal content gets one id, which is what a dictionary without duplicates needs, and the arena then holds
 * all that is written of an entry: no objects in between.
 *
 * Open addressing with a random seed, as in model/pair-table.ts: content cannot be made to collide.
 */

const INITIAL_TUPLES = 256

/** Ids are 0, 1, 2… in the order of first sight. */
export class TupleTable {
  /** All tuples end to end: tuple i is arena[start[i]..start[i + 1]). */
  arena = new Int32Array(8 * INITIAL_TUPLES)
  #start = new Int32Array(INITIAL_TUPLES + 1)
  /** Id + 1, 0 when free; at least twice as long as there are tuples. */
  #slots = new Int32Array(2 * INITIAL_TUPLES)
  #size = 0
  readonly #seed = (Math.random() * 2 ** 32) | 0

  /** `zero` becomes entry 0, if given: the zero value of the table. */
  constructor(zero?: readonly number[]) {
    if (zero) this.intern(Int32Array.from(zero), zero.length)
  }

  get size(): number {
    return this.#size
  }

  start(id: number): number {
    return this.#start[id]!
  }

  end(id: number): number {
    return this.#start[id + 1]!
  }

  /** Id of the first `length` integers of `tuple`, which is copied when new. */
  intern(tuple: Int32Array, length: number): number {
    const mask = this.#slots.length - 1
    let slot = this.#hash(tuple, length) & mask
    for (let id = this.#slots[slot]! - 1; id >= 0; id = this.#slots[slot]! - 1) {
      if (this.#isEqual(id, tuple, length)) return id
      slot = (slot + 1) & mask
    }
    if (2 * this.#size >= this.#slots.length) {
      this.#growSlots()
      return this.intern(tuple, length)
    }
    this.#slots[slot] = this.#size + 1
    return this.#append(tuple, length)
  }

  #append(tuple: Int32Array, length: number): number {
    const id = this.#size++
    const start = this.#start[id]!
    if (start + length > this.arena.length) this.arena = grown(this.arena, start + length)
    for (let i = 0; i < length; i++) this.arena[start + i] = tuple[i]!
    if (id + 1 >= this.#start.length) this.#start = grown(this.#start, id + 2)
    this.#start[id + 1] = start + length
    return id
  }

  #isEqual(id: number, tuple: Int32Array, length: number): boolean {
    const start = this.#start[id]!
    if (this.#start[id + 1]! - start !== length) return false
    for (let i = 0; i < length; i++) if (this.arena[start + i] !== tuple[i]) return false
    return true
  }

  #hash(tuple: Int32Array, length: number): number {
    let hash = this.#seed ^ length
    for (let i = 0; i < length; i++) {
      hash = Math.imul(hash ^ tuple[i]!, 0x9e3779b1)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash, 0x85ebca6b)
    return hash ^ (hash >>> 13)
  }

  #growSlots(): void {
    this.#slots = new Int32Array(2 * this.#slots.length)
    const mask = this.#slots.length - 1
    for (let id = 0; id < this.#size; id++) {
      const tuple = this.arena.subarray(this.#start[id]!, this.#start[id + 1]!)
      let slot = this.#hash(tuple, tuple.length) & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = id + 1
    }
  }
}

function grown(array: Int32Array<ArrayBuffer>, least: number): Int32Array<ArrayBuffer> {
  const next = new Int32Array(Math.max(least, 2 * array.length))
  next.set(array)
  return next
}
