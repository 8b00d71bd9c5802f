/**
 * BPF time of one captured sample, by the kernel's own statistics of program run time (BPF_ENABLE_STATS), as the median
 * over intervals of 200 ms: what else runs on the host, and interrupts, hit a few of them only.
 *
 * The timer is not dithered here, so every tick on the target's CPU is a sample. Ticks on other CPUs do not hit it and
 * end at once; what one of them costs is measured in a run without a target, beside the same load, and taken off.
 * `captured_ns`, which the program counts itself, leaves out its own entry and end and is only a check.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { loadAddon } from '../../src/native/addon.ts'
import type { SampleBatch } from '../../src/native/sample-batch.ts'
import type { NativeSampler, SamplerOptions, UnwindStats } from '../../src/native/sampler.ts'
import { type Companion, startCompanion } from '../helpers/truth.ts'
import { OPTIONS } from '../native/sampler-options.ts'

/** At least, and at most, until tables are loaded: for a second no stack misses one. */
const WARM_UP_MS = 1500
const WARM_UP_MAX_MS = 15_000
const QUIET_MS = 1000
const TURN_MS = 20
const INTERVAL_MS = 200

export interface SampleCost {
  /** Addresses a stack, kernel ones included; mean. */
  readonly frames: number
  readonly samples: number
  /** BPF nanoseconds a captured sample; by the kernel, and by the program's own clock. */
  readonly sampleNs: number
  readonly ownNs: number
  /** Samples whose stack was complete. */
  readonly complete: number
  readonly unwind: UnwindStats
}

/** Raw counts since the start. */
interface Reading {
  readonly captured: number
  readonly capturedNs: number
  readonly rawStacks: number
  readonly runs: number
  readonly timeNs: number
}

function read(sampler: NativeSampler): Reading {
  const { abi } = loadAddon()
  const counters = sampler.counters()
  const counter = (name: string) => counters[abi.counters.indexOf(name)]!
  const [captured, capturedNs, rawStacks] = ['captured', 'captured_ns', 'raw_stacks'].map(counter)
  return { captured: captured!, capturedNs: capturedNs!, rawStacks: rawStacks!, ...sampler.bpfStats() }
}

/** Depth of each stack by its id, and sums over the samples since the last reset. */
class Depths {
  #depthOf: number[] = []
  samples = 0
  frames = 0
  complete = 0

  reset(): void {
    this.samples = this.frames = this.complete = 0
  }

  add({ newStackStart, newStackPid, stack, stackEnd }: SampleBatch): void {
    const { abi } = loadAddon()
    for (let i = 0; i < newStackPid.length; i++) this.#depthOf.push(newStackStart[i + 1]! - newStackStart[i]!)
    for (const [i, id] of stack.entries()) {
      this.samples++
      this.frames += this.#depthOf[id]!
      if (abi.stackEnds[stackEnd[i]!]!.quality === 'complete') this.complete++
    }
  }
}

async function turn(sampler: NativeSampler, depths: Depths, milliseconds: number): Promise<void> {
  const end = Date.now() + milliseconds
  while (Date.now() < end) {
    await sleep(TURN_MS)
    depths.add(sampler.drain())
    sampler.drainEvents()
  }
}

/** Options of these measurements. */
export interface CostOptions extends Pick<SamplerOptions, 'unwinder' | 'rateHz'> {
  readonly seconds: number
  readonly rateRules?: SamplerOptions['rateRules']
}

async function warmUp(sampler: NativeSampler, depths: Depths): Promise<void> {
  const end = Date.now() + WARM_UP_MAX_MS
  await turn(sampler, depths, WARM_UP_MS)
  for (let before = -1; Date.now() < end && read(sampler).rawStacks !== before; ) {
    before = read(sampler).rawStacks
    await turn(sampler, depths, QUIET_MS)
  }
}

/** Readings at the ends of the intervals, and the depths in between. */
async function run(
  pid: number,
  { seconds, ...options }: CostOptions,
): Promise<{ readings: readonly Reading[]; depths: Depths; unwind: UnwindStats }> {
  const { Sampler } = loadAddon()
  const sampler = new Sampler({ ...OPTIONS, event: 'cpu-clock', dither: 1, ...options })
  const depths = new Depths()
  try {
    sampler.addTarget(pid)
    sampler.start()
    await warmUp(sampler, depths)
    depths.reset()
    const readings = [read(sampler)]
    for (let left = seconds * 1000; left > 0; left -= INTERVAL_MS) {
      await turn(sampler, depths, INTERVAL_MS)
      readings.push(read(sampler))
    }
    const unwind = sampler.unwindStats()
    sampler.stop()
    depths.add(sampler.drain())
    return { readings, depths, unwind }
  } finally {
    sampler.close()
  }
}

/** Median of a figure over the intervals, NaN for those without samples left out. */
function medianOver(readings: readonly Reading[], figure: (from: Reading, to: Reading) => number): number {
  const values = readings.slice(1).map((to, i) => figure(readings[i]!, to))
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

/** Starts a command pinned to the last CPU. */
export function startPinned(cpu: number, command: readonly string[]): Companion {
  return startCompanion('taskset', ['-c', String(cpu), ...command])
}

/** Nanoseconds of a run of the BPF program that does not hit the target. */
export async function tickCost(options: CostOptions): Promise<number> {
  const { readings } = await run(process.pid, { ...options, rateHz: 999 })
  return medianOver(readings, (from, to) => {
    const own = to.capturedNs - from.capturedNs // we are awake now and then
    return (to.timeNs - from.timeNs - own) / (to.runs - from.runs - (to.captured - from.captured))
  })
}

/** Cost of a sample of a running process; `tickNs` as measured by tickCost. */
export async function sampleCost(pid: number, tickNs: number, options: CostOptions): Promise<SampleCost> {
  const { readings, depths, unwind } = await run(pid, options)
  const captured = (from: Reading, to: Reading) => to.captured - from.captured
  return {
    frames: depths.frames / depths.samples,
    samples: captured(readings[0]!, readings.at(-1)!),
    sampleNs: medianOver(readings, (from, to) => {
      const others = to.runs - from.runs - captured(from, to)
      return (to.timeNs - from.timeNs - others * tickNs) / captured(from, to)
    }),
    ownNs: medianOver(readings, (from, to) => (to.capturedNs - from.capturedNs) / captured(from, to)),
    complete: depths.complete / depths.samples,
    unwind,
  }
}

/** Least squares of y = fixed + slope * x. */
export function leastSquares(points: readonly (readonly [x: number, y: number])[]): {
  readonly fixed: number
  readonly slope: number
} {
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean((point) => point[0]), mean((point) => point[1])]
  const slope = mean((p) => (p[0] - x) * (p[1] - y)) / mean((p) => (p[0] - x) ** 2)
  return { fixed: y - slope * x, slope }
}
