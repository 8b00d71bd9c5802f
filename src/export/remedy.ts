/**
 * What to do about an attempt that ended without an answer, by what OpenSSL, Node and grpc-js say of it. A guess from text
 * of others: it is only ever added to a message, and decides nothing.
 */
import type { TlsOptions } from './options.ts'

const RULES: readonly (readonly [said: RegExp, remedy: (tls: TlsOptions) => string])[] = [
  [
    /wrong version number|packet length too long/i,
    () => 'TLS is not spoken here: use another port, or http://',
  ],
  [/Parse Error: Expected HTTP/, () => 'is this the port of gRPC? Then the protocol is grpc'],
  [/\bProtocol error\b/, () => 'is this the port of HTTP? Then the protocol is http/protobuf'],
  [
    /self-signed certificate|unable to (verify|get) /i,
    ({ caFile }) =>
      `the receiver's certificate is not signed by an authority that ${caFile ?? 'Node by itself'} trusts; name the right one by tls.ca`,
  ],
  [/certificate has expired/i, () => "it is the receiver's certificate, and for the receiver to renew"],
  [/certificate is not yet valid/i, () => "it is the receiver's certificate: compare the clocks"],
  [/altnames/i, () => 'say which name to expect by tls.serverName'],
  [
    /alert (unknown ca|bad certificate|certificate|handshake failure)/i,
    ({ certFile }) =>
      certFile === null
        ? 'it may want a certificate of ours: name one by tls.cert and tls.key'
        : `the receiver does not take our certificate ${certFile}: does it trust the authority that signed it?`,
  ],
]
/** Some receivers end the connection of a certificate they do not take without a word. */
const HUNG_UP = /socket hang up|ECONNRESET|Failed to connect/

/** As the end of a message; '' where there is nothing to advise. */
export function remedyOf(message: string, tls: TlsOptions): string {
  const remedy = RULES.find(([said]) => said.test(message))?.[1](tls)
  if (remedy !== undefined) return `; ${remedy}`
  return HUNG_UP.test(message) && tls.certFile !== null
    ? `; does the receiver trust the authority that signed our certificate ${tls.certFile}?`
    : ''
}

/** Without the places in OpenSSL's source: most of `write EPROTO 00AB:error:0A00010B:SSL routines:…:wrong version number:…`. */
export function withoutPlaces(message: string): string {
  return message.replace(/^.*?[0-9A-F]+:error:[0-9A-F]+:([^:]+):[^:]*:([^:]+):.*$/s, '$1: $2')
}

const TOO_LARGE = 'set maxRequestBytes below what the receiver takes'
const NO_PROFILES =
  'does it take OTLP profiles (v1development)? An OpenTelemetry Collector needs --feature-gates=service.profilesSupport and a profiles pipeline'

/** For an HTTP status that is no success, as the end of a message. `location`: of a redirect. */
export function remedyOfStatus(status: number, location: string | undefined): string {
  if (status >= 300 && status < 400)
    return `; redirects are not followed: set the endpoint to where it points${location === undefined ? '' : `, ${location}`}`
  if (status === 404) return `; ${NO_PROFILES}`
  if (status === 413) return `; ${TOO_LARGE}`
  return status === 401 || status === 403 ? '; see the headers of this destination' : ''
}

/** For a gRPC code by name, as the end of a message. */
export function remedyOfGrpc(name: string, details: string): string {
  if (name === 'UNIMPLEMENTED') return `; ${NO_PROFILES}`
  if (name === 'RESOURCE_EXHAUSTED' && /message.*larger than max/i.test(details)) return `; ${TOO_LARGE}`
  return name === 'UNAUTHENTICATED' || name === 'PERMISSION_DENIED'
    ? '; see the headers of this destination'
    : ''
}
