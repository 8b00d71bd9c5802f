/** Writes attribute values, and the keyed attributes of resources and scopes (P-50: keys and texts inline). */
import type { AttributeValue } from '../model/attributes.ts'
import { WIRE_VARINT } from '../protobuf/reader.ts'
import { wellFormed } from '../protobuf/utf8.ts'
import type { WireWriter } from '../protobuf/writer.ts'

/** Field numbers of AnyValue's oneof. */
export const ANY = {
  string: 1,
  bool: 2,
  int: 3,
  double: 4,
  array: 5,
  kvlist: 6,
  bytes: 7,
  strindex: 8,
} as const

/** A value, perhaps of mixed elements: what labels of one key may be together. */
export type WritableValue = AttributeValue | readonly WritableValue[]

export type KeyedValues = Readonly<Record<string, WritableValue>>

/** The fields of one AnyValue. A oneof is written even when it is zero. */
export function writeAnyValue(writer: WireWriter, value: WritableValue): void {
  if (typeof value === 'string') writer.textElement(ANY.string, value)
  else if (typeof value === 'boolean') writeBool(writer, value)
  else if (typeof value === 'bigint' || Number.isSafeInteger(value)) {
    writeInt(writer, value as bigint | number)
  } else if (typeof value === 'number') writer.double(ANY.double, value)
  else writeArray(writer, value)
}

function writeBool(writer: WireWriter, value: boolean): void {
  writer.tag(ANY.bool, WIRE_VARINT)
  writer.varint(value ? 1 : 0)
}

function writeInt(writer: WireWriter, value: bigint | number): void {
  if (value !== 0 && value !== 0n) {
    writer.int64(ANY.int, value)
    return
  }
  writer.tag(ANY.int, WIRE_VARINT)
  writer.varint(0)
}

function writeArray(writer: WireWriter, values: readonly WritableValue[]): void {
  const array = writer.begin(ANY.array)
  for (const value of values) {
    const element = writer.begin(1)
    writeAnyValue(writer, value)
    writer.end(element)
  }
  writer.end(array)
}

/** Attributes as KeyValue messages in field `field`. Keys that UTF-8 makes equal are written once; none is empty. */
export function writeAttributes(writer: WireWriter, field: number, attributes: KeyedValues): void {
  const seen = new Set<string>()
  for (const [rawKey, value] of Object.entries(attributes)) {
    const key = wellFormed(rawKey)
    if (key === '' || seen.has(key)) continue
    seen.add(key)
    const pair = writer.begin(field)
    writer.text(1, key)
    const any = writer.begin(2)
    writeAnyValue(writer, value)
    writer.end(any)
    writer.end(pair)
  }
}
