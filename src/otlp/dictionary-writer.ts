/**
 * The dictionary of one request: what is asked for is written once, in the order of first use, with all it refers to.
 *
 * So it has no duplicates and no orphans (P-04), and each table begins with its zero value (P-02). What was used for a
 * sample that did not fit is taken back by `cut`.
 */
import { WireWriter } from '../protobuf/writer.ts'
import { ATTRIBUTE } from './attribute-table.ts'
import { type ContentTables, FUNCTION, LINE, LINK, LOCATION, MAPPING } from './content.ts'
import { ANY } from './write-value.ts'

/** Field numbers of ProfilesDictionary. */
const TABLE = { mapping: 1, location: 2, function: 3, link: 4, text: 5, attribute: 6, stack: 7 } as const

/** One table of the request: entries as they are written, and their indices by id. */
class Table {
  readonly writer = new WireWriter(1 << 14)
  readonly #field: number
  #indices = new Int32Array(0)
  #count = 0

  constructor(field: number) {
    this.#field = field
  }

  /** Starts over with the zero value only; `size` ids may be asked for. */
  reset(size: number): void {
    if (this.#indices.length < size) this.#indices = new Int32Array(2 * size)
    else this.#indices.fill(0)
    this.#count = 1
    this.writer.length = 0
    this.writer.end(this.begin())
  }

  /** Index in this request, 0 when it has none yet; id 0 is the zero value. */
  find(id: number): number {
    return this.#indices[id]!
  }

  add(id: number): number {
    this.#indices[id] = this.#count
    return this.#count++
  }

  begin(): number {
    return this.writer.begin(this.#field)
  }
}

export class DictionaryWriter {
  readonly #content: ContentTables
  readonly #tables = Object.values(TABLE).map((field) => new Table(field))
  readonly #mapping = this.#tables[TABLE.mapping - 1]!
  readonly #location = this.#tables[TABLE.location - 1]!
  readonly #function = this.#tables[TABLE.function - 1]!
  readonly #link = this.#tables[TABLE.link - 1]!
  readonly #text = this.#tables[TABLE.text - 1]!
  readonly #attribute = this.#tables[TABLE.attribute - 1]!
  readonly #stack = this.#tables[TABLE.stack - 1]!
  /** Lengths of the tables at the last mark. */
  readonly #marks = this.#tables.map(() => 0)
  readonly #linkBytes = new Uint8Array(24)

  constructor(content: ContentTables) {
    this.#content = content
    this.reset()
  }

  reset(): void {
    const { mappings, locations, functions, links, attributes, stacks } = this.#content
    this.#mapping.reset(mappings.size)
    this.#location.reset(locations.size)
    this.#function.reset(functions.size)
    this.#link.reset(links.size)
    this.#text.reset(attributes.texts.texts.length)
    this.#attribute.reset(attributes.attributes.size)
    this.#stack.reset(stacks.size + 1)
  }

  /** Bytes of all tables. */
  get length(): number {
    let sum = 0
    for (let i = 0; i < this.#tables.length; i++) sum += this.#tables[i]!.writer.length
    return sum
  }

  /** Remembers what is written. */
  mark(): void {
    for (let i = 0; i < this.#tables.length; i++) this.#marks[i] = this.#tables[i]!.writer.length
  }

  /** Takes off what was written since the mark. Only `writeTo` and `reset` may follow: indices are not taken back. */
  cut(): void {
    for (const [i, { writer }] of this.#tables.entries()) writer.length = this.#marks[i]!
  }

  /** Appends the dictionary's fields. */
  writeTo(out: WireWriter): void {
    for (const { writer } of this.#tables) out.raw(writer.view())
  }

  text(id: number): number {
    const known = this.#text.find(id)
    if (known !== 0 || id === 0) return known
    this.#text.writer.textElement(TABLE.text, this.#content.attributes.texts.texts[id]!)
    return this.#text.add(id)
  }

  link(id: number): number {
    const known = this.#link.find(id)
    if (known !== 0 || id === 0) return known
    const { arena } = this.#content.links
    const start = this.#content.links.start(id)
    const view = new DataView(this.#linkBytes.buffer)
    for (let i = 0; i < LINK.size; i++) view.setInt32(4 * i, arena[start + i]!)
    const { writer } = this.#link
    const entry = this.#link.begin()
    writer.element(1, this.#linkBytes.subarray(0, 4 * LINK.span))
    writer.element(2, this.#linkBytes.subarray(4 * LINK.span))
    writer.end(entry)
    return this.#link.add(id)
  }

  /** Brings a set of attributes into the dictionary; gives its size. */
  useSet(set: number): number {
    const { sets } = this.#content.attributes
    const end = sets.end(set)
    const start = sets.start(set)
    for (let at = start; at < end; at++) this.#attributeIndex(sets.arena[at]!)
    return end - start
  }

  /** Writes field `field` of `writer`: the indices of a set of attributes, packed. */
  attributeSet(writer: WireWriter, field: number, set: number): void {
    const { sets } = this.#content.attributes
    const end = sets.end(set)
    let at = sets.start(set)
    if (at === end) return
    const list = writer.begin(field)
    for (; at < end; at++) writer.varint(this.#attributeIndex(sets.arena[at]!))
    writer.end(list)
  }

  #attributeIndex(id: number): number {
    const known = this.#attribute.find(id)
    if (known !== 0 || id === 0) return known
    const { attributes, texts, blobs } = this.#content.attributes
    const { arena } = attributes
    const at = attributes.start(id)
    const low = arena[at + ATTRIBUTE.low]!
    const kind = arena[at + ATTRIBUTE.kind]!
    const key = this.text(arena[at + ATTRIBUTE.key]!)
    const unit = this.text(arena[at + ATTRIBUTE.unit]!)
    const { writer } = this.#attribute
    const entry = this.#attribute.begin()
    writer.uint(1, key)
    const any = writer.begin(2)
    if (kind === ANY.string) writer.textElement(ANY.string, texts.texts[low]!)
    else if (kind === ANY.array) writer.raw(blobs[low]!)
    else if (kind === ANY.double) {
      writer.tag(ANY.double, 1)
      writer.fixed64Halves(low, arena[at + ATTRIBUTE.high]!)
    } else {
      writer.tag(kind, 0)
      writer.varint64(low, arena[at + ATTRIBUTE.high]!)
    }
    writer.end(any)
    writer.uint(3, unit)
    writer.end(entry)
    return this.#attribute.add(id)
  }

  stack(id: number): number {
    const known = this.#stack.find(id)
    if (known !== 0 || id === 0) return known
    const { stacks } = this.#content
    const { writer } = this.#stack
    const entry = this.#stack.begin()
    const list = writer.begin(1)
    // Leaf first.
    for (let above = id; above > 0; above = stacks.firstOf(above - 1)) {
      writer.varint(this.#locationIndex(stacks.secondOf(above - 1)))
    }
    writer.end(list)
    writer.end(entry)
    return this.#stack.add(id)
  }

  #locationIndex(id: number): number {
    const known = this.#location.find(id)
    if (known !== 0 || id === 0) return known
    const { arena } = this.#content.locations
    const at = this.#content.locations.start(id)
    const end = this.#content.locations.end(id)
    const mapping = this.#mappingIndex(arena[at + LOCATION.mapping]!)
    const { writer } = this.#location
    const entry = this.#location.begin()
    writer.uint(1, mapping)
    writer.int64Halves(2, arena[at + LOCATION.address]!, arena[at + LOCATION.address + 1]!)
    for (let line = at + LOCATION.lines; line < end; line += LINE.size) {
      const fn = this.#functionIndex(arena[line + LINE.function]!)
      const mark = writer.begin(3)
      writer.uint(1, fn)
      writer.int64Halves(2, arena[line + LINE.line]!, arena[line + LINE.line + 1]!)
      writer.int64Halves(3, arena[line + LINE.column]!, arena[line + LINE.column + 1]!)
      writer.end(mark)
    }
    this.attributeSet(writer, 4, arena[at + LOCATION.attributes]!)
    writer.end(entry)
    return this.#location.add(id)
  }

  #mappingIndex(id: number): number {
    const known = this.#mapping.find(id)
    if (known !== 0 || id === 0) return known
    const { arena } = this.#content.mappings
    const at = this.#content.mappings.start(id)
    const fileName = this.text(arena[at + MAPPING.fileName]!)
    const { writer } = this.#mapping
    const entry = this.#mapping.begin()
    writer.int64Halves(1, arena[at + MAPPING.start]!, arena[at + MAPPING.start + 1]!)
    writer.int64Halves(2, arena[at + MAPPING.limit]!, arena[at + MAPPING.limit + 1]!)
    writer.int64Halves(3, arena[at + MAPPING.fileOffset]!, arena[at + MAPPING.fileOffset + 1]!)
    writer.uint(4, fileName)
    this.attributeSet(writer, 5, arena[at + MAPPING.attributes]!)
    writer.end(entry)
    return this.#mapping.add(id)
  }

  #functionIndex(id: number): number {
    const known = this.#function.find(id)
    if (known !== 0 || id === 0) return known
    const { arena } = this.#content.functions
    const at = this.#content.functions.start(id)
    const name = this.text(arena[at + FUNCTION.name]!)
    const systemName = this.text(arena[at + FUNCTION.systemName]!)
    const fileName = this.text(arena[at + FUNCTION.fileName]!)
    const { writer } = this.#function
    const entry = this.#function.begin()
    writer.uint(1, name)
    writer.uint(2, systemName)
    writer.uint(3, fileName)
    writer.int64Halves(4, arena[at + FUNCTION.startLine]!, arena[at + FUNCTION.startLine + 1]!)
    writer.end(entry)
    return this.#function.add(id)
  }
}
