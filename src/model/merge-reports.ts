/** The capture reports of several windows as that of the whole time: counts are summed, levels keep their highest. */
import type { CaptureReport, CountByReason, RateUsed } from './profile.ts'

/** A note is kept once; more than this many different ones help nobody. */
const MAX_NOTES = 100

/**
 * One report, or null for none. `durationNs` is the time that was sampled, without the gaps between windows. Where the
 * rate changed, `rateHz` is the one that gives the same CPU time.
 */
export function mergeReports(reports: readonly CaptureReport[]): CaptureReport | null {
  const first = reports[0]
  const last = reports.at(-1)
  if (first === undefined || last === undefined) return null
  if (reports.length === 1) return first
  const unwinding = mergeUnwinding(reports)
  const rates = mergeRates(reports)
  return {
    ...first,
    target: { ...first.target, pids: [...new Set(reports.flatMap((report) => report.target.pids))] },
    rateHz: rates?.at(-1)?.rateHz ?? rateOf(reports),
    ...(rates === undefined ? {} : { rates }),
    durationNs: sum(reports, (report) => report.durationNs),
    samples: {
      captured: sum(reports, (report) => report.samples.captured),
      kept: sum(reports, (report) => report.samples.kept),
      dropped: sumByReason(reports.map((report) => report.samples.dropped)),
    },
    stacks: {
      complete: sum(reports, (report) => report.stacks.complete),
      approximate: sum(reports, (report) => report.stacks.approximate),
      truncated: sumByReason(reports.map((report) => report.stacks.truncated)),
    },
    frames: {
      named: sum(reports, (report) => report.frames.named),
      unnamed: sumByReason(reports.map((report) => report.frames.unnamed)),
    },
    overhead: mergeOverhead(reports),
    ...(unwinding === undefined ? {} : { unwinding }),
    timing: {
      startToFirstSampleNs: first.timing.startToFirstSampleNs,
      lastSampleToFilesNs: last.timing.lastSampleToFilesNs,
    },
    notes: mergeNotes(reports),
  }
}

/** Notes that differ in their figures only are one, with the figures of the latest. */
function mergeNotes(reports: readonly CaptureReport[]): string[] {
  const latest = new Map<string, { text: string; windows: number; isConstant: boolean }>()
  for (const { notes } of reports) {
    for (const text of new Set(notes)) {
      const key = text.replace(/[\d.]+/g, '#')
      const known = latest.get(key)
      const isConstant = known === undefined || (known.isConstant && known.text === text)
      latest.set(key, { text, windows: (known?.windows ?? 0) + 1, isConstant })
    }
  }
  return [...latest.values()]
    .slice(0, MAX_NOTES)
    .map(({ text, windows, isConstant }) =>
      isConstant ? text : `${text} (the latest of ${windows} windows that say so)`,
    )
}

function sum(reports: readonly CaptureReport[], value: (report: CaptureReport) => number): number {
  return reports.reduce((all, report) => all + value(report), 0)
}

function most(reports: readonly CaptureReport[], value: (report: CaptureReport) => number): number {
  return reports.reduce((high, report) => Math.max(high, value(report)), 0)
}

function sumByReason(counts: readonly CountByReason[]): CountByReason {
  const all: Record<string, number> = {}
  for (const count of counts) {
    for (const [reason, n] of Object.entries(count)) all[reason] = (all[reason] ?? 0) + n
  }
  return all
}

/** CPU seconds that the samples stand for, those that were dropped included: as many by each rate as of those kept. */
export function sampledSeconds({ rates, rateHz, samples }: CaptureReport): number {
  if (rates === undefined || samples.kept === 0) return rateHz > 0 ? samples.captured / rateHz : 0
  const kept = rates.reduce((all, { rateHz, samples }) => all + (samples > 0 ? samples / rateHz : 0), 0)
  return (kept / samples.kept) * samples.captured
}

/** One entry a target; where its rate changed, the one that gives the same CPU time. */
function mergeRates(reports: readonly CaptureReport[]): readonly RateUsed[] | undefined {
  if (reports.every(({ rates }) => rates === undefined)) return undefined
  const merged = new Map<string, { rateHz: number; samples: number; seconds: number }>()
  for (const { rates, rateHz, samples } of reports) {
    for (const used of rates ?? [{ target: '', rateHz, samples: samples.kept }]) {
      const known = merged.get(used.target) ?? { rateHz: 0, samples: 0, seconds: 0 }
      const seconds = known.seconds + (used.samples > 0 ? used.samples / used.rateHz : 0)
      const sum = known.samples + used.samples
      merged.set(used.target, { rateHz: sum > 0 ? sum / seconds : used.rateHz, samples: sum, seconds })
    }
  }
  const all = [...merged].map(([target, { rateHz, samples }]) => ({ target, rateHz, samples }))
  return [...all.filter(({ target }) => target !== ''), ...all.filter(({ target }) => target === '')]
}

function rateOf(reports: readonly CaptureReport[]): number {
  const { rateHz } = reports[0]!
  if (reports.every((report) => report.rateHz === rateHz)) return rateHz
  const cpuSeconds = sum(reports, sampledSeconds)
  const samples = sum(reports, (report) => report.samples.captured)
  return cpuSeconds > 0 ? Math.max(1, Math.round(samples / cpuSeconds)) : rateHz
}

function mergeOverhead(reports: readonly CaptureReport[]): CaptureReport['overhead'] {
  const isCaptured = reports.some(({ overhead }) => overhead.bpfCapturedNs !== undefined)
  const isKernel = reports.some(({ overhead }) => overhead.kernelBytes !== undefined)
  return {
    bpfRuns: sum(reports, ({ overhead }) => overhead.bpfRuns),
    bpfTimeNs: sum(reports, ({ overhead }) => overhead.bpfTimeNs),
    cpuNs: sum(reports, ({ overhead }) => overhead.cpuNs),
    rssBytes: most(reports, ({ overhead }) => overhead.rssBytes),
    ...(isCaptured ? { bpfCapturedNs: sum(reports, ({ overhead }) => overhead.bpfCapturedNs ?? 0) } : {}),
    ...(isKernel ? { kernelBytes: most(reports, ({ overhead }) => overhead.kernelBytes ?? 0) } : {}),
  }
}

/** What was done is summed; what was there is as the last window saw it, or the most there was. */
function mergeUnwinding(reports: readonly CaptureReport[]): CaptureReport['unwinding'] {
  const known = reports.flatMap(({ unwinding }) => (unwinding === undefined ? [] : [unwinding]))
  const last = known.at(-1)
  if (last === undefined) return undefined
  const added = (key: 'rawStacks' | 'parsedPages' | 'cachedPages' | 'evictedPages'): number =>
    known.reduce((all, unwinding) => all + unwinding[key], 0)
  const highest = (key: 'processes' | 'files' | 'tableBytesMax'): number =>
    known.reduce((high, unwinding) => Math.max(high, unwinding[key]), 0)
  return {
    ...last,
    rawStacks: added('rawStacks'),
    parsedPages: added('parsedPages'),
    cachedPages: added('cachedPages'),
    evictedPages: added('evictedPages'),
    processes: highest('processes'),
    files: highest('files'),
    tableBytesMax: highest('tableBytesMax'),
  }
}
