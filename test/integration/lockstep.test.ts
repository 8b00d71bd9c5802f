/**
 * A program whose own cycle has the length of the sampling period. Many short runs; the error of each share is put in
 * units of what independent samples would have (sigma). 1 means: the interval we print is honest.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadAddon } from '../../src/native/addon.ts'
import type { SampleBatch } from '../../src/native/sample-batch.ts'
import { skipUnless } from '../helpers/host.ts'
import { startCompanion, truthProgram } from '../helpers/truth.ts'
import { OPTIONS } from '../native/sampler-options.ts'

const FUNCTIONS = ['heavy', 'medium', 'light'] as const
const RATE_HZ = 100
const RUN_MS = 1000
/** Those that we may run on. */
const CPUS = allowedCpus()

interface Range {
  readonly start: number
  readonly end: number
}

function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?]
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}

/** Where the three functions lie; the program is linked at a fixed address. */
function functionRanges(): Range[] {
  const listing = execFileSync('nm', ['-S', truthProgram('lockstep')]).toString()
  return FUNCTIONS.map((name) => {
    const match = new RegExp(`^([0-9a-f]+) ([0-9a-f]+) . ${name}$`, 'm').exec(listing)
    assert.ok(match, `${name} is not in the symbol table`)
    const start = Number.parseInt(match[1]!, 16)
    return { start, end: start + Number.parseInt(match[2]!, 16) }
  })
}

/** Counts the samples of a session by program (in the order of `pids`) and by the function each was in. */
function classify(batch: SampleBatch, ranges: readonly Range[], pids: readonly number[]): number[][] {
  const counts = pids.map(() => ranges.map(() => 0))
  const ofStack = Array.from(batch.newStackPid, (pid, i) => {
    const frames = batch.frames.subarray(batch.newStackStart[i]!, batch.newStackStart[i + 1]!)
    const isIn = ({ start, end }: Range) => frames.some((at) => at >= start && at < end)
    return { program: pids.indexOf(pid), fn: ranges.findIndex(isIn) }
  })
  for (const stack of batch.stack) {
    const { program, fn } = ofStack[stack]!
    if (program >= 0 && fn >= 0) counts[program]![fn]!++
  }
  return counts
}

/** A timer, and the share of its rate that the program gets by a rule; 1 and `base` below it: it alone has all of it. */
interface Rates {
  readonly dither: number
  readonly rateHz?: number
  readonly share?: number
  readonly base?: number
}

function openSampler({ dither, rateHz = RATE_HZ, share, base = 1 }: Rates, pids: readonly number[]) {
  const { Sampler } = loadAddon()
  const rule = { by: 'pid', cgroupFd: -1, pidNamespace: 0, comm: '', pids: [...pids] } as const
  const rateRules = share === undefined ? [] : [{ ...rule, share }]
  const options = { ...OPTIONS, rateHz, event: 'cpu-clock', dither, baseShare: base, rateRules } as const
  return new Sampler(options)
}

/** Squared errors of the three shares in units of sigma squared. */
function squaredErrors(counts: readonly number[], used: Readonly<Record<string, number>>): number[] {
  const samples = counts.reduce((sum, count) => sum + count, 0)
  const measured = FUNCTIONS.reduce((sum, name) => sum + used[name]!, 0)
  return FUNCTIONS.map((name, i) => {
    const share = used[name]! / measured
    return (counts[i]! / samples - share) ** 2 / ((share * (1 - share)) / samples)
  })
}

/** A program on each of these CPUs at once, each with the timer of its own CPU: the squared errors of all. */
async function runOn(cpus: readonly number[], rates: Rates, ranges: readonly Range[]): Promise<number[]> {
  const command = [truthProgram('lockstep'), String(RUN_MS)]
  const programs = cpus.map((cpu) => startCompanion('taskset', ['-c', String(cpu), ...command]))
  const pids = programs.map(({ pid }) => pid)
  const sampler = openSampler(rates, pids)
  try {
    for (const pid of pids) sampler.addTarget(pid)
    await sleep(100) // they measure their counters before they take the byte
    sampler.start()
    for (const { stdin } of programs) stdin.end('\n')
    const used = await Promise.all(programs.map((program) => program.json()))
    sampler.stop()
    return classify(sampler.drain(), ranges, pids).flatMap((counts, i) => squaredErrors(counts, used[i]!))
  } finally {
    sampler.close()
    await Promise.all(programs.map((program) => program.stop()))
  }
}

/** RMS error / sigma over some runs, as many at a time as there are CPUs, at most two: the host is busy a little too. */
async function errorRatio(rates: Rates, runs: number): Promise<number> {
  const ranges = functionRanges()
  const atOnce = Math.min(2, CPUS.length)
  const errors: number[] = []
  for (let run = 0; run < runs; run += atOnce)
    errors.push(...(await runOn(CPUS.slice(0, Math.min(atOnce, runs - run)), rates, ranges)))
  return Math.sqrt(errors.reduce((sum, error) => sum + error, 0) / errors.length)
}

describe('a program in step with the rate', { skip: skipUnless('cc', 'nm', 'taskset') }, () => {
  it('is measured as well as by independent samples, over 30 short runs', async (context) => {
    const dithered = await errorRatio({ dither: 4 }, 30)
    context.diagnostic(`one random tick of 4: RMS error / sigma = ${dithered.toFixed(2)}`)
    assert.ok(dithered <= 1.3, `RMS error / sigma is ${dithered.toFixed(2)}`)
  })

  for (const [how, rates] of [
    ['lowers its rate to its own', { dither: 4, rateHz: 4 * RATE_HZ, share: 1 / 4 }],
    ['raises its rate to its own, above that of all others', { dither: 4, share: 1, base: 1 / 5 }],
  ] as const)
    it(`is measured as well when a rule ${how}`, async (context) => {
      const ratio = await errorRatio(rates, 25)
      context.diagnostic(`RMS error / sigma = ${ratio.toFixed(2)}`)
      assert.ok(ratio <= 1.3, `RMS error / sigma is ${ratio.toFixed(2)}`)
    })

  it('would be misjudged by a strictly periodic timer', async (context) => {
    const periodic = await errorRatio({ dither: 1 }, 8)
    context.diagnostic(`strictly periodic: RMS error / sigma = ${periodic.toFixed(2)}`)
    assert.ok(periodic > 1.3, `RMS error / sigma is ${periodic.toFixed(2)}: the program is not in step`)
  })
})
