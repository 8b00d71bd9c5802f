/**
 * How many independent samples a column of values stands for: what intervals and tests are about. The unit of the column
 * does not matter to them, and a file may hold many samples in one row.
 */
import type { Profile } from './profile.ts'

/** Values that differ by less than this part are the same weight, rounded. */
const ROUNDING = 0.01

/** Number of independent samples behind a column, or null when the producer doesn't let us know. */
export function sampleCount(profile: Profile, column: number): number | null {
  const counting = countingColumn(profile)
  if (counting >= 0) return positiveSum(profile, counting)
  const period = samplePeriod(profile, column)
  return period === null ? null : Math.round(positiveSum(profile, column) / period)
}

/**
 * What one sample weighs in a column, in its unit: values divided by it are numbers of samples. Null when nobody lets us
 * know, or when samples do not all weigh the same (then a share of the column is no share of samples). Those of our own
 * captures have few weights, of rates: then it is the largest, so that no value seems to have more samples than it has.
 */
export function sampleWeight(profile: Profile, column: number): number | null {
  const counting = countingColumn(profile)
  if (counting < 0) return samplePeriod(profile, column)
  const samples = positiveSum(profile, counting)
  const weight = samples > 0 ? positiveSum(profile, column) / samples : 0
  if (!(weight > 0)) return null
  const counts = profile.samples.values[counting]!
  const values = profile.samples.values[column]!
  if (isUniform(counts, values, weight)) return weight
  return profile.capture === null ? null : largestWeight(counts, values)
}

/** As `sampleCount`, but where samples weigh differently only as many as the column's shares are known to. */
export function independentSamples(profile: Profile, column: number): number | null {
  const weight = sampleWeight(profile, column)
  if (weight === null || countingColumn(profile) < 0) return sampleCount(profile, column)
  return Math.round(positiveSum(profile, column) / weight)
}

/**
 * Whose shares are shares of the time: the column that counts samples, or of our own captures, where samples stand for
 * different times, the default one. Its values divided by `weight` are samples to judge shares by.
 */
export function shareColumn(profile: Profile): { readonly column: number; readonly weight: number } {
  const { capture, defaultSampleType, samples } = profile
  const counting = countingColumn(profile)
  if (counting < 0) return { column: defaultSampleType, weight: 1 }
  const [counts, values] = [samples.values[counting]!, samples.values[defaultSampleType]!]
  const mean = positiveSum(profile, defaultSampleType) / Math.max(1, positiveSum(profile, counting))
  if (capture === null || isUniform(counts, values, mean)) return { column: counting, weight: 1 }
  return { column: defaultSampleType, weight: largestWeight(counts, values) || 1 }
}

function isUniform(counts: Float64Array, values: Float64Array, weight: number): boolean {
  for (let row = 0; row < counts.length; row++) {
    const expected = counts[row]! * weight
    if (Math.abs(values[row]! - expected) > Math.abs(expected) * ROUNDING) return false
  }
  return true
}

function largestWeight(counts: Float64Array, values: Float64Array): number {
  let largest = 0
  for (let row = 0; row < counts.length; row++)
    if (counts[row]! > 0) largest = Math.max(largest, values[row]! / counts[row]!)
  return largest
}

/** The column that counts samples, -1 where none does. */
export function countingColumn(profile: Profile): number {
  return profile.sampleTypes.findIndex((type) => type.type === 'samples' && type.unit === 'count')
}

/** The period, where it is one of this column. */
function samplePeriod(profile: Profile, column: number): number | null {
  const type = profile.sampleTypes[column]
  const period = Number(profile.period)
  const isSame =
    type !== undefined && profile.periodType?.type === type.type && profile.periodType.unit === type.unit
  return isSame && period > 0 ? period : null
}

function positiveSum(profile: Profile, column: number): number {
  const values = profile.samples.values[column] ?? new Float64Array(0)
  let sum = 0
  for (let row = 0; row < values.length; row++) if (values[row]! > 0) sum += values[row]!
  return sum
}
