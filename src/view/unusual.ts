/**
 * The most unusual window of a profile, if there is one: where it used much more or less CPU than in the rest of the time, or
 * spent it elsewhere.
 *
 * A scan over windows of many lengths by their log-likelihood ratio against the rest (Kulldorff 1997,
 * https://doi.org/10.1080/03610929708831995). Programs vary by nature, more than independent samples do: each ratio is divided by how
 * much blocks of that length vary anyway, measured by their median deviation. So many windows are looked at that the best of them is
 * always remarkable; it must be so even among all of them.
 */
import type { Profile } from '../model/profile.ts'
import { sampleWeight } from '../model/sample-count.ts'
import type { WeighedRows } from './band.ts'
import { percent } from './numbers.ts'
import type { Unusual } from './protocol.ts'

const BINS = 240
/** A window is at most this part of the whole: beyond, it is the rest that is unusual. */
const MAX_PART = 0.35
const MIN_SAMPLES = 30
/** Of blocks by whose deviation it is told how much a program varies anyway. */
const BLOCK_BINS = 15
/** Of a squared normal deviation. */
const MEDIAN_OF_SQUARE = 0.455
/** Functions whose share is looked at. */
const LEAVES = 8
/** Chance that a profile in which nothing happens is offered a window. */
const LEVEL = 0.01

/** Counts by bin, summed from the left: `upTo[b]` is what is before bin b. */
type Sums = Float64Array

interface Window {
  readonly from: number
  readonly to: number
  /** Log-likelihood ratio, for the variation that the program has anyway. */
  readonly score: number
}

/** The window, null where none stands out or the samples have no times. */
export function unusualOf(profile: Profile, rows: WeighedRows): Unusual | null {
  const { timeNs } = profile.samples
  const durationNs = Number(profile.durationNs)
  const perSample = sampleWeight(profile, rows.column)
  if (timeNs === null || durationNs <= 0 || perSample === null) return null
  const binOf = (row: number): number =>
    Math.max(0, Math.min(BINS - 1, Math.floor((timeNs[row]! / durationNs) * BINS)))
  const { all, leaves } = countBins(rows, perSample, binOf)
  if (all[BINS]! < MIN_SAMPLES) return null
  const threshold = Math.log((windowCount() * (leaves.length + 1)) / LEVEL)
  let best = bestWindow(all, null)
  for (const { sums } of leaves) {
    const window = bestWindow(sums, all)
    if (window !== null && (best === null || window.score > best.score)) best = window
  }
  if (best === null || best.score < threshold) return null
  const binNs = durationNs / BINS
  const range = { fromNs: best.from * binNs, toNs: best.to * binNs }
  return { ...range, sentence: `${rangeText(range)}: ${changeText(best, all, leaves)}` }
}

/** Lengths grow by a quarter; every start is tried. */
function* lengths(): Generator<number> {
  for (let length = 2; length <= BINS * MAX_PART; length = Math.ceil(length * 1.25)) yield length
}

function windowCount(): number {
  let count = 0
  for (const length of lengths()) count += BINS - length + 1
  return count
}

interface Leaf {
  readonly name: string
  readonly sums: Sums
}

function countBins(
  { weights, leafName }: WeighedRows,
  perSample: number,
  binOf: (row: number) => number,
): { all: Sums; leaves: Leaf[] } {
  const all = new Float64Array(BINS + 1)
  const byName = new Map<string, Float64Array>()
  for (let row = 0; row < weights.length; row++) {
    if (!(weights[row]! > 0)) continue
    const [bin, count, name] = [binOf(row), weights[row]! / perSample, leafName(row)]
    all[bin + 1]! += count
    const counts = byName.get(name) ?? new Float64Array(BINS + 1)
    byName.set(name, counts)
    counts[bin + 1]! += count
  }
  const leaves = [...byName].map(([name, sums]) => ({ name, sums: summed(sums) }))
  leaves.sort((a, b) => b.sums[BINS]! - a.sums[BINS]!)
  return { all: summed(all), leaves: leaves.slice(0, LEAVES) }
}

function summed(counts: Float64Array): Sums {
  for (let b = 1; b <= BINS; b++) counts[b]! += counts[b - 1]!
  return counts
}

/** The window with the best score of some counts: against the time (`base` null), or as a share of other counts. */
function bestWindow(sums: Sums, base: Sums | null): Window | null {
  const total = sums[BINS]!
  const whole = base === null ? BINS : base[BINS]!
  if (total < MIN_SAMPLES / 3 || whole <= 0) return null
  const windowOf = (from: number, to: number, variation: number): Window => {
    const inside = sums[to]! - sums[from]!
    const exposure = base === null ? to - from : base[to]! - base[from]!
    return {
      from,
      to,
      score: ratio(inside, total, exposure / whole, base === null ? 0 : exposure) / variation,
    }
  }
  let best: Window | null = null
  for (const length of lengths()) {
    const variation = variationOf(sums, base, length)
    for (let from = 0; from + length <= BINS; from++) {
      const window = windowOf(from, from + length, variation)
      if (best === null || window.score > best.score) best = window
    }
  }
  return best === null
    ? null
    : withBestEdges(best, (from, to) => windowOf(from, to, variationOf(sums, base, to - from)))
}

/** Only some lengths were tried: the edges may lie a little further in or out. */
function withBestEdges(found: Window, windowOf: (from: number, to: number) => Window): Window {
  const reach = Math.ceil((found.to - found.from) / 4)
  let best = found
  for (let from = Math.max(0, found.from - reach); from <= found.from + reach; from++) {
    for (let to = Math.max(from + 2, found.to - reach); to <= Math.min(BINS, found.to + reach); to++) {
      const window = windowOf(from, to)
      if (window.score > best.score) best = window
    }
  }
  return best
}

/** Log-likelihood ratio of `inside` of `total` events in a part of the exposure; `trials` above 0: events are some of so many. */
function ratio(inside: number, total: number, part: number, trials: number): number {
  if (part <= 0 || part >= 1) return 0
  const outside = total - inside
  const events = term(inside, total * part) + term(outside, total * (1 - part))
  if (trials <= 0) return events
  // What is not of the kind moves the other way.
  const others = trials / part - total
  const otherInside = Math.max(0, trials - inside)
  return (
    events + term(otherInside, others * part) + term(Math.max(0, others - otherInside), others * (1 - part))
  )
}

function term(count: number, expected: number): number {
  return count > 0 && expected > 0 ? count * Math.log(count / expected) : 0
}

/**
 * How many times more blocks of a length vary than independent samples would; at least once. Around their median, and in blocks that
 * are short enough that most of them lie outside of any window: what stands out must not excuse itself.
 */
function variationOf(sums: Sums, base: Sums | null, length: number): number {
  const block = Math.min(length, BLOCK_BINS)
  const shares: { share: number; exposure: number }[] = []
  for (let from = 0; from + block <= BINS; from += block) {
    const exposure = base === null ? block : base[from + block]! - base[from]!
    if (exposure > 0) shares.push({ share: (sums[from + block]! - sums[from]!) / exposure, exposure })
  }
  if (shares.length < 2) return 1
  const usual = median(shares.map(({ share }) => share))
  const squares = shares.map(({ share, exposure }) => {
    const variance = base === null ? usual : usual * (1 - usual)
    return variance > 0 ? ((share - usual) ** 2 * exposure) / variance : 0
  })
  return Math.max(1, median(squares) / MEDIAN_OF_SQUARE)
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!
}

function changeText({ from, to }: Window, all: Sums, leaves: readonly Leaf[]): string {
  const inside = all[to]! - all[from]!
  const rate = inside / (to - from)
  const restRate = (all[BINS]! - inside) / (BINS - (to - from))
  const times = restRate > 0 ? rate / restRate : Number.POSITIVE_INFINITY
  const parts: string[] = []
  if (!Number.isFinite(times)) parts.push('all of the CPU')
  else if (times >= 1.2 || times <= 1 / 1.2)
    parts.push(`${times.toFixed(times < 1 ? 2 : 1)} times the CPU of the rest`)
  const shift = leaves
    .map(({ name, sums }) => {
      const at = sums[to]! - sums[from]!
      const here = inside > 0 ? at / inside : 0
      const elsewhere = all[BINS]! > inside ? (sums[BINS]! - at) / (all[BINS]! - inside) : 0
      return { name, here, elsewhere }
    })
    .sort((a, b) => b.here - b.elsewhere - (a.here - a.elsewhere))[0]
  if (shift !== undefined && shift.here - shift.elsewhere > 0.05)
    parts.push(`${percent(shift.here)} in ${shift.name} (${percent(shift.elsewhere)} elsewhere)`)
  return parts.length > 0 ? parts.join(', ') : 'unlike the rest'
}

function rangeText({ fromNs, toNs }: { fromNs: number; toNs: number }): string {
  return `${(fromNs / 1e9).toFixed(1)}–${(toNs / 1e9).toFixed(1)}\u202fs`
}
