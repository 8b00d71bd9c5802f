/** One attempt to hand a request to a receiver: what both protocols have in common. */
import type { DestinationOptions } from './options.ts'
import type { DropReason } from './stats.ts'

/** How an attempt ended. Messages are for humans: short, one line, without secrets. */
export type Outcome =
  /** Accepted; `rejected` profiles and `message` of a partial success. `isUnreadable`: the body was no OTLP response. */
  | {
      readonly kind: 'sent'
      readonly rejected: number
      readonly message: string
      readonly isUnreadable: boolean
    }
  /** To be tried again; `delayMs` is the least wait the receiver asked for. */
  | {
      readonly kind: 'failed'
      readonly reason: string
      readonly message: string
      readonly delayMs: number | null
    }
  /** Never to be tried again. */
  | { readonly kind: 'refused'; readonly reason: DropReason; readonly message: string }

/** Sends to one destination. Neither call throws for what the network or the receiver does. */
export interface Sender {
  /** For humans: the endpoint without user info and query. */
  readonly endpoint: string
  /** The bytes to send, made once for all attempts. Errors: a request that cannot be transcoded. */
  prepare(payload: Uint8Array): Promise<Uint8Array>
  /** One attempt. Ends soon after `signal` aborts, as failed. */
  send(prepared: Uint8Array, signal: AbortSignal): Promise<Outcome>
  /** Ends idle connections; for after the last `send`. */
  close(): void
}

/** P-24: an answer is read no further than this. */
export const RESPONSE_BYTES_MAX = 4 * 1024 * 1024
const MESSAGE_LENGTH_MAX = 500
/** Shorter values of headers (`1`, `gzip`) are no secrets, and replacing them would garble messages. */
const SECRET_LENGTH_MIN = 5

/** Makes a message of a receiver or a library fit to be shown: one line, not long, no header value in it. */
export function scrubber(options: DestinationOptions): (message: string) => string {
  const secrets = Object.values(options.headers).flatMap((value) => [value, ...value.split(/\s+/)])
  for (const url of [options.endpoint, options.proxy ?? '']) {
    const userInfo = /^[\w+.-]+:\/\/([^/@]*)@/.exec(url)?.[1]
    if (userInfo) secrets.push(userInfo, decodeSafely(userInfo), ...userInfo.split(':').map(decodeSafely))
  }
  const worth = secrets.filter((text) => text.length >= SECRET_LENGTH_MIN).sort((a, b) => b.length - a.length)
  return (message) => {
    const hidden = worth.reduce((text, secret) => text.replaceAll(secret, '[hidden]'), message)
    const line = hidden.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ').trim()
    return line.length > MESSAGE_LENGTH_MAX ? `${line.slice(0, MESSAGE_LENGTH_MAX)}…` : line
  }
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `OTel-OTLP-Exporter-JavaScript/…` behind our own product, as the exporter specification wants it. */
export const userAgent = (version: string): string =>
  `Emberscope/${version} OTel-OTLP-Exporter-JavaScript/${version}`

/** Sent with every request: which state of the protocol our bytes are of. */
export const VERSION_HEADER = ['otlp-profiles-development-version', '1'] as const
