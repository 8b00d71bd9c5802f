/** What the drawer shows of a function: who calls it, what it calls, and its lines. */
import type { Profile } from '../model/profile.ts'
import { calleesTree } from './callees.ts'
import type { Dataset } from './dataset.ts'
import { type Frames, functionKey } from './frames.ts'
import { callersTree, outermost } from './inverted.ts'
import type { Details, Neighbour, TableRow } from './protocol.ts'
import { sourceOf } from './source-lines.ts'
import { type CallTree, childrenOf } from './tree.ts'

const MAX_NEIGHBOURS = 50

/** The neighbours of a function in the stacks of a tree, and its source lines where they were captured. */
export function detailsOf(data: Dataset, tree: CallTree, row: TableRow, rowWeights: Float64Array): Details {
  const nodes = outermost(tree, row.fn)
  return {
    row,
    callers: neighbours(callersTree(tree, nodes)),
    callees: neighbours(calleesTree(tree, nodes)),
    source: sourceLines(data, row.fn, rowWeights),
  }
}

/** Children of the root by function, heaviest first. */
function neighbours(tree: CallTree): Neighbour[] {
  const weights = new Map<number, number>()
  for (const child of childrenOf(tree, 0)) {
    const fn = tree.frames.fn[tree.frame[child]!]!
    weights.set(fn, (weights.get(fn) ?? 0) + tree.total[child]!)
  }
  const sorted = [...weights].filter(([, weight]) => weight > 0).sort((a, b) => b[1] - a[1])
  return sorted.slice(0, MAX_NEIGHBOURS).map(([fn, weight]) => {
    const frame = tree.frames.functionFrame[fn]!
    return { fn, name: tree.frames.name[frame]!, key: functionKey(tree.frames, frame), weight }
  })
}

/** Lines of a function's file with what ran at them and below, over the rows with a weight. */
function sourceLines({ profile, frames }: Dataset, fn: number, rowWeights: Float64Array): Details['source'] {
  const frame = frames.functionFrame[fn]!
  const fileName = frames.file[frame]!
  if (fileName === '' || profile.sources === undefined) return null
  const weights = lineWeights(profile, linesOf(profile, frames, fn), rowWeights)
  const source = sourceOf(profile, fileName, (line) => weights.get(line) ?? { self: 0, total: 0 })
  const line = profile.locations[frames.location[frame]!]!.lines[frames.line[frame]!]?.line ?? 0
  return source && { ...source, isByFunction: line === 0 }
}

/** By location: the line at which it is in the function (its first one where no other is known), 0 where it is not; negative where that is its innermost function. */
function linesOf(profile: Profile, frames: Frames, fn: number): Int32Array {
  return Int32Array.from(profile.locations, ({ lines }, l) => {
    const last = frames.start[l + 1]! - 1
    for (let i = 0; i < lines.length; i++) {
      if (frames.fn[frames.byLocation[last - i]!] !== fn) continue
      const line = lines[i]!.line || profile.functions[lines[i]!.function]!.startLine
      return i === 0 ? -line : line
    }
    return 0
  })
}

/** A recursion through the same line counts once. */
function lineWeights(
  { stacks, samples }: Profile,
  lineOf: Int32Array,
  rowWeights: Float64Array,
): Map<number, { self: number; total: number }> {
  const self = new Float64Array(stacks.parent.length)
  for (let row = 0; row < rowWeights.length; row++) {
    if (samples.stack[row]! >= 0) self[samples.stack[row]!]! += rowWeights[row]!
  }
  const total = self.slice()
  for (let i = total.length - 1; i >= 0; i--)
    if (stacks.parent[i]! >= 0) total[stacks.parent[i]!]! += total[i]!
  const weights = new Map<number, { self: number; total: number }>()
  for (let i = 0; i < total.length; i++) {
    const line = lineOf[stacks.location[i]!]!
    if (line === 0 || total[i] === 0) continue
    const at = Math.abs(line)
    const before = weights.get(at) ?? { self: 0, total: 0 }
    let above = stacks.parent[i]!
    while (above >= 0 && Math.abs(lineOf[stacks.location[above]!]!) !== at) above = stacks.parent[above]!
    weights.set(at, {
      self: before.self + (line < 0 ? self[i]! : 0),
      total: before.total + (above < 0 ? total[i]! : 0),
    })
  }
  return weights
}
