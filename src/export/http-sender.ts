/** OTLP over HTTP/1.1: protobuf or JSON by POST, over connections that stay open. */
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { decodeRequest } from '../otlp/decode.ts'
import { toJson } from '../otlp/json.ts'
import { type HttpTarget, httpTarget } from './endpoint.ts'
import { type HttpAnswer, judgeAnswer } from './http-answer.ts'
import type { DestinationOptions } from './options.ts'
import { type ProxyServer, proxyFor, tunnel } from './proxy.ts'
import { errorCode } from './queue-files.ts'
import { remedyOf, withoutPlaces } from './remedy.ts'
import {
  type Outcome,
  RESPONSE_BYTES_MAX,
  type Sender,
  scrubber,
  userAgent,
  VERSION_HEADER,
} from './sender.ts'
import { TlsFileError, TlsFiles, type TlsMaterial } from './tls-files.ts'

const compress = promisify(gzip) as (bytes: Uint8Array, options: { level: number }) => Promise<Buffer>
/** Most of the gain for a third of the time. */
const GZIP_LEVEL = 3
const IDLE_CONNECTION_MS = 90_000

type Environment = Readonly<Record<string, string | undefined>>

class TooLarge extends Error {}
class TimedOut extends Error {}

export class HttpSender implements Sender {
  readonly endpoint: string
  readonly #options: DestinationOptions
  readonly #target: HttpTarget
  readonly #proxy: ProxyServer | null
  readonly #headers: Record<string, string>
  readonly #scrub: (message: string) => string
  readonly #tlsFiles: TlsFiles
  #agent: HttpAgent | null = null
  #agentVersion = 0

  /** Errors: AgentError `usage` for an endpoint or a proxy that cannot be one. */
  constructor(options: DestinationOptions, version: string, environment: Environment) {
    this.#options = options
    this.#target = httpTarget(options)
    this.endpoint = this.#target.shown
    this.#proxy = this.#target.socketPath === null ? proxyFor(this.#target, options.proxy, environment) : null
    this.#scrub = scrubber(options)
    this.#tlsFiles = new TlsFiles(options.tls)
    this.#headers = this.#requestHeaders(version)
  }

  async prepare(payload: Uint8Array): Promise<Uint8Array> {
    const isJson = this.#options.protocol === 'http/json'
    const body = isJson ? Buffer.from(toJson(decodeRequest(payload))) : payload
    return this.#options.compression === 'gzip' ? compress(body, { level: GZIP_LEVEL }) : body
  }

  async send(prepared: Uint8Array, signal: AbortSignal): Promise<Outcome> {
    try {
      let answer = await this.#exchange(prepared, signal)
      if (answer === 'stale connection') answer = await this.#exchange(prepared, signal)
      if (answer === 'stale connection') throw new Error('the connection ended before an answer')
      const outcome = await judgeAnswer(answer, Date.now())
      return { ...outcome, message: this.#scrub(outcome.message) }
    } catch (error) {
      return this.#failure(error)
    }
  }

  close(): void {
    if (this.#agent) retire(this.#agent)
    this.#agent = null
  }

  #requestHeaders(version: string): Record<string, string> {
    const { headers, protocol, compression } = this.#options
    const { authorization } = this.#target
    const host = isIP(this.#target.host) === 6 ? `[${this.#target.host}]` : this.#target.host
    const isDefaultPort = this.#target.port === (this.#target.isSecure ? 443 : 80) || this.#target.port === 0
    return {
      host: isDefaultPort ? host : `${host}:${this.#target.port}`,
      'user-agent': userAgent(version),
      ...(authorization !== null && { authorization }),
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      'content-type': protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
      ...(compression === 'gzip' && { 'content-encoding': 'gzip' }),
      [VERSION_HEADER[0]]: VERSION_HEADER[1],
    }
  }

  /** One request and its answer; a kept connection that the receiver had closed meanwhile is told apart. */
  async #exchange(body: Uint8Array, signal: AbortSignal): Promise<HttpAnswer | 'stale connection'> {
    const agent = await this.#currentAgent()
    const { isSecure, path, socketPath, host, port, shown } = this.#target
    const headers: Record<string, string | number> = { ...this.#headers, 'content-length': body.length }
    const options: RequestOptions = { method: 'POST', agent, headers, path, host, port }
    if (socketPath !== null) options.socketPath = socketPath
    else if (this.#proxy && !isSecure) {
      // In the clear a proxy is asked for the whole URL; only TLS needs a tunnel.
      Object.assign(options, { host: this.#proxy.host, port: this.#proxy.port })
      options.path = new URL(path, shown).href
      if (this.#proxy.authorization !== null) headers['proxy-authorization'] = this.#proxy.authorization
    }
    const isOverTls = isSecure || (this.#proxy?.isSecure ?? false)
    const request = isOverTls ? httpsRequest(options) : httpRequest(options)
    return exchange(request, body, this.#options.timeoutMs, signal)
  }

  /** The agent whose connections have the certificates that are on the disk now. */
  async #currentAgent(): Promise<HttpAgent> {
    const material = this.#target.isSecure ? await this.#tlsFiles.current() : null
    const version = material?.version ?? 0
    if (this.#agent && this.#agentVersion === version) return this.#agent
    if (this.#agent) retire(this.#agent)
    this.#agent = this.#newAgent(material)
    this.#agentVersion = version
    return this.#agent
  }

  #newAgent(material: TlsMaterial | null): HttpAgent {
    const pool = { keepAlive: true, maxSockets: this.#options.concurrency, timeout: IDLE_CONNECTION_MS }
    if (!material) return this.#proxy?.isSecure ? new HttpsAgent(pool) : new HttpAgent(pool)
    const { serverName, insecureSkipVerify } = this.#options.tls
    const { host } = this.#target
    const { ca, cert, key } = material
    const secure = {
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      servername: serverName ?? (isIP(host) ? '' : host),
      rejectUnauthorized: !insecureSkipVerify,
      minVersion: 'TLSv1.2' as const,
    }
    return this.#proxy
      ? new TunnelAgent({ ...pool, ...secure }, this.#proxy, this.#target)
      : new HttpsAgent({ ...pool, ...secure })
  }

  #failure(error: unknown): Outcome {
    if (error instanceof TooLarge) {
      const message = `the answer is over ${RESPONSE_BYTES_MAX} bytes`
      return { kind: 'refused', reason: 'response_too_large', message }
    }
    // A receiver may end the connection of an expired certificate without a word.
    const isOurs = error instanceof TlsFileError
    const hint = this.#target.isSecure && !isOurs ? this.#tlsFiles.hint(Date.now()) : ''
    const reason = isOurs || hint !== '' ? 'tls' : reasonOf(error)
    const said = withoutPlaces((error as Error).message || errorCode(error))
    const remedy = isOurs ? '' : remedyOf(said, this.#options.tls)
    const message = this.#scrub(`${said}${hint}${remedy}`)
    return { kind: 'failed', reason, message, delayMs: null }
  }
}

/** HTTPS through the CONNECT of a proxy. */
class TunnelAgent extends HttpsAgent {
  readonly #proxy: ProxyServer
  readonly #target: HttpTarget
  constructor(options: ConstructorParameters<typeof HttpsAgent>[0], proxy: ProxyServer, target: HttpTarget) {
    super(options)
    this.#proxy = proxy
    this.#target = target
  }
  override createConnection(
    options: object,
    done?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    tunnel(this.#proxy, this.#target).then(
      (socket) => done?.(null, connectTls({ ...options, socket })),
      (error: Error) => done?.(error, undefined as never),
    )
  }
}

/** Lets requests in flight end, and keeps no connection of it. */
function retire(agent: HttpAgent): void {
  agent.maxFreeSockets = 0
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}

function exchange(
  request: ClientRequest,
  body: Uint8Array,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<HttpAnswer | 'stale connection'> {
  return new Promise((resolve, reject) => {
    let hasAnswer = false
    const fail = (error: Error) => {
      finish()
      request.destroy()
      reject(error)
    }
    const timer = setTimeout(() => fail(new TimedOut(`no answer within ${timeoutMs} ms`)), timeoutMs)
    const abort = () => fail(new Error('ended by us'))
    const finish = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    request.on('error', (error) => {
      if (hasAnswer) return // the answer is read as far as it came
      const isStale = request.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(errorCode(error))
      if (!isStale) return fail(error)
      finish()
      resolve('stale connection')
    })
    request.on('response', (response) => {
      hasAnswer = true
      const parts: Buffer[] = []
      let size = 0
      response.on('data', (part: Buffer) => {
        size += part.length
        if (size > RESPONSE_BYTES_MAX) fail(new TooLarge())
        else parts.push(part)
      })
      response.on('error', () => {}) // 'close' follows
      response.on('close', () => {
        finish()
        const { statusCode: status = 0, headers, complete } = response
        resolve({ status, headers, body: Buffer.concat(parts), isCut: !complete })
      })
    })
    request.end(body)
  })
}

const DNS_CODES = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'ENODATA', 'ESERVFAIL']

function reasonOf(error: unknown): string {
  if (error instanceof TimedOut) return 'timeout'
  const [code, message] = [errorCode(error), String((error as Error)?.message)]
  if (DNS_CODES.includes(code)) return 'dns'
  if (/^(ERR_SSL|ERR_TLS|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|ERR_OSSL|EPROTO)/.test(code)) return 'tls'
  if (/certificate|SSL|handshake/.test(message)) return 'tls'
  if (/proxy/.test(message)) return 'proxy'
  return code.startsWith('HPE_') ? 'garbage' : 'connection'
}
