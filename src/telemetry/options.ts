/** Where our own metrics, logs and traces go, and how often. */
import type { Log } from '../log/log.ts'
import type { MetricSource } from '../metrics/rows.ts'
import type { Attributes } from '../model/attributes.ts'

export const SIGNALS = ['metrics', 'logs', 'traces'] as const
export type Signal = (typeof SIGNALS)[number]

/** The receiver: as a rule the first destination of the profiles. */
export interface TelemetryDestination {
  readonly protocol: 'http/protobuf' | 'http/json' | 'grpc'
  /** http(s)://host[:port][/prefix]; for gRPC host:port too. Over HTTP the path of the signal is joined to it. */
  readonly endpoint: string
  /** For a gRPC endpoint without a scheme: no TLS. */
  readonly insecure: boolean
  /** Values are secrets. */
  readonly headers: Readonly<Record<string, string>>
  readonly compression: 'gzip' | 'none'
  readonly timeoutMs: number
  /** PEM files, read at every export, so a renewed one counts at once; null: none. */
  readonly tls: {
    readonly caFile: string | null
    readonly certFile: string | null
    readonly keyFile: string | null
    readonly serverName: string | null
    readonly insecureSkipVerify: boolean
  }
  /** Whole URLs of signals that go elsewhere (OTEL_EXPORTER_OTLP_METRICS_ENDPOINT). */
  readonly urls?: Readonly<Partial<Record<Signal, string>>>
}

export interface TelemetryOptions {
  readonly destination: TelemetryDestination
  /** Which of them are sent. */
  readonly signals: readonly Signal[]
  readonly intervalMs: number
  /** Who we are: service.*, host.*, k8s.*; telemetry.sdk.* are added. */
  readonly resource: Attributes
  readonly version: string
  readonly rows: MetricSource
  readonly log: Log
}

/** Sends the body of one export request. Rejects with an Error that says why not; never with a secret in it. */
export type Post = (signal: Signal, body: Uint8Array) => Promise<void>

/** Exports by signal and outcome, since the start. */
export type TelemetryStats = Readonly<
  Partial<Record<Signal, { readonly ok: number; readonly failed: number }>>
>

/** Profiles are posted below v1development; their neighbours are below v1. */
const PROFILES_PATH = /\/v1development\/profiles\/?$/

/** Where a signal is posted over HTTP. Errors: TypeError for an endpoint that is no URL. */
export function signalUrl({ endpoint, urls }: TelemetryDestination, signal: Signal): URL {
  const whole = urls?.[signal]
  if (whole !== undefined) return new URL(whole)
  const url = new URL(endpoint)
  url.pathname = `${url.pathname.replace(PROFILES_PATH, '').replace(/\/+$/, '')}/v1/${signal}`
  return url
}
