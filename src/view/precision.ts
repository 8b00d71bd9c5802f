/** How sure a share is: the 95 % interval that belongs behind every percentage. */
import { wilson } from '../stats/interval.ts'

/**
 * How far the truth may lie from a share (a fraction) on the longer side of its 95 % interval, which is not symmetric
 * near 0 and 1; null when nothing is known. The terminal rounds the same way.
 */
export function shareError(share: number, samples: number | null): number | null {
  if (samples === null || samples <= 0 || !(share >= 0 && share <= 1)) return null
  const { low, high } = wilson(share * samples, samples)
  return Math.max(high - share, share - low)
}
