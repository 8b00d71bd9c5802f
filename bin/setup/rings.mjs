// Runs the test rings and adds them up. A ring that fails does not stop the next one; the last line printed is the sum
// of what the runners themselves reported, and anything that failed makes the exit code 1.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { environment, ROOT } from './run.mjs'

const RESULTS = join(ROOT, 'node_modules/.cache/emberscope/test-results')
const TEST_TIMEOUT_MS = 600_000

/** Commands by ring; the rings without one are `node --test` over dist/test/<ring>. */
const COMMANDS = {
  typecheck: ['npm', 'run', '--silent', 'typecheck'],
  lint: ['npm', 'run', '--silent', 'lint'],
  bpf: ['npm', 'run', '--silent', 'test:bpf'],
  unwind: ['npm', 'run', '--silent', 'test:unwind'],
  kernels: ['npm', 'run', '--silent', 'test:kernels'],
}
/** What some rings need first; it says itself what it could not do, and their tests are skipped then. */
const PREPARATIONS = { peers: ['node', 'dist/test/peers/collector-build.js'] }
/**
 * Files at a time, where node's own choice (a CPU less than there are) is not right. Where programs are measured, or a
 * browser is, one file at a time has the machine.
 */
const ALL_CPUS = availableParallelism()
const FILES_AT_ONCE = { unit: ALL_CPUS, kubernetes: ALL_CPUS, integration: 1, browser: 1, peers: 1 }

export const FAST_RINGS = ['typecheck', 'lint', 'unit', 'native']
export const SLOW_RINGS = ['bpf', 'unwind', 'kernels', 'kubernetes', 'integration', 'browser', 'peers']
const NODE_RINGS = ['unit', 'native', 'kubernetes', 'integration', 'browser', 'peers']

function testFiles(ring) {
  const directory = join(ROOT, 'dist/test', ring)
  if (!existsSync(directory)) return []
  const names = readdirSync(directory, { recursive: true }).filter((name) => name.endsWith('.test.js'))
  return names.sort().map((name) => join(directory, name))
}

// Node 20 takes a directory and Node 22 a pattern; a list of files means the same to both.
function nodeTest(ring, files) {
  const options = ['--test-reporter=spec', `--test-timeout=${TEST_TIMEOUT_MS}`]
  if (FILES_AT_ONCE[ring]) options.push(`--test-concurrency=${FILES_AT_ONCE[ring]}`)
  return ['node', '--test', ...options, ...files]
}

/** Sums the `pass`, `fail`, `cancelled`, `skipped` and `todo` lines that node's spec and TAP reporters end with. */
export function countTests(output) {
  const sum = { passed: 0, failed: 0, skipped: 0 }
  const column = { pass: 'passed', fail: 'failed', cancelled: 'failed', skipped: 'skipped', todo: 'skipped' }
  for (const [, word, count] of output.matchAll(/^(?:#|ℹ) (pass|fail|cancelled|skipped|todo) (\d+)$/gm)) {
    sum[column[word]] += Number(count)
  }
  return sum
}

/** Runs a command with its output passed through and returned. */
function runShown([command, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const chunks = []
    child.stdout.on('data', (chunk) => {
      chunks.push(chunk)
      process.stdout.write(chunk)
    })
    child.on('error', (error) => resolve({ status: error.message, output: '' }))
    child.on('close', (code, signal) =>
      resolve({ status: code ?? signal, output: Buffer.concat(chunks).toString() }),
    )
  })
}

async function runRing(ring) {
  const files = NODE_RINGS.includes(ring) ? testFiles(ring) : []
  if (NODE_RINGS.includes(ring) && files.length === 0) return { passed: 0, failed: 0, skipped: 0 }
  if (PREPARATIONS[ring]) await runShown(PREPARATIONS[ring])
  const { status, output } = await runShown(COMMANDS[ring] ?? nodeTest(ring, files))
  const counts = countTests(output)
  // A ring without tests of its own (lint), or one that broke before it could count, fails as one.
  if (status !== 0 && counts.failed === 0) counts.failed = 1
  return counts
}

function line({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** Removes the results of earlier runs, so that {@link reportTotal} adds up this one. */
export function forgetResults() {
  rmSync(RESULTS, { recursive: true, force: true })
}

/** Runs the rings in order and keeps their counts for the total. */
export async function runRings(rings) {
  mkdirSync(RESULTS, { recursive: true })
  for (const ring of rings) {
    const started = performance.now()
    console.log(`\n== ${ring}`)
    const counts = await runRing(ring)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`== ${ring}: ${line(counts)} (${seconds} s)`)
    writeFileSync(join(RESULTS, `${ring}.json`), JSON.stringify(counts))
  }
}

/** Prints each ring's counts and, alone on the last line, their sum. Returns the exit code: 1 where a test failed. */
export function reportTotal() {
  const total = { passed: 0, failed: 0, skipped: 0 }
  const rings = [...FAST_RINGS, ...SLOW_RINGS].filter((ring) => existsSync(join(RESULTS, `${ring}.json`)))
  console.log('')
  for (const ring of rings) {
    const counts = JSON.parse(readFileSync(join(RESULTS, `${ring}.json`), 'utf8'))
    console.log(`${ring.padEnd(12)}${line(counts)}`)
    for (const key of Object.keys(total)) total[key] += counts[key]
  }
  console.log(line(total))
  return total.failed > 0 ? 1 : 0
}
