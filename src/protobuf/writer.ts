/**
 * Writes the protobuf wire format into one buffer that grows, and that its owner may use again.
 *
 * Messages inside messages: `begin`, their fields, `end`. Their length stands before them and is known after them, so
 * one byte is kept for it and longer messages move up; that is a memmove of bytes just written, and cheaper than
 * measuring everything twice. 64-bit numbers go in as two 32-bit halves (or doubles where those are exact): no BigInt
 * is made in a hot loop. Fields of zero value are left out, as proto3 does.
 */
import { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from './reader.ts'

const HIGH_UNIT = 2 ** 32
/** Texts up to this length are copied here, if they are ASCII; a call into the engine costs more. */
const SHORT_TEXT = 32

const utf8 = new TextEncoder()
const halves = new Uint32Array(2)
const whole = new BigInt64Array(halves.buffer)
const real = new Float64Array(1)
const realHalves = new Uint32Array(real.buffer)

/** Appends only; `length` may be set back to take off what came last, or to 0 for a new message. */
export class WireWriter {
  #bytes: Uint8Array
  length = 0

  constructor(capacity = 1 << 12) {
    this.#bytes = new Uint8Array(capacity)
  }

  /** What is written, valid until the next call. */
  view(start = 0): Uint8Array {
    return this.#bytes.subarray(start, this.length)
  }

  /** A copy that stays. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.length)
  }

  /** Opens a message in field `field`; the result is for `end`. */
  begin(field: number): number {
    this.tag(field, WIRE_BYTES)
    return this.length++
  }

  /** Closes the message that `begin` opened, and keeps it even when it is empty. */
  end(mark: number): void {
    const start = mark + 1
    const size = this.length - start
    const extra = varintSize(size) - 1
    if (extra > 0) {
      this.#reserve(extra)
      this.#bytes.copyWithin(start + extra, start, this.length)
    }
    this.length = mark
    this.varint(size)
    this.length = start + extra + size
  }

  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType)
  }

  /** A non-negative safe integer, base 128. */
  varint(value: number): void {
    this.#reserve(10)
    let rest = value
    for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) this.#bytes[this.length++] = (rest % 128) | 0x80
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[this.length++] = (rest & 0x7f) | 0x80
    this.#bytes[this.length++] = rest
  }

  /** 64 bits by their halves; negative numbers take ten bytes. */
  varint64(low: number, high: number): void {
    let lowRest = low >>> 0
    let highRest = high >>> 0
    this.#reserve(10)
    while (highRest !== 0) {
      this.#bytes[this.length++] = (lowRest & 0x7f) | 0x80
      lowRest = ((lowRest >>> 7) | (highRest << 25)) >>> 0
      highRest >>>= 7
    }
    this.varint(lowRest)
  }

  /** An unsigned number, left out when it is 0. */
  uint(field: number, value: number): void {
    if (value === 0) return
    this.tag(field, WIRE_VARINT)
    this.varint(value)
  }

  /** uint64 or int64 by its halves, left out when it is 0. */
  int64Halves(field: number, low: number, high: number): void {
    if (low === 0 && high === 0) return
    this.tag(field, WIRE_VARINT)
    this.varint64(low, high)
  }

  /** int64, left out when it is 0. A number must be a safe integer. */
  int64(field: number, value: number | bigint): void {
    if (typeof value === 'bigint') {
      whole[0] = value
      this.int64Halves(field, halves[0]!, halves[1]!)
    } else this.int64Halves(field, value >>> 0, Math.floor(value / HIGH_UNIT) >>> 0)
  }

  boolean(field: number, value: boolean): void {
    if (value) this.uint(field, 1)
  }

  /** Eight bytes, without a tag. */
  fixed64Halves(low: number, high: number): void {
    this.#reserve(8)
    const bytes = this.#bytes
    let at = this.length
    bytes[at++] = low
    bytes[at++] = low >>> 8
    bytes[at++] = low >>> 16
    bytes[at++] = low >>> 24
    bytes[at++] = high
    bytes[at++] = high >>> 8
    bytes[at++] = high >>> 16
    bytes[at++] = high >>> 24
    this.length = at
  }

  /** fixed64, left out when it is 0. */
  fixed64(field: number, value: bigint): void {
    if (value === 0n) return
    whole[0] = value
    this.tag(field, WIRE_FIXED64)
    this.fixed64Halves(halves[0]!, halves[1]!)
  }

  /** A double, kept even when it is 0: it is one of a oneof here. */
  double(field: number, value: number): void {
    real[0] = value
    this.tag(field, WIRE_FIXED64)
    this.fixed64Halves(realHalves[0]!, realHalves[1]!)
  }

  /** Bytes or text, left out when empty. */
  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) this.element(field, value)
  }

  text(field: number, value: string): void {
    if (value !== '') this.textElement(field, value)
  }

  /** Bytes of a repeated field or of a oneof: written even when empty. */
  element(field: number, value: Uint8Array): void {
    this.tag(field, WIRE_BYTES)
    this.varint(value.length)
    this.raw(value)
  }

  /** Text of a repeated field or of a oneof: written even when empty. Lone surrogates become U+FFFD. */
  textElement(field: number, value: string): void {
    this.tag(field, WIRE_BYTES)
    if (value.length <= SHORT_TEXT && this.#shortAscii(value)) return
    // At most three bytes a UTF-16 unit; the length goes before them.
    const mark = this.length++
    this.#reserve(3 * value.length + 10)
    const { written } = utf8.encodeInto(value, this.#bytes.subarray(this.length))
    this.length += written
    this.end(mark)
  }

  /** Bytes as they are. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.length)
    this.length += value.length
  }

  #shortAscii(value: string): boolean {
    this.#reserve(SHORT_TEXT + 1)
    let at = this.length
    this.#bytes[at++] = value.length
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (unit >= 0x80) return false
      this.#bytes[at++] = unit
    }
    this.length = at
    return true
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.length + count))
    grown.set(this.#bytes.subarray(0, this.length))
    this.#bytes = grown
  }
}

/** Bytes of a non-negative safe integer as varint. */
export function varintSize(value: number): number {
  let size = 1
  for (let most = 128; value >= most; most *= 128) size++
  return size
}

/** Bytes of 64 bits, by their halves, as varint. */
export function varint64Size(low: number, high: number): number {
  const bits = high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high)
  return Math.max(1, Math.ceil(bits / 7))
}
