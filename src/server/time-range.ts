/** A span of time as a URL writes it: `last=5m`, or `from=` and `to=` as unix seconds or RFC 3339. Pure. */
import { AgentError } from '../errors.ts'

/** [fromNs, toNs) of the unix epoch. */
export interface TimeRange {
  readonly fromNs: bigint
  readonly toNs: bigint
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
/** Beyond every window's time. */
const END_NS = 2n ** 63n - 1n
const MAX_SECONDS = 253_402_300_800

/** Without any of the three: everything. Errors: AgentError `usage` that names the parameter. */
export function parseTimeRange(query: URLSearchParams, nowNs: bigint): TimeRange {
  const [last, from, to] = ['last', 'from', 'to'].map((name) => query.get(name))
  if (last != null) {
    if (from != null || to != null)
      throw new AgentError('usage', '"last" and "from", "to" exclude each other')
    return { fromNs: nowNs - spanNs(last), toNs: END_NS }
  }
  const range = {
    fromNs: from == null ? 0n : momentNs('from', from),
    toNs: to == null ? END_NS : momentNs('to', to),
  }
  if (range.fromNs >= range.toNs)
    throw new AgentError('usage', `"from" (${from}) must be before "to" (${to})`)
  return range
}

function spanNs(text: string): bigint {
  const match = /^(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)$/.exec(text)
  const ms = match === null ? 0 : Number(match[1]) * UNIT_MS[match[2]!]!
  if (!(ms > 0))
    throw new AgentError('usage', `"last" must be a time like 90s or 5m, got "${text.slice(0, 40)}"`)
  return BigInt(Math.round(ms)) * 1_000_000n
}

function momentNs(name: string, text: string): bigint {
  if (/^\d{1,12}(\.\d{1,9})?$/.test(text)) {
    const [whole, fraction = ''] = text.split('.') as [string, string?]
    if (Number(whole) < MAX_SECONDS) return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))
  }
  const ms = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (Number.isNaN(ms)) {
    const forms = 'unix seconds or a time like 2026-11-24T14:05:00Z'
    throw new AgentError('usage', `"${name}" must be ${forms}, got "${text.slice(0, 40)}"`)
  }
  return BigInt(ms) * 1_000_000n
}
