import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  binomial,
  binomialPoint,
  type Distribution,
  hypergeometric,
  hypergeometricPoint,
  LARGE_DEVIATION,
  smallestP,
  twoSidedP,
} from '../../../src/stats/discrete.ts'

/** n over k by whole numbers: the independent truth. */
function choose(n: number, k: number): bigint {
  let product = 1n
  for (let i = 1; i <= k; i++) product = (product * BigInt(n - k + i)) / BigInt(i)
  return product
}

/** A quotient of whole numbers to 15 digits. */
const quotient = (a: bigint, b: bigint): number => Number((a * 10n ** 40n) / b) / 1e40

const near = (actual: number, expected: number, relative: number, what: string): void =>
  assert.ok(Math.abs(actual - expected) <= relative * expected + 1e-38, `${what}: ${actual}, not ${expected}`)

test('points of the hypergeometric distribution are those of whole numbers', () => {
  for (const [first, second, marked] of [
    [7, 9, 5],
    [40, 25, 30],
    [300, 500, 90],
    [1, 1, 1],
    [12, 3, 15],
  ] as const) {
    const d = hypergeometric({ first, second, marked })
    for (let k = d.low; k <= d.high; k++) {
      const truth = quotient(choose(second, k) * choose(first, marked - k), choose(first + second, marked))
      near(d.point(k), truth, 1e-12, `${k} of ${marked} in ${first}+${second}`)
      if (k < d.high) near(d.ratio(k) * d.point(k), d.point(k + 1), 1e-12, `ratio at ${k}`)
    }
  }
})

test('points of the binomial distribution are those of whole numbers', () => {
  for (const [n, eighths] of [
    [1, 4],
    [30, 1],
    [200, 3],
    [1000, 7],
  ] as const) {
    for (let k = 0; k <= n; k += Math.ceil(n / 40)) {
      const truth = quotient(
        choose(n, k) * BigInt(eighths) ** BigInt(k) * BigInt(8 - eighths) ** BigInt(n - k),
        8n ** BigInt(n),
      )
      near(binomialPoint(k, n, eighths / 8), truth, 1e-11, `${k} of ${n} at ${eighths}/8`)
    }
  }
  assert.equal(binomialPoint(0, 0, 0.5), 1)
  assert.equal(binomialPoint(0, 5, 0), 1)
  assert.equal(binomialPoint(5, 5, 1), 1)
  assert.equal(binomialPoint(4, 5, 1), 0)
})

test('the two-sided p-value of the tea experiment is twice its known tail', () => {
  // Fisher 1935: 3 of 4 cups right; 17 of 70 ways are as good or better.
  const p = twoSidedP(hypergeometric({ first: 4, second: 4, marked: 4 }), 3)
  near(p, 34 / 70, 1e-12, 'tea')
})

test('a p-value is at or below each level with at most that probability', () => {
  for (const d of [
    hypergeometric({ first: 50, second: 80, marked: 9 }),
    hypergeometric({ first: 500, second: 300, marked: 200 }),
    binomial(17, 0.3),
    binomial(400, 0.62),
  ]) {
    for (const level of [0.5, 0.05, 0.01, 1e-4]) {
      let weight = 0
      for (let k = d.low; k <= d.high; k++) if (twoSidedP(d, k) <= level) weight += d.point(k)
      assert.ok(weight <= level, `${weight} at ${level}`)
    }
  }
})

test('p-values fall from the middle outwards, down to the smallest', () => {
  const d = hypergeometric({ first: 30, second: 60, marked: 20 })
  for (let k = Math.ceil(d.mean); k < d.high; k++) assert.ok(twoSidedP(d, k + 1) < twoSidedP(d, k))
  for (const of of [d, binomial(17, 0.3), hypergeometric({ first: 5, second: 5, marked: 10 })]) {
    let smallest = 1
    for (let k = of.low; k <= of.high; k++) smallest = Math.min(smallest, twoSidedP(of, k))
    near(smallestP(of), smallest, 1e-12, 'smallest')
  }
})

test('for huge counts the p-value is bounded from above, and closely', () => {
  const wide: Distribution[] = [
    binomial(60_000_000, 0.5),
    binomial(4_000_000_000, 0.005),
    hypergeometric({ first: 100_000_000, second: 200_000_000, marked: 100_000_000 }),
  ]
  for (const d of wide) {
    assert.ok(d.deviation > LARGE_DEVIATION)
    for (const z of [0, 0.5, 1, 2, 3, 4, 5, 8, 12]) {
      for (const side of [-1, 1]) {
        const k = Math.round(d.mean + side * z * d.deviation)
        const bound = twoSidedP(d, k)
        const exact = twoSidedP({ ...d, deviation: 1 }, k) // summed up, as for small counts
        assert.ok(bound >= exact * (1 - 1e-9), `${d.mean} ${side * z}: ${bound} below ${exact}`)
        if (z <= 5) assert.ok(bound <= exact * 1.03, `${d.mean} ${side * z}: ${bound} far above ${exact}`)
      }
    }
  }
})

test('counts of any size give a number in [0, 1]', () => {
  for (const size of [1, 1e3, 1e9, 1e15]) {
    for (const part of [0, 0.1, 0.5, 1]) {
      const p = twoSidedP(
        hypergeometric({ first: size, second: size, marked: size }),
        Math.round(size * part),
      )
      assert.ok(p >= 0 && p <= 1, `${size} ${part}: ${p}`)
    }
  }
  assert.equal(hypergeometricPoint(0, { first: 5, second: 5, marked: 0 }), 1)
})
