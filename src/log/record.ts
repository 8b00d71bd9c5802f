/** A line of our own log as a value, before anybody spells it. */

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type LogValue = string | number | bigint | boolean | null | undefined | Error

/** What varies between two records of one message: `{ destination: 'eu', status: 503 }`. */
export type LogFields = Readonly<Record<string, LogValue>>

export interface LogRecord {
  readonly timeMs: number
  readonly level: LogLevel
  /** The stage that speaks: 'export', 'config'. */
  readonly component: string
  readonly message: string
  /** In the caller's order; secrets are masked already, errors are text. */
  readonly fields: Readonly<Record<string, string | number | boolean | null>>
}
