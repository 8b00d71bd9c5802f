/** Spells a record as one line, whatever bytes are in it: text for people, JSON for collectors of logs. */
import type { LogRecord } from './record.ts'

export const LOG_FORMATS = ['text', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** What could end a line, move a cursor or reorder text. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
const BARE = /^[^\s"=]+$/

const escaped = (char: string) =>
  char === '\n' ? '\\n' : char === '\t' ? '\\t' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

const quoted = (value: string | number | boolean | null) => {
  const text = String(value).replace(UNPRINTABLE, escaped)
  return BARE.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`
}

/** `2026-01-02T03:04:05.678Z warn export: cannot send destination=eu status=503` */
export function textLine({ timeMs, level, component, message, fields }: LogRecord): string {
  const head = `${new Date(timeMs).toISOString()} ${level.padEnd(5)} ${component}: ${message.replace(UNPRINTABLE, escaped)}`
  return [head, ...Object.entries(fields).map(([key, value]) => `${key}=${quoted(value)}`)].join(' ')
}

/** `{"time":"2026-...","level":"warn","component":"export","message":"cannot send","status":503}` */
export function jsonLine({ timeMs, level, component, message, fields }: LogRecord): string {
  const head = { time: new Date(timeMs).toISOString(), level, component, message }
  const rest = Object.entries(fields).map(([key, value]) => [key in head ? `field_${key}` : key, value])
  const line = JSON.stringify({ ...head, ...Object.fromEntries(rest) })
  return line.replace(UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
