/**
 * The agent's configuration as its stages get it: plain frozen values, times in milliseconds, sizes in bytes, shares as
 * fractions of 1. How each is written, named and limited is schema.ts's; who asked for it is load.ts's.
 */

export const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'] as const
export type Protocol = (typeof PROTOCOLS)[number]
export const COMPRESSIONS = ['gzip', 'none'] as const
export type Compression = (typeof COMPRESSIONS)[number]
export const FSYNC_POLICIES = ['batch', 'never'] as const
export type FsyncPolicy = (typeof FSYNC_POLICIES)[number]
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export const LOG_FORMATS = ['text', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]
export const SWITCHES = ['auto', 'on', 'off'] as const
export type Switch = (typeof SWITCHES)[number]

/** Files of TLS, read again when they change; '' for none. */
export interface TlsConfig {
  readonly ca: string
  readonly cert: string
  readonly key: string
  /** Name to expect in the server's certificate, '' for that of the endpoint. */
  readonly serverName: string
  readonly insecureSkipVerify: boolean
}

/** One place that profiles go to. */
export interface DestinationConfig {
  readonly name: string
  /** As given: `http://collector:4318`, for gRPC also `collector:4317`. */
  readonly endpoint: string
  /** HTTP: where profiles are posted, path included. gRPC: scheme, host and port; http is plaintext, https TLS. */
  readonly url: string
  readonly protocol: Protocol
  readonly headers: Readonly<Record<string, string>>
  readonly compression: Compression
  readonly timeout: number
  readonly tls: TlsConfig
}

export interface AgentConfig {
  readonly rate: number
  readonly window: number
  readonly jitter: number
  readonly kernelStacks: boolean
  readonly filter: {
    readonly pids: readonly number[]
    readonly cgroups: readonly string[]
    readonly comms: readonly string[]
  }
  readonly maxOverhead: number
  readonly memoryLimit: number
  readonly destinations: readonly DestinationConfig[]
  /** Uncompressed bytes of one request at most. */
  readonly maxRequestBytes: number
  readonly queue: { readonly dir: string; readonly maxBytes: number; readonly fsync: FsyncPolicy }
  /** `host:port`, `unix:/path` or 'off'. */
  readonly listen: string
  /** Of the page; '' for a new one at every start. */
  readonly token: string
  readonly recorder: { readonly duration: number; readonly maxBytes: number }
  readonly kubernetes: { readonly metadata: Switch; readonly nodeName: string; readonly apiServer: string }
  readonly resource: { readonly attributes: Readonly<Record<string, string>> }
  /** The agent's own metrics, pushed to the first destination. */
  readonly telemetry: { readonly enabled: boolean; readonly interval: number; readonly serviceName: string }
  readonly shutdownTimeout: number
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}
