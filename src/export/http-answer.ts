/** What an HTTP receiver said, as the outcome of an attempt (P-21, P-24 .. P-27). */
import { STATUS_CODES } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { decodeResponse, decodeResponseJson, decodeStatus, decodeStatusJson } from '../otlp/response.ts'
import { retryAfterMs } from './backoff.ts'
import { remedyOfStatus } from './remedy.ts'
import { isRetryableHttp } from './retry-table.ts'
import { type Outcome, RESPONSE_BYTES_MAX } from './sender.ts'

/** An answer, read to its end unless `isCut`. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  /** The connection ended before the answer did. */
  readonly isCut: boolean
}

const gunzipBounded = promisify(gunzip) as (bytes: Buffer, options: object) => Promise<Buffer>

/** Errors: none; an answer that cannot be understood goes by its status alone. */
export async function judgeAnswer(answer: HttpAnswer, nowMs: number): Promise<Outcome> {
  const { status, headers, isCut } = answer
  if (status >= 200 && status < 300) {
    if (isCut)
      return {
        kind: 'failed',
        reason: 'connection',
        message: 'the connection ended within the answer',
        delayMs: null,
      }
    return judgeSuccess(answer)
  }
  const body = await readStatus(answer)
  const said = [`HTTP ${status} ${STATUS_CODES[status] ?? ''}`.trim(), body.message]
    .filter(Boolean)
    .join(': ')
  const message = said + remedyOfStatus(status, text(headers.location))
  if (!isRetryableHttp(status)) return { kind: 'refused', reason: `http_${status}`, message }
  const after = retryAfterMs(text(headers['retry-after']), text(headers.date), nowMs)
  const delays = [after, body.retryDelayMs].filter((delay) => delay !== null)
  return {
    kind: 'failed',
    reason: `http_${status}`,
    message,
    delayMs: delays.length > 0 ? Math.max(...delays) : null,
  }
}

/** A success that cannot be read stays one: sending again would store the data twice, or for ever. */
async function judgeSuccess(answer: HttpAnswer): Promise<Outcome> {
  if (answer.body.length === 0) return { kind: 'sent', rejected: 0, message: '', isUnreadable: false }
  try {
    const body = await plainBody(answer)
    const type = text(answer.headers['content-type']) ?? ''
    if (isJson(type)) return { kind: 'sent', ...decodeResponseJson(body.toString()), isUnreadable: false }
    if (!isProtobuf(type)) throw new Error(`its type is ${type || 'not given'}`)
    return { kind: 'sent', ...decodeResponse(body), isUnreadable: false }
  } catch (error) {
    const message = `HTTP ${answer.status} with a body that is no OTLP answer: ${(error as Error).message}`
    return { kind: 'sent', rejected: 0, message, isUnreadable: true }
  }
}

async function readStatus(answer: HttpAnswer): Promise<{ message: string; retryDelayMs: number | null }> {
  const type = text(answer.headers['content-type']) ?? ''
  try {
    const body = await plainBody(answer)
    if (isJson(type)) return decodeStatusJson(body.toString())
    if (isProtobuf(type)) return decodeStatus(body)
    return { message: type.startsWith('text/plain') ? body.toString() : '', retryDelayMs: null }
  } catch {
    return { message: '', retryDelayMs: null } // the status says enough
  }
}

async function plainBody({ headers, body }: HttpAnswer): Promise<Buffer> {
  if (text(headers['content-encoding']) !== 'gzip') return body
  return gunzipBounded(body, { maxOutputLength: RESPONSE_BYTES_MAX })
}

const isJson = (type: string) => /^application\/json\b/i.test(type)
const isProtobuf = (type: string) => /^application\/(x-)?protobuf\b/i.test(type)
const text = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value)
