import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AgentError } from '../../../src/errors.ts'
import { decodePacked, encodePacked } from '../../../src/formats/packed.ts'
import { inDrawingOrder } from '../../../src/formats/packed-order.ts'
import { anyProfile } from '../../helpers/any-profile.ts'
import { nodeServerProfile, profileOf } from '../../helpers/sample-profile.ts'

const small = encodePacked(profileOf([{ frames: ['main|/bin/x', '+a', 'b||kernel'], count: 3 }]))

/** Decodes hostile bytes: fine or an AgentError, nothing else. */
function survives(bytes: Uint8Array): boolean {
  try {
    decodePacked(bytes)
    return true
  } catch (error) {
    assert.ok(error instanceof AgentError, String(error))
    assert.equal(error.code, 'input_invalid')
    return false
  }
}

test('gives back an equal profile, capture report included', () => {
  const profile = nodeServerProfile()
  assert.deepEqual(decodePacked(encodePacked(profile)), inDrawingOrder(profile))
})

test('keeps the source text that was captured, and refuses one of another shape', () => {
  const lines = ['int main() {', '', '  // “ü”\u2028']
  const profile = { ...nodeServerProfile(), sources: [{ fileName: '/src/a.c', firstLine: 7, lines }] }
  assert.deepEqual(decodePacked(encodePacked(profile)), inDrawingOrder(profile))
  for (const wrong of [{ lines: [1] }, { lines: '' }, { firstLine: -1 }, { fileName: 1 }]) {
    const sources = [{ ...profile.sources[0]!, ...wrong }] as never
    assert.throws(() => decodePacked(encodePacked({ ...profile, sources })), /no usable "sources"/)
  }
})

test('gives back any profile bit for bit, in drawing order', () => {
  fc.assert(
    fc.property(anyProfile, (profile) =>
      assert.deepStrictEqual(decodePacked(encodePacked(profile)), inDrawingOrder(profile)),
    ),
  )
})

test('keeps values a double cannot hold', () => {
  const profile = profileOf([{ frames: ['a'], count: 1 }])
  const wideValues = new Map([[0, 2n ** 63n - 1n]])
  const wide = { ...profile, samples: { ...profile.samples, wideValues } }
  assert.deepEqual(decodePacked(encodePacked(wide)).samples.wideValues, wideValues)
})

test('refuses every truncation', () => {
  for (let length = 0; length < small.length; length++)
    assert.equal(survives(small.subarray(0, length)), false, `${length} bytes`)
})

test('survives every flipped byte', () => {
  for (let at = 0; at < small.length; at++) {
    for (const flip of [1, 0x80, 0xff]) {
      const bytes = small.slice()
      bytes[at]! ^= flip
      survives(bytes)
    }
  }
})

test('survives random bytes behind a right start', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      (tail) => survives(Uint8Array.of(...small.subarray(0, 5), ...tail)) || true,
    ),
  )
})

test('tells another format and a newer version from damage', () => {
  assert.throws(() => decodePacked(new Uint8Array([1, 2, 3, 4, 5])), /not a packed profile/)
  const newer = small.slice()
  newer[4] = 9
  assert.throws(() => decodePacked(newer), /version 9/)
  assert.throws(() => decodePacked(small.subarray(0, 40)), /damaged at byte \d+/)
})

test('refuses row counts that the bytes cannot hold before it allocates them', () => {
  const text = new TextDecoder('latin1').decode(small)
  const bomb = text.replace(/"stacks":\d/, '"stacks":9')
  const bytes = Uint8Array.from(bomb, (char) => char.charCodeAt(0))
  assert.throws(() => decodePacked(bytes), AgentError)
})
