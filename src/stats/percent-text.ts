/** The text of a sampled share: one form wherever people read it, never without its interval. */
import { wilson } from './interval.ts'

/**
 * '31.2% ±2.1': the share of `count` in `total` independent samples, and the larger half of its 95 % Wilson interval,
 * so that the range shown is never narrower than the true one.
 */
export function percentText(count: number, total: number): string {
  const share = total > 0 ? count / total : 0
  const { low, high } = wilson(count, total)
  const half = Math.max(share - low, high - share)
  return `${(share * 100).toFixed(1)}% ±${(half * 100).toFixed(1)}`
}
