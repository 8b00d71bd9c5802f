import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adjustFamily, FAMILY_LEVEL, type FamilyTest } from '../../../src/stats/family.ts'
import { randomNumbers } from '../../helpers/sample-profile.ts'

/** Of tests with one variance unless they have their own. */
const adjusted = (tests: readonly (Omit<FamilyTest, 'variance'> & { variance?: number })[]): number[] =>
  Array.from(adjustFamily(tests.map((test) => ({ variance: 1, ...test }))), (p) => Number(p.toFixed(6)))

test('where every p-value is possible it is the method of Holm', () => {
  const ps = [0.04, 0.001, 0.03, 0.012]
  const tests = ps.map((p) => ({ p, smallest: 0 }))
  // 0.001*4, 0.012*3, 0.03*2, then never falling.
  assert.deepEqual(adjusted(tests), [0.06, 0.004, 0.06, 0.036])
})

test('tests that cannot be that sure do not count', () => {
  const few = Array.from({ length: 1000 }, () => ({ p: 0.5, smallest: 0.25 }))
  assert.equal(adjusted([{ p: 0.01, smallest: 0 }, ...few])[0], 0.01)
  assert.equal(adjusted([{ p: 0.3, smallest: 0 }, ...few])[0], 1)
})

test('tests that can be that sure count, also when they are not', () => {
  const tests = [
    { p: 0.005, smallest: 0.0001 },
    { p: 0.3, smallest: 0.002 },
    { p: 0.002, smallest: 0.002 },
  ]
  assert.deepEqual(adjusted(tests), [0.01, 0.3, 0.006])
})

test('adjusted values keep the order of the p-values and are never below them', () => {
  const tests = Array.from({ length: 300 }, (_, i) => {
    const p = (((i * 37) % 300) / 300) ** 3
    return { p, smallest: p * ((i % 7) / 7), variance: 1 }
  })
  const out = adjustFamily(tests)
  const order = tests.map((_, i) => i).sort((a, b) => tests[a]!.p - tests[b]!.p)
  for (const [rank, i] of order.entries()) {
    assert.ok(out[i]! >= tests[i]!.p && out[i]! <= 1)
    if (rank > 0) assert.ok(out[i]! >= out[order[rank - 1]!]!)
  }
})

test('what much of the profile runs through has more of the level, the others at least half of their part', () => {
  const many = Array.from({ length: 999 }, () => ({ p: 1, smallest: 0, variance: 0.01 }))
  const of = (p: number, variance: number): number => adjusted([{ p, smallest: 0, variance }, ...many])[0]!
  assert.equal(of(0.0005, 0.01), 0.5)
  assert.ok(of(0.0005, 100) < 0.0012, 'nearly half of the level is its own')
  assert.ok(of(0.0005, 0) <= 1 && of(0.0002, 0) <= 0.4)
  assert.ok(of(0.0005, 100) >= 0.0005)
})

test('weights keep the promise: of independent tests without any change at most 5 % of the families have a finding', () => {
  const random = randomNumbers(5)
  const variances = Array.from({ length: 200 }, (_, i) => 1 / (i + 1) ** 2)
  let alarms = 0
  for (let run = 0; run < 4000; run++) {
    const tests = variances.map((variance) => ({ p: random(), smallest: 0, variance }))
    if (adjustFamily(tests).some((p) => p <= FAMILY_LEVEL)) alarms++
  }
  assert.ok(alarms / 4000 < 0.05 + 3 * Math.sqrt((0.05 * 0.95) / 4000), `${alarms} of 4000`)
  assert.ok(alarms / 4000 > 0.03, `${alarms} of 4000: half of the level is given away`)
})

test('no tests are no trouble', () => {
  assert.deepEqual(adjusted([]), [])
})
