/**
 * Moves what the kernel has collected into the aggregator, every 100 ms at least, on the main thread: no native thread
 * ever calls into JavaScript. Samples leave the ring before the process events do, so the events always reach at least
 * as far as the samples; they are applied first. A sample whose unwind table had to be loaded comes turns later, with
 * its own time.
 */
import type { Aggregator } from '../aggregate/aggregator.ts'
import type { CountByReason } from '../model/profile.ts'
import type { AbiNames, SampleBatch } from '../native/sample-batch.ts'
import type { NativeSampler } from '../native/sampler.ts'
import type { ProcessTable } from '../process/process-table.ts'

/** How the stacks of the kept samples ended. */
export interface StackQuality {
  readonly complete: number
  readonly approximate: number
  readonly truncated: CountByReason
}

/** Reasons a captured sample can be lost for; captured = kept + the sum of these. */
const DROP_REASONS = ['ring_full', 'malformed'] as const

/** Of the kernel side's counters by name. */
export function droppedBy(counters: CountByReason): CountByReason {
  return Object.fromEntries(DROP_REASONS.map((reason) => [reason, counters[reason] ?? 0]))
}

export const TURN_MS = 100
const SHORT_TURN_MS = 10
/** After the start, and after stacks had to wait, more such stacks are likely. */
const SHORT_TURNS = 50

export class Pump {
  readonly #sampler: NativeSampler
  readonly #processes: ProcessTable
  #aggregator: Aggregator
  readonly #abi: AbiNames
  readonly #ends: number[]
  #shortTurns = SHORT_TURNS
  /** Sample clock (CLOCK_BOOTTIME) of the first sample, NaN before. */
  firstSampleNs = Number.NaN
  /** And of the newest one, 0 before. */
  newestSampleNs = 0
  /** Process events of the last turn. */
  events = 0

  constructor(sampler: NativeSampler, processes: ProcessTable, aggregator: Aggregator, abi: AbiNames) {
    this.#sampler = sampler
    this.#processes = processes
    this.#aggregator = aggregator
    this.#abi = abi
    this.#ends = abi.stackEnds.map(() => 0)
  }

  /** One turn: drain, apply, aggregate. */
  turn(): void {
    const batch = this.#sampler.drain()
    const events = this.#sampler.drainEvents()
    this.events = events.kind.length
    this.#processes.apply(events)
    this.#aggregator.add(batch)
    this.#count(batch)
    this.#rest()
  }

  #rest(): void {
    this.#shortTurns = this.#sampler.waitingStacks > 0 ? SHORT_TURNS : Math.max(0, this.#shortTurns - 1)
  }

  #count(batch: SampleBatch): void {
    for (const end of batch.stackEnd) this.#ends[end] = (this.#ends[end] ?? 0) + 1
    for (const timeNs of batch.timeNs) {
      if (!(timeNs >= this.firstSampleNs)) this.firstSampleNs = timeNs
      if (timeNs > this.newestSampleNs) this.newestSampleNs = timeNs
    }
  }

  /** From the next turn on samples go into that aggregator, and the sums of stackQuality() begin anew. */
  beginWindow(aggregator: Aggregator): void {
    this.#aggregator = aggregator
    this.#ends.fill(0)
  }

  /** When to turn again: soon, while stacks wait for tables, which take milliseconds to load, and for a while after. */
  get pauseMs(): number {
    return this.#shortTurns > 0 ? SHORT_TURN_MS : TURN_MS
  }

  /** Sums over all turns of the window. */
  stackQuality(): StackQuality {
    const truncated: Record<string, number> = {}
    const sums = { complete: 0, approximate: 0 }
    for (const [i, { name, quality }] of this.#abi.stackEnds.entries()) {
      const count = this.#ends[i]!
      if (quality !== 'truncated') sums[quality] += count
      else if (count > 0) truncated[name] = count
    }
    return { ...sums, truncated }
  }

  /** Counters of the kernel side by name. */
  counters(): Record<string, number> {
    const values = this.#sampler.counters()
    return Object.fromEntries(this.#abi.counters.map((name, i) => [name, values[i] ?? 0]))
  }
}
