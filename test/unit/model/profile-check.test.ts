import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Profile } from '../../../src/model/profile.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'
import { capturedProfile } from '../formats/sample-profile.ts'

const good = capturedProfile()
const withSamples = (change: Partial<Profile['samples']>): Profile => ({
  ...good,
  samples: { ...good.samples, ...change },
})
const withLocation = (change: object): Profile => ({
  ...good,
  locations: good.locations.map((location) => ({ ...location, ...change })),
})

test('accepts a good profile', () => {
  assert.equal(checkProfile(good), null)
})

const BROKEN: readonly (readonly [string, Profile])[] = [
  ['default sample type 2 of 2', { ...good, defaultSampleType: 2 }],
  ['location 0 is in mapping 3 of 3', withLocation({ mapping: 3 })],
  ["location 0 is of kind 'odd'", withLocation({ kind: 'odd' })],
  ['location 0 names function 6 of 6', withLocation({ lines: [{ function: 6, line: 0, column: 0 }] })],
  [
    'stack node 0 has parent 0',
    { ...good, stacks: { parent: Int32Array.of(0), location: Int32Array.of(0) } },
  ],
  [
    'stack node 0 is at location 6 of 6',
    { ...good, stacks: { parent: Int32Array.of(-1), location: Int32Array.of(6) } },
  ],
  [
    '1 stack parents, 0 locations',
    { ...good, stacks: { parent: Int32Array.of(-1), location: new Int32Array(0) } },
  ],
  ['7 sample stacks, 1 label sets', withSamples({ labelSet: Int32Array.of(0) })],
  ['7 sample stacks, 1 times', withSamples({ timeNs: Float64Array.of(0) })],
  ['1 value columns for 2 sample types', withSamples({ values: [new Float64Array(7)] })],
  [
    '7 sample stacks, 0 values in column 1',
    withSamples({ values: [new Float64Array(7), new Float64Array(0)] }),
  ],
  ['sample 0 has stack 7 of 7', withSamples({ stack: new Int32Array(7).fill(7) })],
  ['sample 0 has stack -2 of 7', withSamples({ stack: new Int32Array(7).fill(-2) })],
  ['sample 0 has label set 2 of 2', withSamples({ labelSet: new Int32Array(7).fill(2) })],
  ['wide value 14 of 14 values', withSamples({ wideValues: new Map([[14, 0n]]) })],
]

for (const [fault, profile] of BROKEN) {
  test(`names the fault: ${fault}`, () => assert.equal(checkProfile(profile), fault))
}
