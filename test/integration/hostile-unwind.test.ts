/**
 * Tables that lie and stacks that no table describes: each sample is kept and counted with a reason, nothing crashes or
 * hangs, and no stack with a wrong frame is called complete.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { copyWithDamage, DAMAGES, type Damage } from '../helpers/eh-frame.ts'
import { skipUnless } from '../helpers/host.ts'
import { COMPLETENESS_HEAD, completenessRow, profileTruth } from '../helpers/native-stacks.ts'
import { type ProfileRun, runProfile, scratchDirectory } from '../helpers/profile-run.ts'
import { countStacks, type NamedStack, namedStacks } from '../helpers/stacks.ts'
import { startTruth, truthProgram } from '../helpers/truth.ts'

const RATE_HZ = 499
const rows: string[] = []

/** Who may call whom in `callbacks`; a frame outside of it (the C library's) may stand anywhere. */
const CALLERS: Readonly<Record<string, readonly string[]>> = {
  heavy_compare: ['sort'],
  medium_compare: ['sort'],
  light_compare: ['sort'],
  medium_inner: ['medium_compare'],
  compare: ['heavy_compare', 'medium_compare', 'light_compare'],
  sort: ['heavy_part', 'medium_part', 'light_part'],
  heavy_part: ['run_parts', 'main'],
  medium_part: ['run_parts', 'main'],
  light_part: ['run_parts', 'main'],
  run_parts: ['main'],
  main: ['__libc_start_call_main'],
}

/** Whether the frames of the program itself are in an order in which they call each other, down to `main`. */
function isRight({ frames }: NamedStack): boolean {
  const own = frames.filter(({ name }) => name in CALLERS).map(({ name }) => name)
  if (frames.every(({ kind }) => kind === 'kernel')) return true // between two programs
  const inLibrary = frames.some(({ module }) => /^(libc|ld-linux)/.test(module)) // start and end of the process
  if (own.length === 0) return inLibrary || frames.every(({ name }) => name === '_start')
  return own[0] === 'main' && own.slice(1).every((name, i) => CALLERS[name]!.includes(own[i]!))
}

/** As many samples were kept as the CPU time is worth, nearly: the host may give the program less than a CPU. */
function assertKept({ samples }: ProfileRun['report'], cpuNs: number, share: number): void {
  const expected = (cpuNs / 1e9) * RATE_HZ
  const isEnough = samples.kept > 100 && samples.kept > share * expected
  assert.ok(isEnough, `only ${samples.kept} samples, the CPU time is worth ${expected.toFixed(0)}`)
}

/**
 * Profiles two seconds of `callbacks`, or of a damaged copy: stacks that are right by their names must be at least as
 * many as were called complete.
 */
async function checkHonest(name: string, program: string): Promise<ProfileRun> {
  const run = await profileTruth([program, '2'], RATE_HZ)
  const { report, profile, truth } = run
  rows.push(completenessRow(name, report))
  const parts = Object.entries(truth).filter(([part]) => part !== 'total')
  assertKept(
    report,
    parts.reduce((sum, [, ns]) => sum + ns, 0),
    0.9,
  )
  const right = countStacks(namedStacks(profile), isRight)
  assert.ok(report.stacks.complete <= right, `${report.stacks.complete} called complete, ${right} are right`)
  return run
}

async function checkDamage(damage: Damage, seed: number): Promise<void> {
  const copy = join(scratchDirectory(), 'damaged')
  copyWithDamage(truthProgram('callbacks'), copy, damage, seed)
  await checkHonest(`tables: ${damage} ${seed}`, copy)
}

/** CPU nanoseconds of a process so far, by the scheduler. */
const cpuNs = (pid: number) => Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0])

const needsX86 = skipUnless('cc') || (process.arch !== 'x64' && 'the code is for x86-64')

describe('tables that lie', { skip: needsX86 }, () => {
  after(() => console.log([COMPLETENESS_HEAD, ...rows.splice(0)].join('\n')))
  it('is right about the undamaged program', async () => {
    const run = await checkHonest('tables: sound', truthProgram('callbacks'))
    const right = countStacks(namedStacks(run.profile), isRight)
    assert.ok(right >= 0.995 * run.report.samples.kept, `${right} of ${run.report.samples.kept} are right`)
  })
  for (const damage of DAMAGES) {
    const seeds = damage === 'noise' ? [1, 2, 3, 4] : [1]
    for (const seed of seeds) it(`${damage}, seed ${seed}`, () => checkDamage(damage, seed))
  }
})

describe('stacks that no table describes', { skip: needsX86 }, () => {
  after(() => console.log([COMPLETENESS_HEAD, ...rows.splice(0)].join('\n')))
  for (const kind of ['own-stack', 'low', 'text', 'kernel', 'noncanonical', 'unmapped'])
    it(kind, async () => {
      const program = startTruth('wild', kind, '60')
      try {
        const before = { ns: process.hrtime.bigint(), cpuNs: cpuNs(program.pid) }
        const run = await runProfile(['-F', String(RATE_HZ), '-d', '2', String(program.pid)])
        const usedNs = cpuNs(program.pid) - before.cpuNs
        const { stacks, samples, duration_ns } = run.report
        rows.push(completenessRow(kind, run.report))
        // What it used of a CPU while it was sampled is taken to be what it used over the whole run of the command.
        const sampledShare = duration_ns / Number(process.hrtime.bigint() - before.ns)
        assertKept(run.report, usedNs * sampledShare, 0.5)
        const rooted = countStacks(namedStacks(run.profile), ({ frames }) =>
          frames.some(({ name }) => name === 'main'),
        )
        assert.ok(stacks.complete <= rooted, `${stacks.complete} called complete, ${rooted} show main`)
        if (kind !== 'unmapped') assert.ok(stacks.complete < 0.1 * samples.kept, JSON.stringify(stacks))
      } finally {
        await program.stop()
      }
    })

  it('a process whose tables are damaged does not stop the others from being whole', async () => {
    const copy = join(scratchDirectory(), 'damaged')
    copyWithDamage(truthProgram('callbacks'), copy, 'noise', 9)
    const command = `${copy} 2 & ${truthProgram('callbacks')} 3; wait`
    const run = await runProfile(['-F', String(RATE_HZ), '--', 'sh', '-c', command])
    rows.push(completenessRow('beside a damaged one', run.report))
    const sound = namedStacks(run.profile).filter(({ labels }) => labels.comm === 'callbacks')
    const right = countStacks(sound, isRight)
    assert.ok(right >= 0.99 * countStacks(sound), `${right} of ${countStacks(sound)} are right`)
  })
})
