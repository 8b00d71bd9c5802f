/**
 * The PEM files of a destination, as they are now: looked at before each attempt and read again when one changed, so a
 * replaced certificate is used by the next connection without a restart.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { TlsOptions } from './options.ts'
import { errorCode } from './queue-files.ts'

/** What the files hold. `version` changes with any of them; connections of another version are not to be used again. */
export interface TlsMaterial {
  readonly version: number
  readonly ca: Buffer | undefined
  readonly cert: Buffer | undefined
  readonly key: Buffer | undefined
}

/** A file that is missing, broken, or does not fit its key; the message names it. */
export class TlsFileError extends Error {}

export class TlsFiles {
  readonly #options: TlsOptions
  #seen = ''
  #material: TlsMaterial | null = null
  #version = 0

  constructor(options: TlsOptions) {
    this.#options = options
  }

  /** Errors: TlsFileError; the next call tries again. */
  async current(): Promise<TlsMaterial> {
    const { caFile, certFile, keyFile } = this.#options
    const seen = (await Promise.all([caFile, certFile, keyFile].map(stateOf))).join('|')
    if (this.#material && seen === this.#seen) return this.#material
    const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile].map(readIfNamed))
    const material = { version: this.#version + 1, ca, cert, key }
    this.#check(material)
    this.#version++
    this.#seen = seen
    this.#material = material
    return material
  }

  /** Why the receiver may have refused our certificate: it is out of date. Empty when it is not. */
  hint(nowMs: number): string {
    const cert = this.#material?.cert
    if (!cert) return ''
    const { validTo, validFrom } = new X509Certificate(cert)
    if (Date.parse(validTo) < nowMs)
      return `; our certificate ${this.#options.certFile} expired at ${validTo}`
    if (Date.parse(validFrom) > nowMs)
      return `; our certificate ${this.#options.certFile} is valid from ${validFrom}`
    return ''
  }

  /** A pair half replaced, or a file half written, is found here and not in a handshake. */
  #check({ ca, cert, key }: TlsMaterial): void {
    const { caFile, certFile, keyFile } = this.#options
    if (ca) attempt(`${caFile} holds no certificate in PEM`, () => new X509Certificate(ca))
    if (cert) attempt(`${certFile} holds no certificate in PEM`, () => new X509Certificate(cert))
    if (key)
      attempt(`${keyFile} holds no private key in PEM without a passphrase`, () => createPrivateKey(key))
    if (cert && key && !new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
      throw new TlsFileError(
        `cannot use the TLS files: ${keyFile} is not the key of the certificate ${certFile}; replace both`,
      )
    const named = [caFile, certFile, keyFile].filter((path) => path !== null).join(', ')
    attempt(`OpenSSL does not take ${named}`, () =>
      createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }),
    )
  }
}

function attempt(fault: string, read: () => void): void {
  try {
    read()
  } catch (cause) {
    throw new TlsFileError(`cannot use the TLS files: ${fault} (${(cause as Error).message})`, { cause })
  }
}

async function stateOf(path: string | null): Promise<string> {
  if (path === null) return ''
  try {
    const { mtimeMs, size, ino } = await stat(path)
    return `${mtimeMs}/${size}/${ino}`
  } catch (error) {
    return errorCode(error)
  }
}

async function readIfNamed(path: string | null): Promise<Buffer | undefined> {
  if (path === null) return undefined
  try {
    return await readFile(path)
  } catch (error) {
    throw new TlsFileError(
      `cannot read the TLS file ${path}: ${errorCode(error)}; it is looked for again before each attempt`,
    )
  }
}
