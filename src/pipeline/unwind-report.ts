/** What the capture report says of unwinding: figures, and a sentence for each kind of loss. Pure. */
import type { CaptureReport, CountByReason } from '../model/profile.ts'
import type { UnwinderVariant, UnwindStats } from '../native/sampler.ts'

export function unwindingReport(
  variant: UnwinderVariant,
  { tracker, tables, loader, raw }: UnwindStats,
): NonNullable<CaptureReport['unwinding']> {
  return {
    variant,
    rawStacks: raw.finished,
    processes: tracker.processes,
    files: tracker.files,
    pages: tables.pages,
    parsedPages: loader.parsed,
    cachedPages: loader.fromCache,
    evictedPages: tables.evicted,
    tableBytesMax: tables.bytesMax,
    shardBytes: tables.shardBytes,
  }
}

/** Losses that the user can do something about, or should know of; `truncated` counts stacks by reason. */
export function unwindNotes(truncated: CountByReason, { tables, raw, note }: UnwindStats): string[] {
  const late = (truncated.raw_stack_budget ?? 0) + (truncated.raw_ring_full ?? 0)
  const notes = [
    [
      late,
      `${late} stacks are cut short: more at once needed a table that was not loaded yet than we unwind late`,
    ],
    [raw.overflowed, `${raw.overflowed} stacks are cut short: too many waited for unwind tables at once`],
    [tables.refused, `${tables.refused} unwind tables found no room in the kernel memory we may use`],
    [note.length, note],
  ] as const
  return notes.filter(([count]) => count > 0).map(([, sentence]) => sentence)
}
