/** A rate per target, on the real kernel: the CPU time of each is right at its own rate, and nothing goes uncounted. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Profile } from '../../src/model/profile.ts'
import { Continuous } from '../../src/pipeline/continuous.ts'
import type { RatePlan, RateShare } from '../../src/pipeline/rate-plan.ts'
import { skipUnless } from '../helpers/host.ts'

const SECONDS = 8
const LOOP = 'while :; do :; done'

/** A busy shell of that thread name, on one CPU; `first` is run before. */
async function startNamed(name: string, cpu: number, first = ':'): Promise<ChildProcess & { pid: number }> {
  const script = `${first}; printf ${name} > /proc/self/comm; ${LOOP}`
  const child = spawn('taskset', ['-c', String(cpu), 'bash', '-c', script], { stdio: 'ignore' })
  await once(child, 'spawn')
  for (let i = 0; i < 500 && commOf(child.pid!) !== name; i++) await sleep(10)
  return child as ChildProcess & { pid: number }
}

const commOf = (pid: number) => readFileSync(`/proc/${pid}/comm`, 'latin1').trim()

/** CPU nanoseconds by the scheduler, which has nothing to do with our timer. */
const cpuNs = (pid: number) => Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0])

interface Measured {
  readonly profile: Profile
  readonly stats: ReturnType<Continuous['stats']>
  /** By pid: what the scheduler says, what the profile says, and by how many samples. */
  readonly of: (pid: number) => { readonly trueNs: number; readonly cpuNs: number; readonly samples: number }
}

/** One window over `pids` at a highest rate of 97 Hz. */
async function measure(plan: RatePlan, pids: readonly number[], rateHz = 97): Promise<Measured> {
  const windows: Profile[] = []
  const filters = { pids, cgroupPaths: [], comms: [] }
  const timing = { windowMs: 600_000, jitter: 0, kernelStacks: false, rateHz }
  const capture = new Continuous(
    { ...timing, filters, plan },
    { onWindow: (profile) => windows.push(profile), onProcesses: () => {} },
  )
  await capture.start()
  const before = pids.map(cpuNs)
  await sleep(SECONDS * 1000)
  const after = pids.map(cpuNs)
  await capture.stop()
  const [profile] = windows as [Profile]
  const of = (pid: number) => {
    const { labelSet, values } = profile.samples
    const sums = [0, 0]
    for (const [row, set] of labelSet.entries()) {
      if (profile.labelSets[set]!.find(({ key }) => key === 'pid')!.num !== pid) continue
      for (const column of [0, 1]) sums[column]! += values[column]![row]!
    }
    const at = pids.indexOf(pid)
    return { trueNs: at < 0 ? 0 : after[at]! - before[at]!, cpuNs: sums[1]!, samples: sums[0]! }
  }
  return { profile, stats: capture.stats(), of }
}

const share = (by: RateShare['by'], value: string | number, hz: number): RateShare => ({
  by,
  value,
  share: hz / 97,
})

/** CPU time within what as many independent samples would give (four standard deviations), and the rate by its count. */
function assertRate({ of }: Measured, pid: number, rateHz: number): void {
  const { trueNs, cpuNs: sampledNs, samples } = of(pid)
  const expected = (trueNs / 1e9) * rateHz
  // Some ticks of the start and the end, which the scheduler's figure has not.
  const slack = 4 * Math.sqrt(expected) + 3
  assert.ok(Math.abs(samples - expected) <= slack, `${samples} samples, ${expected.toFixed(1)} expected`)
  const seconds = `${(sampledNs / 1e9).toFixed(2)} s of ${(trueNs / 1e9).toFixed(2)} s`
  assert.ok(Math.abs(sampledNs - trueNs) <= (slack / rateHz) * 1e9, seconds)
}

async function ended(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) child.kill('SIGKILL')
  await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')))
}

/** Two programs of two rates on one CPU and one that is never sampled: each tick is a sample or counted. */
async function threeByName(unwinder: string): Promise<void> {
  const children = await Promise.all([
    startNamed('rated_fast', 0),
    startNamed('rated_slow', 0),
    startNamed('rated_never', 0),
  ])
  const [fast, slow, never] = children.map(({ pid }) => pid) as [number, number, number]
  const rules = [share('comm', 'rated_fast', 97), share('comm', 'rated_never', 0)]
  const measured = await measure({ baseShare: 19 / 97, rules }, [fast, slow, never])
  await ended(children)
  assertRate(measured, fast, 97)
  assertRate(measured, slow, 19)
  assert.equal(measured.of(never).samples, 0)
  const { profile, stats } = measured
  if (unwinder !== 'auto') assert.equal(stats.unwinder, unwinder)
  const { rates, rateHz, samples, notes } = profile.capture!
  assert.equal(Math.round(rateHz), 19)
  assert.deepEqual(
    rates!.map(({ target }) => target),
    ['comm rated_fast', 'comm rated_never', ''],
  )
  assert.equal(
    rates!.reduce((sum, rate) => sum + rate.samples, 0),
    samples.kept,
  )
  assert.ok(
    notes.some((note) => note.includes('comm rated_fast 97 Hz, comm rated_never never, all others 19 Hz')),
  )
  // Every tick in a target is a sample or counted: all of the third's, 78 of 97 of the second's.
  const { trueNs } = measured.of(never)
  const thinned = (trueNs / 1e9) * 97 + (measured.of(slow).trueNs / 1e9) * (97 - 19)
  assert.ok(Math.abs(stats.thinned - thinned) < 5 * Math.sqrt(thinned), `${stats.thinned}, not ${thinned}`)
}

/** Runs `work` as if EMBERSCOPE_UNWINDER were `variant`. */
async function withUnwinder(variant: string, work: () => Promise<void>): Promise<void> {
  const before = process.env.EMBERSCOPE_UNWINDER
  process.env.EMBERSCOPE_UNWINDER = variant
  try {
    await work()
  } finally {
    if (before === undefined) delete process.env.EMBERSCOPE_UNWINDER
    else process.env.EMBERSCOPE_UNWINDER = before
  }
}

describe('a rate per target', { skip: skipUnless('bash', 'taskset') }, () => {
  for (const unwinder of ['auto', 'tail-calls'])
    it(`by name: programs of 97 and 19 Hz that share a CPU, a third without a sample (${unwinder})`, () =>
      withUnwinder(unwinder, () => threeByName(unwinder)))

  it('by pid: the process and what it forks later; the first rule that holds decides', async () => {
    const parent = spawn('bash', ['-c', `read x; ${LOOP} & echo $!; ${LOOP}`], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    await once(parent, 'spawn')
    const pid = parent.pid!
    const rules = [share('pid', pid, 97), share('comm', 'bash', 3)]
    const running = measure({ baseShare: 0.1, rules }, [pid])
    await sleep(500)
    parent.stdin.end('\n')
    const [text] = (await once(parent.stdout, 'data')) as [Buffer]
    const measured = await running
    const forked = Number(text.toString())
    const seconds = (measured.of(pid).trueNs + cpuNs(forked)) / 1e9
    process.kill(forked, 'SIGKILL')
    await ended([parent])
    const [byPid, byComm, others] = measured.profile.capture!.rates!.map(({ samples }) => samples)
    const expected = seconds * 97
    assert.ok(Math.abs(byPid! - expected) < 5 * Math.sqrt(expected), `${byPid} samples, not ${expected}`)
    assert.ok(measured.of(forked).samples > 0)
    assert.deepEqual([byComm, others], [0, 0])
  })

  it('by cgroup, and by pid namespace for the rest of the host', async (t) => {
    const root = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) =>
      existsSync(`${path}/cgroup.procs`),
    )
    if (!root) return t.skip('no cgroup v2 here')
    const path = `${root}/emberscope-rates-${process.pid}`
    try {
      mkdirSync(path)
    } catch {
      return t.skip('no cgroup can be made here')
    }
    const children = await Promise.all([
      startNamed('in_cgroup', 0, `echo $$ > ${path}/cgroup.procs`),
      startNamed('outside', 0),
    ])
    const [inside, outside] = children.map(({ pid }) => pid) as [number, number]
    const own = Number(/\d+/.exec(readlinkSync(`/proc/${outside}/ns/pid`))![0])
    const rules = [share('cgroup', path, 97), share('pidNamespace', own, 29)]
    const measured = await measure({ baseShare: 0.01, rules }, [inside, outside])
    await ended(children)
    await sleep(50)
    rmdirSync(path)
    assertRate(measured, inside, 97)
    assertRate(measured, outside, 29)
  })

  it('lowered as a whole keeps the proportion of the rates', async () => {
    const children = await Promise.all([startNamed('rated_fast', 0), startNamed('rated_slow', 0)])
    const [fast, slow] = children.map(({ pid }) => pid) as [number, number]
    const rules = [share('comm', 'rated_fast', 97)]
    const measured = await measure({ baseShare: 1 / 3, rules }, [fast, slow], 48)
    await ended(children)
    assertRate(measured, fast, 48)
    assertRate(measured, slow, 16)
  })
})
