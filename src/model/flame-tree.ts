/**
 * The flame graph's data: the stacks of a profile merged into one tree of frames, as columns of numbers.
 *
 * A million nodes must be merged within a blink, so there are no objects and no Map. The tree is not sorted and not pruned: a view takes what fits its width.
 */
import { type FlameFrames, flameFrames } from './flame-frames.ts'
import { mergeStacks } from './merged-nodes.ts'
import type { Profile } from './profile.ts'

/** Frames merged by path; index = node, node 0 is the root ("all") with frame -1. parent[i] < i for every i > 0. */
export interface FlameTree {
  readonly profile: Profile
  /** Index into `Profile.sampleTypes`. */
  readonly column: number
  readonly frames: FlameFrames
  readonly count: number
  readonly parent: Int32Array
  /** First child or -1; the order of siblings is unspecified but stable. */
  readonly firstChild: Int32Array
  readonly nextSibling: Int32Array
  readonly frame: Int32Array
  /** In the unit of the column. */
  readonly self: Float64Array
  readonly total: Float64Array
  /** By frame: the sum of the totals of its nodes, which is the area it has in the drawing. */
  readonly frameWeight: Float64Array
  /** Sample rows left out because their value was below zero (a difference of two profiles has such). */
  readonly negativeRows: number
}

/**
 * Merges the stacks of one value column.
 *
 * Units: the column's. Stacks without a sample leave no node. Errors: AgentError `input_invalid` past 2^26 nodes.
 */
export function flameTree(profile: Profile, column: number): FlameTree {
  const frames = flameFrames(profile)
  const values = profile.samples.values[column] ?? new Float64Array(0)
  const { used, negativeRows } = usedStacks(profile, values)
  const { nodes, nodeOf } = mergeStacks(profile.stacks, frames, used)
  const count = nodes.count
  const cut = (links: Int32Array): Int32Array => links.subarray(0, count)
  const [parent, frame] = [cut(nodes.parent), cut(nodes.frame)]
  const [firstChild, nextSibling] = [cut(nodes.firstChild), cut(nodes.nextSibling)]
  const self = selfOf(profile, values, nodeOf, count)
  const total = self.slice()
  const frameWeight = new Float64Array(frames.count)
  for (let i = count - 1; i > 0; i--) {
    total[parent[i]!]! += total[i]!
    frameWeight[frame[i]!]! += total[i]!
  }
  const columns = { parent, firstChild, nextSibling, frame, self, total }
  return { profile, column, frames, count, ...columns, frameWeight, negativeRows }
}

/** 1 for each stack that has a row above zero, or one below it has; and the number of rows below zero. */
export function usedStacks(
  profile: Profile,
  values: Float64Array,
): { used: Uint8Array; negativeRows: number } {
  const { parent } = profile.stacks
  const { stack } = profile.samples
  const used = new Uint8Array(parent.length)
  let negativeRows = 0
  for (let row = 0; row < values.length; row++) {
    if (values[row]! > 0) {
      if (stack[row]! >= 0) used[stack[row]!] = 1
    } else if (values[row]! < 0) negativeRows++
  }
  for (let i = parent.length - 1; i >= 0; i--) {
    if (used[i] === 1 && parent[i]! >= 0) used[parent[i]!] = 1
  }
  return { used, negativeRows }
}

/** Sums of the rows above zero that end in each node (`nodeOf`: by stack); empty stacks end in the root. */
export function selfOf(
  profile: Profile,
  values: Float64Array,
  nodeOf: Int32Array,
  count: number,
): Float64Array {
  const { stack } = profile.samples
  const self = new Float64Array(count)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    if (value > 0) self[stack[row]! < 0 ? 0 : nodeOf[stack[row]!]!]! += value
  }
  return self
}
