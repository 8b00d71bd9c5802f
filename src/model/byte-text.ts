/** Bytes as base64 and as hex, for Node and the browser alike: they share `btoa`, and nothing else that is fast everywhere. */

/** A multiple of 3, so that chunks join without padding between them, and short enough to be passed as arguments. */
const CHUNK = 3 * 4096

/** Base64 text of bytes, padded, one line. */
export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at += CHUNK) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + CHUNK))))
  }
  return parts.join('')
}

/** Bytes of base64 text; null when a character or the length is wrong. White space is allowed anywhere. */
export function fromBase64(text: string): Uint8Array | null {
  const native = (Uint8Array as { fromBase64?: (text: string) => Uint8Array }).fromBase64
  let binary: string
  try {
    // Ten times as fast, in browsers since 2025.
    if (native !== undefined) return native.call(Uint8Array, text)
    binary = atob(text)
  } catch {
    return null
  }
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}

/** Lower-case hex of bytes. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Bytes of hex text, of either case; null when it is none. */
export function fromHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return null
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  )
}
