/** Texts, attributes and sets of attributes, each content once: what every other table of a dictionary refers to. */
import { wellFormed } from '../protobuf/utf8.ts'
import { WireWriter } from '../protobuf/writer.ts'
import { TupleTable } from './tuple-table.ts'
import { ANY, type WritableValue, writeAnyValue } from './write-value.ts'

const int64 = new BigInt64Array(1)
const double = new Float64Array(int64.buffer)
const halves = new Int32Array(int64.buffer)

/** The two halves of a 64-bit number, signed or not, as a tuple has them. */
export function putInt64(tuple: Int32Array, at: number, value: number | bigint): void {
  if (typeof value === 'bigint') {
    int64[0] = value
    tuple[at] = halves[0]!
    tuple[at + 1] = halves[1]!
  } else {
    tuple[at] = value >>> 0
    tuple[at + 1] = Math.floor(value / 2 ** 32)
  }
}

/** Distinct texts; 0 is ''. */
export class TextTable {
  readonly texts: string[] = ['']
  readonly #ids = new Map<string, number>([['', 0]])

  id(text: string): number {
    const known = this.#ids.get(text)
    if (known !== undefined) return known
    const clean = wellFormed(text)
    const id = clean === text ? this.texts.push(text) - 1 : this.id(clean)
    this.#ids.set(text, id)
    return id
  }
}

/** Fields of an attribute's tuple. `low` is the id of a text or of a blob where `kind` says so. */
export const ATTRIBUTE = { key: 0, unit: 1, kind: 2, low: 3, high: 4, size: 5 } as const

/** Distinct attributes, and distinct sets of them; entry 0 of both is the zero value and the empty set. */
export class AttributeTable {
  readonly texts = new TextTable()
  readonly attributes = new TupleTable([0, 0, 0, 0, 0])
  /** Ids of attributes, ascending. */
  readonly sets = new TupleTable([])
  /** Encoded array values. */
  readonly blobs: Uint8Array[] = []
  readonly #blobIds = new Map<string, number>()
  readonly #tuple = new Int32Array(ATTRIBUTE.size)
  readonly #scratch = new WireWriter(256)

  attribute(key: string, value: WritableValue, unit = ''): number {
    const tuple = this.#tuple
    tuple[ATTRIBUTE.key] = this.texts.id(key)
    tuple[ATTRIBUTE.unit] = this.texts.id(unit)
    tuple[ATTRIBUTE.high] = 0
    if (typeof value === 'string') {
      tuple[ATTRIBUTE.kind] = ANY.string
      tuple[ATTRIBUTE.low] = this.texts.id(value)
    } else if (typeof value === 'boolean') {
      tuple[ATTRIBUTE.kind] = ANY.bool
      tuple[ATTRIBUTE.low] = value ? 1 : 0
    } else if (typeof value === 'bigint' || Number.isSafeInteger(value)) {
      tuple[ATTRIBUTE.kind] = ANY.int
      putInt64(tuple, ATTRIBUTE.low, value as bigint | number)
    } else if (typeof value === 'number') {
      tuple[ATTRIBUTE.kind] = ANY.double
      double[0] = value
      tuple.set(halves, ATTRIBUTE.low)
    } else {
      tuple[ATTRIBUTE.kind] = ANY.array
      tuple[ATTRIBUTE.low] = this.#blob(value)
    }
    return this.attributes.intern(tuple, ATTRIBUTE.size)
  }

  /** Id of a set of attributes, whose keys must be distinct; their order does not matter. */
  set(attributes: readonly number[]): number {
    const ids = Int32Array.from(attributes).sort()
    return this.sets.intern(ids, ids.length)
  }

  #blob(value: WritableValue): number {
    this.#scratch.length = 0
    writeAnyValue(this.#scratch, value)
    const bytes = this.#scratch.finish()
    const content = String.fromCharCode(...bytes)
    const known = this.#blobIds.get(content)
    if (known !== undefined) return known
    this.#blobIds.set(content, this.blobs.length)
    return this.blobs.push(bytes) - 1
  }
}
