/**
 * The agent's HTTP server: one port for machines and browsers, one unix socket for commands on this host. What is
 * answered is agent-requests.ts's; here are sockets, limits, and the record that tells where we are.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AgentError } from '../errors.ts'
import type { HealthReport } from '../metrics/health.ts'
import type { Profile } from '../model/profile.ts'
import { atOnce, type Steps } from '../model/steps.ts'
import { claimDirectory, releaseDirectory, socketPath, startTicksOf, writeRecord } from './agent-record.ts'
import { AgentRequests, windowJson } from './agent-requests.ts'
import { limitConnections } from './connection-limit.ts'
import { type LiveReaderStats, LiveReaders } from './live-readers.ts'
import type { OtlpEncoder } from './profile-formats.ts'
import type { Recorder } from './recorder.ts'

export interface AgentServerOptions {
  /** 'host:port', '[::1]:port', ':port' for all interfaces, or 'off'; port 0 is any free one. */
  readonly listen: string
  /** '' for a new one. */
  readonly token: string
  readonly recorder: Recorder
  /** All metrics, in the form the Accept header asks for. */
  readonly metrics: (accept: string | undefined) => { readonly contentType: string; readonly body: string }
  readonly health: () => HealthReport
  /** Where agent.sock and agent.json go; '' for neither. */
  readonly runDirectory: string
  /** For `profile?format=otlp`; refused there without it. */
  readonly encodeOtlp?: OtlpEncoder
}

export interface AgentServerStats extends LiveReaderStats {
  readonly requests: number
}

/** Where the agent can be reached. */
export interface Reachable {
  /** Of the page, with its token; '' when `listen` is off. */
  readonly url: string
  /** Path of the unix socket; '' when there is none. */
  readonly socket: string
  /** What does not work and need not stop the agent, e.g. a read-only /run. */
  readonly warnings: readonly string[]
}

const TOKEN_BYTES = 24
const MAX_CONNECTIONS = 64
const LIMITS = {
  requestTimeout: 10_000,
  headersTimeout: 5000,
  keepAliveTimeout: 5000,
  maxHeaderSize: 8192,
  /** How often the first two are looked at. */
  connectionsCheckingInterval: 2000,
}

/** Serves from `start` to `close`. */
export class AgentServer {
  readonly #options: AgentServerOptions
  readonly #token: string
  readonly #readers = new LiveReaders()
  readonly #requests: AgentRequests
  readonly #servers: Server[] = []
  #hasDirectory = false
  #asked = 0
  #closing: Promise<void> | null = null

  constructor(options: AgentServerOptions) {
    this.#options = options
    this.#token = options.token === '' ? randomBytes(TOKEN_BYTES).toString('base64url') : options.token
    this.#requests = new AgentRequests({ ...options, token: this.#token, readers: this.#readers })
  }

  /**
   * Opens the socket, then the port. Errors: AgentError `already_running` when an agent lives in this directory, `usage`
   * when the address cannot be had.
   */
  async start(): Promise<Reachable> {
    const { runDirectory } = this.#options
    const warnings: string[] = []
    let socket = ''
    try {
      socket = runDirectory === '' ? '' : await this.#listenLocally(runDirectory)
    } catch (error) {
      if (!(error instanceof AgentError) || error.code === 'already_running') throw error
      warnings.push(`${error.message}; commands like profile --last will not find this agent`)
    }
    try {
      const url = await this.#listen()
      if (socket !== '') {
        const startTicks = startTicksOf(process.pid)
        writeRecord(runDirectory, { pid: process.pid, startTicks, url, socket, token: this.#token })
      }
      return { url, socket, warnings }
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Records a window, then tells the readers of it. */
  publish(profile: Profile): void {
    atOnce(this.publishSteps(profile))
  }

  /** The same in steps; not for two windows at a time. */
  *publishSteps(profile: Profile): Steps<void> {
    const window = yield* this.#options.recorder.addSteps(profile)
    if (window !== null) this.#readers.send('window', window.id, JSON.stringify(windowJson(window)))
  }

  stats(): AgentServerStats {
    return { requests: this.#asked, ...this.#readers.stats() }
  }

  /** Ends open connections too. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#readers.close()
    const closed = this.#servers.map((server) => new Promise((done) => server.close(done)))
    for (const server of this.#servers) server.closeAllConnections()
    await Promise.all(closed)
    if (this.#hasDirectory) releaseDirectory(this.#options.runDirectory)
  }

  async #listenLocally(directory: string): Promise<string> {
    claimDirectory(directory)
    const path = socketPath(directory)
    const server = this.#newServer(true)
    // The socket is made inside listen(), and nobody else may connect even for a moment.
    const before = process.umask(0o177)
    const listening = new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        const message = `cannot listen on ${path}: ${cause.message}; name another runDir`
        reject(new AgentError('not_permitted', message, { cause }))
      })
      server.listen({ path }, resolve)
    })
    process.umask(before)
    await listening
    chmodSync(path, 0o600)
    this.#hasDirectory = true
    this.#servers.push(server)
    return path
  }

  async #listen(): Promise<string> {
    const { listen } = this.#options
    if (listen === 'off') return ''
    const { host, port } = parseListen(listen)
    const server = this.#newServer(false)
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const reason = cause.code === 'EADDRINUSE' ? 'another program (another agent?) has it' : cause.message
        const message = `cannot listen on ${listen}: ${reason}; name another listen address, or "off"`
        reject(new AgentError('usage', message, { cause }))
      })
      server.listen({ port, ...(host === '' ? {} : { host }) }, resolve)
    })
    this.#servers.push(server)
    const { port: taken } = server.address() as AddressInfo
    return `http://${shownHost(host)}:${taken}/${encodeURIComponent(this.#token)}/`
  }

  #newServer(isLocal: boolean): Server {
    const server = createServer(LIMITS, (request, response) => {
      this.#asked++
      void this.#requests.answer(request, response, isLocal)
    })
    limitConnections(server, MAX_CONNECTIONS)
    return server
  }
}

/** 'host:port' as its parts; host '' for all interfaces. Errors: AgentError `usage`. */
export function parseListen(listen: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(listen)
  const port = Number(match?.[3] ?? Number.NaN)
  if (match === null || port > 65_535) {
    const forms = '"127.0.0.1:9464", "[::1]:9464", ":9464" for all interfaces, or "off"'
    throw new AgentError('usage', `cannot listen on "${listen}": it must be ${forms}`)
  }
  return { host: match[1] ?? match[2] ?? '', port }
}

/** An address of this host that leads to the server, for the URL. */
function shownHost(host: string): string {
  if (host === '' || host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
