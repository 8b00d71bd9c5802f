/**
 * First pass over a pprof file: every table but the samples, still with the file's own ids and string indices.
 *
 * The string table may come last, so nothing is resolved here; samples are only counted, so that the second pass can
 * allocate its columns at once. Unknown fields are skipped, known ones with a wrong wire type refused.
 */
import { LIMITS } from '../model/limits.ts'
import { WIRE_BYTES, WIRE_VARINT, WireReader } from '../protobuf/reader.ts'
import { damaged, tooMany } from './faults.ts'

export type Id = number | bigint

/** Resolves a string index; `owner` names in the error who asked. */
export type TextOf = (index: number, owner: string) => string

export interface RawValueType {
  type: number
  unit: number
}

export interface RawMapping {
  id: Id
  start: bigint
  limit: bigint
  fileOffset: bigint
  fileName: number
  buildId: number
  hasFunctions: boolean
  hasFilenames: boolean
  hasLineNumbers: boolean
  hasInlineFrames: boolean
}

export interface RawLine {
  functionId: Id
  line: Id
  column: Id
}

export interface RawLocation {
  id: Id
  mappingId: Id
  address: bigint
  lines: RawLine[]
  isFolded: boolean
}

export interface RawFunction {
  id: Id
  name: number
  systemName: number
  fileName: number
  startLine: Id
}

export interface RawTables {
  sampleTypes: RawValueType[]
  sampleCount: number
  /** Of all tables together, for the limit. */
  entryCount: number
  mappings: RawMapping[]
  locations: RawLocation[]
  functions: RawFunction[]
  strings: string[]
  dropFrames: number
  keepFrames: number
  timeNs: bigint
  durationNs: bigint
  periodType: RawValueType | null
  period: bigint
  comments: number[]
  defaultSampleType: number
  docUrl: number
}

/** Field number of the samples in the Profile message. */
export const SAMPLE_FIELD = 2

type FieldReader<T> = (message: T, reader: WireReader) => void

/** Reads one message: `fields[n]` gets field n, with its wire type checked unless it checks that itself. */
function readMessage<T>(reader: WireReader, message: T, fields: readonly (FieldReader<T> | undefined)[]): T {
  while (!reader.atEnd) {
    reader.tag()
    const field = fields[reader.field]
    if (field) field(message, reader)
    else reader.skip()
  }
  return message
}

function number<K extends string>(key: K): FieldReader<Record<K, number>> {
  return (message, reader) => {
    reader.expect(WIRE_VARINT, key)
    message[key] = reader.index(key)
  }
}

function id<K extends string>(key: K): FieldReader<Record<K, Id>> {
  return (message, reader) => {
    reader.expect(WIRE_VARINT, key)
    message[key] = reader.id(key)
  }
}

function signed<K extends string>(key: K): FieldReader<Record<K, Id>> {
  return (message, reader) => {
    reader.expect(WIRE_VARINT, key)
    message[key] = reader.signed(key)
  }
}

function unsigned64<K extends string>(key: K): FieldReader<Record<K, bigint>> {
  return (message, reader) => {
    reader.expect(WIRE_VARINT, key)
    message[key] = reader.unsigned64(key)
  }
}

function signed64<K extends string>(key: K): FieldReader<Record<K, bigint>> {
  return (message, reader) => {
    reader.expect(WIRE_VARINT, key)
    message[key] = BigInt.asIntN(64, reader.unsigned64(key))
  }
}

function boolean<K extends string>(key: K): FieldReader<Record<K, boolean>> {
  return (message, reader) => {
    reader.expect(WIRE_VARINT, key)
    message[key] = reader.boolean(key)
  }
}

/** A sub-message: `read` sees a reader narrowed to it. */
function nested<T>(name: string, read: (message: T, reader: WireReader) => void): FieldReader<T> {
  return (message, reader) => {
    reader.expect(WIRE_BYTES, name)
    const outer = reader.enter(name)
    read(message, reader)
    reader.leave(outer)
  }
}

/** Appends to a table; `weight` is what counts towards the limit on all entries together. */
function append<T>(tables: RawTables, table: T[], entry: T, weight = 1): void {
  tables.entryCount += weight
  if (tables.entryCount > LIMITS.tableEntries) tooMany('too many table entries', LIMITS.tableEntries)
  table.push(entry)
}

const VALUE_TYPE_FIELDS: (FieldReader<RawValueType> | undefined)[] = [
  undefined,
  number('type'),
  number('unit'),
]

function readValueType(reader: WireReader): RawValueType {
  return readMessage(reader, { type: 0, unit: 0 }, VALUE_TYPE_FIELDS)
}

const MAPPING_FIELDS: (FieldReader<RawMapping> | undefined)[] = [
  undefined,
  id('id'),
  unsigned64('start'),
  unsigned64('limit'),
  unsigned64('fileOffset'),
  number('fileName'),
  number('buildId'),
  boolean('hasFunctions'),
  boolean('hasFilenames'),
  boolean('hasLineNumbers'),
  boolean('hasInlineFrames'),
]

function readMapping(reader: WireReader): RawMapping {
  const empty: RawMapping = {
    id: 0,
    start: 0n,
    limit: 0n,
    fileOffset: 0n,
    fileName: 0,
    buildId: 0,
    hasFunctions: false,
    hasFilenames: false,
    hasLineNumbers: false,
    hasInlineFrames: false,
  }
  return readMessage(reader, empty, MAPPING_FIELDS)
}

const LINE_FIELDS: (FieldReader<RawLine> | undefined)[] = [
  undefined,
  id('functionId'),
  signed('line'),
  signed('column'),
]

const LOCATION_FIELDS: (FieldReader<RawLocation> | undefined)[] = [
  undefined,
  id('id'),
  id('mappingId'),
  unsigned64('address'),
  nested('line', (location, reader) => {
    if (location.lines.length >= LIMITS.inlinedLines) tooMany('a location of more lines', LIMITS.inlinedLines)
    location.lines.push(readMessage(reader, { functionId: 0, line: 0, column: 0 }, LINE_FIELDS))
  }),
  boolean('isFolded'),
]

const FUNCTION_FIELDS: (FieldReader<RawFunction> | undefined)[] = [
  undefined,
  id('id'),
  number('name'),
  number('systemName'),
  number('fileName'),
  signed('startLine'),
]

// A byte order mark is content here; invalid UTF-8 (old producers) becomes U+FFFD rather than an error.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

const PROFILE_FIELDS: (FieldReader<RawTables> | undefined)[] = [
  undefined,
  nested('sample type', (tables, reader) => append(tables, tables.sampleTypes, readValueType(reader))),
  nested('sample', (tables) => {
    tables.sampleCount++
  }),
  nested('mapping', (tables, reader) => append(tables, tables.mappings, readMapping(reader))),
  nested('location', (tables, reader) => {
    const empty: RawLocation = { id: 0, mappingId: 0, address: 0n, lines: [], isFolded: false }
    const location = readMessage(reader, empty, LOCATION_FIELDS)
    append(tables, tables.locations, location, 1 + location.lines.length)
  }),
  nested('function', (tables, reader) => {
    const empty: RawFunction = { id: 0, name: 0, systemName: 0, fileName: 0, startLine: 0 }
    append(tables, tables.functions, readMessage(reader, empty, FUNCTION_FIELDS))
  }),
  (tables, reader) => {
    reader.expect(WIRE_BYTES, 'string')
    if (tables.strings.length >= LIMITS.distinctEntries) tooMany('too many strings', LIMITS.distinctEntries)
    tables.strings.push(utf8.decode(reader.bytes('string')))
  },
  number('dropFrames'),
  number('keepFrames'),
  signed64('timeNs'),
  signed64('durationNs'),
  nested('period type', (tables, reader) => {
    tables.periodType = readValueType(reader)
  }),
  signed64('period'),
  (tables, reader) =>
    reader.repeated('comment', () => append(tables, tables.comments, reader.index('comment'))),
  number('defaultSampleType'),
  number('docUrl'),
]

/** Reads all tables; throws AgentError input_invalid with the byte where the file is broken. */
export function readTables(bytes: Uint8Array): RawTables {
  const empty: RawTables = {
    sampleTypes: [],
    sampleCount: 0,
    entryCount: 0,
    mappings: [],
    locations: [],
    functions: [],
    strings: [],
    dropFrames: 0,
    keepFrames: 0,
    timeNs: 0n,
    durationNs: 0n,
    periodType: null,
    period: 0n,
    comments: [],
    defaultSampleType: 0,
    docUrl: 0,
  }
  return readMessage(new WireReader(bytes, damaged), empty, PROFILE_FIELDS)
}

/** The wire type each field of the Profile message must have; what `looksLikePprof` goes by. */
const PROFILE_WIRE_TYPES = 'xBBBBBBVVVVBV*VV'

/**
 * Whether these first bytes of a file can be the start of a pprof profile: the first fields have known numbers and
 * the right wire types, as far as `head` goes (two fields are enough). Plain text and gzip fail on the first byte.
 */
export function looksLikePprof(head: Uint8Array): boolean {
  let position = 0
  for (let fields = 0; fields < 2; fields++) {
    if (position >= head.length) return fields > 0
    const tag = head[position++]!
    const wanted = PROFILE_WIRE_TYPES[tag >>> 3] ?? 'x'
    const wireType = tag & 7
    const isBytes = wireType === WIRE_BYTES && wanted !== 'V'
    if (wanted === 'x' || (!isBytes && (wireType !== WIRE_VARINT || wanted === 'B'))) return false
    let length = 0
    let shift = 0
    do {
      if (position >= head.length) return true
      length += (head[position]! & 0x7f) * 2 ** shift
      shift += 7
    } while (head[position++]! >= 0x80 && shift < 70)
    if (isBytes) position += length
    if (position > head.length) return true
  }
  return true
}
