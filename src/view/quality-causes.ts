/** Where most of what lowers a profile's quality comes from: the binary that stops stacks, the one whose functions have no names. */
import { UNNAMED_REASONS, type UnnamedReason } from '../model/executable.ts'
import { baseName } from '../model/frame-name.ts'
import type { Profile } from '../model/profile.ts'
import { shareColumn } from '../model/sample-count.ts'
import { rowsBroken } from './broken.ts'

/** What stands for a mapping without a file: `//anon`, `[vdso]`, `[kernel]`. */
const NO_FILE = /^(\/\/|\[)/

/** A cause with its share (0 to 1) of all samples, or of all frames. */
export interface Cause {
  /** File name without its folders; '' when it is none. */
  readonly binary: string
  readonly share: number
}

/** The binary of the outermost frame of most samples whose stack ended for a reason, null where there are none. */
export function whereStacksEnd(profile: Profile, reason: string): Cause | null {
  const rows = rowsBroken(profile, reason)
  const { weightOfNode, total } = nodeWeights(profile, rows)
  const { parent, location } = profile.stacks
  const byBinary = new Map<string, number>()
  const root = new Int32Array(parent.length)
  for (let node = 0; node < root.length; node++) {
    root[node] = parent[node]! < 0 ? node : root[parent[node]!]!
    if (weightOfNode[node]! > 0) {
      const binary = binaryOf(profile, location[root[node]!]!)
      byBinary.set(binary, (byBinary.get(binary) ?? 0) + weightOfNode[node]!)
    }
  }
  const [binary, weight] = heaviest(byBinary) ?? []
  return binary === undefined ? null : { binary, share: weight! / total }
}

/** Of the samples whose stack ended for a reason, the share (0 to 1) with code made at run time on it. */
export function shareThroughRunTimeCode(profile: Profile, reason: string): number {
  const { weightOfNode } = nodeWeights(profile, rowsBroken(profile, reason))
  const { parent, location } = profile.stacks
  const isOnStack = new Uint8Array(parent.length)
  let [through, all] = [0, 0]
  for (let node = 0; node < isOnStack.length; node++) {
    const { kind } = profile.locations[location[node]!]!
    const above = parent[node]! < 0 ? 0 : isOnStack[parent[node]!]!
    isOnStack[node] = kind === 'jit' || kind === 'interpreted' ? 1 : above
    all += weightOfNode[node]!
    if (isOnStack[node] === 1) through += weightOfNode[node]!
  }
  return all > 0 ? through / all : 0
}

/** The binary with most frames without a name (by samples), and why they have none; null where all have one. */
export function whereNamesMiss(profile: Profile): (Cause & { readonly reason: UnnamedReason | '' }) | null {
  const { weightOfNode } = nodeWeights(profile, null)
  const { parent, location } = profile.stacks
  const byLocation = new Float64Array(profile.locations.length)
  let total = 0
  // Parents come before their children: backwards, a node has all that runs through it when it is looked at.
  for (let node = parent.length - 1; node >= 0; node--) {
    byLocation[location[node]!]! += weightOfNode[node]!
    total += weightOfNode[node]!
    if (parent[node]! >= 0) weightOfNode[parent[node]!]! += weightOfNode[node]!
  }
  const byCause = new Map<string, number>()
  for (const [i, { lines, unnamedReason }] of profile.locations.entries()) {
    if (lines.length > 0 || !(byLocation[i]! > 0)) continue
    const cause = `${unnamedReason}\n${binaryOf(profile, i)}`
    byCause.set(cause, (byCause.get(cause) ?? 0) + byLocation[i]!)
  }
  const [cause, weight] = heaviest(byCause) ?? []
  if (cause === undefined) return null
  const at = cause.indexOf('\n')
  const reason = cause.slice(0, at)
  return {
    binary: cause.slice(at + 1),
    reason: reason in UNNAMED_REASONS ? (reason as UnnamedReason) : '',
    share: weight! / total,
  }
}

/** Weight of the rows (null: all) that end in each node, and of all rows whatever. */
function nodeWeights(
  profile: Profile,
  rows: Uint8Array | null,
): { weightOfNode: Float64Array; total: number } {
  const { stack, values } = profile.samples
  const weights = values[shareColumn(profile).column] ?? new Float64Array(0)
  const weightOfNode = new Float64Array(profile.stacks.parent.length)
  let total = 0
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row]!
    if (!(weight > 0)) continue
    total += weight
    if ((rows === null || rows[row] === 1) && stack[row]! >= 0) weightOfNode[stack[row]!]! += weight
  }
  return { weightOfNode, total }
}

function binaryOf({ locations, mappings }: Profile, location: number): string {
  const path = mappings[locations[location]!.mapping]?.fileName ?? ''
  return NO_FILE.test(path) ? '' : baseName(path)
}

function heaviest(weights: ReadonlyMap<string, number>): [string, number] | undefined {
  return [...weights].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]
}
