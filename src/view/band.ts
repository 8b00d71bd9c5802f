/** CPU over time, stacked by a label. */
import { distinctHues } from '../model/colour-groups.ts'
import type { Profile } from '../model/profile.ts'
import { sampleWeight } from '../model/sample-count.ts'
import { secondsOf } from '../stats/quantity-text.ts'
import { heaviestValues, valuesBySet } from './labels.ts'
import type { Band } from './protocol.ts'
import { unusualOf } from './unusual.ts'

/** Series of their own; the rest is one. */
const MAX_SERIES = 6
const OTHERS = 'others'
/** Between the hues that series have. */
const OTHERS_HUE = 345

/** Rows with their weights in a column (0: filtered out), and what each was doing. */
export interface WeighedRows {
  readonly column: number
  readonly weights: Float64Array
  leafName(row: number): string
}

/** Bins over the whole duration of the profile; '' as key is one series. */
export function bandOf(profile: Profile, rows: WeighedRows, key: string, bins: number): Band {
  const { column, weights: rowWeights } = rows
  const durationNs = Number(profile.durationNs)
  const { timeNs } = profile.samples
  const whole = { key, fromNs: 0, toNs: durationNs }
  if (timeNs === null || durationNs <= 0 || bins < 1)
    return { ...whole, series: [], corePerBin: 0, unusual: null }
  const { labelSets, samples } = profile
  const { names, seriesOfSet } = seriesOf(profile, rowWeights, key)
  const values = new Float64Array(names.length * bins)
  for (let row = 0; row < rowWeights.length; row++) {
    const weight = rowWeights[row]!
    if (!(weight > 0)) continue
    const set = samples.labelSet[row]!
    const bin = Math.max(0, Math.min(bins - 1, Math.floor((timeNs[row]! / durationNs) * bins)))
    values[seriesOfSet[set < 0 ? labelSets.length : set]! * bins + bin]! += weight
  }
  const hues = huesOf(names)
  const series = names.map((name, i) => ({
    name,
    hue: hues[i]!,
    values: values.slice(i * bins, (i + 1) * bins),
  }))
  const corePerBin = coreWeight(profile, column, durationNs / bins)
  return { ...whole, series, corePerBin, unusual: unusualOf(profile, rows) }
}

/** The heaviest values, and for each label set the series it belongs to; all others share the last. */
function seriesOf(
  profile: Profile,
  rowWeights: Float64Array,
  key: string,
): { names: string[]; seriesOfSet: Int32Array } {
  const values = valuesBySet(profile, key).map((value) =>
    key === '' ? 'all' : value === '' ? `no ${key}` : value,
  )
  const sorted = heaviestValues(profile, rowWeights, values).map(({ value }) => value)
  const own = sorted.length <= MAX_SERIES ? sorted : sorted.slice(0, MAX_SERIES)
  const names = own.length < sorted.length ? [...own, OTHERS] : own
  const indexOf = new Map(own.map((name, i) => [name, i]))
  return {
    names,
    seriesOfSet: Int32Array.from(values, (value) => indexOf.get(value) ?? Math.max(0, names.length - 1)),
  }
}

/** By name, not by weight: a filter that changes the order leaves the colours. */
function huesOf(names: readonly string[]): number[] {
  const sorted = names.slice(0, MAX_SERIES).sort()
  const hues = distinctHues(sorted)
  return names.map((name, i) => (i < MAX_SERIES ? hues[sorted.indexOf(name)]! : OTHERS_HUE))
}

/** What a core that is always busy weighs in a time; 0 when the column does not tell. */
function coreWeight(profile: Profile, column: number, timeNs: number): number {
  const type = profile.sampleTypes[column]
  if (type === undefined) return 0
  const seconds = secondsOf(type.unit)
  if (seconds !== null) return timeNs / 1e9 / seconds
  const periodSeconds = secondsOf(profile.periodType?.unit ?? '')
  const weight = sampleWeight(profile, column)
  const isCount = type.unit === 'count' && periodSeconds !== null && Number(profile.period) > 0
  return isCount && weight !== null ? (timeNs / 1e9 / (Number(profile.period) * periodSeconds)) * weight : 0
}
