/** From the keys of a destination to where its requests go. */
import type { Compression, DestinationConfig, Protocol, TlsConfig } from './config.ts'
import type { Value } from './key-type.ts'

const PROFILES_PATH = '/v1development/profiles'
/** Where a collector listens by default. */
const LOCAL_HTTP = 'http://localhost:4318'
const LOCAL_GRPC = 'http://localhost:4317'

/**
 * `values` by the paths of DESTINATION_KEYS, all there. `isExact`: the endpoint is the whole URL to post to
 * (OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT is meant so).
 */
export function destinationOf(
  name: string,
  values: ReadonlyMap<string, Value>,
  isExact: boolean,
): DestinationConfig {
  const protocol = values.get('protocol') as Protocol
  const endpoint = (values.get('endpoint') as string) || (protocol === 'grpc' ? LOCAL_GRPC : LOCAL_HTTP)
  const tls: TlsConfig = Object.freeze({
    ca: values.get('tls.ca') as string,
    cert: values.get('tls.cert') as string,
    key: values.get('tls.key') as string,
    serverName: values.get('tls.serverName') as string,
    insecureSkipVerify: values.get('tls.insecureSkipVerify') as boolean,
  })
  return Object.freeze({
    name,
    endpoint,
    url: protocol === 'grpc' ? new URL(endpoint).origin : isExact ? endpoint : profilesUrl(endpoint),
    protocol,
    headers: Object.freeze({ ...(values.get('headers') as Record<string, string>) }),
    compression: values.get('compression') as Compression,
    timeout: values.get('timeout') as number,
    tls,
  })
}

/** The base URL with the path of the signal behind its own; a URL that has it already stays as it is. */
export function profilesUrl(endpoint: string): string {
  const url = new URL(endpoint)
  const base = url.pathname.replace(/\/+$/, '')
  url.pathname = base.endsWith(PROFILES_PATH) ? base : base + PROFILES_PATH
  return url.href
}

/** What a destination's files contradict, as the end of a sentence; '' for nothing. */
export function destinationFault(destination: DestinationConfig): string {
  const { tls } = destination
  if ((tls.cert === '') !== (tls.key === '')) return 'tls.cert and tls.key go together: give both or neither'
  const usesTls = destination.url.startsWith('https:')
  if (!usesTls && (tls.ca !== '' || tls.cert !== ''))
    return `has files for TLS, but ${destination.endpoint} is plaintext: begin it with https://`
  for (const [name, value] of Object.entries(destination.headers)) {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name))
      return `has a header whose name is none: "${name.slice(0, 40)}"`
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) return `has a header, "${name}", whose value cannot be sent`
  }
  return ''
}
