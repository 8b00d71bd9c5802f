/**
 * Interns pairs of small integers: (parent, location) -> stack node, (stack, label set) -> row, and the like.
 *
 * A `Map` would do up to 2^24 entries, where V8 throws; files of others have more, and boxed keys cost eight times
 * the memory. This is open addressing over plain Int32Arrays: 8 bytes a pair plus 8 to 16 of slots. The seed is
 * random, so a file cannot be made to collide; ids depend on the order of calls only.
 */

const INITIAL_PAIRS = 1024

/** Pairs get ids 0, 1, 2… in the order they are first seen. Ids stay below 2^29. */
export class PairTable {
  #first = new Int32Array(INITIAL_PAIRS)
  #second = new Int32Array(INITIAL_PAIRS)
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
      if (this.#first[id] === first && this.#second[id] === second) return id
      slot = (slot + 1) & mask
    }
    if (this.#size === this.#first.length) {
      this.#grow()
      return this.intern(first, second)
    }
    const id = this.#size++
    this.#first[id] = first
    this.#second[id] = second
    this.#slots[slot] = id + 1
    return id
  }

  firstOf(id: number): number {
    return this.#first[id]!
  }

  secondOf(id: number): number {
    return this.#second[id]!
  }

  /** Copies of the two columns, one entry an id. */
  columns(): { first: Int32Array; second: Int32Array } {
    return { first: this.#first.slice(0, this.#size), second: this.#second.slice(0, this.#size) }
  }

  #hash(first: number, second: number): number {
    let hash = Math.imul(first ^ this.#seed, 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 15) ^ second, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    return hash ^ (hash >>> 16)
  }

  #grow(): void {
    const pairs = this.#first.length * 2
    const first = new Int32Array(pairs)
    const second = new Int32Array(pairs)
    first.set(this.#first)
    second.set(this.#second)
    this.#first = first
    this.#second = second
    this.#slots = new Int32Array(2 * pairs)
    const mask = this.#slots.length - 1
    for (let id = 0; id < this.#size; id++) {
      let slot = this.#hash(first[id]!, second[id]!) & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = id + 1
    }
  }
}
