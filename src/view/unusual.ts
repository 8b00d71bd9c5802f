/**
 * The most unusual window of a profile, if there is one: where it used much more or less CPU than in the rest of the time, or
 * spent it in other functions. Counts samples by time; stats/scan-windows.ts decides.
 */
import type { Profile } from '../model/profile.ts'
import { sampleWeight } from '../model/sample-count.ts'
import { unusualWindow } from '../stats/scan-windows.ts'
import type { WeighedRows } from './band.ts'
import { percent } from './numbers.ts'
import type { Unusual } from './protocol.ts'

const BINS = 240
const MIN_SAMPLES = 30
/** Functions whose share is looked at, and what one must have. */
const MAX_LEAVES = 32
const MIN_LEAF_SAMPLES = 10
/** Chance that a profile in which nothing happens is offered a window. */
const LEVEL = 0.02

/** Samples by bin: all, and those of the heaviest leaf functions. */
interface Counts {
  readonly all: Float64Array
  readonly leaves: readonly { readonly name: string; readonly counts: Float64Array }[]
}

/** The window, null where none stands out or the samples have no times. */
export function unusualOf(profile: Profile, rows: WeighedRows): Unusual | null {
  const durationNs = Number(profile.durationNs)
  if (profile.samples.timeNs === null || durationNs <= 0) return null
  const counts = countByBin(profile, profile.samples.timeNs, rows)
  if (!(sumOf(counts.all, 0, BINS) >= MIN_SAMPLES)) return null
  const parts = counts.leaves.map((leaf) => leaf.counts)
  const found = unusualWindow(counts.all, parts, LEVEL)
  if (found === null) return null
  const binNs = durationNs / BINS
  const range = { fromNs: found.from * binNs, toNs: found.to * binNs }
  const type = profile.sampleTypes[rows.column]?.type ?? 'cpu'
  const what = type === 'cpu' || type === 'samples' ? 'CPU' : type.replaceAll('_', ' ')
  return { ...range, sentence: `${rangeText(range)}: ${changeText(counts, found.from, found.to, what)}` }
}

/** Two passes over the rows: which functions are heaviest, then the counts of those. */
function countByBin(profile: Profile, timeNs: Float64Array, rows: WeighedRows): Counts {
  const { stack } = profile.samples
  const { weights } = rows
  const { leafOfNode, chosen } = heaviestLeaves(profile, rows)
  const counts = chosen.map(() => new Float64Array(BINS))
  const all = new Float64Array(BINS)
  const scale = BINS / Number(profile.durationNs)
  const perSample = sampleWeight(profile, rows.column) ?? usualWeight(weights)
  const noNode = leafOfNode.length - 1
  for (let row = 0; row < weights.length; row++) {
    const count = weights[row]! / perSample
    if (!(count > 0)) continue
    const bin = Math.max(0, Math.min(BINS - 1, Math.floor(timeNs[row]! * scale)))
    all[bin]! += count
    const leaf = leafOfNode[stack[row]! < 0 ? noNode : stack[row]!]!
    if (leaf >= 0) counts[leaf]![bin]! += count
  }
  const leaves = chosen.map((name, i) => ({ name, counts: counts[i]! }))
  return { all, leaves: leaves.filter((leaf) => sumOf(leaf.counts, 0, BINS) >= MIN_LEAF_SAMPLES) }
}

/** Names of the heaviest leaf functions, and for each stack (the last entry: no stack) its place among them or -1. */
function heaviestLeaves(
  { samples, stacks }: Profile,
  { weights, leafName }: WeighedRows,
): { chosen: string[]; leafOfNode: Int32Array } {
  const { stack } = samples
  const noNode = stacks.parent.length
  const weightOfNode = new Float64Array(noNode + 1)
  const rowOfNode = new Int32Array(noNode + 1)
  for (let row = 0; row < weights.length; row++) {
    if (!(weights[row]! > 0)) continue
    const node = stack[row]! < 0 ? noNode : stack[row]!
    weightOfNode[node]! += weights[row]!
    rowOfNode[node] = row
  }
  const weightOfName = new Map<string, number>()
  const nameOfNode = new Array<string>(noNode + 1).fill('')
  for (let node = 0; node <= noNode; node++) {
    if (weightOfNode[node] === 0) continue
    const name = leafName(rowOfNode[node]!)
    nameOfNode[node] = name
    weightOfName.set(name, (weightOfName.get(name) ?? 0) + weightOfNode[node]!)
  }
  const heaviest = [...weightOfName].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const chosen = heaviest.slice(0, MAX_LEAVES).map(([name]) => name)
  const placeOf = new Map(chosen.map((name, i) => [name, i]))
  const leafOfNode = Int32Array.from(weightOfNode, (_, node) => placeOf.get(nameOfNode[node]!) ?? -1)
  return { chosen, leafOfNode }
}

/** Where rows weigh differently: the weight of which as many equal ones would vary as much in sum. */
function usualWeight(weights: Float64Array): number {
  let [sum, squares] = [0, 0]
  for (let row = 0; row < weights.length; row++) {
    if (!(weights[row]! > 0)) continue
    sum += weights[row]!
    squares += weights[row]! ** 2
  }
  return sum > 0 ? squares / sum : 1
}

function sumOf(counts: Float64Array, from: number, to: number): number {
  let sum = 0
  for (let b = from; b < to; b++) sum += counts[b]!
  return sum
}

function changeText({ all, leaves }: Counts, from: number, to: number, what: string): string {
  const inside = sumOf(all, from, to)
  const outside = sumOf(all, 0, BINS) - inside
  const parts: string[] = []
  const rest = outside / (BINS - (to - from))
  const times = rest > 0 ? inside / (to - from) / rest : Number.POSITIVE_INFINITY
  if (!Number.isFinite(times)) parts.push(`all of the ${what}`)
  else if (inside <= 0) return `no ${what} at all`
  else if (times >= 1.2 || times <= 1 / 1.2)
    parts.push(`${times.toFixed(times < 1 ? 2 : 1)} times the ${what} of the rest`)
  const shifts = leaves.map(({ name, counts }) => {
    const at = sumOf(counts, from, to)
    const here = inside > 0 ? at / inside : 0
    const elsewhere = outside > 0 ? (sumOf(counts, 0, BINS) - at) / outside : 0
    return { name, here, elsewhere, change: here - elsewhere }
  })
  const more = shifts.sort((a, b) => b.change - a.change)[0]
  const less = shifts.at(-1)
  const shift = more !== undefined && more.change > 0.05 ? more : parts.length === 0 ? less : undefined
  if (shift !== undefined && Math.abs(shift.change) > 0.001)
    parts.push(
      `${percent(shift.here)} in ${shift.name || 'no function'} (${percent(shift.elsewhere)} elsewhere)`,
    )
  return parts.length > 0 ? parts.join(', ') : 'unlike the rest'
}

/** As many decimals as tell its ends apart. */
function rangeText({ fromNs, toNs }: { fromNs: number; toNs: number }): string {
  const lengthNs = toNs - fromNs
  const decimals = lengthNs >= 1e9 ? 1 : lengthNs >= 1e8 ? 2 : lengthNs >= 1e7 ? 3 : 6
  const [from, to] = [fromNs, toNs].map((ns) => (ns / 1e9).toFixed(decimals))
  return `${from}–${to}\u202fs`
}
