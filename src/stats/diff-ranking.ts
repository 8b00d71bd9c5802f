/** Which changes of a diff to speak of first: what the terminal, the files and the page list and in what order. */
import {
  type DiffMeasure,
  isSignificant,
  type Judgement,
  scaled,
  VERDICTS,
  type Verdict,
} from './diff-table.ts'

/** One function's change, by the measure that tells more of it. */
export interface DiffChange {
  /** Function of the diff. */
  readonly fn: number
  /** Self where that changed significantly: there is the cause. Else total: it calls the cause. */
  readonly measure: 'self' | 'total'
  readonly verdict: Verdict
  /** In the scale of the table. */
  readonly before: number
  readonly after: number
  readonly change: number
  /** NaN when unknown. */
  readonly low: number
  readonly high: number
  readonly adjustedP: number
}

/** Significant changes, and how many functions have each verdict. */
export interface DiffRanking {
  /** Largest first; changes of self before those of total only. */
  readonly significant: readonly DiffChange[]
  /** What the verdict sentence is about; null without significant changes. */
  readonly headline: DiffChange | null
  /** The largest change of a total, significant or not; null without functions. */
  readonly largest: DiffChange | null
  readonly counts: Readonly<Record<Verdict, number>>
}

/** Ranks the functions of a table. */
export function rankChanges(table: Judgement): DiffRanking {
  const counts: Record<Verdict, number> = { noise: 0, grew: 0, shrank: 0, new: 0, gone: 0, unknown: 0 }
  const bySelf: DiffChange[] = []
  const byTotal: DiffChange[] = []
  let largest = -1
  for (let fn = 0; fn < table.verdict.length; fn++) {
    const { before, after, change } = table.total
    if (before[fn] === 0 && after[fn] === 0) continue
    counts[VERDICTS[table.verdict[fn]!]!]++
    if (largest < 0 || Math.abs(change[fn]!) > Math.abs(change[largest]!)) largest = fn
    if (isSignificant(table.self.verdict[fn]!)) bySelf.push(changeOf(table, fn, 'self'))
    else if (isSignificant(table.total.verdict[fn]!)) byTotal.push(changeOf(table, fn, 'total'))
  }
  bySelf.sort(bySize)
  byTotal.sort(bySize)
  return {
    significant: [...bySelf, ...byTotal],
    headline: headlineOf(bySelf, byTotal),
    largest: largest < 0 ? null : changeOf(table, largest, 'total'),
    counts,
  }
}

/** One function's change by one measure. */
export function changeOf(table: Judgement, fn: number, name: 'self' | 'total'): DiffChange {
  const measure: DiffMeasure = table[name]
  return {
    fn,
    measure: name,
    verdict: VERDICTS[measure.verdict[fn]!]!,
    before: scaled(measure.before[fn]!, table.before),
    after: scaled(measure.after[fn]!, table.after),
    change: measure.change[fn]!,
    low: measure.low[fn]!,
    high: measure.high[fn]!,
    adjustedP: measure.adjustedP[fn]!,
  }
}

/** Of two changes that are the same but for rounding, what grew comes first. */
function bySize(a: DiffChange, b: DiffChange): number {
  const [x, y] = [Math.abs(a.change), Math.abs(b.change)]
  if (Math.abs(x - y) > 1e-9 * (x + y)) return y - x
  return Math.sign(b.change) - Math.sign(a.change) || a.fn - b.fn
}

/**
 * The largest change of self, as it names the cause. Where totals changed twice as much, many small changes did it
 * together: then the least of the functions that have it all, as the others only call that one.
 */
function headlineOf(bySelf: readonly DiffChange[], byTotal: readonly DiffChange[]): DiffChange | null {
  const [self, total] = [bySelf[0], byTotal[0]]
  if (total === undefined || (self && Math.abs(total.change) <= 2 * Math.abs(self.change)))
    return self ?? null
  const all = byTotal.filter(
    ({ change }) => change * total.change > 0 && Math.abs(change) >= 0.9 * Math.abs(total.change),
  )
  return all.reduce((least, other) =>
    other.before + other.after < least.before + least.after ? other : least,
  )
}
