/**
 * Many tests at once: p-values adjusted so that with a probability of 95 % no function at all is called changed that did
 * not change.
 *
 * Holm's step-down method with Tarone's remark about counts ("A modified Bonferroni method for discrete data", 1990): a
 * function seen in five samples can't have a p-value of 0.001 whatever happens, so it cannot raise a false alarm at 0.001
 * either, and does not count there. Nothing is assumed about how the tests depend on each other: self and total of one
 * function may agree.
 *
 * The level is not divided alike: a change of a few points shows least, for its noise, in the functions that much of the
 * profile runs through, and those are few, so they get more of it (weighted Holm, Benjamini and Hochberg, "Multiple hypotheses
 * testing with weights", 1997). Weights come from the counts of both profiles together, which say nothing of what changed.
 */

/** Level that a whole diff keeps. */
export const FAMILY_LEVEL = 0.05

/** One test: its p-value, the smallest that it could have had, and the spread of what it counts when nothing changed. */
export interface FamilyTest {
  readonly p: number
  readonly smallest: number
  /** Variance; functions that much of the profile runs through have a large one. */
  readonly variance: number
}

/** Adjusted p-values in the order of the tests; significant at 5 % family-wise when at most FAMILY_LEVEL. */
export function adjustFamily(tests: readonly FamilyTest[]): Float64Array {
  const weights = weightsOf(tests)
  const weighed = Float64Array.from(tests, ({ p }, i) => p / weights[i]!)
  const limits = Float64Array.from(tests, ({ smallest }, i) => smallest / weights[i]!)
  const adjusted = new Float64Array(tests.length)
  const order = tests.map((_, i) => i).sort((a, b) => weighed[a]! - weighed[b]!)
  const byLimit = tests.map((_, i) => i).sort((a, b) => limits[a]! - limits[b]!)
  let able = 0
  // Weight of the tests that are able to be that sure, without those in front, which are able too and done with.
  let weight = 0
  let most = 0
  for (const i of order) {
    const p = weighed[i]!
    // Equal p-values of different tests may differ in their last bits.
    while (able < byLimit.length && limits[byLimit[able]!]! <= p * (1 + 1e-9))
      weight += weights[byLimit[able++]!]!
    most = Math.max(most, Math.min(1, p * weight))
    adjusted[i] = Math.max(most, tests[i]!.p)
    weight -= weights[i]!
  }
  return adjusted
}

/** Part of the level that is divided by variance; the rest is divided alike, so no test gets less than that. */
const BY_VARIANCE = 0.5

/** The part of the level that each test gets, 1 on average. */
function weightsOf(tests: readonly FamilyTest[]): Float64Array {
  const mean = tests.reduce((sum, { variance }) => sum + variance, 0) / tests.length
  return Float64Array.from(tests, ({ variance }) =>
    mean > 0 ? 1 - BY_VARIANCE + (BY_VARIANCE * variance) / mean : 1,
  )
}
