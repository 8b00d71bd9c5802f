/**
 * Runs the installed command as a user would and reads back what it wrote. Every run that is expected to succeed must
 * come out even: captured = kept + dropped, kept = complete + approximate + truncated, and the file holds what the
 * report says.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Report } from '../../src/formats/report.ts'
import type { CaptureReport, CountByReason, Profile } from '../../src/model/profile.ts'
import { APPROXIMATE_STACK, STACK_END_LABEL } from '../../src/model/stack-end.ts'
import { packageRoot } from '../../src/native/addon.ts'
import { decodePprof } from '../../src/pprof/decode.ts'
import { assertValid } from './json-schema.ts'

/** How a run of the command ended. */
export interface CommandRun {
  /** Exit code, or the signal's name. */
  readonly status: number | string
  readonly stdout: string
  readonly stderr: string
}

export interface ProfileRun extends CommandRun {
  readonly report: Report
  /** As read back from the pprof file. */
  readonly profile: Profile
  readonly folded: string
  /** Holds out.pb.gz, out.folded and out.speedscope.json; removed when the tests end. */
  readonly directory: string
}

export interface RunOptions {
  /** Command and arguments to put in front, e.g. an `unshare`. */
  readonly within?: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Expected exit code, 0 unless given. */
  readonly status?: number
  /** Called with the pid of the command (or of `within`) once it runs. */
  readonly onStarted?: (pid: number) => void
  /** Called with that pid once the command says that it samples. */
  readonly onSampling?: (pid: number) => void
}

const scratch: string[] = []
process.on('exit', () => {
  for (const directory of scratch) rmSync(directory, { recursive: true, force: true })
})

/** A new empty directory, removed when the test process exits. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'emberscope-test-'))
  scratch.push(directory)
  return directory
}

/** Runs `profile` with exactly these arguments. */
export async function runCommand(args: readonly string[], options: RunOptions = {}): Promise<CommandRun> {
  const words = [...(options.within ?? []), process.execPath, join(packageRoot(), 'bin/profile'), ...args]
  const child = spawn(words[0]!, words.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CI: 'true', ...options.env },
    ...(options.cwd ? { cwd: options.cwd } : {}),
  })
  const output = { stdout: '', stderr: '' }
  let isSampling = false
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      if (isSampling || !output.stderr.includes('profile: sampling ')) return
      isSampling = true
      options.onSampling?.(child.pid!)
    })
  options.onStarted?.(child.pid!)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { status: signal ?? code ?? -1, ...output }
}

/**
 * Runs `profile` with `--json` and three files in front of the given arguments, checks the exit code, the accounting
 * and the report's schema, and reads the files back.
 */
export async function runProfile(args: readonly string[], options: RunOptions = {}): Promise<ProfileRun> {
  const directory = scratchDirectory()
  const out = join(directory, 'out')
  const files = [`${out}.pb.gz`, `${out}.folded`, `${out}.speedscope.json`]
  const run = await runCommand(['--json', ...files.flatMap((path) => ['-o', path]), ...args], options)
  assert.equal(run.status, options.status ?? 0, `profile ${args.join(' ')}: ${run.stderr}`)
  const report = readReport(run, args.includes('--'))
  const profile = decodePprof(gunzipSync(readFileSync(files[0]!)))
  assertReport(report, profile)
  assert.deepEqual(
    report.files.map(({ path, bytes }) => [path, bytes]),
    files.map((path) => [path, statSync(path).size]),
  )
  return { ...run, report, profile, folded: readFileSync(files[1]!, 'utf8'), directory }
}

/** The `--json` object: alone on standard output, or with a launched command the last thing on standard error. */
function readReport(run: CommandRun, isLaunched: boolean): Report {
  if (!isLaunched) return JSON.parse(run.stdout)
  const line = run.stderr.split('\n').findLast((text) => text.startsWith('{"schema":'))
  assert.ok(line !== undefined, `no report on standard error: ${run.stderr}`)
  return JSON.parse(line)
}

/** The identities that hold for every capture, and the report against its schema. */
export function assertReport(report: Report, profile: Profile): void {
  assertValid('src/formats/report.schema.json', report)
  const { samples, stacks } = report
  assert.equal(samples.captured, samples.kept + total(samples.dropped), 'captured = kept + dropped')
  assert.equal(
    samples.kept,
    stacks.complete + stacks.approximate + total(stacks.truncated),
    'kept = complete + approximate + truncated',
  )
  assert.equal(
    profile.samples.values[0]!.reduce((sum, value) => sum + value, 0),
    samples.kept,
    'the file holds the samples that were kept',
  )
  assertStackEnds(profile, stacks)
}

/** The samples that say how their stack ended are those that the report counts, reason by reason. */
export function assertStackEnds(profile: Profile, stacks: CaptureReport['stacks']): void {
  const labelled: Record<string, number> = {}
  for (const [row, value] of profile.samples.values[0]!.entries()) {
    const labels = profile.labelSets[profile.samples.labelSet[row]!]!
    const end = labels.find(({ key }) => key === STACK_END_LABEL)?.str
    if (end !== undefined) labelled[end] = (labelled[end] ?? 0) + value
  }
  const { approximate, truncated } = stacks
  assert.deepEqual(labelled, {
    ...(approximate > 0 ? { [APPROXIMATE_STACK]: approximate } : {}),
    ...truncated,
  })
}

/** Sum of counts by reason. */
export function total(counts: CountByReason): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
