/**
 * A profile file of any format we read -> Profile. The one place that opens files of other people for reading.
 *
 * The format is found by content (sniff.ts). Gzip is unpacked as a stream under the limits of limits.ts, so a bomb ends
 * in a sentence; folded text is read line by line in bounded memory; the other formats are gathered first, up to
 * their limit. Node side only: the browser gets its profile with the page.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createGunzip, gunzipSync } from 'node:zlib'
import { AgentError } from '../errors.ts'
import { LIMITS } from '../model/limits.ts'
import type { Profile } from '../model/profile.ts'
import { checkProfile } from '../model/profile-check.ts'
import { decodePprof } from '../pprof/decode.ts'
import { FoldedReader } from './folded-reader.ts'
import { readHtml } from './html.ts'
import { readProfileJson } from './profile-json.ts'
import { type Format, HEAD_BYTES, sniffFormat } from './sniff.ts'

export interface ReadOptions {
  /** Overrides single limits of limits.ts, for tests and for people who know better. */
  readonly limits?: Partial<Record<keyof typeof LIMITS, number>>
}

type Chunks = AsyncIterable<Uint8Array>
type Limits = Record<keyof typeof LIMITS, number>

/**
 * Reads one file.
 *
 * Errors: AgentError input_invalid, `cannot read FILE: reason`, whatever is wrong with it: missing, a directory,
 * no format of ours, damaged (with the byte or line), or beyond a limit (with its name).
 */
export async function readProfileFile(path: string, options: ReadOptions = {}): Promise<Profile> {
  const limits: Limits = { ...LIMITS, ...options.limits }
  try {
    await refuseNonFiles(path)
    const profile = await readChunks(createReadStream(path, { highWaterMark: 256 * 1024 }), path, limits)
    const fault = checkProfile(profile)
    if (fault) throw new AgentError('input_invalid', `it contradicts itself: ${fault}`)
    return profile
  } catch (cause) {
    throw withPath(path, cause)
  }
}

async function refuseNonFiles(path: string): Promise<void> {
  const { isDirectory, isFile, isFIFO } = await stat(path).then((found) => ({
    isDirectory: found.isDirectory(),
    isFile: found.isFile(),
    isFIFO: found.isFIFO(),
  }))
  if (isDirectory) refuse('it is a directory; name a file in it')
  if (!isFile && !isFIFO) refuse('it is a device or a socket; name a file')
}

async function readChunks(
  chunks: Chunks,
  path: string,
  limits: Limits,
  isUnpacked = false,
): Promise<Profile> {
  const { head, whole, close } = await peek(chunks)
  const format = sniffFormat(head, path)
  if (typeof format === 'object' || (format === 'gzip' && isUnpacked)) {
    await close()
    refuse(typeof format === 'object' ? format.reason : 'it is gzip data inside gzip data; unpack it once')
  }
  if (format !== 'gzip') return readFormat(format, whole, limits)
  return readChunks(gunzip(whole, limits), path, limits, true)
}

async function readFormat(format: Exclude<Format, 'gzip'>, chunks: Chunks, limits: Limits): Promise<Profile> {
  if (format === 'folded') return readFolded(chunks)
  if (format === 'pprof') return decodePprof(await gather(chunks, limits.pprofBytes, 'pprofBytes'))
  if (format === 'otlp') {
    const { readOtlpFile } = await import('../otlp/file.ts')
    return readOtlpFile(await gather(chunks, limits.pprofBytes, 'pprofBytes'))
  }
  if (format === 'html') {
    const bytes = await gather(chunks, limits.textBytes, 'textBytes')
    return readHtml(bytes, (packed) => gunzipSync(packed, { maxOutputLength: limits.pprofBytes }))
  }
  const bytes = await gather(chunks, limits.jsonBytes, 'jsonBytes')
  refuseManyObjects(bytes, limits)
  const text = new TextDecoder().decode(bytes)
  if (format === 'otlp_json') return (await import('../otlp/file.ts')).readOtlpJson(text)
  if (/^\s*\{[^{}]{0,200}speedscope\.app/.test(text)) {
    refuse('it is a speedscope file, which we write but do not read; open it at https://www.speedscope.app')
  }
  return readProfileJson(text)
}

async function readFolded(chunks: Chunks): Promise<Profile> {
  const decoder = new TextDecoder()
  const reader = new FoldedReader()
  for await (const chunk of chunks) reader.push(decoder.decode(chunk, { stream: true }))
  reader.push(decoder.decode())
  return reader.finish()
}

/** Counts the openings of objects and arrays before they are made: 128 MB of `{},{},…` would fill 2 GB. */
function refuseManyObjects(bytes: Uint8Array, limits: Limits): void {
  let count = 0
  for (const byte of bytes) if (byte === 0x7b || byte === 0x5b) count++
  if (count > limits.jsonObjects) {
    refuse(`it holds more than ${limits.jsonObjects} objects and arrays, our limit (jsonObjects)`)
  }
}

/**
 * The first HEAD_BYTES of a stream (less when it is shorter), and the stream with them put back. `close` is for those
 * who do not read `whole`: a generator that never started runs no cleanup.
 */
async function peek(
  chunks: Chunks,
): Promise<{ head: Uint8Array; whole: Chunks; close: () => Promise<void> }> {
  const iterator = chunks[Symbol.asyncIterator]()
  const close = async () => {
    await iterator.return?.()
  }
  const seen: Uint8Array[] = []
  let length = 0
  while (length < HEAD_BYTES) {
    const next = await iterator.next()
    if (next.done) break
    seen.push(next.value)
    length += next.value.length
  }
  async function* whole() {
    try {
      yield* seen
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
    } finally {
      await close()
    }
  }
  return { head: Buffer.concat(seen).subarray(0, HEAD_BYTES), whole: whole(), close }
}

/** Unpacks as a stream; throws as soon as the output passes a limit. */
async function* gunzip(chunks: Chunks, limits: Limits): AsyncIterable<Uint8Array> {
  const unzip = createGunzip({ chunkSize: 256 * 1024 })
  let packed = 0
  const feed = async () => {
    for await (const chunk of chunks) {
      if (unzip.destroyed) return
      packed += chunk.length
      if (!unzip.write(chunk) && !unzip.destroyed) {
        await new Promise((resolve) => unzip.once('drain', resolve).once('close', resolve))
      }
    }
    unzip.end()
  }
  const feeding = feed().catch((cause: Error) => unzip.destroy(cause))
  let unpacked = 0
  try {
    for await (const chunk of unzip as AsyncIterable<Buffer>) {
      unpacked += chunk.length
      if (unpacked > limits.inflatedBytes) {
        refuse(`it unpacks to more than ${limits.inflatedBytes} bytes, our limit (inflatedBytes)`)
      }
      if (unpacked > limits.inflateRatioFrom && unpacked > packed * limits.inflateRatio) {
        refuse(`it unpacks to more than ${limits.inflateRatio} times its size, our limit (inflateRatio)`)
      }
      yield chunk
    }
  } finally {
    unzip.destroy()
    await feeding
  }
}

async function gather(chunks: Chunks, most: number, limitName: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    parts.push(chunk)
    length += chunk.length
    if (length > most) refuse(`it has more than ${most} bytes, our limit (${limitName})`)
  }
  return Buffer.concat(parts, length)
}

function refuse(reason: string): never {
  throw new AgentError('input_invalid', reason)
}

/** Sentences for the faults of the file system and of zlib that people meet. */
const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'you may not read it',
  EPERM: 'you may not read it',
  Z_BUF_ERROR: 'its gzip data ends too early; it was cut short',
  Z_DATA_ERROR: 'its gzip data is damaged',
}

function withPath(path: string, cause: unknown): AgentError {
  if (cause instanceof AgentError) {
    const reason = cause.message.replace(/^cannot read (the [A-Za-z ]+: )?/, '')
    return new AgentError(cause.code, `cannot read ${path}: ${reason}`, { cause })
  }
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? ''
  const known = SYSTEM_REASONS[code]
  const isSystem = known !== undefined || /^(E[A-Z]+|Z_[A-Z_]+)$/.test(code) || cause instanceof RangeError
  const message = cause instanceof Error ? cause.message : String(cause)
  return new AgentError(isSystem ? 'input_invalid' : 'internal', `cannot read ${path}: ${known ?? message}`, {
    cause,
  })
}
