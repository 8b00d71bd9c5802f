import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WIRE_BYTES, WIRE_FIXED64, WireReader } from '../../../src/protobuf/reader.ts'
import { wellFormed } from '../../../src/protobuf/utf8.ts'
import { varint64Size, varintSize, WireWriter } from '../../../src/protobuf/writer.ts'

class Damaged extends Error {}

function fault(offset: number, reason: string): never {
  throw new Damaged(`${offset}: ${reason}`)
}

function reading(write: (writer: WireWriter) => void, capacity?: number): WireReader {
  const writer = new WireWriter(capacity)
  write(writer)
  return new WireReader(writer.finish(), fault)
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

test('64-bit numbers are exact both ways, as bigints, numbers and halves', () => {
  fc.assert(
    fc.property(int64, uint64, fc.maxSafeInteger(), (signed, unsigned, safe) => {
      const reader = reading((writer) => {
        writer.int64(1, signed || 1n)
        writer.int64(2, BigInt.asIntN(64, unsigned || 1n))
        writer.int64(3, safe || 1)
        writer.fixed64(4, unsigned || 1n)
      }, 8)
      reader.tag()
      assert.equal(BigInt(reader.signed('a')), signed || 1n)
      reader.tag()
      assert.equal(reader.unsigned64('b'), unsigned || 1n)
      reader.tag()
      assert.equal(reader.signed('c'), safe || 1)
      reader.tag()
      assert.equal(reader.wireType, WIRE_FIXED64)
      assert.equal(reader.fixed64('d'), unsigned || 1n)
      assert.ok(reader.atEnd)
    }),
  )
})

test('sizes of numbers are what is written', () => {
  fc.assert(
    fc.property(uint64, (value) => {
      const writer = new WireWriter(1)
      const low = Number(value & 0xffffffffn)
      const high = Number(value >> 32n)
      writer.varint64(low, high)
      assert.equal(writer.length, varint64Size(low, high))
      const before = writer.length
      writer.varint(low)
      assert.equal(writer.length - before, varintSize(low))
    }),
  )
})

test('messages inside messages have the right lengths, around each border of a varint', () => {
  for (const size of [0, 1, 126, 127, 128, 16_383, 16_384, 2_097_152]) {
    const reader = reading((writer) => {
      const outer = writer.begin(1)
      const inner = writer.begin(2)
      writer.raw(new Uint8Array(size).fill(7))
      writer.end(inner)
      writer.uint(3, 9)
      writer.end(outer)
      writer.uint(4, 1)
    }, 4)
    reader.tag()
    const outer = reader.enter('outer')
    reader.tag()
    assert.deepEqual(reader.bytes('inner'), new Uint8Array(size).fill(7))
    reader.tag()
    assert.equal(reader.index('three'), 9)
    assert.ok(reader.atEnd)
    reader.leave(outer)
    reader.tag()
    assert.equal(reader.field, 4)
  }
})

test('P-07: any text is valid UTF-8 when written, short or long', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.constantFrom('\ud800', 'a\udc00b', '\ufeffx'),
  )
  fc.assert(
    fc.property(text, (value) => {
      const reader = reading((writer) => writer.textElement(1, value), 2)
      reader.tag()
      assert.equal(reader.wireType, WIRE_BYTES)
      assert.equal(reader.text('a text'), wellFormed(value))
    }),
  )
})

test('a writer goes on from a length that was set back', () => {
  const writer = new WireWriter(2)
  writer.text(1, 'kept')
  const kept = writer.length
  writer.text(2, 'taken back, and longer than what follows')
  writer.length = kept
  writer.text(3, 'x')
  assert.equal(Buffer.from(writer.finish()).toString('latin1'), '\x0a\x04kept\x1a\x01x')
})

test('doubles, lists of eight bytes and negative int32', () => {
  const reader = reading((writer) => {
    writer.double(1, -0.5)
    writer.int64(2, -3)
    const list = writer.begin(3)
    for (const at of [1, 2]) writer.fixed64Halves(at, 0x80000000)
    writer.end(list)
    writer.tag(3, WIRE_FIXED64)
    writer.fixed64Halves(3, 0)
  })
  reader.tag()
  assert.equal(reader.double('a'), -0.5)
  reader.tag()
  assert.equal(reader.int32('b'), -3)
  const seen: bigint[] = []
  while (!reader.atEnd) {
    reader.tag()
    reader.repeated('c', () => seen.push(reader.fixed64('c')), WIRE_FIXED64)
  }
  assert.deepEqual(seen, [2n ** 63n + 1n, 2n ** 63n + 2n, 3n])
})

test('what is read from a Buffer is copied when asked to be', () => {
  const buffer = Buffer.from([0x0a, 0x01, 0x41])
  const reader = new WireReader(buffer, fault)
  reader.tag()
  const copy = reader.bytes('a').slice()
  buffer.fill(0)
  assert.deepEqual(copy, Uint8Array.of(0x41))
})

test('whatever the bytes, a reader ends or names the byte', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const reader = new WireReader(bytes, fault)
      try {
        while (!reader.atEnd) {
          reader.tag()
          reader.skip()
        }
      } catch (error) {
        assert.ok(error instanceof Damaged && /^\d+: /.test(error.message), String(error))
      }
    }),
    { numRuns: 2000 },
  )
  const cut =
    (...bytes: readonly number[]) =>
    () => {
      const reader = new WireReader(Uint8Array.from(bytes), fault)
      reader.tag()
      if (reader.wireType === WIRE_FIXED64) reader.fixed64('f')
      else reader.text('t')
    }
  assert.throws(cut(0x09, 1, 2, 3), /^Error: 1: f is cut short/)
  assert.throws(cut(0x0a, 1, 0xff), /^Error: 1: t is not valid UTF-8/)
  assert.throws(cut(0x0a, 9, 0), /^Error: 1: t of 9 bytes, 1 are left/)
})
