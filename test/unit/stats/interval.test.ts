import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wilson } from '../../../src/stats/interval.ts'

const rounded = ({ low, high }: { low: number; high: number }) => [low.toFixed(6), high.toFixed(6)]

test('agrees with the published value for 15 of 148', () => {
  // Newcombe 1998, table I, method 3: 0.0624 to 0.1605.
  const { low, high } = wilson(15, 148)
  assert.deepEqual([low.toFixed(4), high.toFixed(4)], ['0.0624', '0.1605'])
})

test('says something true at none, at all and at no samples', () => {
  assert.deepEqual(rounded(wilson(0, 20)), ['0.000000', '0.161125'])
  assert.deepEqual(rounded(wilson(20, 20)), ['0.838875', '1.000000'])
  assert.deepEqual(wilson(0, 0), { low: 0, high: 1 })
  assert.equal(wilson(0, 20).low, 0)
  assert.equal(wilson(20, 20).high, 1)
})

test('holds the share, within 0 and 1, for every count of up to 60', () => {
  for (let total = 1; total <= 60; total++) {
    for (let count = 0; count <= total; count++) {
      const { low, high } = wilson(count, total)
      assert.ok(
        low >= 0 && low <= count / total && count / total <= high && high <= 1,
        `${count} of ${total}`,
      )
    }
  }
})

test('covers the true share in 95 of 100 experiments', () => {
  // Exact: sums the binomial weights of the counts whose interval holds p.
  const [total, p] = [100, 0.3]
  let weight = (1 - p) ** total
  let covered = 0
  for (let count = 0; count <= total; count++) {
    const { low, high } = wilson(count, total)
    if (low <= p && p <= high) covered += weight
    weight *= ((total - count) / (count + 1)) * (p / (1 - p))
  }
  assert.ok(covered > 0.93 && covered < 0.97, `${covered}`)
})
