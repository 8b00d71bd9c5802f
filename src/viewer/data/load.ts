/** From the page's inert element to a Profile: base64, gzip, packed columns. */
import { AgentError } from '../../errors.ts'
import { fromBase64 } from '../../formats/base64.ts'
import { PAGE_IDS } from '../../formats/html.ts'
import { decodePacked } from '../../formats/packed.ts'
import type { Profile } from '../../model/profile.ts'

/** More than this after unpacking is no profile a browser could show. */
const MAX_UNPACKED_BYTES = 2 ** 30

/** The profile embedded in a document. Errors: AgentError `input_invalid` when it is missing or damaged. */
export async function loadEmbedded(document: Document): Promise<Profile> {
  const holder = document.getElementById(PAGE_IDS.profile)
  if (holder === null) throw new AgentError('input_invalid', 'this page holds no profile')
  const bytes = fromBase64(holder.textContent ?? '')
  holder.remove()
  if (bytes === null)
    throw new AgentError('input_invalid', 'the profile in this page is not base64: the file is damaged')
  return decodePacked(await unzip(bytes))
}

async function unzip(bytes: Uint8Array): Promise<Uint8Array> {
  const unzipped = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'))
  const reader = unzipped.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      chunks.push(next.value)
      length += next.value.length
      if (length > MAX_UNPACKED_BYTES) throw new Error(`it unpacks to more than ${MAX_UNPACKED_BYTES} bytes`)
    }
  } catch (cause) {
    const message = `the profile in this page cannot be unpacked (${(cause as Error).message}): the file is damaged`
    throw new AgentError('input_invalid', message, { cause })
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** Bytes as a gzip file. */
export async function zip(bytes: Uint8Array): Promise<Blob> {
  const zipped = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new CompressionStream('gzip'))
  return await new Response(zipped).blob()
}
