/**
 * POSTs one OTLP request by node:http. One attempt: metrics are sums that the next export repeats, and our own logs and spans
 * are not worth a queue. (fetch would do it in fewer lines and 13 MB more of memory.)
 */
import { readFileSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http'
import type { RequestOptions } from 'node:https'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type Post, signalUrl, type TelemetryDestination } from './options.ts'

/** We read no more of an answer than this; what matters is the status. */
const ANSWER_BYTES_MAX = 4096
const gzipAsync = promisify(gzip)

export function httpPost(destination: TelemetryDestination, userAgent: string): Post {
  const contentType = destination.protocol === 'http/json' ? 'application/json' : 'application/x-protobuf'
  return async (signal, body) => {
    const url = signalUrl(destination, signal)
    const zipped = destination.compression === 'gzip'
    const bytes = zipped ? await gzipAsync(body) : body
    const headers = {
      ...destination.headers,
      'content-type': contentType,
      'content-length': bytes.length,
      'user-agent': userAgent,
      ...(zipped ? { 'content-encoding': 'gzip' } : {}),
    }
    // TLS is a megabyte that a plain receiver does not need.
    const start = url.protocol === 'https:' ? (await import('node:https')).request : requestPlain
    const options = { method: 'POST', headers, agent: false as const, ...tlsOptions(destination.tls) }
    await send((answered) => start(url, options, answered), bytes, destination.timeoutMs)
  }
}

function tlsOptions(tls: TelemetryDestination['tls']): RequestOptions {
  return {
    ...(tls.caFile === null ? {} : { ca: readFileSync(tls.caFile) }),
    ...(tls.certFile === null ? {} : { cert: readFileSync(tls.certFile) }),
    ...(tls.keyFile === null ? {} : { key: readFileSync(tls.keyFile) }),
    ...(tls.serverName === null ? {} : { servername: tls.serverName }),
    rejectUnauthorized: !tls.insecureSkipVerify,
  }
}

type Start = (answered: (answer: IncomingMessage) => void) => ClientRequest

function send(start: Start, body: Uint8Array, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = start((answer) => {
      readAnswer(answer)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer))
    })
    // The whole attempt, not silence alone: a receiver that drips bytes must not hold us.
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    request.end(body)
  })
}

function readAnswer(answer: IncomingMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = ANSWER_BYTES_MAX
    const status = answer.statusCode ?? 0
    const settle = () =>
      status >= 200 && status < 300 ? resolve() : reject(new Error(`the receiver answered HTTP ${status}`))
    answer.on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left < 0) {
        settle()
        answer.destroy()
      }
    })
    answer.on('end', settle)
    answer.on('error', reject)
    answer.on('close', () => reject(new Error('the receiver hung up')))
  })
}
