/**
 * The books of a capture without end: counters of the kernel only grow, a report is of one window, and the sums must
 * stay what the counters say. Every captured sample is kept, dropped by a reason, or still on its way.
 */
import type { CaptureReport, CountByReason } from '../model/profile.ts'
import { loadAddon } from '../native/addon.ts'
import type { NativeSampler, UnwindStats } from '../native/sampler.ts'
import type { Symbolized } from '../symbolize/symbolizer.ts'
import { hostReport } from './host-report.ts'
import { droppedBy, type StackQuality } from './pump.ts'
import { rateNote } from './rate-plan.ts'
import { unwindingReport, unwindNotes } from './unwind-report.ts'

/** What is read at the end of each window; all of it grows. */
interface Reading {
  readonly counters: CountByReason
  readonly cpuNs: number
  readonly lostEvents: number
  readonly unwind: UnwindStats
}

/** A window as it is closed. */
export interface WindowFacts {
  readonly target: CaptureReport['target']
  readonly rateHz: number
  readonly rates: CaptureReport['rates']
  readonly durationNs: number
  readonly kept: number
  readonly quality: StackQuality
  readonly counters: CountByReason
  readonly lostEvents: number
  readonly startToFirstSampleNs: number
}

export interface BookSums {
  readonly kept: number
  readonly complete: number
  readonly approximate: number
  readonly truncated: CountByReason
  readonly named: number
  readonly unnamed: CountByReason
}

/** Our programs' time by their timed runs, one in some of all. */
export function bpfCostOf(counters: CountByReason): { readonly runs: number; readonly timeNs: number } {
  const { ticks: runs = 0, timed_runs: timed = 0, timed_ns: timedNs = 0 } = counters
  return { runs, timeNs: timed > 0 ? Math.round((timedNs / timed) * runs) : 0 }
}

export class WindowBooks {
  readonly #sampler: NativeSampler
  #last: Reading
  readonly #sums = { kept: 0, complete: 0, approximate: 0, named: 0 }
  #truncated: CountByReason = {}
  #unnamed: CountByReason = {}
  /** Memory of all BPF maps at the last close. */
  mapBytes = 0

  constructor(sampler: NativeSampler, counters: CountByReason) {
    this.#sampler = sampler
    this.#last = this.#read(counters, 0)
  }

  /** Of the windows closed so far; names of those that have them. */
  get sums(): BookSums {
    return { ...this.#sums, truncated: this.#truncated, unnamed: this.#unnamed }
  }

  /** Books a window, and returns what makes its report once its frames have names. */
  close(facts: WindowFacts): (named: Symbolized) => CaptureReport {
    const before = this.#last
    const now = this.#read(facts.counters, facts.lostEvents)
    this.#last = now
    this.#sums.kept += facts.kept
    this.#sums.complete += facts.quality.complete
    this.#sums.approximate += facts.quality.approximate
    this.#truncated = added(this.#truncated, facts.quality.truncated)
    const rssBytes = process.memoryUsage.rss()
    return (named) => {
      this.#sums.named += named.frames.named
      this.#unnamed = added(this.#unnamed, named.frames.unnamed)
      return {
        ...this.#report(facts, before, now),
        frames: named.frames,
        ...costOf(before, now, rssBytes, this.mapBytes),
        notes: [...notesOf(facts, before, now), ...named.notes],
      }
    }
  }

  #report(
    facts: WindowFacts,
    before: Reading,
    now: Reading,
  ): Omit<CaptureReport, 'frames' | 'overhead' | 'notes'> {
    const dropped = subtracted(droppedBy(now.counters), droppedBy(before.counters))
    return {
      target: facts.target,
      host: hostReport(),
      event: this.#sampler.event,
      rateHz: facts.rateHz,
      ...(facts.rates === undefined ? {} : { rates: facts.rates }),
      durationNs: facts.durationNs,
      // A sample is the window's in which it was drained: by the counter, those on their way would be missing.
      samples: { captured: facts.kept + total(dropped), kept: facts.kept, dropped },
      stacks: facts.quality,
      unwinding: unwindingReport(this.#sampler.unwinder, now.unwind),
      timing: { startToFirstSampleNs: facts.startToFirstSampleNs, lastSampleToFilesNs: 0 },
    }
  }

  #read(counters: CountByReason, lostEvents: number): Reading {
    const { user, system } = process.cpuUsage()
    const unwind = this.#sampler.unwindStats()
    this.mapBytes = unwind.tables.mapBytes + unwind.tables.shardBytes
    const cpuNs = (user + system) * 1000 + loadAddon().reapedChildrenCpuNs()
    return { counters, cpuNs, lostEvents, unwind }
  }
}

function costOf(
  before: Reading,
  now: Reading,
  rssBytes: number,
  kernelBytes: number,
): Pick<CaptureReport, 'overhead'> {
  const from = bpfCostOf(before.counters)
  const to = bpfCostOf(now.counters)
  const bpfTimeNs = Math.max(0, to.timeNs - from.timeNs)
  const { captured_ns = 0 } = subtracted(now.counters, before.counters)
  return {
    overhead: {
      bpfRuns: to.runs - from.runs,
      bpfTimeNs,
      bpfCapturedNs: captured_ns,
      cpuNs: now.cpuNs - before.cpuNs + bpfTimeNs,
      rssBytes,
      kernelBytes,
    },
  }
}

/** Losses of this window alone. */
function notesOf(facts: WindowFacts, before: Reading, now: Reading): string[] {
  const { raw, tables } = now.unwind
  const unwind = {
    ...now.unwind,
    raw: { ...raw, overflowed: raw.overflowed - before.unwind.raw.overflowed },
    tables: { ...tables, refused: tables.refused - before.unwind.tables.refused },
  }
  const lost = now.lostEvents - before.lostEvents
  const notes = unwindNotes(facts.quality.truncated, unwind)
  if (lost > 0) notes.push(`${lost} process events were lost: files mapped meanwhile may be missing`)
  const rates = rateNote(facts.rates)
  return rates === '' ? notes : [...notes, rates]
}

function total(counts: CountByReason): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

function added(a: CountByReason, b: CountByReason): CountByReason {
  const sums: Record<string, number> = { ...a }
  for (const [reason, count] of Object.entries(b)) sums[reason] = (sums[reason] ?? 0) + count
  return sums
}

function subtracted(a: CountByReason, b: CountByReason): CountByReason {
  return Object.fromEntries(Object.entries(a).map(([reason, count]) => [reason, count - (b[reason] ?? 0)]))
}

/** For sums over windows that are closed and the one that is open. */
export const sumOfCounts = added
