/** Filter chips as people write and read them. */
import type { Chip, ChipKind } from '../../view/state.ts'

/**
 * The chip a text of the search box stands for: `-foo` hides, `label:value` and `-label:value` filter by a label that the
 * profile has, all else keeps only the stacks through what matches. null for a text without a meaning.
 */
export function chipOf(text: string, labelKeys: readonly string[]): Chip | null {
  const trimmed = text.trim()
  const plain = trimmed.replace(/^-/, '')
  if (plain === '') return null
  const isLabel = labelKeys.some((key) => plain.startsWith(`${key}:`) && plain.length > key.length + 1)
  if (isLabel) return { kind: 'label', text: trimmed }
  return trimmed.startsWith('-') ? { kind: 'hide', text: plain } : { kind: 'only', text: trimmed }
}

const WORDS: Readonly<Record<ChipKind, string>> = {
  hide: 'hide',
  only: 'only',
  drop: 'without',
  focus: 'focus',
  merge: 'merge',
  collapse: 'collapse',
  from: 'from',
  label: '',
  broken: 'incomplete stacks',
}

/** What stands on a chip: `hide malloc`, `thread: main`, `incomplete stacks`. */
export function chipWords(chip: Chip): string {
  const { kind, text } = chip
  if (kind === 'label') return labelWords(text)
  if (kind === 'broken') return text === '' ? WORDS.broken : `cut short: ${text.replaceAll('_', ' ')}`
  return `${WORDS[kind]} ${queryWords(text)}`
}

function labelWords(text: string): string {
  const isNot = text.startsWith('-')
  const [, key = '', value = ''] = /^-?([^:]*):(.*)$/s.exec(text) ?? []
  const isPart = value.startsWith('~')
  return `${key}${isNot ? ' not' : ':'} ${isPart ? `…${value.slice(1)}…` : value}`
}

/** A query for a whole name (`"malloc"`) reads as that name. */
export function queryWords(query: string): string {
  return query.length > 2 && query.startsWith('"') && query.endsWith('"') ? query.slice(1, -1) : query
}
