/** Handing things over to the reader: files and the clipboard. */

/** Lets the browser save a file. */
export function saveFile(name: string, parts: readonly (string | Uint8Array)[], type: string): void {
  saveBlob(name, new Blob(parts as BlobPart[], { type }))
}

/** Lets the browser save a blob. */
export function saveBlob(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has taken the data over once the click was handled.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** Copies text. Errors: rejects when the browser allows no clipboard, neither way. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    // Pages from files have no clipboard in some browsers; the old way needs a selection.
    const field = document.createElement('textarea')
    field.value = text
    document.body.append(field)
    field.select()
    const isCopied = document.execCommand('copy')
    field.remove()
    if (!isCopied) throw new Error('the browser allows no clipboard here')
  }
}
