/**
 * How sure a share is: the 95 % interval that belongs behind every percentage. It depends on the number of samples,
 * not on the unit of the column, so it is known only where the samples can be counted.
 */
import type { Profile } from '../../model/profile.ts'
import { wilson } from '../../stats/interval.ts'

/** Number of independent samples behind a column, or null when the producer doesn't let us know. */
export function sampleCount(profile: Profile, column: number): number | null {
  const types = profile.sampleTypes
  const counting = types.findIndex((type) => type.type === 'samples' && type.unit === 'count')
  if (counting >= 0) return positiveSum(profile, counting)
  const type = types[column]
  const period = Number(profile.period)
  const same =
    type !== undefined && profile.periodType?.type === type.type && profile.periodType.unit === type.unit
  if (same && period > 0) return Math.round(positiveSum(profile, column) / period)
  return null
}

function positiveSum(profile: Profile, column: number): number {
  const values = profile.samples.values[column] ?? new Float64Array(0)
  let sum = 0
  for (let row = 0; row < values.length; row++) if (values[row]! > 0) sum += values[row]!
  return sum
}

/**
 * How far the truth may lie from a share (a fraction) on the longer side of its 95 % interval, which is not symmetric
 * near 0 and 1; null when nothing is known. The terminal rounds the same way.
 */
export function shareError(share: number, samples: number | null): number | null {
  if (samples === null || samples <= 0) return null
  const { low, high } = wilson(share * samples, samples)
  return Math.max(high - share, share - low)
}
