/**
 * Tables that lie and stacks that no table describes: each sample is kept and counted with a reason, nothing crashes or
 * hangs, and no stack with a wrong frame is called complete.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { copyWithDamage, DAMAGES, type Damage } from '../helpers/eh-frame.ts'
import { skipUnless } from '../helpers/host.ts'
import { COMPLETENESS_HEAD, completenessRow } from '../helpers/native-stacks.ts'
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

/** Stacks that are right by their names must be at least as many as were called complete. */
function assertHonest(name: string, { report, profile }: ProfileRun): void {
  rows.push(completenessRow(name, report))
  assert.ok(report.samples.kept > 0.9 * RATE_HZ, `only ${report.samples.kept} samples`)
  const right = countStacks(namedStacks(profile), isRight)
  assert.ok(report.stacks.complete <= right, `${report.stacks.complete} called complete, ${right} are right`)
}

async function checkDamage(damage: Damage, seed: number): Promise<void> {
  const copy = join(scratchDirectory(), 'damaged')
  copyWithDamage(truthProgram('callbacks'), copy, damage, seed)
  assertHonest(`tables: ${damage} ${seed}`, await runProfile(['-F', String(RATE_HZ), '--', copy, '2']))
}

const needsX86 = skipUnless('cc') || (process.arch !== 'x64' && 'the code is for x86-64')

describe('tables that lie', { skip: needsX86 }, () => {
  after(() => console.log([COMPLETENESS_HEAD, ...rows.splice(0)].join('\n')))
  it('is right about the undamaged program', async () => {
    const run = await runProfile(['-F', String(RATE_HZ), '--', truthProgram('callbacks'), '2'])
    assertHonest('tables: sound', run)
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
        const run = await runProfile(['-F', String(RATE_HZ), '-d', '2', String(program.pid)])
        const { stacks, samples } = run.report
        rows.push(completenessRow(kind, run.report))
        assert.ok(samples.kept > RATE_HZ, `only ${samples.kept} samples`)
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
