/** Bytes that come piece by piece, from a file, a blob or an unpacker: looked into, and gathered under a limit. */
import { AgentError } from '../errors.ts'

export type Chunks = AsyncIterable<Uint8Array>

/** The start of a stream, and the stream with it put back. */
export interface Peeked {
  /** The first `most` bytes, fewer when the stream is shorter. */
  readonly head: Uint8Array
  readonly whole: Chunks
  /** For those who do not read `whole`: a generator that never started runs no cleanup. */
  close(): Promise<void>
}

/** Reads the first `most` bytes. Errors: those of the stream. */
export async function peek(chunks: Chunks, most: number): Promise<Peeked> {
  const iterator = chunks[Symbol.asyncIterator]()
  const close = async (): Promise<void> => {
    await iterator.return?.()
  }
  const seen: Uint8Array[] = []
  let length = 0
  while (length < most) {
    const next = await iterator.next()
    if (next.done) break
    seen.push(next.value)
    length += next.value.length
  }
  async function* whole(): Chunks {
    try {
      yield* seen
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
    } finally {
      await close()
    }
  }
  return { head: joined(seen, length).subarray(0, most), whole: whole(), close }
}

/** All bytes as one array. Errors: AgentError `input_invalid` past `most` bytes, naming the limit; those of the stream. */
export async function gather(chunks: Chunks, most: number, limitName: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    parts.push(chunk)
    length += chunk.length
    if (length > most) tooLong(most, limitName)
  }
  return joined(parts, length)
}

/** A stream of one piece. */
export async function* oneChunk(bytes: Uint8Array): Chunks {
  yield bytes
}

/** Throws for more than `most` bytes, naming the limit. */
export function tooLong(most: number, limitName: string): never {
  refuse(`it has more than ${most} bytes, our limit (${limitName})`)
}

/** Throws AgentError `input_invalid`; the reader of the file puts its name before the reason. */
export function refuse(reason: string): never {
  throw new AgentError('input_invalid', reason)
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0]!
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
