/** A diff in words: its numbers in their scale, and the one sentence that stands above everything else. */
import type { ValueType } from '../model/profile.ts'
import type { DiffChange, DiffRanking } from './diff-ranking.ts'
import type { DiffScale, Judgement } from './diff-table.ts'
import { quantityText, secondsOf } from './quantity-text.ts'

/** How numbers of one scale and column are written; all take numbers in the scale of the table. */
export interface DiffWords {
  /** '18.1%', '0.312', '3.21 s': for tables, which say `unit` once. */
  value(scaled: number): string
  /** '+6.2', '-0.041', with its sign. */
  change(scaled: number): string
  /** '6.2 points', '0.041 cores', without a sign. */
  amount(scaled: number): string
  /** What `value` leaves out, '' for nothing. */
  readonly unit: string
}

/** The words for a scale and the type of the column. */
export function diffWords(scale: DiffScale, type: ValueType): DiffWords {
  if (scale === 'relative') {
    return {
      value: (share) => `${(share * 100).toFixed(1)}%`,
      change: (share) => `${signOf(share)}${points(share)}`,
      amount: (share) => `${points(share)} ${points(share) === '1.0' ? 'point' : 'points'}`,
      unit: '',
    }
  }
  const { text, unit } = scale === 'absolute' ? absolute(type) : perSecond(type)
  return {
    value: text,
    change: (value) => `${signOf(value)}${text(Math.abs(value))}`,
    amount: (value) => withUnit(text(Math.abs(value)), unit),
    unit,
  }
}

function withUnit(text: string, unit: string): string {
  return unit === '' ? text : `${text} ${unit}`
}

function signOf(value: number): string {
  return value < 0 ? '-' : '+'
}

/** '6.2'; what is above nothing but rounds to it is '<0.1'. */
function points(share: number): string {
  const text = Math.abs(share * 100).toFixed(1)
  return text === '0.0' && share !== 0 ? '<0.1' : text
}

/** Writes a number without a sign, and what has to be said behind it. */
interface Amounts {
  text(value: number): string
  readonly unit: string
}

function absolute({ unit }: ValueType): Amounts {
  return { text: (value) => quantityText(value, unit), unit: '' }
}

/** CPU time per second is a number of cores. */
function perSecond({ type, unit }: ValueType): Amounts {
  const seconds = secondsOf(unit)
  if (seconds === null) return { text: (value) => `${quantityText(value, unit)}/s`, unit: '' }
  const text = (value: number): string => (Number.isFinite(value) ? (value * seconds).toFixed(3) : '?')
  return { text, unit: type === 'cpu' ? 'cores' : 's/s' }
}

/** 'p < 0.001', 'p = 0.012'. */
export function pText(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`
}

/** '±2.6' of the larger half of a change's interval; '' when unknown. */
export function errorText({ change, low, high }: DiffChange, words: DiffWords): string {
  if (Number.isNaN(low)) return ''
  // The scale's change has its sign in front.
  return `±${words.change(Math.max(change - low, high - change)).slice(1)}`
}

/**
 * The verdict, for example `parseJson grew by 6.2 points (self 18.1% → 24.3%, p < 0.001); 3 more changes are significant,
 * 214 are noise.` `nameOf` gives the shown name of a function of the diff.
 */
export function verdictSentence(
  table: Judgement,
  ranking: DiffRanking,
  words: DiffWords,
  nameOf: (fn: number) => string,
): string {
  const { headline, significant, largest, counts } = ranking
  if (headline !== null) {
    const more = significant.length - 1
    const others =
      more === 0 ? 'no other change is significant' : `${more} more ${agreeing(more, 'change')} significant`
    const noise = counts.noise > 0 ? `, ${counts.noise} ${counts.noise === 1 ? 'is' : 'are'} noise` : ''
    return `${headlineText(headline, words, nameOf)}; ${others}${noise}.`
  }
  if (largest === null) return 'Neither profile has a function to compare.'
  const most = `${nameOf(largest.fn)} (${words.change(largest.change).slice(0, 1)}${words.amount(largest.change)})`
  if (counts.unknown > 0) return `No change can be called significant; the largest is that of ${most}.`
  if (isEqual(table)) return 'No function changed: the two profiles are equal.'
  return `No function changed significantly: the differences of all ${counts.noise} are noise; the largest is that of ${most}.`
}

function agreeing(count: number, noun: string): string {
  return count === 1 ? `${noun} is` : `${noun}s are`
}

/** 'parseJson grew by 6.2 points (self 18.1% → 24.3%, p < 0.001)'. */
export function headlineText(change: DiffChange, words: DiffWords, nameOf: (fn: number) => string): string {
  const after = withUnit(words.value(change.after), words.unit)
  const figures = `${change.measure} ${words.value(change.before)} → ${after}, ${pText(change.adjustedP)}`
  return `${nameOf(change.fn)} ${verdictText(change, words)} (${figures})`
}

function verdictText({ verdict, change }: DiffChange, words: DiffWords): string {
  const by = words.amount(change)
  if (verdict === 'new') return `is new, with ${by}`
  if (verdict === 'gone') return `is gone, with ${by}`
  return `${change > 0 ? 'grew' : 'shrank'} by ${by}`
}

function isEqual({ self, total }: Judgement): boolean {
  return [self, total].every(({ before, after }) => before.every((weight, fn) => weight === after[fn]))
}
