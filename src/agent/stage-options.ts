/** What each stage is told, from the configuration. Pure; the stages know nothing of the configuration's names. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentConfig, DestinationConfig, RateRuleConfig } from '../config/config.ts'
import {
  DESTINATION_DEFAULTS,
  type DestinationOptions,
  type ExporterOptions,
  QUEUE_DEFAULTS,
  RETRY_DEFAULTS,
} from '../export/options.ts'
import { findCgroup2Mount } from '../identity/cgroup-paths.ts'
import type { IdentityOptions, KubernetesOptions } from '../identity/identity.ts'
import type { Log } from '../log/log.ts'
import type { Attributes } from '../model/attributes.ts'
import type { ContinuousRequest } from '../pipeline/continuous-types.ts'
import type { RatePlan, RateShare } from '../pipeline/rate-plan.ts'
import type { RecorderOptions } from '../server/recorder.ts'
import type { TelemetryOptions } from '../telemetry/options.ts'

/** The part of the environment that stages ask for themselves: addresses of the cluster, proxies. */
export type Environment = Readonly<Record<string, string | undefined>>

const CGROUP_ROOT = '/sys/fs/cgroup'

/** The highest of the configured rates: the timer's. */
export function highestRate({ rate, rates }: Pick<AgentConfig, 'rate' | 'rates'>): number {
  return rates.reduce((most, rule) => Math.max(most, rule.rate), rate)
}

/** Shares of the highest rate: the governor changes that, and all of them with it. */
function ratePlan(config: AgentConfig, mount: string): RatePlan {
  const highest = highestRate(config)
  return {
    baseShare: config.rate / highest,
    rules: config.rates.map((rule) => ({ ...rateTarget(rule, mount), share: rule.rate / highest })),
  }
}

function rateTarget(rule: RateRuleConfig, mount: string): Omit<RateShare, 'share'> {
  const { cgroup, pidNamespace, comm, pid } = rule
  if (cgroup !== undefined) return { by: 'cgroup', value: cgroupDirectory(cgroup, mount) }
  if (pidNamespace !== undefined) return { by: 'pidNamespace', value: pidNamespace }
  return comm === undefined ? { by: 'pid', value: pid! } : { by: 'comm', value: comm }
}

/** A path as /proc/PID/cgroup has it is below the mount point of version 2, which may lie beside version 1. */
function cgroupDirectory(path: string, mount: string): string {
  const isWhole = path === CGROUP_ROOT || path.startsWith(`${CGROUP_ROOT}/`)
  return isWhole ? path : join(mount || CGROUP_ROOT, path)
}

/** `rateHz`: the highest rate now. `mount`: of cgroups of version 2, '' for none. */
export function continuousRequest(
  config: AgentConfig,
  rateHz: number,
  mount = findCgroup2Mount(''),
): ContinuousRequest {
  const { pids, cgroups, comms, pidNamespaces } = config.filter
  const cgroupPaths = cgroups.map((path) => cgroupDirectory(path, mount))
  return {
    ...(config.rates.length === 0 ? {} : { plan: ratePlan(config, mount) }),
    filters: { pids, cgroupPaths, comms, pidNamespaces },
    rateHz,
    kernelStacks: config.kernelStacks,
    windowMs: config.window,
    jitter: config.jitter,
  }
}

export function exporterOptions(config: AgentConfig, version: string, log: Log): ExporterOptions {
  const { dir, maxBytes, fsync } = config.queue
  return {
    queue: { ...QUEUE_DEFAULTS, directory: dir, maxBytes, fsync },
    destinations: config.destinations.map(destinationOptions),
    version,
    log,
  }
}

function destinationOptions(from: DestinationConfig): DestinationOptions {
  const { name, protocol, endpoint, endpointIsWhole, headers, compression, concurrency, tls, retry } = from
  return {
    ...DESTINATION_DEFAULTS,
    name,
    protocol,
    endpoint,
    endpointIsWhole,
    headers,
    compression,
    concurrency,
    timeoutMs: from.timeout,
    retry: {
      ...RETRY_DEFAULTS,
      initialIntervalMs: retry.initialInterval,
      maxIntervalMs: retry.maxInterval,
      maxElapsedMs: retry.maxElapsed,
    },
    tls: {
      caFile: tls.ca || null,
      certFile: tls.cert || null,
      keyFile: tls.key || null,
      serverName: tls.serverName || null,
      insecureSkipVerify: tls.insecureSkipVerify,
    },
    proxy: from.proxy || null,
    keepaliveMs: from.keepalive,
  }
}

export function identityOptions(config: AgentConfig, env: Environment): IdentityOptions {
  const pairs = Object.entries(config.resource.attributes)
  const attributes = pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
  return {
    environment: { ...env, OTEL_RESOURCE_ATTRIBUTES: attributes.join(',') },
    kubernetes: kubernetesOptions(config, env),
    processContext: config.processContext,
    commandLine: config.commandLine,
  }
}

function kubernetesOptions({ kubernetes }: AgentConfig, env: Environment): KubernetesOptions | null {
  const { metadata, nodeName, labels, annotations, serviceFromLabels, apiServer, accountDir } = kubernetes
  const isThere =
    existsSync(join(accountDir, 'token')) && (apiServer !== '' || Boolean(env.KUBERNETES_SERVICE_HOST))
  if (metadata === 'off' || (metadata === 'auto' && !isThere)) return null
  const name = nodeName || (env.NODE_NAME ?? '')
  const url = apiServer === '' ? null : new URL(apiServer)
  return {
    nodeName: name,
    labels,
    annotations,
    serviceFromLabels,
    accountDirectory: accountDir,
    ...(url === null ? {} : { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 443) }),
  }
}

export function recorderOptions({ recorder }: AgentConfig): RecorderOptions {
  return { minutes: recorder.duration / 60_000, maxBytes: recorder.maxBytes }
}

/** All but where the numbers come from and where faults are told. `host`: who we run on. */
export function telemetryOptions(
  config: AgentConfig,
  host: Attributes,
  version: string,
): Omit<TelemetryOptions, 'rows' | 'log'> {
  const { signals, interval, serviceName } = config.telemetry
  const { protocol, endpoint, headers, compression, timeoutMs, tls } = destinationOptions(
    config.destinations[0]!,
  )
  return {
    destination: { protocol, endpoint, insecure: false, headers, compression, timeoutMs, tls },
    signals,
    intervalMs: interval,
    resource: { 'service.name': serviceName, 'service.version': version, ...host },
    version,
  }
}

/** What the log must never print. */
export function secretsOf(config: AgentConfig): string[] {
  const headers = config.destinations.flatMap((destination) => Object.values(destination.headers))
  const proxies = config.destinations.map((destination) => destination.proxy)
  return [config.token, ...headers, ...proxies].filter((secret) => secret !== '')
}
