/**
 * A program whose own cycle has the length of the sampling period. Many short runs; the error of each share is put in
 * units of what independent samples would have (sigma). 1 means: the interval we print is honest.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadAddon } from '../../src/native/addon.ts'
import type { SampleBatch } from '../../src/native/sample-batch.ts'
import { skipUnless } from '../helpers/host.ts'
import { startTruth, truthProgram } from '../helpers/truth.ts'
import { OPTIONS } from '../native/sampler-options.ts'

const FUNCTIONS = ['heavy', 'medium', 'light'] as const
const RATE_HZ = 100
const RUN_MS = 1000

interface Range {
  readonly start: number
  readonly end: number
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

/** Adds the samples of a batch to the function each was in; `ofStack` keeps the answer per stack of the session. */
function classify(batch: SampleBatch, ranges: readonly Range[], ofStack: number[], counts: number[]): void {
  for (let i = 0; i < batch.newStackPid.length; i++) {
    const frames = batch.frames.subarray(batch.newStackStart[i]!, batch.newStackStart[i + 1]!)
    ofStack.push(ranges.findIndex(({ start, end }) => frames.some((at) => at >= start && at < end)))
  }
  for (const stack of batch.stack) if (ofStack[stack]! >= 0) counts[ofStack[stack]!]!++
}

/** A timer, and the share of its rate that the program gets by a rule; 1 and `base` below it: it alone has all of it. */
interface Rates {
  readonly dither: number
  readonly rateHz?: number
  readonly share?: number
  readonly base?: number
}

/** One run: squared errors of the three shares in units of sigma squared. */
async function squaredErrors(rates: Rates, ranges: readonly Range[]): Promise<number[]> {
  const { dither, rateHz = RATE_HZ, share, base = 1 } = rates
  const program = startTruth('lockstep', String(RUN_MS))
  const { Sampler } = loadAddon()
  const rule = { by: 'pid', cgroupFd: -1, pidNamespace: 0, comm: '', pids: [program.pid] } as const
  const rateRules = share === undefined ? [] : [{ ...rule, share }]
  const options = { ...OPTIONS, rateHz, event: 'cpu-clock', dither, baseShare: base, rateRules } as const
  const sampler = new Sampler(options)
  try {
    sampler.addTarget(program.pid)
    await sleep(100) // it measures its counter before it takes the byte
    sampler.start()
    program.stdin.end('\n')
    const used = await program.json()
    const counts = FUNCTIONS.map(() => 0)
    sampler.stop()
    classify(sampler.drain(), ranges, [], counts)
    const samples = counts.reduce((sum, count) => sum + count, 0)
    const measured = FUNCTIONS.reduce((sum, name) => sum + used[name]!, 0)
    return FUNCTIONS.map((name, i) => {
      const share = used[name]! / measured
      return (counts[i]! / samples - share) ** 2 / ((share * (1 - share)) / samples)
    })
  } finally {
    sampler.close()
    await program.stop()
  }
}

/** RMS error / sigma over some runs. */
async function errorRatio(rates: Rates, runs: number): Promise<number> {
  const ranges = functionRanges()
  const errors: number[] = []
  for (let run = 0; run < runs; run++) errors.push(...(await squaredErrors(rates, ranges)))
  return Math.sqrt(errors.reduce((sum, error) => sum + error, 0) / errors.length)
}

describe('a program in step with the rate', { skip: skipUnless('cc', 'nm') }, () => {
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
