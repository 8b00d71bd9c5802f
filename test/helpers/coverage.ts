/** Distributions from their definitions, by recurrence: independent of src/stats, which they check. */

/** Probabilities of 0..n successes in n trials. */
export function binomialPoints(n: number, p: number): Float64Array {
  const peak = Math.min(n, Math.floor((n + 1) * p))
  return fromPeak(n, peak, (k) => ((n - k) / (k + 1)) * (p / (1 - p)))
}

/** Probabilities of 0 events on, up to where nothing is left. */
export function poissonPoints(mean: number): Float64Array {
  const most = Math.ceil(mean + 12 * Math.sqrt(mean) + 40)
  return fromPeak(most, Math.floor(mean), (k) => mean / (k + 1))
}

/** Weights from the peak outwards by the ratio of a point to the one before, then made to add up to 1. */
function fromPeak(n: number, peak: number, ratio: (k: number) => number): Float64Array {
  const points = new Float64Array(n + 1)
  points[peak] = 1
  for (let k = peak; k < n; k++) points[k + 1] = points[k]! * ratio(k)
  for (let k = peak - 1; k >= 0; k--) points[k] = points[k + 1]! / ratio(k)
  const sum = points.reduce((a, b) => a + b, 0)
  return points.map((point) => point / sum)
}

/** Bounds of an interval. */
export interface Bounds {
  readonly low: number
  readonly high: number
}

/**
 * How often (0 to 1) the interval of a count holds the truth, averaged over truths for which `from` to `to` hits are expected
 * of `samples`: exact, without a draw. One truth alone cannot say it, as a handful of hits takes too few values.
 */
export function meanCoverage(
  interval: (count: number) => Bounds,
  samples: number,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  const truths = 400
  const known = new Map<number, Bounds>()
  const boundsOf = (count: number): Bounds => {
    const bounds = known.get(count) ?? interval(count)
    known.set(count, bounds)
    return bounds
  }
  let sum = 0
  for (let i = 0; i < truths; i++) {
    const truth = (from + ((to - from) * (i + 0.5)) / truths) / samples
    binomialPoints(samples, truth).forEach((probability, count) => {
      if (probability < 1e-15) return
      const { low, high } = boundsOf(count)
      if (low <= truth && truth <= high) sum += probability
    })
  }
  return sum / truths
}

/** Sizes of profiles, and ranges of expected hits in them, from less than one to where shares are well known. */
export const HANDFULS = [200, 1000, 5000].flatMap((samples) =>
  [
    [0.2, 1],
    [1, 2],
    [2, 5],
    [5, 10],
    [10, 20],
    [20, 40],
  ].map(([from, to]) => ({ samples, from: from!, to: to! })),
)
