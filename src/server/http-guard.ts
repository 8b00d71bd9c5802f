/** Who may ask what: host names, tokens, and the headers that keep a page to itself. Pure; no request is answered here. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'

/** On every answer. The policy is that of a document without anything; a page sends its own. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
}

/**
 * True for a Host header by which no web site of others can reach us: an address, or localhost. A name that a stranger
 * resolves to 127.0.0.1 (DNS rebinding) is neither. The port is any, for port forwarding.
 */
export function isTrustedHost(host: string | undefined): boolean {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(host ?? '')
  if (match === null) return false
  const [, bracketed, name] = match
  if (bracketed !== undefined) return isIP(bracketed) === 6
  return name!.toLowerCase() === 'localhost' || isIP(name!) === 4
}

/** Compares in a time that doesn't tell how much of a guess was right, nor how long the token is. */
export function isSameToken(given: string, token: string): boolean {
  const [one, other] = [given, token].map((text) => createHash('sha256').update(text).digest())
  return token !== '' && timingSafeEqual(one!, other!)
}

/** The token of an `Authorization: Bearer` header, null without one. */
export function bearerToken(header: string | undefined): string | null {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(header ?? '')?.[1] ?? null
}

/** '/TOKEN/rest' -> ['TOKEN', 'rest']; null for any other shape, and for what is no percent-encoding. */
export function splitTokenPath(path: string): readonly [string, string] | null {
  const match = /^\/([^/]+)\/(.*)$/s.exec(path)
  if (match === null) return null
  try {
    return [decodeURIComponent(match[1]!), match[2]!]
  } catch {
    return null
  }
}
