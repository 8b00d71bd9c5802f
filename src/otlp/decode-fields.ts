/**
 * Reading messages by tables: `fields[n]` reads field n. Known fields must have their wire type, unknown ones are
 * skipped, singular messages that come twice are merged (P-15).
 */
import { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT, type WireReader } from '../protobuf/reader.ts'
import type { Budget } from './faults.ts'

/** The bytes being read and what is left of the limits. */
export interface Input {
  readonly reader: WireReader
  readonly budget: Budget
  /** How deep the value being read lies in others. */
  depth: number
}

export type FieldReader<T> = (message: T, input: Input) => void
export type Fields<T> = Readonly<Record<number, FieldReader<T>>>

/** A message while it is read. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] }

/** Reads to the end of the current message. */
export function readFields<T>(message: T, input: Input, fields: Fields<T>): T {
  const { reader } = input
  while (!reader.atEnd) {
    reader.tag()
    const read = fields[reader.field]
    if (read) read(message, input)
    else reader.skip()
  }
  return message
}

/** Runs `read` on the message that the last tag announced. */
export function within(input: Input, what: string, read: () => void): void {
  const { reader } = input
  reader.expect(WIRE_BYTES, what)
  const outer = reader.enter(what)
  read()
  reader.leave(outer)
}

/** A repeated message: each is appended to list `key`; `weight` as in Budget. */
export function many<K extends string, E>(
  key: K,
  empty: () => Draft<E>,
  fields: Fields<Draft<E>>,
  weight = 1,
): FieldReader<Record<K, readonly E[]>> {
  return (message, input) => {
    input.budget.take(weight)
    within(input, key, () => {
      ;(message[key] as E[]).push(readFields(empty(), input, fields))
    })
  }
}

/** A singular message: null until it comes, merged when it comes again. */
export function one<K extends string, E>(
  key: K,
  empty: () => Draft<E>,
  fields: Fields<Draft<E>>,
): FieldReader<Record<K, E | null>> {
  return (message, input) => {
    message[key] ??= empty()
    within(input, key, () => readFields(message[key] as Draft<E>, input, fields))
  }
}

export function int32<K extends string>(key: K): FieldReader<Record<K, number>> {
  return (message, { reader }) => {
    reader.expect(WIRE_VARINT, key)
    message[key] = reader.int32(key)
  }
}

/** A count: uint32, which no one can have more of than a double holds. */
export function uint32<K extends string>(key: K): FieldReader<Record<K, number>> {
  return (message, { reader }) => {
    reader.expect(WIRE_VARINT, key)
    message[key] = reader.index(key)
  }
}

/** A position in a source file: a number where that is exact. */
export function signed<K extends string>(key: K): FieldReader<Record<K, number | bigint>> {
  return (message, { reader }) => {
    reader.expect(WIRE_VARINT, key)
    message[key] = reader.signed(key)
  }
}

export function int64<K extends string>(key: K): FieldReader<Record<K, bigint>> {
  return (message, { reader }) => {
    reader.expect(WIRE_VARINT, key)
    message[key] = BigInt.asIntN(64, reader.unsigned64(key))
  }
}

export function uint64<K extends string>(key: K): FieldReader<Record<K, bigint>> {
  return (message, { reader }) => {
    reader.expect(WIRE_VARINT, key)
    message[key] = reader.unsigned64(key)
  }
}

export function fixed64<K extends string>(key: K): FieldReader<Record<K, bigint>> {
  return (message, { reader }) => {
    reader.expect(WIRE_FIXED64, key)
    message[key] = reader.fixed64(key)
  }
}

export function text<K extends string>(key: K): FieldReader<Record<K, string>> {
  return (message, { reader }) => {
    reader.expect(WIRE_BYTES, key)
    message[key] = reader.text(key)
  }
}

export function texts<K extends string>(key: K): FieldReader<Record<K, readonly string[]>> {
  return (message, { reader, budget }) => {
    reader.expect(WIRE_BYTES, key)
    budget.take()
    ;(message[key] as string[]).push(reader.text(`${key}[${message[key].length}]`))
  }
}

/** Bytes, copied: what is read may be let go. */
export function bytes<K extends string>(key: K): FieldReader<Record<K, Uint8Array>> {
  return (message, { reader }) => {
    reader.expect(WIRE_BYTES, key)
    message[key] = reader.bytes(key).slice()
  }
}

/** A list of indices, packed or not. */
export function indices<K extends string>(key: K): FieldReader<Record<K, readonly number[]>> {
  return (message, { reader, budget }) => {
    reader.repeated(key, () => {
      budget.take()
      ;(message[key] as number[]).push(reader.int32(key))
    })
  }
}
