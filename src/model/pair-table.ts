/**
 * Interns pairs of small integers: (parent, location) -> stack node, (stack, label set) -> row, and the like.
 *
 * A `Map` would do up to 2^24 entries, where V8 throws; files of others have more, and boxed keys cost eight times
 * the memory. This is open addressing over plain Int32Arrays: 8 bytes a pair plus as much in slots. The seed is
 * random, so a file cannot be made to collide; ids depend on the order of calls only.
 */

const INITIAL_PAIRS = 1024

/** Pairs get ids 0, 1, 2… in the order they are first seen. Ids stay below 2^29. */
export class PairTable {
  /** Pair of id i at 2i and 2i + 1: side by side, so that a look costs one cache line. */
  #pairs = new Int32Array(2 * INITIAL_PAIRS)
  /** Id + 1 of the pair that hashes here, 0 when free; always at least twice as long as there are pairs. */
  #slots = new Int32Array(2 * INITIAL_PAIRS)
  #size = 0
  readonly #seed = (Math.random() * 2 ** 32) | 0

  /** Number of distinct pairs. */
  get size(): number {
    return this.#size
  }

  /** Id of the pair, a new one when it was not seen before. */
  intern(first: number, second: number): number {
    const mask = this.#slots.length - 1
    let slot = this.#hash(first, second) & mask
    for (;;) {
      const id = this.#slots[slot]! - 1
      if (id < 0) break
      if (this.#pairs[2 * id] === first && this.#pairs[2 * id + 1] === second) return id
      slot = (slot + 1) & mask
    }
    if (2 * this.#size === this.#pairs.length) {
      this.#grow()
      return this.intern(first, second)
    }
    const id = this.#size++
    this.#pairs[2 * id] = first
    this.#pairs[2 * id + 1] = second
    this.#slots[slot] = id + 1
    return id
  }

  firstOf(id: number): number {
    return this.#pairs[2 * id]!
  }

  secondOf(id: number): number {
    return this.#pairs[2 * id + 1]!
  }

  /** Copies of the two columns, one entry an id. */
  columns(): { first: Int32Array; second: Int32Array } {
    const first = new Int32Array(this.#size)
    const second = new Int32Array(this.#size)
    for (let id = 0; id < this.#size; id++) {
      first[id] = this.#pairs[2 * id]!
      second[id] = this.#pairs[2 * id + 1]!
    }
    return { first, second }
  }

  #hash(first: number, second: number): number {
    let hash = Math.imul(first ^ this.#seed, 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 15) ^ second, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    return hash ^ (hash >>> 16)
  }

  #grow(): void {
    const pairs = new Int32Array(2 * this.#pairs.length)
    pairs.set(this.#pairs)
    this.#pairs = pairs
    this.#slots = new Int32Array(pairs.length)
    const mask = this.#slots.length - 1
    for (let id = 0; id < this.#size; id++) {
      let slot = this.#hash(pairs[2 * id]!, pairs[2 * id + 1]!) & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = id + 1
    }
  }
}
