/**
 * Keeps secrets out of the log. Two nets: what looks like a secret (a field's name, credentials in a URL, a bearer token),
 * and what the configuration says is one, wherever it turns up: in an error of a library, in a collector's answer.
 */

const MASK = '***'
const SECRET_NAME =
  /authori[sz]ation|password|passwd|secret|token|cookie|credential|api[-_]?key|private[-_]?key|^headers?$/i
const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^/\s@]{1,512}@/gi
const AUTH_SCHEME = /\b(bearer|basic)\s+[\w.~+/=-]{4,}/gi
/** Shorter values ("1", "on") would mask half of every line. */
const SECRET_LENGTH_MIN = 4

export class Secrets {
  #values: readonly string[] = []

  /** Replaces the set of known secret values, header values and tokens of the configuration in force. */
  set(values: Iterable<string>): void {
    const distinct = new Set([...values].filter((value) => value.length >= SECRET_LENGTH_MIN))
    // The longest first: one may contain another.
    this.#values = [...distinct].sort((a, b) => b.length - a.length)
  }

  /** `text` without known secrets, credentials of URLs and tokens of authorization schemes. */
  mask(text: string): string {
    let masked = text
    for (const value of this.#values) masked = masked.replaceAll(value, MASK)
    return masked.replace(URL_CREDENTIALS, `$1${MASK}@`).replace(AUTH_SCHEME, `$1 ${MASK}`)
  }

  /** A field's value: masked whole if its name says that it is secret. */
  maskField(name: string, text: string): string {
    return SECRET_NAME.test(name) ? MASK : this.mask(text)
  }
}
