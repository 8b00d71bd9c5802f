/**
 * What an exporter is told: where its queue lives and to whom it sends. Plain values, already checked by the
 * configuration; the names and defaults follow the Collector's exporterhelper (spec E-01..E-22) where ours agree.
 */
import type { Log } from '../log/log.ts'

/** When written records are forced to the medium: once an `enqueue`, every `fsyncIntervalMs`, or by the kernel alone. */
export type FsyncPolicy = 'batch' | 'interval' | 'never'

/** The disk queue. One directory belongs to one process. Sizes are bytes. */
export interface QueueOptions {
  readonly directory: string
  readonly maxBytes: number
  readonly fsync: FsyncPolicy
  /** For policy `interval`. */
  readonly fsyncIntervalMs: number
  /** What may be held in memory while the directory cannot be written. */
  readonly memoryBytes: number
}

export const QUEUE_DEFAULTS: QueueOptions = {
  directory: '/var/lib/emberscope/queue',
  maxBytes: 512 * 1024 * 1024,
  fsync: 'batch',
  fsyncIntervalMs: 1000,
  memoryBytes: 8 * 1024 * 1024,
}

export type Protocol = 'grpc' | 'http/protobuf' | 'http/json'
export type Compression = 'gzip' | 'none'

/** Backoff of E-03: a delay is uniform in interval * (1 ± randomizationFactor), the interval grows to `maxIntervalMs`. */
export interface RetryOptions {
  readonly enabled: boolean
  readonly initialIntervalMs: number
  readonly multiplier: number
  readonly randomizationFactor: number
  readonly maxIntervalMs: number
  /** A request that failed for longer is dropped and counted; 0 = never (the disk queue's cap decides). */
  readonly maxElapsedMs: number
}

export const RETRY_DEFAULTS: RetryOptions = {
  enabled: true,
  initialIntervalMs: 1000,
  multiplier: 1.5,
  randomizationFactor: 0.5,
  maxIntervalMs: 30_000,
  maxElapsedMs: 0,
}

/** PEM files, read again when they change; a file that is null is not used (system roots, no client certificate). */
export interface TlsOptions {
  readonly caFile: string | null
  readonly certFile: string | null
  readonly keyFile: string | null
  /** Name expected in the server's certificate instead of the endpoint's host. */
  readonly serverName: string | null
  readonly insecureSkipVerify: boolean
}

export const TLS_DEFAULTS: TlsOptions = {
  caFile: null,
  certFile: null,
  keyFile: null,
  serverName: null,
  insecureSkipVerify: false,
}

/** One receiver. `name` is its identity: its place in the queue is kept under it, over restarts and changes. */
export interface DestinationOptions {
  readonly name: string
  readonly protocol: Protocol
  /**
   * http(s)://host[:port][/prefix], unix:///path, for gRPC also host:port and dns:///host:port. Over HTTP the profiles
   * path is joined to it unless `endpointIsWhole`.
   */
  readonly endpoint: string
  /** The endpoint is the whole URL (a per-signal variable or key); nothing is joined to it. */
  readonly endpointIsWhole: boolean
  /** For a gRPC endpoint without a scheme: no TLS. */
  readonly insecure: boolean
  /** Values are secrets: they are never in errors, stats or logs. */
  readonly headers: Readonly<Record<string, string>>
  readonly compression: Compression
  /** Per attempt, connecting included. */
  readonly timeoutMs: number
  /** Requests in flight at once (E-11). */
  readonly concurrency: number
  readonly retry: RetryOptions
  readonly tls: TlsOptions
  /** Proxy URL, '' = none, null = HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment. */
  readonly proxy: string | null
  /** gRPC pings on an idle connection; 0 = none (the Collector's server refuses more than one in 5 minutes). */
  readonly keepaliveMs: number
}

export const DESTINATION_DEFAULTS: DestinationOptions = {
  name: 'default',
  protocol: 'http/protobuf',
  endpoint: 'http://localhost:4318',
  endpointIsWhole: false,
  insecure: false,
  headers: {},
  compression: 'gzip',
  timeoutMs: 10_000,
  concurrency: 2,
  retry: RETRY_DEFAULTS,
  tls: TLS_DEFAULTS,
  proxy: null,
  keepaliveMs: 0,
}

/** Everything `Exporter` is built from. */
export interface ExporterOptions {
  readonly queue: QueueOptions
  readonly destinations: readonly DestinationOptions[]
  /** Our own version, for the User-Agent. */
  readonly version: string
  readonly log: Log
}
