/**
 * Processes that are gone before a profiler could have looked at them: none of their samples is missing, each has its
 * whole stack and the name of its process, from the first one on.
 */
import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipUnless } from '../helpers/host.ts'
import { COMPLETENESS_HEAD, completenessRow, completeShare, profileTruth } from '../helpers/native-stacks.ts'
import { type ProfileRun, runProfile, scratchDirectory, total } from '../helpers/profile-run.ts'
import { countStacks, type NamedStack, namedStacks } from '../helpers/stacks.ts'
import { startTruth, truthProgram } from '../helpers/truth.ts'

const PROCESSES = 200
const MILLISECONDS = 50
/** Two-sided 99 %. */
const Z = 2.58

const rows: string[] = []
const storm = truthProgram.bind(null, 'storm')

const isIn = (stack: NamedStack, name: RegExp): boolean => stack.frames.some((frame) => name.test(frame.name))

/** Samples of the children, which are all but the launched process itself. */
function childStacks({ profile, report }: ProfileRun): NamedStack[] {
  return namedStacks(profile).filter(({ labels }) => !report.target.pids.includes(Number(labels.pid)))
}

/** As many samples as the CPU time is worth; fewer by chance alone. */
function assertNoneMissing(what: string, samples: number, cpuNs: number, rateHz: number): void {
  const expected = (cpuNs / 1e9) * rateHz
  const percent = `${((100 * samples) / expected).toFixed(1)} %`
  rows.push(`${what}: ${samples} samples, the CPU time is worth ${expected.toFixed(1)} (${percent})`)
  const least = 0.99 * expected - Z * Math.sqrt(expected)
  assert.ok(samples >= least, `${samples} samples, the CPU time is worth ${expected.toFixed(1)}`)
}

/** Every stack that is in the burning function shows `main` and belongs to a process with one of these names. */
function assertWhole(stacks: readonly NamedStack[], burning: RegExp, names: ReadonlySet<string>): void {
  const inside = stacks.filter((stack) => isIn(stack, burning))
  const samples = countStacks(inside)
  assert.ok(samples > 0, 'no sample is in the burning function')
  const whole = countStacks(inside, (stack) => isIn(stack, /^main$/))
  assert.ok(whole >= 0.99 * samples, `${whole} of ${samples} stacks are whole`)
  const named = countStacks(inside, ({ labels }) => names.has(String(labels.comm)))
  assert.ok(named >= 0.99 * samples, `${named} of ${samples} samples have the name of their process`)
}

/** A copy of a program under a build id of its own. */
function copyWithBuildId(path: string, target: string): string {
  const bytes = readFileSync(path)
  const note = Buffer.from([4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0])
  const at = bytes.indexOf(note)
  assert.ok(at > 0, `${path} has no build id`)
  randomFillSync(bytes, at + note.length, 20)
  writeFileSync(target, bytes)
  chmodSync(target, 0o755)
  return target
}

/** `COUNT` programs for the storm to run, and the names that their processes then have. */
function distinctPrograms(count: number): string[] {
  const directory = scratchDirectory()
  return Array.from({ length: count }, (_, n) =>
    copyWithBuildId(truthProgram(n % 2 ? 'brief-a' : 'brief-b'), join(directory, `brief-${n}`)),
  )
}

interface Kind {
  readonly name: string
  readonly programs: () => readonly string[]
}
const KINDS: readonly Kind[] = [
  { name: 'of one binary', programs: () => [truthProgram('brief-a')] },
  { name: 'of distinct binaries', programs: () => distinctPrograms(PROCESSES) },
  { name: 'forked without exec', programs: () => [] },
]

async function checkStorm({ name, programs }: Kind, rateHz: number): Promise<void> {
  const paths = programs()
  const words = [paths.length > 0 ? 'exec' : 'fork', PROCESSES, MILLISECONDS, 0].map(String)
  const run = await profileTruth([storm(), ...words, ...paths], rateHz)
  rows.push(completenessRow(`${name}, ${rateHz} Hz`, run.report))
  const children = childStacks(run)
  assertNoneMissing(`${name}, ${rateHz} Hz`, countStacks(children), run.truth.total!, rateHz)
  const names = paths.length > 0 ? paths.map((path) => basename(path)) : ['storm']
  assertWhole(children, /^([ab]|child)_burn$/, new Set(names))
  assert.equal(total(run.report.samples.dropped), 0)
  const share = completeShare(run.report)
  assert.ok(share >= 0.99, `${(100 * share).toFixed(2)} % complete: ${JSON.stringify(run.report.stacks)}`)
}

describe('short processes', { skip: skipUnless('cc') }, () => {
  after(() => console.log([COMPLETENESS_HEAD, ...rows].join('\n')))

  for (const kind of KINDS)
    for (const rateHz of [20, 97])
      it(`${PROCESSES} of ${MILLISECONDS} ms, ${kind.name}, at ${rateHz} Hz`, () => checkStorm(kind, rateHz))

  it('the children of a fork server that was attached to, from their first sample', async () => {
    const server = startTruth('storm', 'fork', '1000', '30', '0')
    try {
      const run = await runProfile(['-F', '199', '-d', '4', String(server.pid)])
      rows.push(completenessRow('fork server', run.report))
      const children = childStacks(run)
      assert.ok(countStacks(children) > 100, `${countStacks(children)} samples in children`)
      assertWhole(children, /^child_burn$/, new Set(['storm']))
      const first = new Map<unknown, NamedStack>()
      for (const stack of children) first.set(stack.labels.pid, first.get(stack.labels.pid) ?? stack)
      const burning = [...first.values()].filter((stack) => isIn(stack, /^child_burn$/))
      const whole = burning.filter((stack) => isIn(stack, /^main$/))
      assert.ok(whole.length >= 0.99 * burning.length, `${whole.length} of ${burning.length} first samples`)
    } finally {
      await server.stop()
    }
  })

  it('processes that all have the same number, in turn of two programs at the same addresses', async () => {
    const programs = [truthProgram('brief-a'), truthProgram('brief-b')]
    const run = await profileTruth([storm(), 'same-pid', '100', '30', '1', ...programs], 499)
    rows.push(completenessRow('same pid', run.report))
    const children = childStacks(run)
    assert.equal(new Set(children.map(({ labels }) => labels.pid)).size, 1)
    assertNoneMissing('same pid', countStacks(children), run.truth.total!, 499)
    for (const letter of ['a', 'b'])
      assertWhole(children, new RegExp(`^${letter}_burn$`), new Set([`brief-${letter}`]))
    const share = countStacks(children, (stack) => isIn(stack, /^a_/)) / countStacks(children)
    assert.ok(share > 0.4 && share < 0.6, `${share.toFixed(2)} of the samples are in the first program`)
    const mixed = children.filter((stack) => isIn(stack, /^a_/) && isIn(stack, /^b_/))
    assert.deepEqual(mixed, [], 'no stack has functions of both')
  })

  it('a process that becomes another program all the time', async () => {
    const run = await profileTruth([truthProgram('families'), 'chain', '50', '40'], 499)
    rows.push(completenessRow('chain of execs', run.report))
    const stacks = namedStacks(run.profile)
    const burning = stacks.filter((stack) => isIn(stack, /^stage_burn$/))
    assertNoneMissing('chain of execs', countStacks(burning), 50 * 40e6, 499)
    const whole = countStacks(burning, (stack) => isIn(stack, /^main$/))
    assert.ok(whole >= 0.99 * countStacks(burning), `${whole} of ${countStacks(burning)} stacks are whole`)
  })

  it('a process that is killed in the middle of a deep stack', async () => {
    const program = startTruth('deep', '900', '60')
    const running = runProfile(['-F', '499', '-d', '3', String(program.pid)])
    await sleep(2000)
    await program.stop()
    const run = await running
    rows.push(completenessRow('killed', run.report))
    assert.ok(run.report.samples.kept > 100, `${run.report.samples.kept} samples`)
    assert.ok(completeShare(run.report) >= 0.99, JSON.stringify(run.report.stacks))
  })
})
