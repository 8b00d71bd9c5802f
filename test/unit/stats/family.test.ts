import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adjustFamily } from '../../../src/stats/family.ts'

const adjusted = (tests: Parameters<typeof adjustFamily>[0]): number[] =>
  Array.from(adjustFamily(tests), (p) => Number(p.toFixed(6)))

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
    return { p, smallest: p * ((i % 7) / 7) }
  })
  const out = adjustFamily(tests)
  const order = tests.map((_, i) => i).sort((a, b) => tests[a]!.p - tests[b]!.p)
  for (const [rank, i] of order.entries()) {
    assert.ok(out[i]! >= tests[i]!.p && out[i]! <= 1)
    if (rank > 0) assert.ok(out[i]! >= out[order[rank - 1]!]!)
  }
})

test('no tests are no trouble', () => {
  assert.deepEqual(adjusted([]), [])
})
