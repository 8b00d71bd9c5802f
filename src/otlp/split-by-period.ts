/**
 * Targets may have rates of their own, so a profile of ours may hold samples of several weights. A Profile message has one
 * period, and timestamps alone (P-12) mean one of it each: so every weight gets a profile of its own.
 */
import type { Profile } from '../model/profile.ts'

/** More weights than there can be rates: not ours, and told by values instead. */
const MAX_WEIGHTS = 32

/** Parts that hold all rows, each of one period; the profile itself where it has one, or its columns say something else. */
export function splitByPeriod(profile: Profile): readonly Profile[] {
  const rowsOf = rowsByWeight(profile)
  if (rowsOf === null) return [profile]
  return [...rowsOf].map(([period, rows]) => partOf(profile, BigInt(period), Int32Array.from(rows)))
}

/** Nanoseconds -> rows; null where timestamps and periods do not say all. */
function rowsByWeight({ sampleTypes, samples, periodType }: Profile): Map<number, number[]> | null {
  const names = sampleTypes.map(({ type, unit }) => `${type}/${unit}`).join(' ')
  const isCpu = periodType?.type === 'cpu' && periodType.unit === 'nanoseconds'
  if (names !== 'samples/count cpu/nanoseconds' || !isCpu || samples.timeNs === null) return null
  const [counts, weights] = samples.values as [Float64Array, Float64Array]
  const rowsOf = new Map<number, number[]>()
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row]!
    if (counts[row] !== 1 || !(weight > 0) || !Number.isSafeInteger(weight)) return null
    const rows = rowsOf.get(weight)
    if (rows) rows.push(row)
    else if (rowsOf.size === MAX_WEIGHTS) return null
    else rowsOf.set(weight, [row])
  }
  return rowsOf.size < 2 ? null : rowsOf
}

function partOf(profile: Profile, period: bigint, rows: Int32Array): Profile {
  const { stack, labelSet, timeNs, values } = profile.samples
  return {
    ...profile,
    period,
    samples: {
      stack: rows.map((row) => stack[row]!),
      labelSet: rows.map((row) => labelSet[row]!),
      timeNs: Float64Array.from(rows, (row) => timeNs![row]!),
      values: values.map((column) => Float64Array.from(rows, (row) => column[row]!)),
    },
  }
}
