/**
 * Many tests at once: p-values adjusted so that with a probability of 95 % no function at all is called changed that did
 * not change.
 *
 * Holm's step-down method with Tarone's remark about counts ("A modified Bonferroni method for discrete data", 1990): a
 * function seen in five samples can't have a p-value of 0.001 whatever happens, so it cannot raise a false alarm at 0.001
 * either, and does not count there. Nothing is assumed about how the tests depend on each other: self and total of one
 * function may agree.
 */

/** Level that a whole diff keeps. */
export const FAMILY_LEVEL = 0.05

/** One test: its p-value, and the smallest that it could have had. */
export interface FamilyTest {
  readonly p: number
  readonly smallest: number
}

/** Adjusted p-values in the order of the tests; significant at 5 % family-wise when at most FAMILY_LEVEL. */
export function adjustFamily(tests: readonly FamilyTest[]): Float64Array {
  const adjusted = new Float64Array(tests.length)
  const order = tests.map((_, i) => i).sort((a, b) => tests[a]!.p - tests[b]!.p)
  const smallest = Float64Array.from(tests, (test) => test.smallest).sort()
  let able = 0
  let most = 0
  for (const [rank, i] of order.entries()) {
    const { p } = tests[i]!
    // Equal p-values of different tests may differ in their last bits.
    while (able < smallest.length && smallest[able]! <= p * (1 + 1e-9)) able++
    // Those in front of it are able too, and done with.
    most = Math.max(most, Math.min(1, p * (able - rank)))
    adjusted[i] = most
  }
  return adjusted
}
