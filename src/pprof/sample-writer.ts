/**
 * Writes the samples of a pprof file straight into bytes.
 *
 * The one message not left to pprof-format: it measures every number three times over, 160 ns a frame, and samples are
 * nearly all of a large file. Here a stack's packed size is known beforehand, node by node.
 */
import type { StackTable } from '../model/profile.ts'

/** Tags of the Profile's sample field and of the sample's own: number << 3 | wire type 2 (bytes). */
const SAMPLE_TAG = 0x12
const LOCATION_TAG = 0x0a
const VALUE_TAG = 0x12

/** Appends samples; `finish` gives their bytes, ready to follow the rest of the message. */
export class SampleWriter {
  readonly #stacks: StackTable
  /** By node: bytes of the packed location ids from it to its root. */
  readonly #stackSizes: Float64Array
  #bytes = new Uint8Array(1 << 16)
  #length = 0

  constructor(stacks: StackTable) {
    this.#stacks = stacks
    const { parent, location } = stacks
    this.#stackSizes = new Float64Array(parent.length)
    for (let node = 0; node < parent.length; node++) {
      const above = parent[node]! < 0 ? 0 : this.#stackSizes[parent[node]!]!
      this.#stackSizes[node] = above + sizeOf(location[node]! + 1)
    }
  }

  /** One sample: the stack that ends in `leaf` (-1: none), its values, its labels as encoded fields. */
  add(leaf: number, values: readonly (number | bigint)[], labels: Uint8Array): void {
    const stackSize = leaf < 0 ? 0 : this.#stackSizes[leaf]!
    let valueSize = 0
    for (const value of values) valueSize += sizeOf(value)
    const size = fieldSize(stackSize) + fieldSize(valueSize) + labels.length
    this.#reserve(fieldSize(size) + 2)
    this.#tag(SAMPLE_TAG, size)
    if (stackSize > 0) {
      this.#tag(LOCATION_TAG, stackSize)
      const { parent, location } = this.#stacks
      for (let node = leaf; node >= 0; node = parent[node]!) this.#varint(location[node]! + 1)
    }
    if (valueSize > 0) {
      this.#tag(VALUE_TAG, valueSize)
      for (const value of values) this.#varint(value)
    }
    this.#bytes.set(labels, this.#length)
    this.#length += labels.length
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }

  #tag(tag: number, size: number): void {
    this.#bytes[this.#length++] = tag
    this.#varint(size)
  }

  /** Base 128, low bits first; negative numbers as their 64 bits. */
  #varint(value: number | bigint): void {
    let rest = value
    if (typeof rest === 'bigint' || rest < 0) {
      let wide = BigInt.asUintN(64, BigInt(rest))
      for (; wide >= 2n ** 53n; wide >>= 7n) this.#bytes[this.#length++] = Number(wide & 0x7fn) | 0x80
      rest = Number(wide)
    }
    for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) this.#bytes[this.#length++] = (rest % 128) | 0x80
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
    this.#bytes[this.#length++] = rest
  }
}

/** Bytes of a number as varint. */
function sizeOf(value: number | bigint): number {
  if (value < 0) return 10
  let size = 1
  for (let most = 128; value >= most; most *= 128) size++
  return size
}

/** Bytes of a length-delimited field of `size` bytes; an empty one is left out. */
function fieldSize(size: number): number {
  return size === 0 ? 0 : 1 + sizeOf(size) + size
}
