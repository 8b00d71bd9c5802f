/** The ProcessContext message (processcontext.v1development): what a process claims to be, as attributes. */
import type { Attributes, AttributeValue } from '../model/attributes.ts'
import { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT, WireReader } from '../protobuf/reader.ts'

const MAX_ATTRIBUTES = 128
const MAX_KEY = 256
const MAX_VALUE = 4096
const MAX_ELEMENTS = 64

export interface ClaimedContext {
  /** Of the message's resource, without what we do not take from a process. */
  readonly attributes: Attributes
  /** Attributes left out: of the infrastructure, too long, too many, or of a type that resources do not need. */
  readonly refused: number
}

/** The bytes are no ProcessContext; the message says where they break. */
export class MalformedContext extends Error {}

const OF_THE_INFRASTRUCTURE =
  /^(k8s|host|os|container|oci|cloud|aws|gcp|azure|faas|device|process(?!\.runtime))\./

/**
 * True for a key that others may set of a resource. Not for those whose truth is ours to find out: who could set them
 * would pass for another pod or host (C-05). `process.runtime.*` is the process's own business.
 */
export function mayBeClaimed(key: string): boolean {
  const isName = key.length > 0 && key.length <= MAX_KEY && !/[\s\x00-\x1f\x7f]/.test(key)
  return isName && !OF_THE_INFRASTRUCTURE.test(`${key}.`)
}

/** Reads a payload of at most 65 536 bytes. Errors: MalformedContext. No recursion: nested lists are stepped over. */
export function decodeContext(bytes: Uint8Array): ClaimedContext {
  const reader = new WireReader(bytes, (offset, reason) => {
    throw new MalformedContext(`byte ${offset}: ${reason}`)
  })
  const claims = new Claims()
  while (!reader.atEnd) {
    reader.tag()
    if (reader.field !== 1) {
      reader.skip() // 2: attributes of the threads' contexts, no part of the resource
      continue
    }
    reader.expect(WIRE_BYTES, 'resource')
    const outer = reader.enter('resource')
    while (!reader.atEnd) {
      reader.tag()
      if (reader.field === 1) readKeyValue(reader, claims)
      else reader.skip()
    }
    reader.leave(outer)
  }
  return { attributes: Object.freeze(Object.fromEntries(claims.accepted)), refused: claims.refused }
}

class Claims {
  readonly accepted = new Map<string, AttributeValue>()
  refused = 0

  add(key: string, value: AttributeValue | null): void {
    const full = this.accepted.size >= MAX_ATTRIBUTES && !this.accepted.has(key)
    if (value === null || full || !mayBeClaimed(key)) this.refused++
    else this.accepted.set(key, value)
  }
}

function readKeyValue(reader: WireReader, claims: Claims): void {
  reader.expect(WIRE_BYTES, 'attribute')
  const outer = reader.enter('attribute')
  let key = ''
  let value: AttributeValue | null = null
  while (!reader.atEnd) {
    reader.tag()
    if (reader.field === 1) {
      reader.expect(WIRE_BYTES, 'attribute key')
      key = reader.text('attribute key')
    } else if (reader.field === 2) {
      reader.expect(WIRE_BYTES, 'attribute value')
      value = readValue(reader, true)
    } else reader.skip()
  }
  reader.leave(outer)
  claims.add(key, value)
}

/** An AnyValue: text, bool, int64, double or a list of text; null for all else. */
function readValue(reader: WireReader, mayBeList: boolean): AttributeValue | null {
  const outer = reader.enter('attribute value')
  let value: AttributeValue | null = null
  while (!reader.atEnd) {
    reader.tag()
    if (reader.field === 1) value = readText(reader)
    else if (reader.field === 2) value = readAs(reader, WIRE_VARINT, () => reader.boolean('bool value'))
    else if (reader.field === 3) value = readAs(reader, WIRE_VARINT, () => reader.signed('int value'))
    else if (reader.field === 4) value = readAs(reader, WIRE_FIXED64, () => reader.double('double value'))
    else if (reader.field === 5 && mayBeList) value = readList(reader)
    else {
      value = null
      reader.skip()
    }
  }
  reader.leave(outer)
  return value
}

function readAs<T>(reader: WireReader, wireType: number, read: () => T): T {
  reader.expect(wireType, 'attribute value')
  return read()
}

function readText(reader: WireReader): string | null {
  reader.expect(WIRE_BYTES, 'string value')
  const text = reader.text('string value')
  return text.length <= MAX_VALUE ? text : null
}

function readList(reader: WireReader): readonly string[] | null {
  reader.expect(WIRE_BYTES, 'array value')
  const outer = reader.enter('array value')
  const elements: string[] = []
  let isText = true
  while (!reader.atEnd) {
    reader.tag()
    if (reader.field !== 1) {
      reader.skip()
      continue
    }
    reader.expect(WIRE_BYTES, 'array element')
    const element = readValue(reader, false)
    if (typeof element === 'string' && elements.length < MAX_ELEMENTS) elements.push(element)
    else isText = false
  }
  reader.leave(outer)
  return isText ? elements : null
}
