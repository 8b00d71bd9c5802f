/**
 * A strict protobuf wire reader over one byte array: every read is checked, every error names its byte.
 *
 * What a fault is called is the caller's business (`Fault`): this room knows no message. Libraries are not used for
 * reading: they take a truncated file for a complete one, or a wrong wire type for an unknown field. Groups (wire
 * types 3 and 4) are not supported; no producer writes them. https://protobuf.dev/programming-guides/encoding/
 */

/** Throws: the bytes break the wire format at `offset`. */
export type Fault = (offset: number, reason: string) => never

export const WIRE_VARINT = 0
export const WIRE_FIXED64 = 1
export const WIRE_BYTES = 2
export const WIRE_FIXED32 = 5

const HIGH_UNIT = 2 ** 32

// A byte order mark is content.
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads [position, end) forwards. Sub-messages are read by the same reader with `end` narrowed (`enter`/`leave`). */
export class WireReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #fault: Fault
  position = 0
  end: number
  /** Of the last tag read. */
  field = 0
  wireType = 0
  /** The two halves of the last varint, unsigned. */
  #low = 0
  #high = 0
  /** Where the last tag or value began, for messages. */
  start = 0

  constructor(bytes: Uint8Array, fault: Fault) {
    // A plain one: subarrays of a Buffer are Buffers, whose slice() is no copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#fault = fault
    this.end = bytes.length
  }

  get atEnd(): boolean {
    return this.position >= this.end
  }

  /** Reads the next tag into `field` and `wireType`. */
  tag(): void {
    this.#varint('a field tag')
    if (this.#high !== 0) this.#damaged(this.start, 'a field tag is larger than 32 bits')
    this.field = this.#low >>> 3
    this.wireType = this.#low & 7
    if (this.field === 0) this.#damaged(this.start, 'field number 0')
  }

  /** Unsigned value that indexes something: a number, refused beyond 2^53. */
  index(what: string): number {
    this.#varint(what)
    if (this.#high >= 2 ** 21) this.#damaged(this.start, `${what} is beyond 2^53`)
    return this.#high * HIGH_UNIT + this.#low
  }

  /** uint64 as number where it fits, else bigint: ids are any non-zero uint64. */
  id(what: string): number | bigint {
    this.#varint(what)
    return this.#high < 2 ** 21 ? this.#high * HIGH_UNIT + this.#low : this.#wide()
  }

  /** int64 (two's complement) as number where a double holds it, else bigint. */
  signed(what: string): number | bigint {
    this.#varint(what)
    const value = (this.#high | 0) * HIGH_UNIT + this.#low
    return Number.isSafeInteger(value) ? value : BigInt.asIntN(64, this.#wide())
  }

  /** int32 as its sender meant it; negative ones travel as ten bytes. */
  int32(what: string): number {
    this.#varint(what)
    const value = this.#low | 0
    if ((this.#high | 0) !== value >> 31) this.#damaged(this.start, `${what} is beyond 32 bits`)
    return value
  }

  /** int64 as the two halves of its bits, for 64-bit arrays: see `low` and `high`. */
  halves(what: string): void {
    this.#varint(what)
  }

  /** The halves of the last number read, unsigned 32 bits each. */
  get low(): number {
    return this.#low
  }

  get high(): number {
    return this.#high
  }

  unsigned64(what: string): bigint {
    this.#varint(what)
    return this.#wide()
  }

  boolean(what: string): boolean {
    this.#varint(what)
    return this.#low !== 0 || this.#high !== 0
  }

  /** Reads a length and returns the end of what follows; throws when that is outside of the current message. */
  length(what: string): number {
    this.#varint(what)
    const end = this.position + this.#high * HIGH_UNIT + this.#low
    if (end > this.end) {
      this.#damaged(
        this.start,
        `${what} of ${end - this.position} bytes, ${this.end - this.position} are left`,
      )
    }
    return end
  }

  /** Narrows the reader to the sub-message that follows; returns the end to give back to `leave`. */
  enter(what: string): number {
    const outer = this.end
    this.end = this.length(what)
    return outer
  }

  leave(outer: number): void {
    this.position = this.end
    this.end = outer
  }

  /** The bytes that follow their length, not copied. */
  bytes(what: string): Uint8Array {
    const end = this.length(what)
    const view = this.#bytes.subarray(this.position, end)
    this.position = end
    return view
  }

  /** Text in valid UTF-8, as proto3 wants it. */
  text(what: string): string {
    const bytes = this.bytes(what)
    try {
      return strictUtf8.decode(bytes)
    } catch {
      return this.#damaged(this.start, `${what} is not valid UTF-8`)
    }
  }

  /** Eight bytes, into `low` and `high`. */
  fixed64Halves(what: string): void {
    const at = this.position
    this.start = at
    this.#advance(8, what)
    this.#low = this.#view.getUint32(at, true)
    this.#high = this.#view.getUint32(at + 4, true)
  }

  fixed64(what: string): bigint {
    this.fixed64Halves(what)
    return this.#wide()
  }

  double(what: string): number {
    const at = this.position
    this.#advance(8, what)
    return this.#view.getFloat64(at, true)
  }

  /** Throws unless the last tag has this wire type. */
  expect(wireType: number, what: string): void {
    if (this.wireType !== wireType) this.#damaged(this.start, `${what} has wire type ${this.wireType}`)
  }

  /** Calls `read` once per element of a repeated number of this wire type, packed or not. */
  repeated(what: string, read: () => void, wireType: number = WIRE_VARINT): void {
    if (this.wireType === wireType) {
      read()
      return
    }
    this.expect(WIRE_BYTES, what)
    const outer = this.enter(what)
    while (!this.atEnd) read()
    this.leave(outer)
  }

  /** Steps over the value of a field that we do not know. */
  skip(): void {
    const what = `field ${this.field}`
    if (this.wireType === WIRE_VARINT) this.#varint(what)
    else if (this.wireType === WIRE_BYTES) this.position = this.length(what)
    else if (this.wireType === WIRE_FIXED64) this.#advance(8, what)
    else if (this.wireType === WIRE_FIXED32) this.#advance(4, what)
    else this.#damaged(this.start, `${what} has wire type ${this.wireType}`)
  }

  #advance(count: number, what: string): void {
    if (this.end - this.position < count) this.#damaged(this.position, `${what} is cut short`)
    this.position += count
  }

  // A method, for the compiler to see that it does not return.
  #damaged(offset: number, reason: string): never {
    return this.#fault(offset, reason)
  }

  #wide(): bigint {
    return (BigInt(this.#high) << 32n) | BigInt(this.#low)
  }

  /** Base 128, low bits first, at most 10 bytes; the tenth may hold only the 64th bit. */
  #varint(what: string): void {
    const bytes = this.#bytes
    this.start = this.position
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.position >= this.end) this.#damaged(this.start, `${what} is cut short`)
      const byte = bytes[this.position++]!
      const bits = byte & 0x7f
      if (shift === 63 && byte > 1) this.#damaged(this.start, `${what} is a number of more than 64 bits`)
      if (shift < 32) low |= bits << shift
      if (shift >= 32) high |= bits << (shift - 32)
      else if (shift === 28) high |= bits >>> 4
      if (byte < 0x80) {
        this.#low = low >>> 0
        this.#high = high >>> 0
        return
      }
    }
  }
}
