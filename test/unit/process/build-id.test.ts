import assert from 'node:assert/strict'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isElf, readBuildId } from '../../../src/process/build-id.ts'
import { BUILD_ID, type ElfParts, elfBytes } from './elf-bytes.ts'
import { temporaryDirectory } from './temporary.ts'

const path = join(temporaryDirectory(), 'file')

/** Runs a reader on a file with these bytes. */
function on<T>(bytes: Uint8Array, read: (fd: number) => T): T {
  writeFileSync(path, bytes)
  const fd = openSync(path, 'r')
  try {
    return read(fd)
  } finally {
    closeSync(fd)
  }
}

describe('readBuildId', () => {
  it('finds the id behind other notes', () => {
    assert.equal(on(elfBytes(), readBuildId), BUILD_ID)
  })

  it('takes ids of any length up to 64 bytes', () => {
    for (const bytes of [1, 8, 16, 20, 32, 64]) {
      const id = 'a5'.repeat(bytes)
      assert.equal(on(elfBytes({ buildId: id }), readBuildId), id)
    }
    assert.equal(on(elfBytes({ buildId: 'a5'.repeat(65) }), readBuildId), '')
  })

  it('finds the id of the running node, if it has one, as hex', () => {
    const fd = openSync(process.execPath, 'r')
    assert.match(readBuildId(fd), /^([0-9a-f]{2})*$/)
    assert.ok(isElf(fd))
    closeSync(fd)
  })

  it('gives nothing for a file cut anywhere', () => {
    const whole = elfBytes()
    for (let length = 0; length < whole.length; length++)
      assert.equal(on(whole.subarray(0, length), readBuildId), '', `cut at ${length}`)
  })

  const lies: Record<string, ElfParts> = {
    'segments beyond the file': { segmentsAt: 1n << 40n },
    'segments beyond 2^53': { segmentsAt: (1n << 64n) - 1n },
    'segments at 2^63': { segmentsAt: 1n << 63n },
    'entries of no bytes': { entryBytes: 0 },
    'entries too short': { entryBytes: 55 },
    'no entries': { entries: 0 },
    'a note beyond the file': { noteAt: 1n << 40n },
    'a note beyond 2^53': { noteAt: (1n << 64n) - 1n },
    'a name that ends before its note': { nameBytes: 0xfffffff0 },
    'a name of 2 GiB': { nameBytes: 0x80000000 },
    'an id of 4 GiB': { idBytes: 0xffffffff },
    'an id longer than its segment': { idBytes: 40 },
    'a 32-bit class': { elfClass: 1 },
    'another type of note': { noteType: 4 },
  }
  for (const [lie, parts] of Object.entries(lies))
    it(`gives nothing for ${lie}`, () => assert.equal(on(elfBytes(parts), readBuildId), ''))

  it('reads on where counts and sizes are too large', () => {
    assert.equal(on(elfBytes({ entries: 0xffff }), readBuildId), BUILD_ID)
    assert.equal(on(elfBytes({ noteBytes: (1n << 64n) - 1n }), readBuildId), BUILD_ID)
  })

  it('ends, with hex or nothing, on any flipped bytes', () => {
    const flip = fc.record({ at: fc.nat({ max: elfBytes().length - 1 }), value: fc.nat({ max: 255 }) })
    fc.assert(
      fc.property(fc.array(flip, { maxLength: 8 }), (flips) => {
        const bytes = elfBytes()
        for (const { at, value } of flips) bytes[at] = value
        assert.match(on(bytes, readBuildId), /^([0-9a-f]{2})*$/)
      }),
      { numRuns: 300 },
    )
  })
})

describe('isElf', () => {
  it('asks for the four magic bytes', () => {
    assert.equal(on(elfBytes(), isElf), true)
    assert.equal(on(Buffer.from('\x7fELF'), isElf), true)
    assert.equal(on(Buffer.from('\x7fEL'), isElf), false)
    assert.equal(on(Buffer.from('#!/bin/sh\n'), isElf), false)
    assert.equal(on(Buffer.alloc(0), isElf), false)
  })
})
