/** A profile of many processes, and the part of it that is one of them: by the `comm` that capture gives its samples. */
import type { Profile } from '../../model/profile.ts'

/** A process name and what its samples weigh in the column that is shown. */
export interface ProcessShare {
  readonly name: string
  readonly value: number
}

/** More names than this help nobody to choose. */
const MAX_NAMES = 100

/** Heaviest first; empty where there are not several. */
export function processShares(profile: Profile, column: number): ProcessShare[] {
  const names = commByLabelSet(profile)
  if (new Set(names).size < 2) return []
  const values = profile.samples.values[column] ?? new Float64Array(0)
  const weights = new Map<string, number>()
  for (let row = 0; row < values.length; row++) {
    const name = names[profile.samples.labelSet[row]!] ?? ''
    if (name !== '') weights.set(name, (weights.get(name) ?? 0) + values[row]!)
  }
  if (weights.size < 2) return []
  const shares = [...weights].map(([name, value]) => ({ name, value }))
  return shares.sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1)).slice(0, MAX_NAMES)
}

/** The samples of one process name; the tables stay whole. '' is everything. */
export function onlyProcess(profile: Profile, name: string): Profile {
  if (name === '') return profile
  const names = commByLabelSet(profile)
  const { stack, labelSet, timeNs, values } = profile.samples
  const rows = Int32Array.from(stack.keys()).filter((row) => names[labelSet[row]!] === name)
  const samples = {
    stack: rows.map((row) => stack[row]!),
    labelSet: rows.map((row) => labelSet[row]!),
    timeNs: timeNs === null ? null : Float64Array.from(rows, (row) => timeNs[row]!),
    values: values.map((column) => Float64Array.from(rows, (row) => column[row]!)),
  }
  return { ...profile, samples }
}

function commByLabelSet(profile: Profile): string[] {
  return profile.labelSets.map((labels) => labels.find(({ key }) => key === 'comm')?.str ?? '')
}
