/**
 * Cuts a stream of JSON into its objects without holding more than one of them.
 *
 * A list of pods is megabytes and a watch never ends; parsed one object at a time, neither makes a long pause or a
 * peak of memory. Only brackets and strings are understood here; JSON.parse judges each object.
 */

/** The bytes are no JSON of the shape asked for, or one object is larger than allowed. */
export class JsonStreamFault extends Error {}

export type JsonShape = 'sequence' /* {…}{…} */ | 'items' /* {…, "items": [{…},{…}]} */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const MAX_ENVELOPE = 64 * 1024

export class JsonObjects {
  private readonly level: number
  private readonly maxBytes: number
  private readonly onObject: (text: string) => void
  private depth = 0
  private inString = false
  private escaped = false
  private inItems = false
  private objectDepth = -1
  private parts: Buffer[] = []
  private partBytes = 0
  private readonly around: number[] = []

  /** `onObject` gets the text of each object; what it throws, `feed` throws. */
  constructor(shape: JsonShape, maxBytes: number, onObject: (text: string) => void) {
    this.level = shape === 'sequence' ? 0 : 2
    this.maxBytes = maxBytes
    this.onObject = onObject
  }

  /** The text around the items, their list emptied: valid once everything is fed. */
  get envelope(): string {
    return Buffer.from(this.around).toString('utf8')
  }

  /** True between objects: here a stream may end. */
  get complete(): boolean {
    return this.depth === 0 && !this.inString
  }

  /** Takes the next bytes. Errors: JsonStreamFault. */
  feed(chunk: Buffer): void {
    let start = this.objectDepth >= 0 ? 0 : -1
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!
      if (this.inString) this.endOfString(byte)
      else if (byte === QUOTE) this.inString = true
      else if (byte === 0x7b || byte === 0x5b) {
        if (this.opens(byte)) start = i
      } else if (byte === 0x7d || byte === 0x5d) {
        if (this.closes()) {
          this.keep(chunk.subarray(start, i + 1))
          start = -1
          this.emit()
          continue
        }
      }
      if (this.objectDepth < 0) this.outside(byte)
    }
    if (this.objectDepth >= 0) this.keep(chunk.subarray(start))
  }

  private endOfString(byte: number): void {
    if (this.escaped) this.escaped = false
    else if (byte === BACKSLASH) this.escaped = true
    else if (byte === QUOTE) this.inString = false
  }

  /** True when the bracket begins an object to be given out. */
  private opens(byte: number): boolean {
    this.depth++
    if (this.objectDepth >= 0) return false
    if (this.level === 2 && this.depth === 2) this.inItems = byte === 0x5b
    if (byte !== 0x7b || this.depth !== this.level + 1 || (this.level === 2 && !this.inItems)) return false
    this.objectDepth = this.depth
    return true
  }

  /** True when the bracket ends one. */
  private closes(): boolean {
    this.depth--
    if (this.depth < 0) throw new JsonStreamFault('a bracket too many')
    return this.objectDepth === this.depth + 1
  }

  private keep(part: Buffer): void {
    this.partBytes += part.length
    if (this.partBytes > this.maxBytes)
      throw new JsonStreamFault(`an object of more than ${this.maxBytes} bytes`)
    this.parts.push(part)
  }

  private emit(): void {
    const text = (this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts)).toString('utf8')
    this.parts = []
    this.partBytes = 0
    this.objectDepth = -1
    this.onObject(text)
  }

  private outside(byte: number): void {
    if (this.level === 0) {
      if (byte > 0x20) throw new JsonStreamFault('something between the objects')
      return
    }
    if (this.depth === 2 && this.inItems && byte === COMMA) return
    if (this.around.length >= MAX_ENVELOPE) throw new JsonStreamFault('too much around the items')
    this.around.push(byte)
  }
}
