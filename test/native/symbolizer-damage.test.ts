import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import type { LineResult } from '../../src/symbolize/line-client.ts'
import { buildInlines, cannotRun, instructionAddresses, ourLines } from './symbolizer-cases.ts'

/** A small generator with a seed, so that a failure can be repeated. */
function randomBelow(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** Offset and size of each .debug_* section, by readelf. */
function debugSections(file: string): Map<string, { offset: number; size: number }> {
  const listing = execFileSync('readelf', ['-SW', file], { encoding: 'utf8' })
  const rows = [...listing.matchAll(/\] \.(debug_\w+) +\w+ +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+)/g)]
  return new Map(
    rows.map(([, name, offset, size]) => [
      name!,
      { offset: Number.parseInt(offset!, 16), size: Number.parseInt(size!, 16) },
    ]),
  )
}

describe('damaged debug information', { skip: cannotRun }, () => {
  let out = ''
  let addresses: number[] = []
  before(() => {
    out = buildInlines()
    addresses = instructionAddresses(join(out, 'dwarf5'), 8)
  })

  /** Asks for the lines of changed bytes; whatever they are, there is an outcome in time. */
  async function survives(bytes: Buffer, name: string): Promise<string> {
    return (await outcome(bytes, name)).failure
  }

  async function outcome(bytes: Buffer, name: string): Promise<LineResult> {
    const file = join(out, 'damaged')
    writeFileSync(file, bytes)
    const startMs = performance.now()
    const result = await ourLines({ object: file }, addresses, 5000)
    assert.ok(performance.now() - startMs < 15_000, `${name} took too long`)
    assert.equal(result.rows.length, addresses.length)
    assert.doesNotMatch(JSON.stringify(result.rows), /<invalid>/)
    return result
  }

  for (const form of ['dwarf5', 'dwarf4', 'zlib']) {
    test(`flipped bits cost lines, not more (${form})`, async () => {
      const good = readFileSync(join(out, form))
      const random = randomBelow(form.length * 7919)
      let told = 0
      for (const [name, { offset, size }] of debugSections(join(out, form))) {
        for (let round = 0; round < 8; round++) {
          const bytes = Buffer.from(good)
          for (let flip = 0; flip <= random(32); flip++) {
            const at = offset + random(size)
            bytes[at] = bytes[at]! ^ (1 << random(8))
          }
          const { failure, damage } = await outcome(bytes, `${name} round ${round}`)
          if (failure !== '' || damage > 0) told++
        }
      }
      assert.ok(told > 0, 'some of the damage is told')
    })
  }

  test('a lying section header or file header is refused or read around', async () => {
    const good = readFileSync(join(out, 'dwarf5'))
    const random = randomBelow(11)
    const sectionHeaders = Number(good.readBigUInt64LE(0x28))
    for (let round = 0; round < 60; round++) {
      const bytes = Buffer.from(good)
      const at = round % 2 === 0 ? random(64) : sectionHeaders + random(bytes.length - sectionHeaders)
      bytes[at] = random(256)
      await survives(bytes, `byte ${at}`)
    }
  })

  test('a file cut short anywhere has an outcome', async () => {
    const good = readFileSync(join(out, 'dwarf5'))
    for (let part = 0; part < 24; part++) {
      const failure = await survives(good.subarray(0, Math.floor((good.length * part) / 24)), `part ${part}`)
      assert.notEqual(failure, '', `part ${part}`)
    }
  })

  test('a section that claims to unpack to 1 TB is refused by its size', async () => {
    const bytes = Buffer.from(readFileSync(join(out, 'zlib')))
    const { offset } = debugSections(join(out, 'zlib')).get('debug_info')!
    bytes.writeBigUInt64LE(2n ** 40n, offset + 8)
    assert.match(await survives(bytes, 'bomb'), /unpacks to 1099511627776 bytes, beyond the limit/)
  })

  test('a file without debug information says so', async () => {
    const result = await ourLines({ object: join(out, 'stripped') }, addresses)
    assert.equal(result.failure, 'the file has no .debug_info')
  })

  test('a text file is no ELF file', async () => {
    assert.notEqual(await survives(Buffer.from('#!/bin/sh\n'), 'script'), '')
  })
})
