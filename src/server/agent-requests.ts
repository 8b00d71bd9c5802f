/**
 * What the agent answers. `/metrics`, `/healthz` and `/readyz` are for machines and open; everything else tells what
 * runs on the host, so it is below `/TOKEN/` or needs `Authorization: Bearer TOKEN`. Nothing here changes anything.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AgentError } from '../errors.ts'
import { livePagePolicy, writeLivePage } from '../formats/html.ts'
import type { HealthReport } from '../metrics/health.ts'
import { bearerToken, isSameToken, isTrustedHost, SECURITY_HEADERS, splitTokenPath } from './http-guard.ts'
import type { LiveReaders } from './live-readers.ts'
import { pageAssets } from './page-assets.ts'
import { type OtlpEncoder, parseFormat, profileBody } from './profile-formats.ts'
import type { Recorder } from './recorder.ts'
import { parseTimeRange } from './time-range.ts'

/** What the answers are made of. */
export interface Answering {
  readonly token: string
  readonly recorder: Recorder
  readonly readers: LiveReaders
  /** Text of all metrics in the form the Accept header asks for. */
  readonly metrics: (accept: string | undefined) => { readonly contentType: string; readonly body: string }
  readonly health: () => HealthReport
  readonly encodeOtlp?: OtlpEncoder
}

/** Merging takes memory: one profile at a time, and this many may wait. */
const MAX_WAITING = 4
const STALLED_MS = 10_000
const TEXT = 'text/plain; charset=utf-8'

/** Answers requests, whichever socket they came by. */
export class AgentRequests {
  readonly #answering: Answering
  #merging: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(answering: Answering) {
    this.#answering = answering
  }

  /** Never throws. `isLocal`: the request came by the unix socket, where no browser is. */
  async answer(request: IncomingMessage, response: ServerResponse, isLocal: boolean): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    try {
      await this.#route(request, response, isLocal)
    } catch (error) {
      if (response.headersSent) response.destroy()
      else if (!(error instanceof AgentError))
        sayText(response, 500, `internal error: ${(error as Error).message}`)
      else sayText(response, STATUS[error.code] ?? 500, error.message)
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, isLocal: boolean): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2)
    if (!isOpenPath(path) && !isLocal && !isTrustedHost(request.headers.host))
      return sayText(response, 403, 'wrong host: use an address or localhost')
    const place = isOpenPath(path) ? path : this.#place(request, path)
    if (place === null)
      return sayText(
        response,
        404,
        'not found; the page needs its token: `profile agent --page` on this host has the whole address',
      )
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return sayText(response, 405, 'method not allowed')
    }
    await this.#serve(place, new URLSearchParams(query), request, response)
  }

  /** The path below the token; null without the right one. */
  #place(request: IncomingMessage, path: string): string | null {
    const { token } = this.#answering
    const bearer = bearerToken(request.headers.authorization)
    if (bearer !== null) return isSameToken(bearer, token) ? path.slice(1) : null
    const [given, rest] = splitTokenPath(path) ?? ['', '']
    return isSameToken(given, token) ? rest : null
  }

  async #serve(
    place: string,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { metrics, health, readers } = this.#answering
    const isHead = request.method === 'HEAD'
    if (place === '/metrics') {
      const { contentType, body } = metrics(request.headers.accept)
      return say(response, 200, contentType, isHead ? '' : body)
    }
    if (place === '/healthz' || place === '/readyz') return sayHealth(response, place, health())
    if (place === '') return this.#page(response, isHead)
    if (place === 'windows') return say(response, 200, 'application/json', this.#windowsText())
    if (place === 'live') {
      if (isHead) return sayText(response, 200, '')
      if (!readers.add(response)) throw new AgentError('unsupported', 'too many live readers; close a page')
      return
    }
    const window = /^window\/(\d{1,15})$/.exec(place)
    if (window !== null) return await this.#window(Number(window[1]), response)
    if (place === 'profile') return await this.#profile(query, response, isHead)
    sayText(response, 404, 'not found; there are profile, windows, window/ID and live')
  }

  #page(response: ServerResponse, isHead: boolean): void {
    const assets = pageAssets()
    response.setHeader('content-security-policy', `${livePagePolicy(assets)}; frame-ancestors 'none'`)
    say(response, 200, 'text/html; charset=utf-8', isHead ? '' : writeLivePage(assets))
  }

  #windowsText(): string {
    return JSON.stringify({ windows: this.#answering.recorder.windows().map(windowJson) })
  }

  async #window(id: number, response: ServerResponse): Promise<void> {
    const bytes = await this.#answering.recorder.packed(id)
    if (bytes === null) return sayText(response, 404, `window ${id} is not here any more`)
    say(response, 200, 'application/octet-stream', bytes)
  }

  async #profile(query: URLSearchParams, response: ServerResponse, isHead: boolean): Promise<void> {
    const format = parseFormat(query.get('format'))
    const { fromNs, toNs } = parseTimeRange(query, BigInt(Date.now()) * 1_000_000n)
    await this.#inTurn(async () => {
      if (response.destroyed) return
      const profile = await this.#answering.recorder.merge(fromNs, toNs)
      if (profile === null) return sayText(response, 404, `no samples then; ${this.#extentText()}`)
      const { contentType, fileName, headers, pieces } = await profileBody(
        profile,
        format,
        this.#answering.encodeOtlp,
      )
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      if (fileName !== '') response.setHeader('content-disposition', `attachment; filename="${fileName}"`)
      response.writeHead(200, { 'content-type': contentType })
      // Others wait for their turn: whoever stops reading loses it.
      response.setTimeout(STALLED_MS, () => response.destroy())
      if (isHead) response.end()
      else await pipeline(Readable.from(pieces, { objectMode: true }), response)
    })
  }

  #extentText(): string {
    const windows = this.#answering.recorder.windows()
    const [first, last] = [windows[0], windows.at(-1)]
    if (first === undefined || last === undefined) return 'no window has been recorded yet'
    return `there are samples from ${isoTime(first.timeNs)} to ${isoTime(last.timeNs + last.durationNs)}`
  }

  /** One after the other. Errors: AgentError `unsupported` when too many wait. */
  async #inTurn(task: () => Promise<void>): Promise<void> {
    if (this.#waiting >= MAX_WAITING)
      throw new AgentError('unsupported', 'too many profiles are asked for at once; try again in a second')
    this.#waiting++
    const before = this.#merging
    const mine = before.catch(() => undefined).then(task)
    this.#merging = mine
    try {
      await mine
    } finally {
      this.#waiting--
    }
  }
}

/** Refusals that are the asker's fault, and those that pass. */
const STATUS: Readonly<Record<string, number>> = { usage: 400, unsupported: 503 }

function isOpenPath(path: string): boolean {
  return path === '/metrics' || path === '/healthz' || path === '/readyz'
}

/** Time as RFC 3339 with milliseconds. */
export function isoTime(timeNs: bigint): string {
  return new Date(Number(timeNs / 1_000_000n)).toISOString()
}

/** A window as the page and the event stream know it. */
export function windowJson(window: {
  id: number
  timeNs: bigint
  durationNs: bigint
  samples: number
}): object {
  const { id, timeNs, durationNs, samples } = window
  return { id, time: isoTime(timeNs), durationMs: Math.round(Number(durationNs) / 1e6), samples }
}

function sayHealth(response: ServerResponse, place: string, report: HealthReport): void {
  const isGood = place === '/healthz' ? report.alive : report.ready
  const lines = report.checks.map(
    ({ name, ok, reason }) => `${ok ? 'ok' : 'failed'} ${name}${reason === '' ? '' : `: ${reason}`}`,
  )
  sayText(response, isGood ? 200 : 503, [isGood ? 'ok' : 'failed', ...lines].join('\n'))
}

function sayText(response: ServerResponse, status: number, text: string): void {
  if (status === 503) response.setHeader('retry-after', '1')
  say(response, status, TEXT, `${text}\n`)
}

function say(response: ServerResponse, status: number, contentType: string, body: string | Uint8Array): void {
  response.writeHead(status, { 'content-type': contentType })
  response.end(body)
}
