/** What tests of the exporter share: a silent log, options, requests that tell who they are, receivers on loopback. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { EncodedRequest } from '../../src/export/disk-queue.ts'
import {
  DESTINATION_DEFAULTS,
  type DestinationOptions,
  type ExporterOptions,
  QUEUE_DEFAULTS,
  type QueueOptions,
  RETRY_DEFAULTS,
} from '../../src/export/options.ts'
import type { DestinationStats } from '../../src/export/stats.ts'
import type { Log } from '../../src/log/log.ts'

/** A log that keeps its lines. */
export function keptLog(): Log & { readonly lines: string[] } {
  const lines: string[] = []
  const add = (message: string, fields?: object) =>
    void lines.push(`${message} ${JSON.stringify(fields ?? {})}`)
  const log = { lines, debug: add, info: add, warn: add, error: add, of: () => log }
  return log
}

/** A directory of its own, removed when the test ends. */
export function scratch(test: { after(fn: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'emberscope-export-'))
  test.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export const queueOptions = (directory: string, changes: Partial<QueueOptions> = {}): QueueOptions => ({
  ...QUEUE_DEFAULTS,
  directory,
  ...changes,
})

/** Fast retries; everything else by default. */
export const destinationOptions = (changes: Partial<DestinationOptions> = {}): DestinationOptions => ({
  ...DESTINATION_DEFAULTS,
  retry: { ...RETRY_DEFAULTS, initialIntervalMs: 5, maxIntervalMs: 20 },
  proxy: '',
  ...changes,
})

export const exporterOptions = (
  directory: string,
  destinations: readonly DestinationOptions[],
  queue: Partial<QueueOptions> = {},
): ExporterOptions => ({
  queue: queueOptions(directory, queue),
  destinations,
  version: '1.2.3',
  log: keptLog(),
})

/** A request with its number and a digest of what follows inside, so a receiver can tell it is whole. */
export function numbered(number: number, bytes = 200, samples = 1): EncodedRequest {
  const body = Buffer.alloc(Math.max(bytes, 36), number & 0xff)
  body.writeUInt32LE(number, 0)
  createHash('sha256').update(body.subarray(36)).update(body.subarray(0, 4)).digest().copy(body, 4)
  return { bytes: body, samples }
}

/** The number of a request made by `numbered`, or null when it is not whole. */
export function numberOf(bytes: Uint8Array): number | null {
  const body = Buffer.from(bytes)
  if (body.length < 36) return null
  const digest = createHash('sha256').update(body.subarray(36)).update(body.subarray(0, 4)).digest()
  return digest.equals(body.subarray(4, 36)) ? body.readUInt32LE(0) : null
}

/** Restored + accepted = sent + dropped + queued, in samples. */
export function imbalance(stats: DestinationStats): number {
  const dropped = Object.values(stats.dropped).reduce((sum, count) => sum + count, 0)
  return stats.restoredSamples + stats.acceptedSamples - stats.sentSamples - dropped - stats.queueSamples
}

/** Waits for what must come; the test's own timeout is the limit. */
export async function until(isTrue: () => boolean, everyMs = 2): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, everyMs))
}

export interface Receiver {
  readonly url: string
  readonly port: number
  readonly server: Server
  readonly requests: {
    readonly headers: IncomingMessage['headers']
    readonly url: string
    readonly body: Buffer
  }[]
  close(): Promise<void>
}

export type Answerer = (response: ServerResponse, request: IncomingMessage, body: Buffer) => void

/** Full success, as P-25 wants it. */
export const accept: Answerer = (response) =>
  void response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()

/** An HTTP receiver on loopback; bodies are kept uncompressed. */
export async function receiver(
  answer: Answerer = accept,
  host = '127.0.0.1',
  make: (listener: RequestListener) => Server = createServer,
): Promise<Receiver> {
  const requests: Receiver['requests'] = []
  const server = make((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const raw = Buffer.concat(parts)
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
      requests.push({ headers: request.headers, url: request.url ?? '', body })
      answer(response, request, body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, port, server, requests, close }
}
