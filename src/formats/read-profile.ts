/**
 * Bytes of any format we read -> Profile. The one place that decides who reads them, in Node and in the browser.
 *
 * The format is found by content (sniff.ts). Gzip is unpacked as a stream under the limits of limits.ts; the text
 * formats of lines are read line by line in bounded memory, the others are gathered first, up to their limit. Where
 * bytes come from and who unpacks gzip is the caller's: read-any.ts (files) and read-blob.ts (browser).
 */
import { AgentError } from '../errors.ts'
import { LIMITS } from '../model/limits.ts'
import type { Profile } from '../model/profile.ts'
import { checkProfile } from '../model/profile-check.ts'
import { readOtlpFile, readOtlpJson } from '../otlp/file.ts'
import { decodePprof } from '../pprof/decode.ts'
import { type Chunks, gather, oneChunk, peek, refuse, tooLong } from './byte-chunks.ts'
import { FoldedReader } from './folded-reader.ts'
import { readHtml } from './html.ts'
import { PerfScriptReader } from './perf-script.ts'
import { readJson } from './read-json.ts'
import { type Format, HEAD_BYTES, sniffFormat } from './sniff.ts'
import { type Gunzip, gunzipWithin } from './unpack.ts'

export interface ReadOptions {
  /** Overrides single limits of limits.ts, for tests and for people who know better. */
  readonly limits?: Partial<Record<keyof typeof LIMITS, number>>
}

type Limits = Record<keyof typeof LIMITS, number>

/** Where a file's bytes come from. */
export interface ProfileSource {
  /** Breaks ties between formats and stands in the errors. */
  readonly fileName: string
  readonly chunks: Chunks
  readonly gunzip: Gunzip
  /** Length of the file, where it is known before: what is too large need not be read first. 0: unknown. */
  readonly sizeBytes: number
}

/**
 * Reads one file.
 *
 * Errors: AgentError input_invalid, `cannot read FILE: reason`, whatever is wrong with it: no format of ours, damaged
 * (with the byte or line), or beyond a limit (with its name). Faults of `chunks` that are no AgentError pass through.
 */
export async function readProfile(source: ProfileSource, options: ReadOptions = {}): Promise<Profile> {
  const limits: Limits = { ...LIMITS, ...options.limits }
  try {
    const profile = await readChunks(source, limits, false)
    const fault = checkProfile(profile)
    if (fault) refuse(`it contradicts itself: ${fault}`)
    return profile
  } catch (cause) {
    throw cause instanceof AgentError || cause instanceof RangeError
      ? unreadable(source.fileName, cause)
      : cause
  }
}

/** `cannot read FILE: reason`, without the words in which a reader says the same. */
export function unreadable(fileName: string, cause: Error): AgentError {
  const reason = cause.message.replace(/^cannot read (the [A-Za-z ]+: )?/, '')
  const code = cause instanceof AgentError ? cause.code : 'input_invalid'
  return new AgentError(code, `cannot read ${fileName}: ${reason}`, { cause })
}

async function readChunks(source: ProfileSource, limits: Limits, isUnpacked: boolean): Promise<Profile> {
  const { head, whole, close } = await peek(source.chunks, HEAD_BYTES)
  const format = sniffFormat(head, source.fileName)
  if (typeof format === 'object' || (format === 'gzip' && isUnpacked)) {
    await close()
    refuse(typeof format === 'object' ? format.reason : 'it is gzip data inside gzip data; unpack it once')
  }
  if (format !== 'gzip') return readFormat(format, { ...source, chunks: whole }, limits)
  const chunks = gunzipWithin(limits, whole, source.gunzip)
  return readChunks({ ...source, chunks, sizeBytes: 0 }, limits, true)
}

async function readFormat(
  format: Exclude<Format, 'gzip'>,
  { chunks, gunzip, sizeBytes }: ProfileSource,
  limits: Limits,
): Promise<Profile> {
  const whole = async (limit: 'pprofBytes' | 'textBytes' | 'jsonBytes'): Promise<Uint8Array> => {
    if (sizeBytes > limits[limit]) tooLong(limits[limit], limit)
    return gather(chunks, limits[limit], limit)
  }
  switch (format) {
    case 'folded':
      return readLines(chunks, new FoldedReader())
    case 'perf_script':
      return readLines(chunks, new PerfScriptReader())
    case 'pprof':
      return decodePprof(await whole('pprofBytes'))
    case 'otlp':
      return readOtlpFile(await whole('pprofBytes'))
    case 'html': {
      const page = await whole('textBytes')
      // Columns of a page may be all alike: its profile has a limit of size, not one of ratio.
      const within = { ...limits, inflatedBytes: limits.pprofBytes, inflateRatio: Number.POSITIVE_INFINITY }
      return readHtml(page, (packed) =>
        gather(gunzipWithin(within, oneChunk(packed), gunzip), limits.pprofBytes, 'pprofBytes'),
      )
    }
    case 'json':
    case 'otlp_json': {
      const bytes = await whole('jsonBytes')
      refuseManyObjects(bytes, limits)
      const text = new TextDecoder().decode(bytes)
      return format === 'json' ? readJson(text) : readOtlpJson(text)
    }
  }
}

/** A reader of text that comes in pieces of any size. */
interface LineReader {
  push(text: string): void
  finish(): Profile
}

async function readLines(chunks: Chunks, reader: LineReader): Promise<Profile> {
  const decoder = new TextDecoder()
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
