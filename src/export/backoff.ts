/** The waits between attempts of one request (E-03), and how long a receiver asked us to wait (E-05). */
import type { RetryOptions } from './options.ts'

/** Longest wait a receiver can ask for; a header that says more is a mistake, and a timer could not hold it. */
export const SERVER_DELAY_MAX_MS = 86_400_000

export class Backoff {
  readonly #options: RetryOptions
  readonly #random: () => number
  #intervalMs: number

  /** `random` gives [0, 1). */
  constructor(options: RetryOptions, random: () => number) {
    this.#options = options
    this.#random = random
    this.#intervalMs = options.initialIntervalMs
  }

  /** The next wait: uniform in interval * (1 ± randomizationFactor). */
  nextMs(): number {
    const { multiplier, randomizationFactor, maxIntervalMs } = this.#options
    const delay = this.#intervalMs * (1 + randomizationFactor * (2 * this.#random() - 1))
    this.#intervalMs = Math.min(this.#intervalMs * multiplier, maxIntervalMs)
    return delay
  }
}

/**
 * Retry-After in ms: seconds, or an HTTP date; null when it is neither. A date is compared with the receiver's own Date
 * header where there is one, so that clocks that differ or step don't matter.
 */
export function retryAfterMs(
  value: string | undefined,
  date: string | undefined,
  nowMs: number,
): number | null {
  const text = value?.trim() ?? ''
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, SERVER_DELAY_MAX_MS)
  const until = httpDateMs(text)
  if (until === null) return null
  return Math.min(Math.max(0, until - (httpDateMs(date ?? '') ?? nowMs)), SERVER_DELAY_MAX_MS)
}

/** All three forms of a date that HTTP knows begin with the day's name. */
function httpDateMs(text: string): number | null {
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return null
  const ms = Date.parse(/^\w{3} /.test(text) ? `${text} GMT` : text) // asctime names no zone and means GMT
  return Number.isNaN(ms) ? null : ms
}
