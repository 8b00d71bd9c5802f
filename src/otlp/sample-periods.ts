/**
 * Targets may have rates of their own, so a profile of ours may hold samples of several weights. A Profile message has one
 * period, and timestamps alone (P-12) mean one of it each: so the samples of every weight get a message of their own.
 */
import type { Profile } from '../model/profile.ts'

/** More weights than there can be rates: not ours, and told by values instead. */
const MAX_WEIGHTS = 32

export interface SamplePeriods {
  /** At least one. */
  readonly periods: readonly bigint[]
  /** By row, an index into `periods`. */
  readonly ofRow: ArrayLike<number>
  /** Every row counts one, and its CPU time, if there is a column of it, is its period: timestamps say all. */
  readonly areAll: boolean
}

/** The weights as periods; that of the profile where its columns say something else than counts of one and CPU time. */
export function samplePeriods(profile: Profile): SamplePeriods {
  const { sampleTypes, samples, period } = profile
  const one = onePeriod(profile, period)
  const names = sampleTypes.map(({ type, unit }) => `${type}/${unit}`).join(' ')
  if (!/^samples\/count( cpu\/nanoseconds)?$/.test(names) || samples.timeNs === null) return one
  if (!samples.values[0]!.every((value) => value === 1)) return one
  return sampleTypes.length === 1 ? { ...one, areAll: true } : (byWeight(profile) ?? one)
}

/** All rows are of `period`, whatever their values are. */
export function onePeriod({ samples }: Profile, period: bigint): SamplePeriods {
  return { periods: [period], ofRow: new Uint8Array(samples.stack.length), areAll: false }
}

function byWeight({ samples, periodType }: Profile): SamplePeriods | undefined {
  if (periodType?.type !== 'cpu' || periodType.unit !== 'nanoseconds') return undefined
  const weights = samples.values[1]!
  const indexOf = new Map<number, number>()
  const ofRow = new Uint8Array(weights.length)
  for (const [row, weight] of weights.entries()) {
    const index = indexOf.get(weight) ?? indexOf.size
    if (index === MAX_WEIGHTS || !(weight > 0) || !Number.isSafeInteger(weight)) return undefined
    indexOf.set(weight, index)
    ofRow[row] = index
  }
  if (indexOf.size === 0) return undefined
  return { periods: Array.from(indexOf.keys(), BigInt), ofRow, areAll: true }
}
