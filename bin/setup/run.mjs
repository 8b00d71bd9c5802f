// Runs one command of the set-up: says what it does in one line, keeps the command's own talk in build/setup.log and
// shows its end only where it fails. Standard input is never passed on, so nothing can stop to ask.
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const LOG = join(ROOT, 'build/setup.log')
const SHOWN_LINES = 20 // from each end: npm says the cause first, compilers last
const OUTPUT_LIMIT_BYTES = 256 << 20

/** Prints one progress line on stderr; stdout belongs to what is started in the end. */
export function say(text) {
  process.stderr.write(`set-up: ${text}\n`)
}

/** Our environment plus /usr/sbin, where bpftool is and a user's PATH often does not lead. */
export function environment(extra = {}) {
  return { ...process.env, PATH: `${process.env.PATH ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`, ...extra }
}

function showEnds(lines) {
  const cut = lines.length - 2 * SHOWN_LINES
  const ends =
    cut > 0 ? [...lines.slice(0, SHOWN_LINES), `… ${cut} lines …`, ...lines.slice(-SHOWN_LINES)] : lines
  process.stderr.write(`${ends.join('\n')}\n`)
}

/** Runs `argv` in the checkout and returns its stdout. Throws an Error with the exit status where it fails. */
export function run(title, argv, { env = {} } = {}) {
  if (title) say(title)
  const [command, ...args] = argv
  const result = spawnSync(command, args, {
    cwd: ROOT,
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: OUTPUT_LIMIT_BYTES,
  })
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`
  mkdirSync(dirname(LOG), { recursive: true })
  appendFileSync(LOG, `$ ${argv.join(' ')}\n${output}`)
  if (result.status === 0) return String(result.stdout)
  showEnds(output.trimEnd().split('\n'))
  const reason =
    result.error?.message ?? (result.signal ? `ended by ${result.signal}` : `exit ${result.status}`)
  throw new Error(`\`${argv.join(' ')}\` failed: ${reason} (whole output in build/setup.log)`)
}
