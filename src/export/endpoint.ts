/** Where a destination is, from its endpoint as the user wrote it. */
import { AgentError } from '../errors.ts'
import type { DestinationOptions } from './options.ts'

const HTTP_PATH = '/v1development/profiles'
const GRPC_PORT = 4317

/** An HTTP receiver. */
export interface HttpTarget {
  readonly isSecure: boolean
  /** Without brackets, for IPv6 too. */
  readonly host: string
  readonly port: number
  /** With the query. */
  readonly path: string
  /** Of a unix socket, else null. */
  readonly socketPath: string | null
  /** From user info in the URL, else null. */
  readonly authorization: string | null
  /** For humans: no user info, no query. */
  readonly shown: string
}

/** A gRPC receiver. */
export interface GrpcTarget {
  readonly isSecure: boolean
  /** As grpc-js takes it: `dns:host:port`, `unix:/path`. */
  readonly address: string
  readonly host: string
  readonly port: number
  readonly authorization: string | null
  readonly shown: string
}

/** Errors: AgentError `usage` naming the destination, without what may be secret. */
export function httpTarget({ name, endpoint, endpointIsWhole }: DestinationOptions): HttpTarget {
  const url = parse(name, endpoint)
  const join = (path: string) => (endpointIsWhole ? path || '/' : path.replace(/\/+$/, '') + HTTP_PATH)
  if (url.protocol === 'unix:') {
    const socketPath = decodeURIComponent(url.pathname)
    const shown = `unix://${socketPath}`
    return {
      isSecure: false,
      host: 'localhost',
      port: 0,
      path: HTTP_PATH,
      socketPath,
      authorization: null,
      shown,
    }
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw wrong(name, 'its scheme is not http, https or unix')
  const isSecure = url.protocol === 'https:'
  const path = join(url.pathname)
  return {
    isSecure,
    host: bareHost(url),
    port: Number(url.port) || (isSecure ? 443 : 80),
    path: path + url.search,
    socketPath: null,
    authorization: basicAuthorization(url),
    shown: `${url.protocol}//${url.host}${path}`,
  }
}

/** Errors: AgentError `usage` naming the destination, without what may be secret. */
export function grpcTarget({ name, endpoint, insecure }: DestinationOptions): GrpcTarget {
  const hasScheme = /^(https?|dns|unix|ipv4|ipv6):/i.test(endpoint)
  const url = parse(name, hasScheme ? endpoint.replace(/^(dns|ipv[46]):\/*/i, 'dns://') : `dns://${endpoint}`)
  if (url.protocol === 'unix:') {
    const path = decodeURIComponent(url.pathname)
    const place = { host: 'localhost', port: 0, authorization: null, shown: `unix://${path}` }
    return { isSecure: false, address: `unix:${path}`, ...place }
  }
  const isSecure = url.protocol === 'https:' || (url.protocol !== 'http:' && !insecure)
  const port = Number(url.port) || { 'http:': 80, 'https:': 443 }[url.protocol] || GRPC_PORT
  const address = `dns:${url.hostname}:${port}`
  const shown = `${isSecure ? 'https' : 'http'}://${url.hostname}:${port}`
  return { isSecure, address, host: bareHost(url), port, authorization: basicAuthorization(url), shown }
}

function parse(name: string, endpoint: string): URL {
  let url: URL
  try {
    url = new URL(endpoint)
  } catch {
    throw wrong(name, 'it is no URL')
  }
  if (url.hostname === '' && url.protocol !== 'unix:') throw wrong(name, 'it names no host')
  return url
}

function wrong(name: string, why: string): AgentError {
  const form = 'write http://host:4318, https://host:4318, unix:///path, or for gRPC also host:4317'
  return new AgentError('usage', `the endpoint of destination "${name}" cannot be used: ${why}; ${form}`)
}

const bareHost = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1')

function basicAuthorization({ username, password }: URL): string | null {
  if (username === '' && password === '') return null
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}
