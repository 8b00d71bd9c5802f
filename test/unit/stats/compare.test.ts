import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  rateComparison,
  rateDifference,
  rateInterval,
  rateRatio,
  samplesToTell,
  shareComparison,
  shareDifference,
} from '../../../src/stats/compare.ts'
import { upperQuantile, upperTail, Z95 } from '../../../src/stats/normal.ts'
import { binomialPoints } from '../../helpers/coverage.ts'

const four = ({ low, high }: { low: number; high: number }) => [low.toFixed(4), high.toFixed(4)]

test('differences of shares are those that Newcombe published', () => {
  // Newcombe 1998, table II, method 10; there p1 - p2.
  const of = (a: number, m: number, b: number, n: number) =>
    four(shareDifference({ before: b, after: a }, { before: n, after: m }))
  assert.deepEqual(of(56, 70, 48, 80), ['0.0524', '0.3339'])
  assert.deepEqual(of(9, 10, 3, 10), ['0.1705', '0.8090'])
  assert.deepEqual(of(5, 56, 0, 29), ['-0.0381', '0.1926'])
  assert.deepEqual(of(10, 10, 0, 10), ['0.6075', '1.0000'])
})

test('the normal tail and its inverse are those of the tables', () => {
  for (const [z, tail] of [
    [0, 0.5],
    [1, 0.15865525393145707],
    [Z95, 0.025],
    [3, 0.0013498980316300957],
    [5, 2.866515718791945e-7],
    [10, 7.619853024160593e-24],
    [-2, 0.9772498680518208],
  ] as const) {
    assert.ok(Math.abs(upperTail(z) / tail - 1) < 1e-9, `${z}: ${upperTail(z)}`)
    assert.ok(Math.abs(upperQuantile(tail) - z) < 1e-9)
  }
  assert.equal(upperTail(50), 0)
})

test('equal shares and equal rates have p 1, opposite ones hardly any', () => {
  assert.equal(shareComparison(20, { before: 100, after: 100 }).p(10), 1)
  assert.ok(shareComparison(100, { before: 100, after: 100 }).p(100) < 1e-50)
  assert.equal(rateComparison(30, { before: 10, after: 20 }).p(20), 1)
  assert.ok(rateComparison(30, { before: 10, after: 10 }).p(30) < 1e-8)
})

test('five samples against none are not enough among equals, nine are', () => {
  const equal = { before: 1000, after: 1000 }
  assert.ok(shareComparison(5, equal).p(5) > 0.05)
  assert.ok(shareComparison(9, equal).p(9) < 0.01)
})

test('rates know their exposure; ratios are open where nothing was', () => {
  const exposure = { before: 10, after: 20 }
  const { value, low, high } = rateDifference({ before: 100, after: 300 }, exposure)
  assert.equal(value, 5)
  assert.ok(low > 2 && low < value && value < high && high < 8)
  const ratio = rateRatio({ before: 100, after: 300 }, exposure)
  assert.equal(ratio.value, 1.5)
  assert.ok(ratio.low > 1.15 && ratio.high < 1.95)
  assert.equal(rateRatio({ before: 0, after: 8 }, exposure).high, Number.POSITIVE_INFINITY)
  assert.ok(rateRatio({ before: 0, after: 8 }, exposure).low > 1)
  assert.equal(rateRatio({ before: 8, after: 0 }, exposure).value, 0)
  const none = rateRatio({ before: 0, after: 0 }, exposure)
  assert.ok(Number.isNaN(none.value) && none.low === 0 && none.high === Number.POSITIVE_INFINITY)
  assert.deepEqual(rateInterval(0, 10).low, 0)
})

test('the number of samples it names finds the change in four of five runs', () => {
  const z = upperQuantile(0.05 / 2)
  const n = samplesToTell(0.03, 0.1, z)
  const [a, b] = [binomialPoints(n, 0.1), binomialPoints(n, 0.13)]
  // By z, as the plan is: exact power of the test of two shares at 5 %.
  let power = 0
  for (let x = 0; x <= n; x++) {
    if (a[x]! < 1e-9) continue
    for (let y = 0; y <= n; y++) {
      if (b[y]! < 1e-9) continue
      const pooled = (x + y) / (2 * n)
      if ((y - x) / n >= z * Math.sqrt((2 * pooled * (1 - pooled)) / n)) power += a[x]! * b[y]!
    }
  }
  assert.ok(power > 0.78 && power < 0.82, `${power} with ${n}`)
  assert.equal(samplesToTell(0, 0.5, z), Number.POSITIVE_INFINITY)
})
