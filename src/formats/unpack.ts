/**
 * Gzip under our limits, whoever unpacks: zlib in Node, DecompressionStream in the browser. A bomb ends in a sentence
 * as soon as its output passes a limit, a cut or damaged file in the same sentence on both sides.
 */
import { AgentError } from '../errors.ts'
import type { LIMITS } from '../model/limits.ts'
import { type Chunks, refuse } from './byte-chunks.ts'

/** Unpacks gzip data piece by piece. Throws AgentError with a sentence of GZIP_FAULTS when it cannot. */
export type Gunzip = (chunks: Chunks) => Chunks

/** What may be wrong with gzip data, for people. */
export const GZIP_FAULTS = {
  cut: 'its gzip data ends too early; it was cut short',
  damaged: 'its gzip data is damaged',
  followed: 'its gzip data is followed by other data, or comes in several parts; unpack it first',
} as const

/** A fault of the unpacker as one of ours. */
export function gzipFault(fault: keyof typeof GZIP_FAULTS, cause: unknown): AgentError {
  return new AgentError('input_invalid', GZIP_FAULTS[fault], { cause })
}

/** The limits that apply here. */
export type UnpackLimits = Record<'inflatedBytes' | 'inflateRatio' | 'inflateRatioFrom', number> &
  Partial<Record<keyof typeof LIMITS, number>>

/** What `gunzip` gives, until a limit is passed. Errors: AgentError `input_invalid` with the limit's name. */
export async function* gunzipWithin(limits: UnpackLimits, chunks: Chunks, gunzip: Gunzip): Chunks {
  let packed = 0
  let unpacked = 0
  async function* counted(): Chunks {
    for await (const chunk of chunks) {
      packed += chunk.length
      yield chunk
    }
  }
  for await (const chunk of gunzip(counted())) {
    unpacked += chunk.length
    if (unpacked > limits.inflatedBytes) {
      refuse(`it unpacks to more than ${limits.inflatedBytes} bytes, our limit (inflatedBytes)`)
    }
    if (unpacked > limits.inflateRatioFrom && unpacked > packed * limits.inflateRatio) {
      refuse(`it unpacks to more than ${limits.inflateRatio} times its size, our limit (inflateRatio)`)
    }
    yield chunk
  }
}
