/**
 * What a receiver answers: ExportProfilesServiceResponse on success, google.rpc.Status on failure; protobuf and JSON.
 *
 * https://github.com/open-telemetry/opentelemetry-proto/blob/v1.11.0/docs/specification.md#otlphttp-response
 * Unknown fields and details are skipped. The encoders are for servers: our gateway, and receivers in tests.
 */
import { AgentError } from '../errors.ts'
import { WIRE_BYTES, WIRE_VARINT, WireReader } from '../protobuf/reader.ts'
import { WireWriter } from '../protobuf/writer.ts'

/** Partial success; 0 and '' when all was accepted. A message without rejections is a warning. */
export interface ExportResponse {
  readonly rejected: number
  readonly message: string
}

export interface RpcStatus {
  /** google.rpc.Code, which is gRPC's. */
  readonly code: number
  readonly message: string
  /** google.rpc.RetryInfo among the details, null without. */
  readonly retryDelayMs: number | null
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo'
/** Retry delays beyond a day are as good as never. */
const MAX_DELAY_SECONDS = 86_400

function damaged(offset: number, reason: string): never {
  throw new AgentError('input_invalid', `the receiver's answer is damaged at byte ${offset}: ${reason}`)
}

type Field = (reader: WireReader) => void

/** Reads one message; `fields[n]` gets field n if it has the wire type given with it. */
function readMessage(reader: WireReader, fields: Readonly<Record<number, readonly [number, Field]>>): void {
  while (!reader.atEnd) {
    reader.tag()
    const known = fields[reader.field]
    if (!known) reader.skip()
    else {
      reader.expect(known[0], `field ${reader.field}`)
      known[1](reader)
    }
  }
}

function nested(fields: Readonly<Record<number, readonly [number, Field]>>): readonly [number, Field] {
  return [
    WIRE_BYTES,
    (reader) => {
      const outer = reader.enter('a message')
      readMessage(reader, fields)
      reader.leave(outer)
    },
  ]
}

/** Errors: AgentError input_invalid for bytes that are no such message. */
export function decodeResponse(bytes: Uint8Array): ExportResponse {
  let rejected = 0
  let message = ''
  const partialSuccess = nested({
    1: [WIRE_VARINT, (reader) => (rejected = Number(reader.signed('rejected_profiles')))],
    2: [WIRE_BYTES, (reader) => (message = lenientText(reader))],
  })
  readMessage(new WireReader(bytes, damaged), { 1: partialSuccess })
  return { rejected, message }
}

/** Errors: AgentError input_invalid for bytes that are no such message. */
export function decodeStatus(bytes: Uint8Array): RpcStatus {
  let code = 0
  let message = ''
  let retryDelayMs: number | null = null
  let type = ''
  const any = nested({
    1: [WIRE_BYTES, (reader) => (type = lenientText(reader))],
    2: [
      WIRE_BYTES,
      (reader) => {
        const value = reader.bytes('a detail')
        if (isRetryInfo(type)) retryDelayMs = decodeRetryInfo(value)
      },
    ],
  })
  readMessage(new WireReader(bytes, damaged), {
    1: [WIRE_VARINT, (reader) => (code = reader.int32('code'))],
    2: [WIRE_BYTES, (reader) => (message = lenientText(reader))],
    3: any,
  })
  return { code, message, retryDelayMs }
}

function isRetryInfo(typeUrl: string): boolean {
  return typeUrl.endsWith('/google.rpc.RetryInfo')
}

function decodeRetryInfo(bytes: Uint8Array): number {
  let seconds = 0
  let nanos = 0
  const duration = nested({
    1: [WIRE_VARINT, (reader) => (seconds = Number(reader.signed('seconds')))],
    2: [WIRE_VARINT, (reader) => (nanos = reader.int32('nanos'))],
  })
  readMessage(new WireReader(bytes, damaged), { 1: duration })
  return delayMs(seconds + nanos / 1e9)
}

function delayMs(seconds: number): number {
  return Math.ceil(Math.min(Math.max(0, seconds), MAX_DELAY_SECONDS) * 1000)
}

const lenient = new TextDecoder()

/** For messages that go to a log: not worth a failure. */
function lenientText(reader: WireReader): string {
  return lenient.decode(reader.bytes('a text'))
}

/** The same answer as JSON (`{}` is full success). Errors: AgentError input_invalid. */
export function decodeResponseJson(text: string): ExportResponse {
  const { partialSuccess, partial_success: snake } = jsonObject(text)
  const partial = objectOr(partialSuccess ?? snake)
  const rejected = Number(partial.rejectedProfiles ?? partial.rejected_profiles ?? 0)
  if (!Number.isFinite(rejected)) damaged(0, 'rejectedProfiles is no number')
  return { rejected, message: String(partial.errorMessage ?? partial.error_message ?? '') }
}

/** google.rpc.Status as JSON. Errors: AgentError input_invalid. */
export function decodeStatusJson(text: string): RpcStatus {
  const { code, message, details } = jsonObject(text)
  const retry = (Array.isArray(details) ? details : [])
    .map(objectOr)
    .find((detail) => isRetryInfo(String(detail['@type'] ?? '')))
  const seconds = /^-?\d{1,12}(\.\d{1,9})?s$/.exec(String(retry?.retryDelay ?? retry?.retry_delay ?? ''))
  return {
    code: Number.isInteger(code) ? (code as number) : 0,
    message: String(message ?? ''),
    retryDelayMs: seconds ? delayMs(Number.parseFloat(seconds[0])) : null,
  }
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Said below, with what it should be.
  }
  throw new AgentError('input_invalid', "the receiver's answer is no JSON object")
}

function objectOr(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Full success is no bytes at all: `partial_success` stays unset (P-25). */
export function encodeResponse({ rejected, message }: ExportResponse): Uint8Array {
  const writer = new WireWriter(64 + 3 * message.length)
  if (rejected === 0 && message === '') return writer.finish()
  const partial = writer.begin(1)
  writer.int64(1, rejected)
  writer.text(2, message)
  writer.end(partial)
  return writer.finish()
}

export function encodeStatus({ code, message, retryDelayMs }: RpcStatus): Uint8Array {
  const writer = new WireWriter(128 + 3 * message.length)
  writer.int64(1, code)
  writer.text(2, message)
  if (retryDelayMs !== null) {
    const any = writer.begin(3)
    writer.text(1, RETRY_INFO)
    const info = writer.begin(2)
    const duration = writer.begin(1)
    writer.int64(1, Math.floor(retryDelayMs / 1000))
    writer.int64(2, Math.round((retryDelayMs % 1000) * 1e6))
    writer.end(duration)
    writer.end(info)
    writer.end(any)
  }
  return writer.finish()
}
