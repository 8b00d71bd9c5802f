/** Weights as the page writes them: a share with its interval, a change with its sign. */
import { percent, plusMinus } from '../../view/numbers.ts'
import { shareError } from '../../view/precision.ts'

/** What shares are shares of. */
export interface Measure {
  /** The whole, in `unit`. */
  readonly total: number
  readonly unit: string
  /** Independent samples behind the whole, null when unknown. */
  readonly samples: number | null
}

/** A weight as a fraction of the whole. */
export function fractionOf(measure: Measure, value: number): number {
  return measure.total > 0 ? value / measure.total : 0
}

/** `9.1 %` and `± 1.3`; the latter '' when unknown. */
export function shareOf(measure: Measure, value: number): { share: string; error: string } {
  const share = fractionOf(measure, value)
  return { share: percent(share), error: plusMinus(shareError(share, measure.samples)) }
}

/** `+6.2`, `−0.4`, `0.0`: a change of a share in points of percent. */
export function points(change: number): string {
  const text = Math.abs(change * 100).toFixed(1)
  if (text === '0.0') return text
  return `${change > 0 ? '+' : '\u2212'}${text}`
}

/** The sign in front of the label of a frame that changed, '' for noise: colour alone tells not everybody. */
export function changeSign(change: { readonly share: number; readonly significant: boolean } | null): string {
  if (change === null || !change.significant || change.share === 0) return ''
  return change.share > 0 ? '+\u202f' : '\u2212\u202f'
}

/** Characters that turn the direction of text: a name with them would be read as another one. */
const TURNING = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/**
 * A name short enough for a line of text or speech, as it is to be read: what is in the middle of a very long one goes, what
 * turns the direction of text is seen, and a name of blanks stands in quotes.
 */
export function clipped(name: string, most = 400): string {
  const half = (most - 1) >> 1
  const short = name.length <= most ? name : `${name.slice(0, half)}…${name.slice(-half)}`
  return short !== '' && short.trim() === '' ? `"${short}"` : short.replace(TURNING, '\ufffd')
}
