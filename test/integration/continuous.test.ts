/** A capture without end over real programs: no sample lost between windows, names from the cache, memory that stays. */
import assert from 'node:assert/strict'
import childProcess from 'node:child_process'
import { readdirSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Profile } from '../../src/model/profile.ts'
import type { SampledProcess } from '../../src/model/sampled-process.ts'
import { Continuous, type ContinuousRequest } from '../../src/pipeline/continuous.ts'
import { skipUnless } from '../helpers/host.ts'
import { assertStackEnds } from '../helpers/profile-run.ts'
import { countStacks, namedStacks } from '../helpers/stacks.ts'
import { startCompanion, startTruth, truthCopy } from '../helpers/truth.ts'

const needs = skipUnless('cc')

/** Processes started by us: the symbolizer, when nothing else is started meanwhile. */
let spawns = 0
const { spawn } = childProcess
childProcess.spawn = ((...request: Parameters<typeof spawn>) => {
  spawns++
  return spawn(...request)
}) as typeof spawn
syncBuiltinESMExports()

function request(part: Partial<ContinuousRequest>): ContinuousRequest {
  return {
    filters: { pids: [], cgroupPaths: [], comms: [] },
    rateHz: 199,
    kernelStacks: true,
    windowMs: 1000,
    jitter: 0.1,
    ...part,
  }
}

/** A running capture and what it has handed out. */
async function start(part: Partial<ContinuousRequest>) {
  const windows: Profile[] = []
  const seen: SampledProcess[] = []
  const spawnsAfter: number[] = []
  const capture = new Continuous(request(part), {
    onWindow(profile) {
      windows.push(profile)
      spawnsAfter.push(spawns)
    },
    onProcesses(processes) {
      seen.push(...processes)
    },
  })
  await capture.start()
  const until = async (count: number) => {
    for (let i = 0; i < 3000 && windows.length < count; i++) await sleep(10)
    assert.ok(windows.length >= count, `${windows.length} windows in 30 s`)
  }
  return { capture, windows, seen, spawnsAfter, until }
}

const total = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0)

/** What must hold of the windows of any capture that was stopped. */
function checkBooks(capture: Continuous, windows: readonly Profile[]): void {
  const stats = capture.stats()
  let kept = 0
  let captured = 0
  for (const window of windows) {
    const { capture: report, samples, durationNs, origins, labelSets } = window
    const rows = samples.stack.length
    assert.equal(report!.samples.kept, rows)
    assert.equal(report!.samples.captured, rows + total(report!.samples.dropped))
    const { complete, approximate, truncated } = report!.stacks
    assert.equal(complete + approximate + total(truncated), rows)
    assertStackEnds(window, report!.stacks)
    assert.ok(samples.timeNs!.every((timeNs) => timeNs >= 0 && timeNs < Number(durationNs)))
    assert.equal(origins!.ofLabelSet.length, labelSets.length)
    kept += rows
    captured += report!.samples.captured
  }
  windows.slice(1).forEach((window, i) => {
    assert.equal(window.timeNs, windows[i]!.timeNs + windows[i]!.durationNs, 'windows touch')
  })
  assert.deepEqual([stats.kept, stats.captured], [kept, captured])
  assert.deepEqual([stats.waiting, stats.windows], [0, windows.length])
  assert.equal(stats.captured, stats.kept + total(stats.dropped))
}

describe('a capture without end', { skip: needs }, () => {
  it('gives each window its samples and names, from the second on without asking anybody', async () => {
    const programs = [startTruth('split', '60'), startTruth('threads', '2', '60')]
    const pids = programs.map(({ pid }) => pid)
    const { capture, windows, seen, spawnsAfter, until } = await start({
      filters: { pids, cgroupPaths: [], comms: [] },
    })
    await until(4)
    await capture.stop()
    await Promise.all(programs.map((program) => program.stop()))
    checkBooks(capture, windows)
    assert.equal(spawnsAfter[3], spawnsAfter[1], 'the symbolizer was started again')
    const of = (name: string, from: readonly Profile[]) =>
      countStacks(from.flatMap(namedStacks), ({ frames }) => frames.some((frame) => frame.name === name))
    const [heavy, light] = [of('heavy', windows), of('light', windows)]
    assert.ok(heavy > light && light > 0, `heavy ${heavy}, light ${light}`)
    for (const window of windows.slice(0, 4)) {
      assert.ok(of('heavy', [window]) > 0 && of('dig', [window]) > 0)
      assert.ok(window.locations.some(({ lines }) => lines.some(({ line }) => line > 0)))
      assert.deepEqual(new Set(window.origins!.processes.map(({ pid }) => pid)), new Set(pids))
    }
    checkOrigins(windows[1]!, seen, pids)
  })

  it('names a process that began and ended within a window', async () => {
    const program = truthCopy('split')
    const { capture, windows, until } = await start({
      filters: { pids: [], cgroupPaths: [], comms: [basename(program)] },
      windowMs: 2000,
    })
    await sleep(300)
    const brief = startCompanion(program, ['0.5'])
    await brief.end()
    await until(1)
    await capture.stop()
    checkBooks(capture, windows)
    const stacks = windows.flatMap(namedStacks)
    const isNamed = ({ frames }: (typeof stacks)[0]) =>
      frames.some(({ name }) => name === 'heavy' || name === 'medium_inner' || name === 'light')
    assert.ok(countStacks(stacks, isNamed) > 20, `${countStacks(stacks, isNamed)} of ${countStacks(stacks)}`)
    assert.ok(windows.flatMap(({ origins }) => origins!.processes).every(({ pid }) => pid === brief.pid))
  })

  it('changes its rate between two windows, each of one rate', async () => {
    const program = startTruth('split', '60')
    const { capture, windows, until } = await start({
      filters: { pids: [program.pid], cgroupPaths: [], comms: [] },
      rateHz: 49,
      windowMs: 1500,
      jitter: 0,
    })
    await until(1)
    await sleep(400)
    capture.setRate(490)
    capture.setRate(490)
    await until(3)
    assert.throws(() => capture.setRate(0), { code: 'usage' })
    await capture.stop()
    await program.stop()
    checkBooks(capture, windows)
    const [slow, cut, fast] = windows.map(({ capture: report }) => report!)
    assert.deepEqual([slow!.rateHz, cut!.rateHz, fast!.rateHz], [49, 49, 490])
    assert.ok(cut!.durationNs < slow!.durationNs, 'the window ends where the rate changes')
    assert.equal(windows[2]!.period, BigInt(Math.round(1e9 / 490)))
    const perSecond = (report: NonNullable<typeof slow>) => report.samples.kept / (report.durationNs / 1e9)
    const factor = perSecond(fast!) / perSecond(slow!)
    assert.ok(factor > 6 && factor < 14, `ten times the rate gave ${factor.toFixed(1)} times the samples`)
    assert.equal(capture.stats().rateHz, 490)
  })

  it('lengthens windows while many wait for their names, and loses nothing', async () => {
    const program = startTruth('split', '60')
    const { capture, windows, until } = await start({ windowMs: 10, rateHz: 499 })
    let most = 0
    for (let i = 0; i < 500; i++) {
      await sleep(4)
      most = Math.max(most, capture.stats().windowsWaiting)
    }
    await until(13)
    await capture.stop()
    await program.stop()
    checkBooks(capture, windows)
    assert.ok(most > 1 && most <= 12, `${most} windows waited`)
  })

  it('does not grow: neither memory nor descriptors, over many windows', async () => {
    const programs = [startTruth('split', '60'), startTruth('threads', '4', '60')]
    const { capture, windows, until } = await start({ windowMs: 200, rateHz: 99 })
    await until(25)
    const before = readMemory()
    await until(85)
    const after = readMemory()
    await capture.stop()
    await Promise.all(programs.map((program) => program.stop()))
    checkBooks(capture, windows)
    // The whole host is sampled, and V8 fills its heap before it cleans it.
    assert.ok(after.rssBytes - before.rssBytes < 24e6, `${before.rssBytes} to ${after.rssBytes} bytes`)
    const { bpfNs, bpfRuns, mapBytes, longestPauseMs, startToFirstSampleNs } = capture.stats()
    assert.ok(
      bpfRuns > 1000 && bpfNs > bpfRuns * 20 && bpfNs < bpfRuns * 100_000,
      `${bpfNs} ns, ${bpfRuns} runs`,
    )
    assert.ok(mapBytes > 1e6 && longestPauseMs > 0 && startToFirstSampleNs > 0)
  })

  it('frees all it opened, is stopped twice, and then keeps its figures', async () => {
    const cycle = async () => {
      const { capture, windows } = await start({ windowMs: 60_000 })
      await sleep(200)
      const stopped = capture.stop()
      await Promise.all([stopped, capture.stop()])
      assert.equal(windows.length, 1)
      checkBooks(capture, windows)
      await assert.rejects(() => capture.start(), { code: 'internal' })
    }
    await cycle()
    const before = readMemory().descriptors
    await cycle()
    assert.equal(readMemory().descriptors, before)
  })

  it('tells what it refuses, and holds nothing open then', async () => {
    const before = readMemory().descriptors
    const bad = (part: Partial<ContinuousRequest>) => start(part).then(({ capture }) => capture.stop())
    await assert.rejects(() => bad({ rateHz: 0 }), { code: 'usage' })
    const filters = { pids: [], cgroupPaths: ['/tmp'], comms: [] }
    await assert.rejects(() => bad({ filters }), { code: 'usage', message: /\/tmp/ })
    assert.equal(readMemory().descriptors, before)
  })
})

function checkOrigins(window: Profile, seen: readonly SampledProcess[], pids: readonly number[]): void {
  const { processes, ofLabelSet } = window.origins!
  window.labelSets.forEach((labels, set) => {
    const pid = Number(labels.find(({ key }) => key === 'pid')!.num)
    assert.equal(processes[ofLabelSet[set]!]!.pid, pid)
  })
  for (const { pid, parentPid, comm, cgroupId, startNs } of processes) {
    assert.ok(seen.some((other) => other.pid === pid && other.startNs === startNs))
    assert.ok(pids.includes(pid))
    assert.equal(parentPid, process.pid)
    assert.match(comm, /^(split|threads)$/)
    assert.ok(cgroupId > 0n && startNs > 0)
  }
}

function readMemory() {
  return {
    rssBytes: process.memoryUsage.rss(),
    descriptors: readdirSync('/proc/self/fd').length,
  }
}
