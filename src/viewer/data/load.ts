/** From the page's inert elements to what the worker opens. */
import { AgentError } from '../../errors.ts'
import { PAGE_IDS } from '../../formats/html.ts'
import { fromBase64 } from '../../model/byte-text.ts'
import type { Preview } from '../../view/preview.ts'

/** The packed bytes inside an element, gzipped; null where the page has none. Errors: AgentError `input_invalid` when damaged. */
export function embedded(id: string): Blob | null {
  const holder = document.getElementById(id)
  if (holder === null) return null
  const bytes = fromBase64(holder.textContent ?? '')
  holder.remove()
  if (bytes === null)
    throw new AgentError('input_invalid', 'the profile in this page is not base64: the file is damaged')
  return new Blob([bytes as Uint8Array<ArrayBuffer>])
}

/** What the page shows at first, null where it has to be asked for. */
export function embeddedPreview(): Preview | null {
  const holder = document.getElementById(PAGE_IDS.preview)
  const bytes = holder === null ? null : fromBase64(holder.textContent ?? '')
  holder?.remove()
  if (bytes === null) return null
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Preview
  } catch {
    // It only saves time: the worker says what is to be said of a damaged page.
    return null
  }
}
