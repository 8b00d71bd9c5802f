/** What the page says of a profile as a whole: what it is of, how it was made, what can be chosen. */
import { baseName } from '../model/frame-name.ts'
import type { Profile } from '../model/profile.ts'
import { sampleCount } from '../model/sample-count.ts'
import { labelKeys } from './labels.ts'
import { duration, whole } from './numbers.ts'
import type { Opened } from './protocol.ts'
import { qualityOf } from './quality.ts'

/** Values that differ by less than this part are equal but for rounding. */
const ROUNDING = 1e-9

/** The facts of a profile that was opened under a name (a file's, '' for none). */
export function openedOf(
  profile: Profile,
  names: { readonly name: string; readonly baselineName: string | null },
  namedShare: () => number,
): Opened {
  return {
    name: titleOf(profile) || names.name || 'profile',
    facts: factsOf(profile),
    quality: qualityOf(profile, namedShare),
    notes: profile.capture?.notes ?? [],
    columns: columnsOf(profile),
    defaultColumn: profile.defaultSampleType,
    labelKeys: labelKeys(profile),
    durationNs:
      profile.samples.timeNs === null || profile.durationNs <= 0n ? null : Number(profile.durationNs),
    startMs: profile.timeNs > 0n ? Number(profile.timeNs / 1_000_000n) : null,
    hasSources: (profile.sources?.length ?? 0) > 0,
    baselineName: names.baselineName,
  }
}

/** Name of what was profiled, as well as the profile knows it; '' when it does not. */
function titleOf({ capture, mappings }: Profile): string {
  const { target, host } = capture ?? {}
  // Of a whole host, which host it is says more than that it is whole.
  if (target?.kind === 'all' && host?.name) return host.name
  return target?.name || baseName(mappings[0]?.fileName ?? '')
}

function factsOf(profile: Profile): string[] {
  const { capture } = profile
  const facts: string[] = []
  const pids = capture?.target.pids ?? []
  if (pids.length === 1) facts.push(`pid ${pids[0]}`)
  else if (pids.length > 1) facts.push(`${whole(pids.length)} processes`)
  const seconds = (capture?.durationNs ?? Number(profile.durationNs)) / 1e9
  if (seconds > 0) facts.push(duration(seconds))
  if (capture !== null) facts.push(`${whole(capture.rateHz)}\u202fHz`)
  const cpu = profile.sampleTypes.findIndex(({ type, unit }) => type === 'cpu' && unit === 'nanoseconds')
  if (cpu >= 0 && seconds > 0)
    facts.push(`${(sumOf(profile.samples.values[cpu]!) / 1e9 / seconds).toFixed(2)}\u202fcores`)
  const samples = sampleCount(profile, profile.defaultSampleType)
  if (samples !== null) facts.push(`${whole(samples)} samples`)
  return facts
}

function sumOf(values: Float64Array): number {
  let sum = 0
  for (let row = 0; row < values.length; row++) sum += values[row]!
  return sum
}

/** Columns that draw different graphs: of proportional ones the default, else the first. */
function columnsOf({ sampleTypes, samples, defaultSampleType }: Profile): Opened['columns'] {
  const kept: number[] = []
  for (const index of sampleTypes.keys()) {
    const same = kept.findIndex((other) => areProportional(samples.values[other]!, samples.values[index]!))
    if (same < 0) kept.push(index)
    else if (index === defaultSampleType) kept[same] = index
  }
  return kept.map((index) => {
    const { type, unit } = sampleTypes[index]!
    return { index, label: `${type.replaceAll('_', ' ')} (${unit})` }
  })
}

/** Samples and the CPU time they stand for are one column in two units. */
function areProportional(one: Float64Array, other: Float64Array): boolean {
  const at = one.findIndex((value) => value !== 0)
  const scale = at < 0 ? 0 : other[at]! / one[at]!
  // Zeros draw nothing, and what is negated draws the rest.
  if (at >= 0 && !(scale > 0)) return false
  for (let row = 0; row < other.length; row++) {
    const expected = one[row]! * scale
    if (Math.abs(other[row]! - expected) > Math.abs(expected) * ROUNDING) return false
  }
  return true
}
