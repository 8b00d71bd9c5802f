/** Compressed bytes and back, by the browser's own means. */
import { AgentError } from '../../errors.ts'

/** More than this after unpacking is no profile a browser could show. */
const MAX_UNPACKED_BYTES = 2 ** 30
/** Deflate packs nothing tighter. */
const MAX_DEFLATE_RATIO = 1032

/**
 * Unpacked bytes, at most 2^30 of them; a right `expected` spares copies. Errors: AgentError `input_invalid` when they are
 * damaged.
 */
export async function unzip(
  bytes: Uint8Array,
  format: 'gzip' | 'deflate',
  expected = announcedLength(bytes),
): Promise<Uint8Array> {
  const unzipped = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream(format))
  const reader = unzipped.getReader()
  let whole = new Uint8Array(expected)
  let length = 0
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const { value } = next
      if (length + value.length > MAX_UNPACKED_BYTES)
        throw new Error(`it unpacks to more than ${MAX_UNPACKED_BYTES} bytes`)
      if (length + value.length > whole.length) {
        const larger = new Uint8Array(Math.max(whole.length * 2, length + value.length))
        larger.set(whole)
        whole = larger
      }
      whole.set(value, length)
      length += value.length
    }
  } catch (cause) {
    const message = `the profile in this page cannot be unpacked (${(cause as Error).message}): it is damaged`
    throw new AgentError('input_invalid', message, { cause })
  }
  return whole.subarray(0, length)
}

/** What the end of a gzip file says of its length: a hint that saves copies, held to what deflate can reach. */
function announcedLength(bytes: Uint8Array): number {
  if (bytes.length < 18) return 0
  const announced = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true)
  return Math.min(announced, bytes.length * MAX_DEFLATE_RATIO, MAX_UNPACKED_BYTES)
}

/** Bytes as a gzip file. */
export async function zip(bytes: Uint8Array): Promise<Uint8Array> {
  const zipped = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new CompressionStream('gzip'))
  return new Uint8Array(await new Response(zipped).arrayBuffer())
}
