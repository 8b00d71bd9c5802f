/** CPU over time, stacked by a label. */
import { fnv1a, MAIN_HUES } from '../model/colour-groups.ts'
import type { Profile } from '../model/profile.ts'
import { sampleWeight } from '../model/sample-count.ts'
import { secondsOf } from '../stats/quantity-text.ts'
import { valuesBySet } from './labels.ts'
import type { Band } from './protocol.ts'
import { unusualOf } from './unusual.ts'

/** Series of their own; the rest is one. */
const MAX_SERIES = 6
const OTHERS_HUE = 60

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
  const { names, seriesOfSet } = seriesOf(profile, rowWeights, key)
  const series = names.map((name) => ({ name, hue: hueOf(name), values: new Float64Array(bins) }))
  for (let row = 0; row < rowWeights.length; row++) {
    const weight = rowWeights[row]!
    if (!(weight > 0)) continue
    const bin = Math.max(0, Math.min(bins - 1, Math.floor((timeNs[row]! / durationNs) * bins)))
    series[seriesOfSet[setOf(profile, row)]!]!.values[bin]! += weight
  }
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
  const weights = new Map<string, number>()
  for (let row = 0; row < rowWeights.length; row++) {
    const value = values[setOf(profile, row)]!
    if (rowWeights[row]! > 0) weights.set(value, (weights.get(value) ?? 0) + rowWeights[row]!)
  }
  const sorted = [...weights].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name)
  const own = sorted.length <= MAX_SERIES + 1 ? sorted : sorted.slice(0, MAX_SERIES)
  const names = own.length < sorted.length ? [...own, 'others'] : own
  const indexOf = new Map(own.map((name, i) => [name, i]))
  return {
    names,
    seriesOfSet: Int32Array.from(values, (value) => indexOf.get(value) ?? Math.max(0, names.length - 1)),
  }
}

function setOf({ samples, labelSets }: Profile, row: number): number {
  const set = samples.labelSet[row]!
  return set < 0 ? labelSets.length : set
}

function hueOf(name: string): number {
  return name === 'others' ? OTHERS_HUE : MAIN_HUES[fnv1a(name) % MAIN_HUES.length]!
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
