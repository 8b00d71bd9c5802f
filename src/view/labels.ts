/** Labels of samples: which there are, what they weigh, and which rows a filter by label means. Decided once per label set. */
import type { Label, Profile } from '../model/profile.ts'
import { STACK_END_LABEL } from '../model/stack-end.ts'
import type { LabelValue, LabelValues } from './protocol.ts'

/** Offered first, where they differ between samples. */
const PREFERRED = ['file', 'thread', 'comm', 'container', 'pod', 'namespace', 'process', 'pid', 'tid', 'cpu']
/** More values than this at once help nobody to choose. */
const MAX_VALUES = 200

/** Keys of labels with at least two values (none counts as one), best first. */
export function labelKeys(profile: Profile): string[] {
  const values = new Map<string, Set<string>>()
  const sets = new Map<string, number>()
  for (const labels of profile.labelSets) {
    for (const label of labels) {
      const known = values.get(label.key) ?? new Set()
      values.set(label.key, known.add(textOf(label)))
      sets.set(label.key, (sets.get(label.key) ?? 0) + 1)
    }
  }
  // How a stack ended is the quality banner's business.
  values.delete(STACK_END_LABEL)
  const differs = ([key, known]: [string, Set<string>]): boolean =>
    known.size > 1 || sets.get(key)! < profile.labelSets.length
  const rank = (key: string): number => {
    const at = PREFERRED.findIndex((word) => key === word || key.split(/[._]/).includes(word))
    return at < 0 ? PREFERRED.length : at
  }
  const keys = [...values].filter(differs).map(([key]) => key)
  return keys.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

/**
 * Values of a key that have a part in them (ignoring case; '': all), with the weight of their rows, heaviest first; rows
 * without the label are ''. What is beyond the most that one can choose from is counted; a longer part reaches it.
 */
export function labelValues(profile: Profile, rowWeights: Float64Array, key: string, part = ''): LabelValues {
  const wanted = part.toLowerCase()
  const all = heaviestValues(profile, rowWeights, valuesBySet(profile, key))
  const found = wanted === '' ? all : all.filter(({ value }) => value.toLowerCase().includes(wanted))
  const total = found.reduce((sum, { weight }) => sum + weight, 0)
  return { values: found.slice(0, MAX_VALUES), more: Math.max(0, found.length - MAX_VALUES), total }
}

/** Values of label sets (as of `valuesBySet`) that have any weight, heaviest first. */
export function heaviestValues(
  profile: Profile,
  rowWeights: Float64Array,
  valueBySet: readonly string[],
): LabelValue[] {
  const bySet = weightsBySet(profile, rowWeights)
  const weights = new Map<string, number>()
  for (const [set, value] of valueBySet.entries())
    if (bySet[set]! > 0) weights.set(value, (weights.get(value) ?? 0) + bySet[set]!)
  const values = [...weights].map(([value, weight]) => ({ value, weight }))
  return values.sort((a, b) => b.weight - a.weight || (a.value < b.value ? -1 : 1))
}

/** Value of a key by label set; the last entry is for rows without a set. '' where there is none. */
export function valuesBySet(profile: Profile, key: string): string[] {
  const values = profile.labelSets.map((labels) => {
    const label = labels.find((one) => one.key === key)
    return label === undefined ? '' : textOf(label)
  })
  return [...values, '']
}

function weightsBySet({ labelSets, samples }: Profile, rowWeights: Float64Array): Float64Array {
  const weights = new Float64Array(labelSets.length + 1)
  for (let row = 0; row < rowWeights.length; row++) {
    if (!(rowWeights[row]! > 0)) continue
    const set = samples.labelSet[row]!
    weights[set < 0 ? labelSets.length : set]! += rowWeights[row]!
  }
  return weights
}

/** A label's value as text; numbers in decimal. */
export function textOf({ str, num }: Label): string {
  return str ?? (num === undefined ? '' : String(num))
}

type Matcher = (labels: readonly Label[]) => boolean

/** Reads `key:value` (the value), `key:~part` (a part of it, ignoring case); `-` in front means all other samples. */
export function labelMatcher(text: string): Matcher | { readonly problem: string } {
  const isNot = text.startsWith('-')
  const plain = isNot ? text.slice(1) : text
  const colon = plain.indexOf(':')
  if (colon <= 0) return { problem: `"${plain}" names no label; write it as thread:main` }
  const [key, value] = [plain.slice(0, colon), plain.slice(colon + 1)]
  const part = value.startsWith('~') ? value.slice(1).toLowerCase() : null
  const isIt = (found: string): boolean =>
    part === null ? found === value : found.toLowerCase().includes(part)
  return (labels) => {
    const found = labels.filter((one) => one.key === key)
    return (found.length === 0 ? value === '' : found.some((one) => isIt(textOf(one)))) !== isNot
  }
}

/** 1 for each row whose labels a matcher takes. */
export function rowsOfLabel({ labelSets, samples }: Profile, matcher: Matcher): Uint8Array {
  const bySet = Uint8Array.from([...labelSets, []], (labels) => (matcher(labels) ? 1 : 0))
  const { labelSet } = samples
  const rows = new Uint8Array(labelSet.length)
  for (let row = 0; row < rows.length; row++)
    rows[row] = bySet[labelSet[row]! < 0 ? labelSets.length : labelSet[row]!]!
  return rows
}
