/** From the keys of a destination to the value its sender is given. */
import type { Compression, DestinationConfig, Protocol } from './config.ts'
import type { Value } from './key-type.ts'

/** Where a collector listens by default. */
const LOCAL_HTTP = 'http://localhost:4318'
const LOCAL_GRPC = 'http://localhost:4317'

/**
 * `values` by the paths of DESTINATION_KEYS, all there. `isWhole`: the endpoint is the URL to post to
 * (OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT is meant so).
 */
export function destinationOf(
  name: string,
  values: ReadonlyMap<string, Value>,
  isWhole: boolean,
): DestinationConfig {
  const text = (path: string): string => values.get(path) as string
  const number = (path: string): number => values.get(path) as number
  const protocol = text('protocol') as Protocol
  return {
    name,
    endpoint: text('endpoint') || (protocol === 'grpc' ? LOCAL_GRPC : LOCAL_HTTP),
    endpointIsWhole: isWhole,
    protocol,
    headers: { ...(values.get('headers') as Record<string, string>) },
    compression: text('compression') as Compression,
    timeout: number('timeout'),
    concurrency: number('concurrency'),
    retry: {
      initialInterval: number('retry.initialInterval'),
      maxInterval: number('retry.maxInterval'),
      maxElapsed: number('retry.maxElapsed'),
    },
    proxy: text('proxy'),
    keepalive: number('keepalive'),
    tls: {
      ca: text('tls.ca'),
      cert: text('tls.cert'),
      key: text('tls.key'),
      serverName: text('tls.serverName'),
      insecureSkipVerify: values.get('tls.insecureSkipVerify') as boolean,
    },
  }
}

/** What a destination's files contradict, as the end of a sentence; '' for nothing. */
export function destinationFault(destination: DestinationConfig): string {
  const { tls, retry } = destination
  if (retry.initialInterval > retry.maxInterval)
    return 'retry.initialInterval is larger than retry.maxInterval'
  if ((tls.cert === '') !== (tls.key === '')) return 'tls.cert and tls.key go together: give both or neither'
  const usesTls = destination.endpoint.startsWith('https:')
  if (!usesTls && (tls.ca !== '' || tls.cert !== ''))
    return `has files for TLS, but ${destination.endpoint} is plaintext: begin it with https://`
  return headerFault(destination.headers)
}

/** Why these cannot be headers, as the end of a sentence; '' when they can. Values are never repeated. */
export function headerFault(headers: Readonly<Record<string, string>>): string {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name))
      return `has a header whose name is none: "${name.slice(0, 40)}"`
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) return `has a header, "${name}", whose value cannot be sent`
  }
  return ''
}
