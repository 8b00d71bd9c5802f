/**
 * OTLP over gRPC: one unary call a request, with our own bytes in and out. The library is loaded by the first attempt, so
 * that an agent which sends over HTTP never pays for it.
 */

import { isIP } from 'node:net'
import type { ChannelOptions, Client, Metadata, ServiceError } from '@grpc/grpc-js'
import { decodeResponse, decodeStatus } from '../otlp/response.ts'
import { type GrpcTarget, grpcTarget } from './endpoint.ts'
import type { DestinationOptions } from './options.ts'
import { type ProxyServer, proxyFor } from './proxy.ts'
import { remedyOf, remedyOfGrpc, withoutPlaces } from './remedy.ts'
import { grpcName, isRetryableGrpc } from './retry-table.ts'
import {
  type Outcome,
  RESPONSE_BYTES_MAX,
  type Sender,
  scrubber,
  userAgent,
  VERSION_HEADER,
} from './sender.ts'
import { TlsFileError, TlsFiles, type TlsMaterial } from './tls-files.ts'

type Grpc = typeof import('@grpc/grpc-js')
type Environment = Readonly<Record<string, string | undefined>>

const METHOD = '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export'
const STATUS_DETAILS = 'grpc-status-details-bin'
// The library's own constants cannot be read before it is loaded.
const GZIP = 2
const RESOURCE_EXHAUSTED = 8
const UNAVAILABLE = 14
const KEEPALIVE_TIMEOUT_MS = 20_000
/** What the library says of an answer that is too large; what a receiver says of a request reads much the same. */
const OWN_LIMIT = /^Received message (larger than max \(\d+ vs \d+\)|that decompresses to a size larger)/
const asIs = (bytes: Buffer): Buffer => bytes

export class GrpcSender implements Sender {
  readonly endpoint: string
  readonly #options: DestinationOptions
  readonly #version: string
  readonly #target: GrpcTarget
  readonly #proxy: ProxyServer | null
  readonly #scrub: (message: string) => string
  readonly #tlsFiles: TlsFiles
  #client: Client | null = null
  #clientVersion = -1
  #inFlight = 0
  #retired: Client[] = []

  /** Errors: AgentError `usage` for an endpoint or a proxy that cannot be one. */
  constructor(options: DestinationOptions, version: string, environment: Environment) {
    this.#options = options
    this.#version = version
    this.#target = grpcTarget(options)
    this.endpoint = this.#target.shown
    const isSocket = this.#target.address.startsWith('unix:')
    this.#proxy = isSocket ? null : proxyFor(this.#target, options.proxy, environment)
    this.#scrub = scrubber(options)
    this.#tlsFiles = new TlsFiles(options.tls)
  }

  prepare(payload: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(payload) // the library compresses, off the main thread
  }

  async send(prepared: Uint8Array, signal: AbortSignal): Promise<Outcome> {
    this.#inFlight++
    try {
      const grpc = await import('@grpc/grpc-js')
      const client = await this.#currentClient(grpc)
      const answer = await call(client, this.#metadata(grpc), prepared, this.#options.timeoutMs, signal)
      const outcome = answer instanceof Error ? this.#judgeError(answer) : judgeAnswer(answer)
      return { ...outcome, message: this.#scrub(outcome.message) }
    } catch (error) {
      const reason = error instanceof TlsFileError ? 'tls' : 'connection'
      return { kind: 'failed', reason, message: this.#scrub((error as Error).message), delayMs: null }
    } finally {
      if (--this.#inFlight === 0) for (const client of this.#retired.splice(0)) client.close()
    }
  }

  close(): void {
    this.#client?.close()
    this.#client = null
  }

  /** The client whose connections have the certificates that are on the disk now. */
  async #currentClient(grpc: Grpc): Promise<Client> {
    const material = this.#target.isSecure ? await this.#tlsFiles.current() : null
    const version = material?.version ?? 0
    if (this.#client && this.#clientVersion === version) return this.#client
    if (this.#client) this.#retired.push(this.#client)
    this.#client = this.#newClient(grpc, material)
    this.#clientVersion = version
    return this.#client
  }

  #newClient(grpc: Grpc, material: TlsMaterial | null): Client {
    const credentials = material
      ? grpc.credentials.createSsl(material.ca ?? null, material.key ?? null, material.cert ?? null, {
          rejectUnauthorized: !this.#options.tls.insecureSkipVerify,
        })
      : grpc.credentials.createInsecure()
    const address = this.#proxy
      ? `dns:${bracketed(this.#proxy.host)}:${this.#proxy.port}`
      : this.#target.address
    return new grpc.Client(address, credentials, this.#channelOptions())
  }

  #channelOptions(): ChannelOptions {
    const { compression, keepaliveMs, retry, tls } = this.#options
    const { address, host, port } = this.#target
    return {
      'grpc.primary_user_agent': userAgent(this.#version),
      'grpc.max_receive_message_length': RESPONSE_BYTES_MAX,
      'grpc.max_send_message_length': -1,
      'grpc.enable_retries': 0, // ours are the only ones
      'grpc.enable_channelz': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.use_local_subchannel_pool': 1, // a replaced certificate must not find an old connection
      'grpc.enable_http_proxy': 0, // the proxy is chosen here, as for HTTP
      'grpc.initial_reconnect_backoff_ms': Math.max(100, Math.min(1000, retry.initialIntervalMs)),
      'grpc.max_reconnect_backoff_ms': Math.max(1000, Math.min(5000, retry.maxIntervalMs)),
      ...(compression === 'gzip' && { 'grpc.default_compression_algorithm': GZIP }),
      ...(keepaliveMs > 0 && {
        'grpc.keepalive_time_ms': keepaliveMs,
        'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
        'grpc.keepalive_permit_without_calls': 1,
      }),
      ...(tls.serverName !== null && { 'grpc.ssl_target_name_override': tls.serverName }),
      ...(this.#proxy && {
        'grpc.http_connect_target': address,
        'grpc.default_authority': `${bracketed(host)}:${port}`,
        ...(this.#proxy.userInfo !== null && { 'grpc.http_connect_creds': this.#proxy.userInfo }),
      }),
    }
  }

  /** Errors: a header that gRPC cannot carry, named without its value. */
  #metadata(grpc: Grpc): Metadata {
    const metadata = new grpc.Metadata()
    if (this.#target.authorization !== null) metadata.set('authorization', this.#target.authorization)
    for (const [name, value] of Object.entries(this.#options.headers)) {
      const key = name.toLowerCase()
      try {
        metadata.set(key, key.endsWith('-bin') ? Buffer.from(value, 'base64') : value)
      } catch {
        throw new Error(
          `the header "${key}" cannot be sent over gRPC: its name or value has characters not allowed`,
        )
      }
    }
    metadata.set(...VERSION_HEADER)
    return metadata
  }

  #judgeError(error: ServiceError): Outcome {
    const delayMs = retryDelayMs(error)
    // A receiver may end the connection of an expired certificate without a word.
    const hint = this.#target.isSecure && error.code === UNAVAILABLE ? this.#tlsFiles.hint(Date.now()) : ''
    const isTls = hint !== '' || /certificate|SSL|TLS|self.signed/i.test(error.details)
    const details = withoutPlaces(error.details.replace(/ *Resolution note: *$/, ''))
    const remedy = error.code === UNAVAILABLE ? remedyOf(details, this.#options.tls) : ''
    const message = `${grpcName(error.code)}: ${details}${hint}${remedy}`
    if (isRetryableGrpc(error.code, delayMs)) {
      return { kind: 'failed', reason: isTls ? 'tls' : `grpc_${grpcName(error.code)}`, message, delayMs }
    }
    const isOurLimit = error.code === RESOURCE_EXHAUSTED && OWN_LIMIT.test(error.details)
    return {
      kind: 'refused',
      reason: isOurLimit ? 'response_too_large' : `grpc_${grpcName(error.code)}`,
      message: isOurLimit ? message : message + remedyOfGrpc(grpcName(error.code), details),
    }
  }
}

const bracketed = (host: string) => (isIP(host) === 6 ? `[${host}]` : host)

/** The answer's bytes, or the status as an error; never rejects. Cancelled when `signal` aborts. */
function call(
  client: Client,
  metadata: Metadata,
  bytes: Uint8Array,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Buffer | ServiceError> {
  return new Promise((resolve) => {
    const request = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const options = { deadline: Date.now() + timeoutMs }
    const calling = client.makeUnaryRequest(
      METHOD,
      asIs,
      asIs,
      request,
      metadata,
      options,
      (error, answer) => {
        signal.removeEventListener('abort', cancel)
        resolve(error ?? answer ?? Buffer.alloc(0))
      },
    )
    const cancel = () => calling.cancel()
    signal.addEventListener('abort', cancel)
    if (signal.aborted) cancel()
  })
}

/** A success that cannot be read stays one: sending again would store the data twice, or for ever. */
function judgeAnswer(answer: Buffer): Outcome {
  try {
    return { kind: 'sent', ...decodeResponse(answer), isUnreadable: false }
  } catch (error) {
    const message = `OK with a body that is no OTLP answer: ${(error as Error).message}`
    return { kind: 'sent', rejected: 0, message, isUnreadable: true }
  }
}

/** RetryInfo of the status details; null without, or when they are damaged. */
function retryDelayMs({ metadata }: ServiceError): number | null {
  const details = metadata?.get(STATUS_DETAILS)[0]
  if (!Buffer.isBuffer(details)) return null
  try {
    return decodeStatus(details).retryDelayMs
  } catch {
    return null
  }
}
