/** A file that was dropped on the page -> Profile: bytes come from the blob's stream, the browser unpacks. */
import type { Profile } from '../model/profile.ts'
import type { Chunks } from './byte-chunks.ts'
import { type ReadOptions, readProfile } from './read-profile.ts'
import { gzipFault } from './unpack.ts'

/** Reads one file or blob. Errors: as `readProfile`; those of the browser where the file itself cannot be read. */
export function readBlob(blob: Blob, fileName: string, options: ReadOptions = {}): Promise<Profile> {
  return readProfile({ fileName, chunks: chunksOf(blob.stream()), gunzip, sizeBytes: blob.size }, options)
}

/** Not every browser can iterate over a stream. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): Chunks {
  const reader = stream.getReader()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    // The cancelled stream may have failed before: whoever iterates has that error already.
    await reader.cancel().catch(() => undefined)
  }
}

async function* gunzip(chunks: Chunks): Chunks {
  const iterator = chunks[Symbol.asyncIterator]()
  /** A fault of the source is not one of the gzip data, though the unpacker passes it on. */
  let sourceFault: { readonly cause: unknown } | null = null
  const packed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const next = await iterator.next()
        if (next.done) controller.close()
        else controller.enqueue(next.value as Uint8Array<ArrayBuffer>)
      } catch (cause) {
        sourceFault = { cause }
        controller.error(cause)
      }
    },
    async cancel() {
      await iterator.return?.()
    },
  })
  try {
    yield* chunksOf(packed.pipeThrough(new DecompressionStream('gzip')))
  } catch (cause) {
    const fault = sourceFault as { readonly cause: unknown } | null
    throw fault === null ? gzipFault(faultOf(cause), cause) : fault.cause
  }
}

/** Browsers have no codes for it, only words: Chromium's, Firefox's, WebKit's. Node has both. */
function faultOf(cause: unknown): 'cut' | 'damaged' | 'followed' {
  const { message = '', code = '' } = cause as { message?: string; code?: string }
  if (code === 'Z_BUF_ERROR' || /truncated|ended without|unexpected end|too short/i.test(message))
    return 'cut'
  return /junk|trailing|extra bytes|after end/i.test(message) ? 'followed' : 'damaged'
}
