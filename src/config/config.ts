/**
 * The agent's configuration as its stages get it: plain frozen values, times in milliseconds, sizes in bytes, shares as
 * fractions of 1. How each is written, named and limited is schema.ts's; who asked for it is load.ts's.
 */
import type { LogFormat } from '../log/format.ts'
import type { LogLevel } from '../log/record.ts'

export const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'] as const
export type Protocol = (typeof PROTOCOLS)[number]
export const COMPRESSIONS = ['gzip', 'none'] as const
export type Compression = (typeof COMPRESSIONS)[number]
export const FSYNC_POLICIES = ['batch', 'interval', 'never'] as const
export type FsyncPolicy = (typeof FSYNC_POLICIES)[number]
export const TELEMETRY_SIGNALS = ['metrics', 'logs', 'traces'] as const
export type TelemetrySignal = (typeof TELEMETRY_SIGNALS)[number]
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

/** How often a request is tried again. */
export interface RetryConfig {
  readonly initialInterval: number
  readonly maxInterval: number
  /** 0: until the queue is full. */
  readonly maxElapsed: number
}

/** One place that profiles go to. */
export interface DestinationConfig {
  readonly name: string
  readonly endpoint: string
  /** The endpoint is the whole URL to post to: nothing is joined to it. */
  readonly endpointIsWhole: boolean
  readonly protocol: Protocol
  readonly headers: Readonly<Record<string, string>>
  readonly compression: Compression
  readonly timeout: number
  readonly concurrency: number
  readonly retry: RetryConfig
  /** URL of a proxy, '' for what the environment says. */
  readonly proxy: string
  /** Between pings of an idle gRPC connection, 0 for none. */
  readonly keepalive: number
  readonly tls: TlsConfig
}

/** A target by exactly one of the first four, and its samples per second and CPU (0: none). */
export interface RateRuleConfig {
  readonly cgroup?: string
  /** Inode. */
  readonly pidNamespace?: number
  readonly comm?: string
  readonly pid?: number
  readonly rate: number
}

export interface AgentConfig {
  readonly rate: number
  /** The first that holds decides; `rate` where none does. */
  readonly rates: readonly RateRuleConfig[]
  readonly window: number
  readonly jitter: number
  readonly kernelStacks: boolean
  readonly filter: {
    readonly pids: readonly number[]
    readonly cgroups: readonly string[]
    readonly comms: readonly string[]
    /** Inodes. */
    readonly pidNamespaces: readonly number[]
  }
  readonly maxOverhead: number
  readonly memoryLimit: number
  readonly destinations: readonly DestinationConfig[]
  /** Uncompressed bytes of one request at most. */
  readonly maxRequestBytes: number
  readonly queue: { readonly dir: string; readonly maxBytes: number; readonly fsync: FsyncPolicy }
  /** `host:port`, `:port` for all interfaces, or 'off'. */
  readonly listen: string
  /** Of the page; '' for a new one at every start. */
  readonly token: string
  /** Where the socket for local commands lies. */
  readonly runDir: string
  readonly recorder: { readonly duration: number; readonly maxBytes: number }
  readonly kubernetes: {
    readonly metadata: Switch
    readonly nodeName: string
    readonly labels: readonly string[]
    readonly annotations: readonly string[]
    readonly serviceFromLabels: boolean
    readonly apiServer: string
    readonly accountDir: string
  }
  /** Believe what processes publish of themselves (OTEP 4719). */
  readonly processContext: boolean
  readonly commandLine: boolean
  readonly resource: { readonly attributes: Readonly<Record<string, string>> }
  /** What the agent tells of itself, to the first destination. */
  readonly telemetry: {
    readonly signals: readonly TelemetrySignal[]
    readonly interval: number
    readonly serviceName: string
  }
  readonly shutdownTimeout: number
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}
