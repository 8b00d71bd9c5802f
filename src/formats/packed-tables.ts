/**
 * The tables of a profile as packed columns, each with its writer and its reader side by side. The first column of
 * every table is written by `rows` (at least a byte a row), so a reader can bound the row count by the bytes left.
 */
import {
  FRAME_KINDS,
  type Label,
  type Line,
  type Location,
  type Mapping,
  type ProfileFunction,
  type SampleTable,
  type StackTable,
} from '../model/profile.ts'
import type { PackedReader, PackedWriter } from './packed-bytes.ts'
import type { PackedHeader } from './packed-header.ts'

/** Distinct strings in order of first use. Lone surrogates become U+FFFD: UTF-8 has no room for them. */
export class StringIds {
  readonly #ids = new Map<string, number>()

  id(text: string): number {
    const known = this.#ids.get(text)
    if (known !== undefined) return known
    this.#ids.set(text, this.#ids.size)
    return this.#ids.size - 1
  }

  /** All strings end to end, and the length of each in UTF-16 units. */
  joined(): { text: string; lengths: number[] } {
    const strings = [...this.#ids.keys()]
    return { text: strings.join(''), lengths: strings.map((s) => s.length) }
  }
}

/** Reads a table's first column. */
export function rowColumn(reader: PackedReader, rows: number, low: number, high: number): Int32Array {
  if (rows > reader.left) reader.damaged(`${rows} rows are announced, ${reader.left} bytes are left`)
  return reader.integers(new Int32Array(rows), low, high)
}

function column(reader: PackedReader, rows: number, low: number, high: number): Int32Array {
  return reader.integers(new Int32Array(rows), low, high)
}

const U32 = 2 ** 32

/** 1 GB of doubles: columns of one repeated value cost a file nothing, so the rows alone don't bound them. */
const MAX_VALUES = 2 ** 27

/** 64-bit values as two columns: the signed high half, the unsigned low half. */
function writeWide(out: PackedWriter, values: readonly bigint[]): void {
  const [high, low] = [new Float64Array(values.length), new Float64Array(values.length)]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    const exact = Number(value)
    const isExact = exact >= 0 && Number.isSafeInteger(exact)
    high[i] = isExact ? Math.floor(exact / U32) : Number(value >> 32n)
    low[i] = isExact ? exact % U32 : Number(value & 0xffffffffn)
  }
  out.column(high)
  out.column(low)
}

function readWide(reader: PackedReader, rows: number): bigint[] {
  const high = reader.wide(new Float64Array(rows), -U32, U32)
  const low = reader.wide(new Float64Array(rows), 0, U32 - 1)
  const values: bigint[] = []
  for (let i = 0; i < rows; i++) {
    // Most addresses lie below 2^53, where one conversion will do.
    const exact = high[i]! * U32 + low[i]!
    values.push(Number.isSafeInteger(exact) ? BigInt(exact) : (BigInt(high[i]!) << 32n) + BigInt(low[i]!))
  }
  return values
}

const FLAGS = ['hasFunctions', 'hasFilenames', 'hasLineNumbers', 'hasInlineFrames'] as const

/** Mappings: names, build ids, flags, then the three 64-bit addresses. */
export function writeMappings(out: PackedWriter, mappings: readonly Mapping[], strings: StringIds): void {
  out.rows(mappings.map((m) => strings.id(m.fileName)))
  out.column(mappings.map((m) => strings.id(m.buildId)))
  out.column(mappings.map((m) => FLAGS.reduce((bits, flag, i) => bits | (m[flag] ? 1 << i : 0), 0)))
  writeWide(
    out,
    mappings.map((m) => m.start),
  )
  writeWide(
    out,
    mappings.map((m) => m.limit),
  )
  writeWide(
    out,
    mappings.map((m) => m.fileOffset),
  )
}

/** What `writeMappings` wrote. Errors: AgentError `input_invalid`, as for every reader below. */
export function readMappings(reader: PackedReader, rows: number, strings: readonly string[]): Mapping[] {
  const fileName = rowColumn(reader, rows, 0, strings.length - 1)
  const buildId = column(reader, rows, 0, strings.length - 1)
  const flags = column(reader, rows, 0, 15)
  const [start, limit, fileOffset] = [readWide(reader, rows), readWide(reader, rows), readWide(reader, rows)]
  return start.map((address, i) => ({
    start: address,
    limit: limit[i]!,
    fileOffset: fileOffset[i]!,
    fileName: strings[fileName[i]!]!,
    buildId: strings[buildId[i]!]!,
    hasFunctions: (flags[i]! & 1) !== 0,
    hasFilenames: (flags[i]! & 2) !== 0,
    hasLineNumbers: (flags[i]! & 4) !== 0,
    hasInlineFrames: (flags[i]! & 8) !== 0,
  }))
}

/** Functions: three strings and the line each. */
export function writeFunctions(
  out: PackedWriter,
  functions: readonly ProfileFunction[],
  strings: StringIds,
): void {
  out.rows(
    functions.map((f) => strings.id(f.name)),
    'delta',
  )
  out.column(
    functions.map((f) => strings.id(f.systemName)),
    'delta',
  )
  out.column(functions.map((f) => strings.id(f.fileName)))
  out.column(functions.map((f) => f.startLine))
}

/** What `writeFunctions` wrote. */
export function readFunctions(
  reader: PackedReader,
  rows: number,
  strings: readonly string[],
): ProfileFunction[] {
  const name = rowColumn(reader, rows, 0, strings.length - 1)
  const systemName = column(reader, rows, 0, strings.length - 1)
  const fileName = column(reader, rows, 0, strings.length - 1)
  const startLine = reader.numbers(rows)
  const functions: ProfileFunction[] = []
  for (let i = 0; i < rows; i++) {
    functions.push({
      name: strings[name[i]!]!,
      systemName: strings[systemName[i]!]!,
      fileName: strings[fileName[i]!]!,
      startLine: startLine[i]!,
    })
  }
  return functions
}

/** Locations: the number of lines first, the lines of all of them after the last column. */
export function writeLocations(out: PackedWriter, locations: readonly Location[], strings: StringIds): void {
  const count = locations.length
  const [lineCount, mapping, kind, reason] = [0, 0, 0, 0].map(() => new Int32Array(count))
  let lineRows = 0
  for (let i = 0; i < count; i++) {
    const location = locations[i]!
    lineCount![i] = location.lines.length
    mapping![i] = location.mapping
    kind![i] = FRAME_KINDS.indexOf(location.kind) * 2 + (location.isFolded ? 1 : 0)
    reason![i] = strings.id(location.unnamedReason)
    lineRows += location.lines.length
  }
  out.rows(lineCount!)
  for (const column of [mapping!, kind!, reason!]) out.column(column)
  writeWide(
    out,
    locations.map((l) => l.address),
  )
  writeLines(out, locations, lineRows)
}

/** A million lines are no million objects of their own: columns at once. */
function writeLines(out: PackedWriter, locations: readonly Location[], rows: number): void {
  const [fn, line, column] = [new Float64Array(rows), new Float64Array(rows), new Float64Array(rows)]
  let at = 0
  for (const { lines } of locations) {
    for (const entry of lines) {
      fn[at] = entry.function
      line[at] = entry.line
      column[at++] = entry.column
    }
  }
  out.rows(fn, 'delta')
  out.column(line)
  out.column(column)
}

/** How many rows the tables have that a location points into. */
export interface LocationTargets {
  readonly mappings: number
  readonly functions: number
  readonly strings: readonly string[]
}

/** What `writeLocations` wrote, with its indices checked against the tables before. */
export function readLocations(reader: PackedReader, rows: number, targets: LocationTargets): Location[] {
  const lineCount = rowColumn(reader, rows, 0, reader.left)
  const mapping = column(reader, rows, -1, targets.mappings - 1)
  const kind = column(reader, rows, 0, FRAME_KINDS.length * 2 - 1)
  const reason = column(reader, rows, 0, targets.strings.length - 1)
  const address = readWide(reader, rows)
  let lineRows = 0
  for (let i = 0; i < rows; i++) lineRows += lineCount[i]!
  const lines = readLines(reader, lineRows, targets.functions)
  const locations: Location[] = []
  let at = 0
  for (let i = 0; i < rows; i++) {
    locations.push({
      mapping: mapping[i]!,
      address: address[i]!,
      // One line is the rule, and a slice of it takes several times as long.
      lines: lineCount[i] === 1 ? [lines[at]!] : lines.slice(at, at + lineCount[i]!),
      isFolded: (kind[i]! & 1) === 1,
      kind: FRAME_KINDS[kind[i]! >> 1]!,
      unnamedReason: targets.strings[reason[i]!]!,
    })
    at += lineCount[i]!
  }
  return locations
}

function readLines(reader: PackedReader, rows: number, functions: number): Line[] {
  const fn = rowColumn(reader, rows, 0, functions - 1)
  const line = reader.numbers(rows)
  const col = reader.numbers(rows)
  const lines: Line[] = []
  for (let i = 0; i < rows; i++) lines.push({ function: fn[i]!, line: line[i]!, column: col[i]! })
  return lines
}

/** Parents as the distance to them: 1 for most nodes of a tree that was written depth first, which gzip likes. */
export function writeStacks(out: PackedWriter, stacks: StackTable): void {
  out.rows(stacks.parent.map((parent, i) => i - parent))
  out.column(stacks.location)
}

/** What `writeStacks` wrote: parent[i] < i always, -1 for a root. */
export function readStacks(reader: PackedReader, rows: number, locations: number): StackTable {
  const parent = rowColumn(reader, rows, 1, rows)
  for (let i = 0; i < rows; i++) {
    parent[i] = i - parent[i]!
    if (parent[i]! < -1) reader.damaged(`stack ${i} points before the first stack`)
  }
  return { parent, location: column(reader, rows, 0, locations - 1) }
}

/** Samples: stacks, label sets, times if any, then the value columns that are no multiple of the first. */
export function writeSamples(out: PackedWriter, samples: SampleTable): void {
  out.rows(samples.stack, 'delta')
  out.column(samples.labelSet)
  if (samples.timeNs !== null) out.column(samples.timeNs, 'delta')
  const factors = samples.values.map((values, i) => (i === 0 ? 0 : multipleOf(values, samples.values[0]!)))
  out.column(factors)
  samples.values.forEach((values, i) => {
    if (factors[i] === 0) out.column(values)
  })
}

/**
 * The whole number that makes one column the other, 0 when there is none: samples and their CPU time are one column in
 * two units, and the second needs no bytes. Exact: the product gives back every value bit for bit.
 */
function multipleOf(values: Float64Array, base: Float64Array): number {
  const at = base.findIndex((value) => value !== 0)
  const factor = at < 0 ? 0 : values[at]! / base[at]!
  if (!(Number.isInteger(factor) && factor > 0 && factor < 2 ** 31)) return 0
  for (let row = 0; row < values.length; row++) if (!Object.is(base[row]! * factor, values[row]!)) return 0
  return factor
}

/** What `writeSamples` wrote; `stacks` is the number of stacks. */
export function readSamples(reader: PackedReader, header: PackedHeader, stacks: number): SampleTable {
  const rows = header.rows.samples
  const stack = rowColumn(reader, rows, -1, stacks - 1)
  const labelSet = column(reader, rows, -1, header.rows.labelSets - 1)
  if (rows * header.sampleTypes.length > MAX_VALUES)
    reader.damaged(`${rows} rows of ${header.sampleTypes.length} values`)
  const timeNs = header.hasTimes ? reader.numbers(rows) : null
  const factors = column(reader, header.sampleTypes.length, 0, 2 ** 31 - 1)
  const values: Float64Array[] = []
  for (const factor of factors) {
    const first = values[0]
    if (factor > 0 && first === undefined) reader.damaged('the first values are a multiple of nothing')
    values.push(factor > 0 ? scaled(first!, factor) : reader.numbers(rows))
  }
  const wide = header.wideValues
  const table = { stack, labelSet, timeNs, values }
  return wide === undefined
    ? table
    : { ...table, wideValues: new Map(wide.map(([key, v]) => [key, BigInt(v)])) }
}

function scaled(values: Float64Array, factor: number): Float64Array {
  const out = new Float64Array(values.length)
  for (let row = 0; row < out.length; row++) out[row] = values[row]! * factor
  return out
}

const HAS_STR = 1
const HAS_NUM = 2
const NUM_IS_BIG = 4
const HAS_UNIT = 8

/** Numbers of labels travel as decimal text, which gives every double and big integer back exactly. */
export function writeLabelSets(
  out: PackedWriter,
  sets: readonly (readonly Label[])[],
  strings: StringIds,
): void {
  out.rows(sets.map((set) => set.length))
  const labels = sets.flat()
  out.rows(labels.map((label) => strings.id(label.key)))
  const flags = labels.map(
    (label) =>
      (label.str === undefined ? 0 : HAS_STR) |
      (label.num === undefined ? 0 : HAS_NUM) |
      (typeof label.num === 'bigint' ? NUM_IS_BIG : 0) |
      (label.unit === undefined ? 0 : HAS_UNIT),
  )
  out.column(flags)
  out.column(labels.map((label) => strings.id(label.str ?? '')))
  out.column(labels.map((label) => strings.id(numText(label.num))))
  out.column(labels.map((label) => strings.id(label.unit ?? '')))
}

function numText(num: number | bigint | undefined): string {
  if (num === undefined) return ''
  return Object.is(num, -0) ? '-0' : String(num)
}

/** What `writeLabelSets` wrote. */
export function readLabelSets(reader: PackedReader, rows: number, strings: readonly string[]): Label[][] {
  const sizes = rowColumn(reader, rows, 0, reader.left)
  const count = sizes.reduce((sum, n) => sum + n, 0)
  const last = strings.length - 1
  const key = rowColumn(reader, count, 0, last)
  const flags = column(reader, count, 0, 15)
  const [str, num, unit] = [
    column(reader, count, 0, last),
    column(reader, count, 0, last),
    column(reader, count, 0, last),
  ]
  const labels: Label[] = []
  for (let i = 0; i < count; i++) {
    labels.push({
      key: strings[key[i]!]!,
      ...(flags[i]! & HAS_STR ? { str: strings[str[i]!]! } : {}),
      ...(flags[i]! & HAS_NUM
        ? { num: readNum(reader, strings[num[i]!]!, (flags[i]! & NUM_IS_BIG) !== 0) }
        : {}),
      ...(flags[i]! & HAS_UNIT ? { unit: strings[unit[i]!]! } : {}),
    })
  }
  const sets: Label[][] = []
  let at = 0
  for (const size of sizes) {
    sets.push(labels.slice(at, at + size))
    at += size
  }
  return sets
}

function readNum(reader: PackedReader, text: string, isBig: boolean): number | bigint {
  if (!isBig) return Number(text)
  if (!/^-?\d{1,40}$/.test(text)) reader.damaged('a label announces a whole number and has none')
  return BigInt(text)
}
