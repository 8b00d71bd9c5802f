/**
 * Programs as distributions ship them, without frame pointers: their stacks are whole, and the shares are what the
 * programs measured themselves. Then real programs, of which only the end of each stack is known. Prints a table.
 */
import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { wilson } from '../../src/stats/interval.ts'
import { findTool, skipUnless } from '../helpers/host.ts'
import {
  assertParts,
  COMPLETENESS_HEAD,
  completenessRow,
  completeShare,
  isInPart,
  profileTruth,
  Z,
} from '../helpers/native-stacks.ts'
import { type ProfileRun, runProfile, scratchDirectory } from '../helpers/profile-run.ts'
import { type RealProgram, realPrograms } from '../helpers/real-programs.ts'
import { countStacks, type NamedStack, namedStacks } from '../helpers/stacks.ts'
import { type TruthProgram, truthProgram } from '../helpers/truth.ts'

const RATE_HZ = 499
const SECONDS = '3'
const GOAL = 0.995

const rows: string[] = []

/** The goal lies within the interval of the measured share: a run has a thousand samples, and five may be cut. */
function reachesGoal(count: number, samples: number): boolean {
  return wilson(count, samples, Z).high >= GOAL
}

function assertComplete(program: string, { report }: ProfileRun): void {
  rows.push(completenessRow(program, report))
  const share = `${(100 * completeShare(report)).toFixed(2)} % complete`
  const isReached = reachesGoal(report.stacks.complete, report.samples.kept)
  assert.ok(isReached, `${share}: ${JSON.stringify(report.stacks)}`)
}

/** Nearly every sample of a part shows the caller that a thread of the program begins with. */
function assertRooted({ profile }: ProfileRun, parts: readonly string[], roots: RegExp): void {
  const inParts = namedStacks(profile).filter((stack) => parts.some((part) => isInPart(stack, part)))
  const rooted = countStacks(inParts, ({ frames }) => frames.some(({ name }) => roots.test(name)))
  const samples = countStacks(inParts)
  assert.ok(reachesGoal(rooted, samples), `${rooted} of ${samples} samples show where their thread began`)
}

/** Runs the program and checks shares, callers and completeness; the arguments may hold paths. */
async function checkTruth(name: string, command: readonly string[], roots = /^main$/): Promise<void> {
  const run = await profileTruth(command, RATE_HZ)
  try {
    assertParts(namedStacks(run.profile), run.truth, RATE_HZ)
    assertRooted(run, Object.keys(run.truth), roots)
  } finally {
    assertComplete(name, run)
  }
}

/** Depth of nearly all stacks with this function, in frames of the program itself. */
function assertDepth({ profile }: ProfileRun, leaf: string, own: RegExp, depth: number): void {
  const stacks = namedStacks(profile).filter(({ frames }) => frames.some(({ name }) => name === leaf))
  const deep = countStacks(stacks, (s) => s.frames.filter(({ name }) => own.test(name)).length === depth)
  assert.ok(
    deep >= GOAL * countStacks(stacks),
    `${deep} of ${countStacks(stacks)} stacks have ${depth} frames`,
  )
}

/** Starts a copy of a program and removes the file while it runs. */
function deletedCommand(name: TruthProgram): string[] {
  const copy = join(scratchDirectory(), 'deleted')
  copyFileSync(truthProgram(name), copy)
  return ['sh', '-c', `chmod +x ${copy}; ${copy} ${SECONDS} & sleep 0.3; rm ${copy}; wait`]
}

const needsMusl = skipUnless('cc') || (findTool('musl-gcc') === '' && 'needs musl-gcc (package musl-tools)')
const needsX86 = skipUnless('cc') || (process.arch !== 'x64' && 'the code is for x86-64')

describe('stacks without frame pointers', { skip: skipUnless('cc', 'c++') }, () => {
  after(() => console.log([COMPLETENESS_HEAD, ...rows.splice(0)].join('\n')))

  for (const variant of ['', '-static', '-static-pie'] as const)
    it(`callbacks of qsort${variant}`, async () => {
      await checkTruth(`callbacks${variant}`, [truthProgram(`callbacks${variant}`), SECONDS])
    })

  for (const variant of ['-musl', '-musl-static'] as const) {
    it(`100 frames${variant}`, { skip: needsMusl }, async () => {
      await checkTruth(`deep${variant}`, [truthProgram(`deep${variant}`), '100', SECONDS])
    })

    // musl has no unwind tables of its own: what is called back by it has no caller, and must not claim to.
    it(`callbacks of qsort${variant} are no whole stacks`, { skip: needsMusl }, async () => {
      const run = await profileTruth([truthProgram(`callbacks${variant}`), SECONDS], RATE_HZ)
      rows.push(completenessRow(`callbacks${variant}`, run.report))
      const whole = countStacks(namedStacks(run.profile), ({ frames }) =>
        frames.every(({ name, kind }) => kind === 'kernel' || !/_compare$/.test(name)),
      )
      assert.ok(run.report.stacks.complete <= whole, JSON.stringify(run.report.stacks))
    })
  }

  it('a stripped program', async () => {
    const run = await profileTruth([truthProgram('callbacks-stripped'), SECONDS], RATE_HZ)
    assertComplete('stripped', run)
    // No names, but the frames are there: leaf, C library, sort, part, main, start.
    const deep = countStacks(namedStacks(run.profile), ({ frames }) => frames.length >= 8)
    assert.ok(
      deep >= GOAL * run.report.samples.kept,
      `${deep} of ${run.report.samples.kept} are 8 frames deep`,
    )
  })

  it('a program whose file is deleted while it runs', async () => {
    await checkTruth('deleted', deletedCommand('callbacks'))
  })

  it('exceptions, sorting, signal handlers and clocks of C++', async () => {
    await checkTruth('exceptions', [truthProgram('exceptions'), SECONDS])
  })

  it('500 frames of alloca, and 500 realigned ones', async () => {
    const run = await profileTruth([truthProgram('realigned'), SECONDS], RATE_HZ)
    assertComplete('realigned', run)
    assertParts(namedStacks(run.profile), run.truth, RATE_HZ)
    assertDepth(run, 'leaf_burn', /_dig$/, 501)
  })

  it('1 020 frames', async () => {
    const run = await profileTruth([truthProgram('deep'), '1020', SECONDS], RATE_HZ)
    assertComplete('deep', run)
    assertParts(namedStacks(run.profile), run.truth, RATE_HZ)
    assertDepth(run, 'deep_leaf', /^(deep_\w+|main)$/, 1020)
  })

  it('says of a stack that is deeper than the limit that it is cut', async () => {
    const { report } = await profileTruth([truthProgram('deep'), '5000', '1'], RATE_HZ)
    assert.ok(report.stacks.truncated.depth_limit! > 0.9 * report.samples.kept, JSON.stringify(report.stacks))
  })

  // What a coroutine's start returns to was never called: its rows say so, and no caller is made up.
  it('coroutines of makecontext begin at their start', async () => {
    const run = await profileTruth([truthProgram('contexts'), SECONDS], RATE_HZ)
    assertComplete('contexts', run)
    assertParts(namedStacks(run.profile), run.truth, RATE_HZ)
    assertRooted(run, Object.keys(run.truth), /^(shallow|deep)_start$/)
    const beyond = /^(main|run_\w+|_start|__libc_start\w*)$/
    const wrong = namedStacks(run.profile).filter(
      (stack) =>
        Object.keys(run.truth).some((part) => isInPart(stack, part)) &&
        stack.frames.some(({ name }) => beyond.test(name)),
    )
    assert.equal(countStacks(wrong), 0, JSON.stringify(wrong[0]?.frames))
  })

  // glibc has no rows around the system call of clone(): a sample in there is a guess, if a good one.
  it('children of vfork, clones and threads', async () => {
    const run = await profileTruth([truthProgram('clones'), SECONDS], RATE_HZ)
    rows.push(completenessRow('clones', run.report))
    assertParts(namedStacks(run.profile), run.truth, RATE_HZ)
    assertRooted(run, Object.keys(run.truth), /^(main|clone_child|thread_child)$/)
    const { complete, approximate } = run.report.stacks
    assert.ok(reachesGoal(complete + approximate, run.report.samples.kept), JSON.stringify(run.report.stacks))
    assert.ok(complete >= 0.97 * run.report.samples.kept, JSON.stringify(run.report.stacks))
  })

  // Until user space has seen the mapping, a turn later, the tables of the library before it are in force: then nothing
  // may be called complete that is not.
  it('libraries that are loaded where another was', async () => {
    const libraries = [truthProgram('swapped-a.so'), truthProgram('swapped-b.so')]
    const { report, profile } = await profileTruth(
      [truthProgram('swapper'), ...libraries, SECONDS, '1000'],
      RATE_HZ,
    )
    rows.push(completenessRow('swapped libraries', report))
    const stacks = namedStacks(profile)
    // Whole without main: the shell that starts the program (it has no names of its own), and the kernel alone at its end.
    const isRooted = ({ frames }: NamedStack) =>
      frames.some(({ name }) => /^(main|_start|_dl_start|__libc_start_main.*)$/.test(name)) ||
      frames.every(({ kind }) => kind === 'kernel')
    const rooted = countStacks(stacks, isRooted)
    const others = stacks.filter((stack) => !isRooted(stack))
    assert.ok(
      report.stacks.complete <= rooted,
      `${report.stacks.complete} called complete, ${rooted} rooted; others: ${JSON.stringify(others)}`,
    )
    // Each second one turn of at most 100 ms in which the old rows are still believed.
    assert.ok(report.stacks.complete >= 0.85 * report.samples.kept, JSON.stringify(report.stacks))
  })

  it('the dynamic linker at work', async () => {
    const libraries = [truthProgram('lazy-callees.so'), truthProgram('lazy-calls.so')]
    await checkTruth('lazy binding', [truthProgram('lazy'), ...libraries, SECONDS])
  })

  it('code made at run time that keeps frame pointers', { skip: needsX86 }, async () => {
    const run = await profileTruth([truthProgram('jitted'), 'framed', SECONDS], RATE_HZ)
    rows.push(completenessRow('jitted, framed', run.report))
    assertParts(namedStacks(run.profile), run.truth, RATE_HZ)
    assertRooted(run, ['inside', 'back'], /^main$/)
    const { complete, approximate } = run.report.stacks
    assert.ok(reachesGoal(complete + approximate, run.report.samples.kept), JSON.stringify(run.report.stacks))
  })

  it('code made at run time without frame pointers is no whole stack', { skip: needsX86 }, async () => {
    const run = await profileTruth([truthProgram('jitted'), 'bare', SECONDS], RATE_HZ)
    rows.push(completenessRow('jitted, bare', run.report))
    // What lies below such code is not to be had; nothing may be claimed of it.
    const { report, profile } = run
    const rooted = countStacks(namedStacks(profile), ({ frames }) =>
      frames.some(({ name }) => name === 'main'),
    )
    assert.ok(report.stacks.complete <= rooted + 0.01 * report.samples.kept, JSON.stringify(report.stacks))
  })
})

describe('stacks of real programs', () => {
  after(() => console.log([COMPLETENESS_HEAD, ...rows.splice(0)].join('\n')))
  for (const program of realPrograms())
    it(program.name, { skip: skipUnless(...program.tools) }, async () => {
      await checkReal(program)
    })
})

async function checkReal({ name, prepare, mayEnd }: RealProgram): Promise<void> {
  const { command, cwd } = prepare()
  const run = await runProfile(['-F', String(RATE_HZ), '--', ...command], { cwd })
  const { stacks, samples } = run.report
  assert.ok(samples.kept > 0.5 * RATE_HZ, `only ${samples.kept} samples`)
  if (!mayEnd) return assertComplete(name, run)
  rows.push(completenessRow(name, run.report))
  const ended = mayEnd.reduce((sum, reason) => sum + (stacks.truncated[reason] ?? 0), 0)
  const explained = stacks.complete + stacks.approximate + ended
  assert.ok(reachesGoal(explained, samples.kept), JSON.stringify(stacks))
}
