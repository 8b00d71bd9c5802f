/** Option values: text in, a checked number out, or an AgentError `usage` that names option, range and text. */
import { AgentError } from '../errors.ts'
import { DIFF_SCALES, type DiffScale } from '../stats/diff-table.ts'
import { FOLDED_ROOTS, type FoldedRoot, MAX_DURATION_MS, MAX_RATE_HZ } from './options.ts'

const UNIT_MS: Readonly<Record<string, number>> = { '': 1000, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** '10s', '500ms', '1.5m', '10', '.5' -> milliseconds. */
export function parseDuration(text: string, option = '-d'): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|)$/.exec(text.trim())
  const ms = match ? Math.round(Number(match[1]) * UNIT_MS[match[2]!]!) : Number.NaN
  if (Number.isNaN(ms)) {
    throw new AgentError(
      'usage',
      `${option} must be a time like 10s, 500ms or 2m (a bare number is seconds), got "${text}"`,
    )
  }
  if (ms < 1 || ms > MAX_DURATION_MS)
    throw new AgentError('usage', `${option} must be more than 0 and at most 24h, got "${text}"`)
  return ms
}

/** '99' -> 99. */
export function parseRate(text: string): number {
  return parseInteger('-F', text, 1, MAX_RATE_HZ)
}

/** '8080' -> 8080. */
export function parsePort(text: string): number {
  return parseInteger('--port', text, 1, 65_535)
}

/** 'comm' or 'thread'. */
export function parseFoldedRoot(text: string): FoldedRoot {
  const root = FOLDED_ROOTS.find((known) => known === text)
  if (!root) throw new AgentError('usage', `--root must be ${FOLDED_ROOTS.join(' or ')}, got "${text}"`)
  return root
}

/** '+3', '3', '+0.5', '+3%' -> points of percent. */
export function parsePoints(text: string): number {
  const match = /^\+?(\d+(?:\.\d+)?|\.\d+)%?$/.exec(text.trim())
  const points = match ? Number(match[1]) : Number.NaN
  if (!(points > 0 && points <= 100)) {
    throw new AgentError(
      'usage',
      `--fail must be the points of percent by which a share may not grow, above 0 and at most 100, as in --fail '+3'; got "${text}"`,
    )
  }
  return points
}

/** 'relative', 'per-second' or 'absolute'. */
export function parseScale(text: string): DiffScale {
  const scale = DIFF_SCALES.find((known) => known === text)
  if (!scale) throw new AgentError('usage', `--scale must be ${DIFF_SCALES.join(', ')}; got "${text}"`)
  return scale
}

function parseInteger(option: string, text: string, low: number, high: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= low && value <= high)) {
    throw new AgentError('usage', `${option} must be an integer from ${low} to ${high}, got "${text}"`)
  }
  return value
}
