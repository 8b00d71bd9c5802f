/** Certificates for tests, made by openssl: an authority, and leaves of it that are valid, or were. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Leaf {
  readonly cert: string
  readonly key: string
}

/** An authority in `directory`; `ca` is its certificate's path, `leaf` makes one (with `days` below 0: expired). */
export function authority(directory: string, name: string) {
  const path = (file: string) => join(directory, `${name}-${file}`)
  const run = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const [ca, caKey] = [path('ca.pem'), path('ca.key')]
  run('req', '-x509', ...newKey, '-keyout', caKey, '-out', ca, '-days', '30', '-subj', `/CN=${name}`)
  const leaf = (subject: string, days = 30): Leaf => {
    const [cert, key, request] = [path(`${subject}.pem`), path(`${subject}.key`), path(`${subject}.csr`)]
    run('req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${subject}`)
    const extensions = path('ext')
    writeFileSync(extensions, 'subjectAltName=DNS:localhost,DNS:collector.test,IP:127.0.0.1,IP:::1\n')
    const serial = ['-set_serial', String(Math.floor(Math.random() * 1e9))]
    const signed = ['x509', '-req', '-in', request, '-CA', ca, '-CAkey', caKey, ...serial, '-out', cert]
    run(...signed, '-extfile', extensions, '-days', String(days))
    return { cert, key }
  }
  return { ca, leaf }
}
