/** Which answers are tried again: the tables of the OTLP specification (P-27, P-28), and no other rule anywhere. */

/** P-27: these statuses alone. No answer at all (refused, reset, timed out, garbage) is tried again too. */
const HTTP_RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504])

export const isRetryableHttp = (status: number): boolean => HTTP_RETRYABLE.has(status)

type Rule = 'retry' | 'drop' | 'retry when told a delay'

/** P-28, by code. OK is here to make the index the code. */
const GRPC: readonly (readonly [name: string, rule: Rule])[] = [
  ['OK', 'drop'],
  ['CANCELLED', 'retry'],
  ['UNKNOWN', 'drop'],
  ['INVALID_ARGUMENT', 'drop'],
  ['DEADLINE_EXCEEDED', 'retry'],
  ['NOT_FOUND', 'drop'],
  ['ALREADY_EXISTS', 'drop'],
  ['PERMISSION_DENIED', 'drop'],
  ['RESOURCE_EXHAUSTED', 'retry when told a delay'],
  ['FAILED_PRECONDITION', 'drop'],
  ['ABORTED', 'retry'],
  ['OUT_OF_RANGE', 'retry'],
  ['UNIMPLEMENTED', 'drop'],
  ['INTERNAL', 'drop'],
  ['UNAVAILABLE', 'retry'],
  ['DATA_LOSS', 'retry'],
  ['UNAUTHENTICATED', 'drop'],
]

/** `delayMs` is RetryInfo's, null without one. Codes nobody defined are not retried. */
export function isRetryableGrpc(code: number, delayMs: number | null): boolean {
  const rule = GRPC[code]?.[1]
  return rule === 'retry' || (rule === 'retry when told a delay' && delayMs !== null)
}

export const grpcName = (code: number): string => GRPC[code]?.[0] ?? String(code)
