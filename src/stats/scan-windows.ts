/**
 * The window of a time series that stands out most, if any does: by its rate, or by the share of one part in the whole.
 *
 * A scan over windows of many lengths by their log-likelihood ratio against the rest (Kulldorff 1997,
 * https://doi.org/10.1080/03610929708831995). Two things make it honest:
 *
 * - Programs come and go by nature, so counts vary more than independent samples would. Each ratio is divided by how much
 *   more the rest varies, the window itself left out: a burst does not excuse itself, and what recurs is not unusual.
 * - The best of thousands of windows is always remarkable. By Chernoff's bound a ratio exceeds x with probability below
 *   exp(-x) on each side; the threshold makes that hold for all windows of all series together.
 *
 * What it cannot know is a rhythm longer than the series: a program that wanders slowly may be offered a window.
 */

/** Bins from <= b < to. */
export interface BinWindow {
  readonly from: number
  readonly to: number
}

interface Scored extends BinWindow {
  readonly score: number
}

/** Sums from the left: `count[b]` is what lies before bin b; `exposure` likewise of time, or of the whole a count is part of. */
interface Series {
  readonly bins: number
  readonly count: Float64Array
  readonly exposure: Float64Array
  readonly isShare: boolean
}

/** A window is at most this part of the whole: beyond, it is the rest that is unusual. */
const MAX_PART = 0.4
const SHORTEST = 2
/** Windows of one length start at most this part of it apart; the edges of the best one are found exactly afterwards. */
const STEP_PART = 1 / 8
/** Blocks it takes to say how much the rest varies at a length. */
const MIN_BLOCKS = 6
/** How much shorter the blocks are that tell how variation grows with length. */
const GROWTH_SPAN = 8

/**
 * The most unusual window of `whole` (counts of samples by bin) or of what some `parts` of it have of it; null when none
 * is. `level` is the chance that a series in which nothing happens has one. Cost: milliseconds for 400 bins and 32 parts.
 */
export function unusualWindow(
  whole: Float64Array,
  parts: readonly Float64Array[],
  level: number,
): BinWindow | null {
  const time = cumulated(new Float64Array(whole.length).fill(1))
  const total = cumulated(whole)
  const shared = parts.map((part) => seriesOf(cumulated(part), total, true))
  const all = [seriesOf(total, time, false), ...shared]
  const windows = windowsOf(whole.length)
  let best: { readonly series: Series; readonly window: Scored } | null = null
  let least = Math.log((2 * windows.length * all.length) / level)
  for (const series of all) {
    const window = bestWindow(series, windows, least)
    if (window === null) continue
    best = { series, window }
    least = window.score
  }
  return best === null ? null : withExactEdges(best.series, best.window)
}

function seriesOf(count: Float64Array, exposure: Float64Array, isShare: boolean): Series {
  return { bins: count.length - 1, count, exposure, isShare }
}

function cumulated(counts: Float64Array): Float64Array {
  const sums = new Float64Array(counts.length + 1)
  for (let b = 0; b < counts.length; b++) sums[b + 1] = sums[b]! + counts[b]!
  return sums
}

/** Lengths grow by a quarter. */
function lengthsUpTo(longest: number): number[] {
  const lengths: number[] = []
  for (let length = SHORTEST; length <= longest; length = Math.ceil(length * 1.25)) lengths.push(length)
  return lengths
}

function windowsOf(bins: number): BinWindow[] {
  const windows: BinWindow[] = []
  for (const length of lengthsUpTo(bins * MAX_PART)) {
    const step = Math.max(1, Math.floor(length * STEP_PART))
    for (let from = 0; from + length <= bins; from += step) windows.push({ from, to: from + length })
  }
  return windows
}

/** The best window of a series with a score above `least`. Of each length, only the one with the highest ratio is scored. */
function bestWindow(series: Series, windows: readonly BinWindow[], least: number): Scored | null {
  const byLength = new Map<number, Scored>()
  for (const window of windows) {
    const ratio = logRatio(series, window)
    const length = window.to - window.from
    // Variation is at least 1, so what is too small already needs no look at it.
    if (ratio > (byLength.get(length)?.score ?? least)) byLength.set(length, { ...window, score: ratio })
  }
  let best: Scored | null = null
  for (const window of byLength.values()) {
    const atLeast = best?.score ?? least
    if (window.score <= atLeast) continue
    const score = window.score / variation(series, window)
    if (score > atLeast) best = { ...window, score }
  }
  return best
}

/** Log-likelihood ratio of a window with a rate (or share) of its own, in nats. */
function logRatio({ bins, count, exposure, isShare }: Series, { from, to }: BinWindow): number {
  const [total, size] = [count[bins]!, exposure[bins]!]
  const inside = count[to]! - count[from]!
  const part = (exposure[to]! - exposure[from]!) / size
  if (!(part > 0 && part < 1)) return 0
  const events = term(inside, total * part) + term(total - inside, total * (1 - part))
  if (!isShare) return events
  // What is not of the part moves the other way.
  const others = size - total
  const othersInside = size * part - inside
  return events + term(othersInside, others * part) + term(others - othersInside, others * (1 - part))
}

function term(count: number, expected: number): number {
  return count > 0 && expected > 0 ? count * Math.log(count / expected) : 0
}

/**
 * How many times more blocks outside of a window vary than independent samples would; at least 1. Where the window is longer
 * than the blocks there are enough of, the growth from shorter ones goes on.
 */
function variation(series: Series, window: BinWindow): number {
  const length = window.to - window.from
  const known: { readonly length: number; readonly most: number }[] = []
  let most = 1
  for (const block of [1, ...lengthsUpTo(length)]) {
    const ratio = blockVariation(series, window, block)
    if (ratio === null) break
    most = Math.max(most, ratio)
    known.push({ length: block, most })
  }
  const last = known.at(-1)
  if (last === undefined || last.length >= length) return most
  const shorter = known.find((one) => one.length >= last.length / GROWTH_SPAN)!
  if (shorter.length === last.length) return most
  const slope = Math.log(last.most / shorter.most) / Math.log(last.length / shorter.length)
  return most * (length / last.length) ** Math.min(1, slope)
}

/** Mean squared deviation of the blocks of a length beside a window, in variances of independent samples; null: too few. */
function blockVariation(series: Series, { from, to }: BinWindow, length: number): number | null {
  const { bins, count, exposure, isShare } = series
  const blocks = Math.floor(from / length) + Math.floor((bins - to) / length)
  if (blocks < MIN_BLOCKS) return null
  const outside = exposure[bins]! - (exposure[to]! - exposure[from]!)
  const rate = outside > 0 ? (count[bins]! - (count[to]! - count[from]!)) / outside : 0
  let sum = 0
  const add = (start: number, end: number): void => {
    const expected = (exposure[end]! - exposure[start]!) * rate
    const variance = isShare ? expected * (1 - rate) : expected
    if (variance > 0) sum += (count[end]! - count[start]! - expected) ** 2 / variance
  }
  for (let end = from; end >= length; end -= length) add(end - length, end)
  for (let start = to; start + length <= bins; start += length) add(start, start + length)
  return sum / blocks
}

/** Moves one edge after the other to where the ratio is highest, within half a length. */
function withExactEdges(series: Series, found: BinWindow): BinWindow {
  const { bins } = series
  const reach = Math.ceil((found.to - found.from) / 2)
  let { from, to } = found
  for (let round = 0; round < 3; round++) {
    from = highest(Math.max(0, found.from - reach), Math.min(to - 1, found.from + reach), (at) =>
      logRatio(series, { from: at, to }),
    )
    to = highest(Math.max(from + 1, found.to - reach), Math.min(bins, found.to + reach), (at) =>
      logRatio(series, { from, to: at }),
    )
  }
  return { from, to }
}

/** The first place of low <= at <= high where a function is highest. */
function highest(low: number, high: number, of: (at: number) => number): number {
  let [best, value] = [low, of(low)]
  for (let at = low + 1; at <= high; at++) {
    const here = of(at)
    if (here > value) [best, value] = [at, here]
  }
  return best
}
