/**
 * Confidence intervals of shares, because a sampled percentage without one is only half a number.
 *
 * Wilson's score interval: unlike the textbook p +- z*sqrt(p(1-p)/n) it stays inside [0, 1] and says something
 * true at 0 and at n of n. https://doi.org/10.1080/01621459.1927.10502953
 */
import { Z95 } from './normal.ts'

/**
 * Interval of the true share behind `count` hits in `total` independent samples.
 *
 * Units: fractions, 0 <= low <= count/total <= high <= 1. `z` is the two-sided normal quantile (default: 95 %).
 * No samples say nothing: total 0 gives [0, 1].
 */
export function wilson(count: number, total: number, z = Z95): { low: number; high: number } {
  if (total <= 0) return { low: 0, high: 1 }
  const share = count / total
  const z2 = z * z
  const scale = 1 + z2 / total
  const centre = (share + z2 / (2 * total)) / scale
  const half = (z * Math.sqrt((share * (1 - share)) / total + z2 / (4 * total * total))) / scale
  // At the ends the exact bound is 0 or 1; rounding would leave 1e-17 there, or just above the share itself.
  return {
    low: count <= 0 ? 0 : Math.min(share, Math.max(0, centre - half)),
    high: count >= total ? 1 : Math.max(share, Math.min(1, centre + half)),
  }
}
