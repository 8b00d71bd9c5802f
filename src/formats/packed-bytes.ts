/**
 * Columns of numbers as bytes, and back: the alphabet of the packed profile (packed.ts). Knows nothing of profiles.
 *
 * A column starts with its kind: 0 = every value is the same, 1 = zigzag varints, 2 = zigzag varints of the
 * differences, 3 = little-endian doubles for what is not a safe integer. The reader trusts no length: each is
 * compared with the bytes that are left before anything is allocated.
 */
import { AgentError } from '../errors.ts'

const SAME = 0
const PLAIN = 1
const DELTA = 2
const DOUBLES = 3

/** Below it, a zigzag form has 31 bits. */
const SMALL = 2 ** 30

/** Appends columns to a buffer that grows. */
export class PackedWriter {
  #bytes = new Uint8Array(1 << 16)
  #at = 0

  /** What was written so far; a view that the next write may invalidate. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  uint32(value: number): void {
    this.#reserve(4)
    new DataView(this.#bytes.buffer).setUint32(this.#at, value, true)
    this.#at += 4
  }

  /** Integers that bear rows: at least one byte each, so that a reader can bound the row count by the bytes. */
  rows(values: ArrayLike<number>, form: 'plain' | 'delta' = 'plain'): void {
    this.#reserve(values.length * 10 + 1)
    this.#bytes[this.#at++] = form === 'delta' ? DELTA : PLAIN
    this.#varints(values, form === 'delta')
  }

  /** Any numbers; picks the smallest form that gives them back bit for bit (NaN as NaN). */
  column(values: ArrayLike<number>, form: 'plain' | 'delta' = 'plain'): void {
    const first = values[0] ?? 0
    if (isWhole(first) && every(values, (value) => Object.is(value, first))) {
      this.#reserve(11)
      this.#bytes[this.#at++] = SAME
      this.#varint(zigzag(first))
    } else if (every(values, form === 'delta' ? isHalfWhole : isWhole)) this.rows(values, form)
    else if (every(values, isWhole)) this.rows(values, 'plain')
    else this.#doubles(values)
  }

  #doubles(values: ArrayLike<number>): void {
    this.#reserve(values.length * 8 + 1)
    this.#bytes[this.#at++] = DOUBLES
    const view = new DataView(this.#bytes.buffer)
    for (let i = 0; i < values.length; i++, this.#at += 8) view.setFloat64(this.#at, values[i]!, true)
  }

  #varints(values: ArrayLike<number>, delta: boolean): void {
    const bytes = this.#bytes
    let at = this.#at
    let before = 0
    for (let i = 0; i < values.length; i++) {
      const value = values[i]! - before
      if (delta) before = values[i]!
      // Nearly all are small, and integer operations are several times as fast as a division.
      if (value >= -SMALL && value < SMALL) {
        let bits = (value << 1) ^ (value >> 31)
        for (; bits > 0x7f; bits >>>= 7) bytes[at++] = (bits & 0x7f) | 0x80
        bytes[at++] = bits
        continue
      }
      this.#at = at
      this.#varint(zigzag(value))
      at = this.#at
    }
    this.#at = at
  }

  #varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#at++] = rest
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
  }
}

/** Reads what PackedWriter wrote, from bytes nobody vouches for. Errors: AgentError `input_invalid` with the byte. */
export class PackedReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = at
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** Ends the reading: `what` is wrong at the current byte. */
  damaged(what: string): never {
    const message = `the packed profile is damaged at byte ${this.#at}: ${what}; make the file again from its source`
    throw new AgentError('input_invalid', message)
  }

  raw(length: number): Uint8Array {
    if (!(length >= 0 && length <= this.left))
      this.damaged(`${length} bytes are announced, ${this.left} are left`)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  uint32(): number {
    if (this.left < 4) this.damaged('a length is cut off')
    this.#at += 4
    return this.#view.getUint32(this.#at - 4, true)
  }

  /** Fills `out` with integers of [low, high]. Not one loop with `wide`: over two types of array it is half as fast. */
  integers(out: Int32Array, low: number, high: number): Int32Array {
    const kind = this.#integerKind()
    if (kind === SAME) return out.fill(this.#same(out.length, low, high))
    const bytes = this.#bytes
    const isDelta = kind === DELTA
    let at = this.#at
    let before = 0
    for (let i = 0; i < out.length; i++) {
      // One to three bytes are nearly all there is; a call for those costs more than the rest of the loop.
      let bits = bytes[at]!
      if (bits < 0x80) at++
      else {
        const second = bytes[at + 1]!
        const third = bytes[at + 2]!
        if (second < 0x80) {
          bits = (bits & 0x7f) | (second << 7)
          at += 2
        } else if (third < 0x80) {
          bits = (bits & 0x7f) | ((second & 0x7f) << 7) | (third << 14)
          at += 3
        } else bits = -1
      }
      let value: number
      if (bits >= 0) value = before + ((bits >>> 1) ^ -(bits & 1))
      else {
        this.#at = at
        value = before + this.#zigzag()
        at = this.#at
      }
      if (!(value >= low && value <= high)) {
        this.#at = at
        this.#outOfRange(value, low, high)
      }
      if (isDelta) before = value
      out[i] = value
    }
    this.#at = at
    return out
  }

  /** Fills `out` with integers of [low, high] beyond 32 bits. */
  wide(out: Float64Array, low: number, high: number): Float64Array {
    const kind = this.#integerKind()
    if (kind === SAME) return out.fill(this.#same(out.length, low, high))
    const bytes = this.#bytes
    let before = 0
    for (let i = 0; i < out.length; i++) {
      const bits = bytes[this.#at] ?? 0x80
      let value = before
      if (bits < 0x80) {
        this.#at++
        value += (bits >>> 1) ^ -(bits & 1)
      } else value += this.#zigzag()
      if (!(value >= low && value <= high)) this.#outOfRange(value, low, high)
      if (kind === DELTA) before = value
      out[i] = value
    }
    return out
  }

  #same(count: number, low: number, high: number): number {
    const value = this.#zigzag()
    if (count > 0 && !(value >= low && value <= high)) this.#outOfRange(value, low, high)
    return value
  }

  /** `count` doubles of any value. */
  numbers(count: number): Float64Array {
    if (this.#bytes[this.#at] !== DOUBLES) {
      return this.wide(new Float64Array(count), Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    }
    this.#at++
    if (count * 8 > this.left) this.damaged(`${count} numbers are announced, ${this.left} bytes are left`)
    const out = new Float64Array(count)
    for (let i = 0; i < count; i++, this.#at += 8) out[i] = this.#view.getFloat64(this.#at, true)
    return out
  }

  #integerKind(): number {
    const kind = this.#kind()
    if (kind === DOUBLES) this.damaged('fractions where whole numbers belong')
    return kind
  }

  #kind(): number {
    const kind = this.#bytes[this.#at]
    if (kind === undefined || kind > DOUBLES)
      this.damaged(`no column starts with ${kind ?? 'the end of the file'}`)
    this.#at++
    return kind
  }

  #zigzag(): number {
    const bytes = this.#bytes
    let value = 0
    // Four bytes hold 28 bits, within the range of integer operations.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[this.#at++]
      if (byte === undefined) return this.damaged('a number is cut off')
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value & 1 ? -((value + 1) >> 1) : value >> 1
    }
    return this.#longZigzag(value)
  }

  #longZigzag(low: number): number {
    let value = low
    for (let scale = 2 ** 28; ; scale *= 128) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) return this.damaged('a number is cut off')
      if (scale > 2 ** 49) return this.damaged('a number is longer than 54 bits')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
    }
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }

  #outOfRange(value: number, low: number, high: number): never {
    this.damaged(`${value} is outside ${low} to ${high}`)
  }
}

function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2
}

/** Whole numbers whose zigzag form a double holds exactly: |value| < 2^52; not -0, which an integer can't show. */
function isWhole(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 52 && !Object.is(value, -0)
}

/** Half that range, so that differences stay within it. */
function isHalfWhole(value: number): boolean {
  return isWhole(value) && Math.abs(value) < 2 ** 51
}

function every(values: ArrayLike<number>, holds: (value: number) => boolean): boolean {
  for (let i = 0; i < values.length; i++) if (!holds(values[i]!)) return false
  return true
}
