import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Profile } from '../../../src/model/profile.ts'
import {
  independentSamples,
  sampleCount,
  sampleWeight,
  shareColumn,
} from '../../../src/model/sample-count.ts'
import { FAKE_REPORT } from '../../helpers/fake-world.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

const counted = profileOf([
  { frames: ['main', 'a'], count: 7 },
  { frames: ['main', 'b'], count: 3 },
])

/** One column of a given type, no column of counts. */
function single(type: string, unit: string, values: readonly number[], more: Partial<Profile> = {}): Profile {
  const samples = { ...counted.samples, values: [Float64Array.from(values)] }
  return { ...counted, sampleTypes: [{ type, unit }], samples, ...more }
}

test('a column of counts says how many samples there are, and what each weighs in the others', () => {
  assert.equal(sampleCount(counted, 1), 10)
  assert.equal(sampleWeight(counted, 0), 1)
  assert.equal(sampleWeight(counted, 1), 10_101_010)
})

test('without one the period says it, where it is one of that column', () => {
  const cpu = single('cpu', 'nanoseconds', [70, 30], { period: 10n })
  assert.equal(sampleCount(cpu, 0), 10)
  assert.equal(sampleWeight(cpu, 0), 10)
  const heap = single('inuse_space', 'bytes', [70, 30], { period: 10n })
  assert.equal(sampleCount(heap, 0), null)
  assert.equal(sampleWeight(heap, 0), null)
})

test('samples of different weights have no weight', () => {
  const values = [counted.samples.values[0]!, Float64Array.of(700, 9000)]
  assert.equal(sampleWeight({ ...counted, samples: { ...counted.samples, values } }, 1), null)
  const seconds = [counted.samples.values[0]!, Float64Array.of(0.07, 0.9)]
  assert.equal(sampleWeight({ ...counted, samples: { ...counted.samples, values: seconds } }, 1), null)
  const rounded = [counted.samples.values[0]!, Float64Array.of(699, 301)]
  assert.equal(sampleWeight({ ...counted, samples: { ...counted.samples, values: rounded } }, 1), 100)
})

test('of our own captures the largest weight is that of all: no value has more samples than it seems to', () => {
  const values = [Float64Array.of(97, 19), Float64Array.of(1e9, 1e9)]
  const own = { ...counted, samples: { ...counted.samples, values }, capture: FAKE_REPORT }
  assert.equal(sampleCount(own, 1), 116)
  assert.equal(sampleWeight(own, 1), 1e9 / 19)
  assert.equal(independentSamples(own, 1), 38)
  assert.deepEqual(shareColumn(own), { column: 1, weight: 1e9 / 19 })
  assert.deepEqual(shareColumn({ ...own, capture: null }), { column: 0, weight: 1 })
  assert.deepEqual(shareColumn({ ...counted, capture: FAKE_REPORT }), { column: 0, weight: 1 })
  assert.equal(independentSamples({ ...own, capture: null }, 1), 116)
})

test('no samples weigh nothing', () => {
  assert.equal(sampleCount(profileOf([]), 0), 0)
  assert.equal(sampleWeight(profileOf([]), 0), null)
})
