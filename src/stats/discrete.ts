/**
 * Tails of the binomial and the hypergeometric distribution, exact also where counts are tiny or huge.
 *
 * The probability of a point comes from Loader's form, which takes the difference to the expected count instead of
 * that of two large logarithms of factorials ("Fast and accurate computation of binomial probabilities", 2000). A tail is
 * the sum of such points outwards, each from its neighbour by a ratio of small numbers, until nothing is added any more.
 */

import { upperTail } from './normal.ts'

/** ln n! minus its Stirling formula, by n; beyond the table the series is exact to the last bit. */
const STIRLING_ERROR: readonly number[] = [
  0, 0.08106146679532726, 0.0413406959554093, 0.02767792568499834, 0.020790672103765093, 0.01664469118982119,
  0.013876128823070748, 0.01189670994589177, 0.010411265261972096, 0.009255462182712733, 0.008330563433362871,
  0.007573675487951841, 0.00694284010720953, 0.006408994188004207, 0.005951370112758848, 0.005554733551962801,
]

function stirlingError(n: number): number {
  if (n < STIRLING_ERROR.length) return STIRLING_ERROR[n]!
  const n2 = n * n
  return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * n2)) / n2) / n2) / n
}

/** x ln(x / m) + m - x without cancellation where x is near m. */
function deviance(x: number, m: number): number {
  if (Math.abs(x - m) >= 0.1 * (x + m)) return x * Math.log(x / m) + m - x
  const v = (x - m) / (x + m)
  let sum = (x - m) * v
  let term = 2 * x * v
  for (let j = 3; ; j += 2) {
    term *= v * v
    const next = sum + term / j
    if (next === sum) return next
    sum = next
  }
}

/** Probability of k successes in n trials of probability p; k and n are whole, 0 <= k <= n. */
export function binomialPoint(k: number, n: number, p: number): number {
  if (p <= 0) return k === 0 ? 1 : 0
  if (p >= 1) return k === n ? 1 : 0
  if (n === 0) return 1
  if (k === 0) return Math.exp(n * Math.log1p(-p))
  if (k === n) return Math.exp(n * Math.log(p))
  const exponent =
    stirlingError(n) -
    stirlingError(k) -
    stirlingError(n - k) -
    deviance(k, n * p) -
    deviance(n - k, n * (1 - p))
  return Math.exp(exponent) * Math.sqrt(n / (2 * Math.PI * k * (n - k)))
}

/** Two-sample counts with all margins fixed: `marked` of `first + second` samples are marked, k of them in the second. */
export interface Margins {
  readonly first: number
  readonly second: number
  readonly marked: number
}

/** Probability that k of the marked samples are in the second part, when parts are made by lot. */
export function hypergeometricPoint(k: number, { first, second, marked }: Margins): number {
  const all = first + second
  const p = marked / all
  return (binomialPoint(k, second, p) * binomialPoint(marked - k, first, p)) / binomialPoint(marked, all, p)
}

/** A discrete distribution on low..high with one peak. */
export interface Distribution {
  readonly low: number
  readonly high: number
  readonly mean: number
  readonly deviation: number
  point(k: number): number
  /** point(k + 1) / point(k), for low <= k < high. */
  ratio(k: number): number
}

/** Binomial. */
export function binomial(n: number, p: number): Distribution {
  return {
    low: 0,
    high: n,
    mean: n * p,
    deviation: Math.sqrt(n * p * (1 - p)),
    point: (k) => binomialPoint(k, n, p),
    ratio: (k) => ((n - k) / (k + 1)) * (p / (1 - p)),
  }
}

/** Hypergeometric: how many of the marked samples are in the second part. */
export function hypergeometric(margins: Margins): Distribution {
  const { first, second, marked } = margins
  const all = first + second
  const p = marked / all
  return {
    low: Math.max(0, marked - first),
    high: Math.min(second, marked),
    mean: second * p,
    deviation: all > 1 ? Math.sqrt((second * p * (1 - p) * first) / (all - 1)) : 0,
    point: (k) => hypergeometricPoint(k, margins),
    ratio: (k) => ((second - k) / (k + 1)) * ((marked - k) / (first - marked + k + 1)),
  }
}

/** Probability of k or more, for k at or above the peak, or of k or less below it: the tail that k lies in. */
function outerTail(d: Distribution, k: number): number {
  let term = d.point(k)
  let sum = term
  if (k >= d.mean) {
    for (let i = k; i < d.high && term > sum * 1e-17; i++) {
      term *= d.ratio(i)
      sum += term
    }
  } else {
    for (let i = k - 1; i >= d.low && term > sum * 1e-17; i--) {
      term /= d.ratio(i)
      sum += term
    }
  }
  return sum
}

/** Standard deviation from which tails are taken from the normal distribution: a sum would have thousands of terms. */
export const LARGE_DEVIATION = 3000

/**
 * Two-sided p-value of k: twice the tail it lies in, at most 1. Under the distribution it is at or below any level with at
 * most that probability. Exact; for a deviation above LARGE_DEVIATION an upper bound, within 1 % of it where p > 1e-6.
 */
export function twoSidedP(d: Distribution, k: number): number {
  if (d.deviation > LARGE_DEVIATION) return Math.min(1, 2 * boundedTail(d, k))
  return Math.min(1, 2 * outerTail(d, k))
}

/**
 * Normal tail with the half step of a whole number, raised by what skewness and kurtosis can add at most: these are below
 * 1/deviation and 1/deviation^2 for both distributions.
 */
function boundedTail({ mean, deviation }: Distribution, k: number): number {
  const z = Math.max(0, (Math.abs(k - mean) - 0.5) / deviation)
  const slant = z ** 3 / (6 * deviation) + z ** 4 / (8 * deviation ** 2)
  return upperTail(z) * Math.exp(Math.min(700, slant)) * (1 + (1 + z) / deviation)
}

/** The smallest p-value that can come out; 0 where it is too small to matter. */
export function smallestP(d: Distribution): number {
  return d.deviation > LARGE_DEVIATION ? 0 : Math.min(1, 2 * d.point(d.low), 2 * d.point(d.high))
}
