/** Reads the dictionary: opentelemetry.proto.profiles.v1development.ProfilesDictionary. */
import { LIMITS } from '../model/limits.ts'
import { WIRE_BYTES, WIRE_VARINT } from '../protobuf/reader.ts'
import { EMPTY_VALUE, KEY_VALUE_AND_UNIT } from './decode-attributes.ts'
import {
  bytes,
  type Draft,
  type Fields,
  indices,
  int32,
  many,
  readFields,
  signed,
  uint64,
  within,
} from './decode-fields.ts'
import { outdated, tooMany } from './faults.ts'
import { GrowingLists } from './growing.ts'
import type {
  Dictionary,
  KeyValueAndUnit,
  OtlpFunction,
  OtlpLine,
  OtlpLink,
  OtlpLocation,
  OtlpMapping,
} from './model.ts'

/** The dictionary while it is read: stacks are columns. */
export type DictionaryDraft = Draft<Omit<Dictionary, 'stackTable'>> & { readonly stacks: GrowingLists }

export function emptyDictionary(): DictionaryDraft {
  return {
    mappingTable: [],
    locationTable: [],
    functionTable: [],
    linkTable: [],
    stringTable: [],
    attributeTable: [],
    stacks: new GrowingLists(),
  }
}

export function finishDictionary({ stacks, ...tables }: DictionaryDraft): Dictionary {
  return { ...tables, stackTable: stacks.finish() }
}

const MAPPING: Fields<Draft<OtlpMapping>> = {
  1: uint64('memoryStart'),
  2: uint64('memoryLimit'),
  3: uint64('fileOffset'),
  4: int32('filenameStrindex'),
  5: indices('attributeIndices'),
}

const LINE: Fields<Draft<OtlpLine>> = { 1: int32('functionIndex'), 2: signed('line'), 3: signed('column') }

const readLine = many('lines', (): Draft<OtlpLine> => ({ functionIndex: 0, line: 0, column: 0 }), LINE)

const LOCATION: Fields<Draft<OtlpLocation>> = {
  1: int32('mappingIndex'),
  2: uint64('address'),
  3: (location, input) => {
    if (location.lines.length >= LIMITS.inlinedLines) tooMany('a location of more lines', LIMITS.inlinedLines)
    readLine(location, input)
  },
  4: indices('attributeIndices'),
}

const FUNCTION: Fields<Draft<OtlpFunction>> = {
  1: int32('nameStrindex'),
  2: int32('systemNameStrindex'),
  3: int32('filenameStrindex'),
  4: signed('startLine'),
}

const LINK: Fields<Draft<OtlpLink>> = { 1: bytes('traceId'), 2: bytes('spanId') }

const NO_BYTES = new Uint8Array()

/** Attributes had their key as text before proto 1.8. */
const ATTRIBUTE: Fields<Draft<KeyValueAndUnit>> = {
  ...KEY_VALUE_AND_UNIT,
  1: (attribute, input) => {
    const { reader } = input
    if (reader.wireType === WIRE_BYTES) outdated(reader.start, 'attribute_table with keys as text')
    KEY_VALUE_AND_UNIT[1]!(attribute, input)
  },
}

export const DICTIONARY: Fields<DictionaryDraft> = {
  1: many(
    'mappingTable',
    (): Draft<OtlpMapping> => ({
      memoryStart: 0n,
      memoryLimit: 0n,
      fileOffset: 0n,
      filenameStrindex: 0,
      attributeIndices: [],
    }),
    MAPPING,
  ),
  2: many(
    'locationTable',
    (): Draft<OtlpLocation> => ({ mappingIndex: 0, address: 0n, lines: [], attributeIndices: [] }),
    LOCATION,
  ),
  3: many(
    'functionTable',
    (): Draft<OtlpFunction> => ({
      nameStrindex: 0,
      systemNameStrindex: 0,
      filenameStrindex: 0,
      startLine: 0,
    }),
    FUNCTION,
  ),
  4: many('linkTable', (): Draft<OtlpLink> => ({ traceId: NO_BYTES, spanId: NO_BYTES }), LINK),
  5: (dictionary, { reader }) => {
    const table = dictionary.stringTable as string[]
    reader.expect(WIRE_BYTES, 'string_table')
    if (table.length >= LIMITS.distinctEntries) tooMany('too many strings', LIMITS.distinctEntries)
    table.push(reader.text(`string_table[${table.length}]`))
  },
  6: many(
    'attributeTable',
    (): Draft<KeyValueAndUnit> => ({ keyStrindex: 0, value: EMPTY_VALUE, unitStrindex: 0 }),
    ATTRIBUTE,
  ),
  7: ({ stacks }, input) => {
    const { values } = stacks
    const first = values.length
    within(input, 'stack_table', () => readFields(values, input, STACK))
    if (values.length - first > LIMITS.stackFrames) tooMany('a stack of more frames', LIMITS.stackFrames)
    stacks.close()
  },
}

const STACK: Fields<GrowingLists['values']> = {
  1: (values, { reader }) => {
    reader.repeated('location_indices', () => values.push(reader.int32('location_indices')), WIRE_VARINT)
  },
}
