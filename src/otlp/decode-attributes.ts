/** Reads values, keyed attributes, resources and scopes: opentelemetry.proto.{common,resource}.v1. */
import { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from '../protobuf/reader.ts'
import {
  type Draft,
  type Fields,
  int32,
  many,
  readFields,
  text,
  texts,
  uint32,
  within,
} from './decode-fields.ts'
import { MOST_NESTED, tooMany } from './faults.ts'
import type { AnyValue, EntityRef, KeyValue, KeyValueAndUnit, Resource, Scope } from './model.ts'
import { ANY } from './write-value.ts'

export const EMPTY_VALUE: AnyValue = { kind: 'empty' }

/** A value is one of a oneof: the last one counts. */
interface ValueDraft {
  value: AnyValue
}

const VALUE: Fields<ValueDraft> = {
  [ANY.string]: (draft, { reader }) => {
    reader.expect(WIRE_BYTES, 'string_value')
    draft.value = { kind: 'string', value: reader.text('string_value') }
  },
  [ANY.bool]: (draft, { reader }) => {
    reader.expect(WIRE_VARINT, 'bool_value')
    draft.value = { kind: 'bool', value: reader.boolean('bool_value') }
  },
  [ANY.int]: (draft, { reader }) => {
    reader.expect(WIRE_VARINT, 'int_value')
    draft.value = { kind: 'int', value: BigInt.asIntN(64, reader.unsigned64('int_value')) }
  },
  [ANY.double]: (draft, { reader }) => {
    reader.expect(WIRE_FIXED64, 'double_value')
    draft.value = { kind: 'double', value: reader.double('double_value') }
  },
  [ANY.array]: (draft, input) => {
    const values = draft.value.kind === 'array' ? [...draft.value.values] : []
    within(input, 'array_value', () => {
      readFields({ values }, input, { 1: (list, inner) => list.values.push(nestedValue(inner)) })
    })
    draft.value = { kind: 'array', values }
  },
  [ANY.kvlist]: (draft, input) => {
    const values = draft.value.kind === 'kvlist' ? [...draft.value.values] : []
    within(input, 'kvlist_value', () =>
      readFields({ values }, input, { 1: many('values', emptyPair, KEY_VALUE) }),
    )
    draft.value = { kind: 'kvlist', values }
  },
  [ANY.bytes]: (draft, { reader }) => {
    reader.expect(WIRE_BYTES, 'bytes_value')
    draft.value = { kind: 'bytes', value: reader.bytes('bytes_value').slice() }
  },
  [ANY.strindex]: (draft, { reader }) => {
    reader.expect(WIRE_VARINT, 'string_value_strindex')
    draft.value = { kind: 'strindex', value: reader.int32('string_value_strindex') }
  },
}

function nestedValue(input: Parameters<typeof within>[0]): AnyValue {
  const draft: ValueDraft = { value: EMPTY_VALUE }
  readValue(draft, input)
  return draft.value
}

function readValue(draft: ValueDraft, input: Parameters<typeof within>[0]): void {
  input.budget.take()
  if (++input.depth > MOST_NESTED) tooMany('attribute values inside others', MOST_NESTED)
  within(input, 'value', () => readFields(draft, input, VALUE))
  input.depth--
}

function emptyPair(): Draft<KeyValue> {
  return { key: '', keyStrindex: 0, value: EMPTY_VALUE }
}

const KEY_VALUE: Fields<Draft<KeyValue>> = { 1: text('key'), 2: readValue, 3: int32('keyStrindex') }

/** Field 1 was the key itself before proto 1.8: see decode-tables.ts. */
export const KEY_VALUE_AND_UNIT: Fields<Draft<KeyValueAndUnit>> = {
  1: int32('keyStrindex'),
  2: readValue,
  3: int32('unitStrindex'),
}

const ENTITY_REF: Fields<Draft<EntityRef>> = {
  1: text('schemaUrl'),
  2: text('type'),
  3: texts('idKeys'),
  4: texts('descriptionKeys'),
}

export function emptyResource(): Draft<Resource> {
  return { attributes: [], droppedAttributesCount: 0, entityRefs: [] }
}

export const RESOURCE: Fields<Draft<Resource>> = {
  1: many('attributes', emptyPair, KEY_VALUE),
  2: uint32('droppedAttributesCount'),
  3: many(
    'entityRefs',
    (): Draft<EntityRef> => ({ schemaUrl: '', type: '', idKeys: [], descriptionKeys: [] }),
    ENTITY_REF,
  ),
}

export function emptyScope(): Draft<Scope> {
  return { name: '', version: '', attributes: [], droppedAttributesCount: 0 }
}

export const SCOPE: Fields<Draft<Scope>> = {
  1: text('name'),
  2: text('version'),
  3: many('attributes', emptyPair, KEY_VALUE),
  4: uint32('droppedAttributesCount'),
}
