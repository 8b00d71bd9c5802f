/** From the page's inert element to a Profile: base64, gzip, packed columns. */
import { AgentError } from '../../errors.ts'
import { fromBase64 } from '../../formats/base64.ts'
import { PAGE_IDS } from '../../formats/html.ts'
import { decodePacked } from '../../formats/packed.ts'
import type { Profile } from '../../model/profile.ts'

/** More than this after unpacking is no profile a browser could show. */
const MAX_UNPACKED_BYTES = 2 ** 30
/** Deflate packs nothing tighter. */
const MAX_DEFLATE_RATIO = 1032

/** The profile embedded in a document. Errors: AgentError `input_invalid` when it is missing or damaged. */
export async function loadEmbedded(document: Document): Promise<Profile> {
  const holder = document.getElementById(PAGE_IDS.profile)
  if (holder === null) throw new AgentError('input_invalid', 'this page holds no profile')
  const bytes = fromBase64(holder.textContent ?? '')
  holder.remove()
  if (bytes === null)
    throw new AgentError('input_invalid', 'the profile in this page is not base64: the file is damaged')
  return decodePacked(await unzip(bytes, 'gzip', announcedLength(bytes)))
}

/**
 * Unpacked bytes, at most 2^30 of them; `expected` of them spare copies. Errors: AgentError `input_invalid` when they
 * are damaged.
 */
export async function unzip(
  bytes: Uint8Array,
  format: 'gzip' | 'deflate',
  expected: number,
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
export async function zip(bytes: Uint8Array): Promise<Blob> {
  const zipped = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new CompressionStream('gzip'))
  return await new Response(zipped).blob()
}
