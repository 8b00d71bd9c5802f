/**
 * One function in two profiles: is the difference more than the luck of sampling, and how large is it?
 *
 * Samples are taken to be independent, and a profile to have as many as it has. A share is compared given the numbers of
 * samples of both profiles (Fisher's exact test), a rate given the number of both together (the exact conditional test of two
 * Poisson rates). Both are conservative: of profiles that do not differ, at most 5 % have a p-value of 5 % or less.
 */
import { binomial, type Distribution, hypergeometric, smallestP, twoSidedP } from './discrete.ts'
import { wilson } from './interval.ts'
import { Z95 } from './normal.ts'

/** Counts of one function, and what they are counted in, before and after. */
export interface TwoCounts {
  readonly before: number
  readonly after: number
}

/** An estimate between the bounds of its 95 % interval. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** The test of one sum of counts: `p` is for the newer part of it, `smallest` and `variance` as in family.ts. */
export interface Comparison {
  p(after: number): number
  readonly smallest: number
  readonly variance: number
}

/** Compares the share of `marked` samples, of both profiles together, in `all` samples of each. */
export function shareComparison(marked: number, all: TwoCounts): Comparison {
  return comparison(hypergeometric({ first: all.before, second: all.after, marked }))
}

/**
 * Compares the rate of `marked` events, of both profiles together; `exposure` is what each was exposed to (seconds for
 * a rate per second; divided by the weight of a sample where these differ).
 */
export function rateComparison(marked: number, exposure: TwoCounts): Comparison {
  return comparison(binomial(marked, exposure.after / (exposure.before + exposure.after)))
}

function comparison(d: Distribution): Comparison {
  return { p: (after) => twoSidedP(d, after), smallest: smallestP(d), variance: d.deviation ** 2 }
}

/**
 * After minus before of two shares, as fractions, with Newcombe's interval from the two Wilson intervals ("Interval
 * estimation for the difference between independent proportions", 1998, method 10).
 */
export function shareDifference(counts: TwoCounts, all: TwoCounts, z = Z95): Estimate {
  const a = { value: counts.before / all.before, ...wilson(counts.before, all.before, z) }
  const b = { value: counts.after / all.after, ...wilson(counts.after, all.after, z) }
  return differenceOf(a, b)
}

/** After minus before of two rates, per unit of exposure; the same construction over the score intervals of two counts. */
export function rateDifference(counts: TwoCounts, exposure: TwoCounts, z = Z95): Estimate {
  return differenceOf(
    rateInterval(counts.before, exposure.before, z),
    rateInterval(counts.after, exposure.after, z),
  )
}

/** Rate of `count` events in `exposure`, with its score interval. */
export function rateInterval(count: number, exposure: number, z = Z95): Estimate {
  const half = z * Math.sqrt(count + (z * z) / 4)
  const centre = count + (z * z) / 2
  return {
    value: count / exposure,
    low: Math.max(0, centre - half) / exposure,
    high: (centre + half) / exposure,
  }
}

/**
 * After divided by before of two rates. Given the sum of both counts the newer one is binomial, so Wilson's interval of
 * that share is one of the ratio. Infinity where nothing was before; no events at all give
 * NaN in [0, Infinity].
 */
export function rateRatio(counts: TwoCounts, exposure: TwoCounts, z = Z95): Estimate {
  const scale = exposure.before / exposure.after
  const odds = (share: number): number =>
    share >= 1 ? Number.POSITIVE_INFINITY : (share / (1 - share)) * scale
  const all = counts.before + counts.after
  const { low, high } = wilson(counts.after, all, z)
  return { value: odds(counts.after / all), low: odds(low), high: odds(high) }
}

function differenceOf(a: Estimate, b: Estimate): Estimate {
  const value = b.value - a.value
  return {
    value,
    low: value - Math.hypot(b.value - b.low, a.high - a.value),
    high: value + Math.hypot(b.high - b.value, a.value - a.low),
  }
}

/**
 * Samples that each of two profiles needs so that a change of `points` (a fraction) from `share` is found with a
 * probability of 80 % at a two-sided level, which for one function of many is FAMILY_LEVEL divided by their number.
 */
export function samplesToTell(points: number, share: number, zLevel: number): number {
  const after = Math.min(1, Math.max(0, share + points))
  const spread = share * (1 - share) + after * (1 - after)
  const z = zLevel + Z_POWER
  return points === 0 ? Number.POSITIVE_INFINITY : Math.ceil((z * z * spread) / (points * points))
}

/** One-sided quantile of 80 %. */
const Z_POWER = 0.8416212335729143
