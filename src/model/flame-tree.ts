/**
 * The flame graph's data: the stacks of a profile merged into one tree of frames, as columns of numbers.
 *
 * A million nodes must be merged within a blink, so there are no objects and no Map: a node is an interned pair
 * (parent, frame). The tree is not sorted and not pruned: a view takes what fits its width.
 */
import { AgentError } from '../errors.ts'
import { type FlameFrames, flameFrames } from './flame-frames.ts'
import { PairTable } from './pair-table.ts'
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
  /** Sample rows left out because their value was below zero (a difference of two profiles has such). */
  readonly negativeRows: number
}

/** A tree of 2^26 nodes is 2 GB of columns: more is damage or an attack, not a profile. */
const MAX_NODES = 2 ** 26

/**
 * Merges the stacks of one value column.
 *
 * Units: the column's. Stacks without a sample leave no node. Errors: AgentError `input_invalid` past 2^26 nodes.
 */
export function flameTree(profile: Profile, column: number): FlameTree {
  const frames = flameFrames(profile)
  const values = profile.samples.values[column] ?? new Float64Array(0)
  const { own, used, rootSelf, negativeRows } = valuesByStack(profile, values)
  const { self, parent, frame } = mergeStacks(profile, frames, { own, used, rootSelf })
  const count = self.length
  const total = Float64Array.from(self)
  for (let i = count - 1; i > 0; i--) total[parent[i]!]! += total[i]!
  const firstChild = new Int32Array(count).fill(-1)
  const nextSibling = new Int32Array(count).fill(-1)
  for (let i = count - 1; i > 0; i--) {
    const above = parent[i]!
    nextSibling[i] = firstChild[above]!
    firstChild[above] = i
  }
  return { profile, column, frames, count, parent, firstChild, nextSibling, frame, self, total, negativeRows }
}

interface StackValues {
  /** Sum of the rows that end in the stack. */
  own: Float64Array
  /** 1 when the stack or one below it has a row. */
  used: Uint8Array
  rootSelf: number
}

function valuesByStack(profile: Profile, values: Float64Array): StackValues & { negativeRows: number } {
  const { parent } = profile.stacks
  const own = new Float64Array(parent.length)
  const used = new Uint8Array(parent.length)
  let rootSelf = 0
  let negativeRows = 0
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    const stack = profile.samples.stack[row]!
    if (value < 0) negativeRows++
    if (!(value > 0)) continue
    if (stack < 0) rootSelf += value
    else {
      own[stack]! += value
      used[stack] = 1
    }
  }
  for (let i = parent.length - 1; i >= 0; i--) {
    if (used[i] === 1 && parent[i]! >= 0) used[parent[i]!] = 1
  }
  return { own, used, rootSelf, negativeRows }
}

/** Walks the stack table once, parents first. A pair's id + 1 is its node: node 0, the root, is nobody's child. */
function mergeStacks(
  profile: Profile,
  frames: FlameFrames,
  of: StackValues,
): Pick<FlameTree, 'self' | 'parent' | 'frame'> {
  const { parent, location } = profile.stacks
  const pairs = new PairTable()
  const nodeOf = new Int32Array(parent.length)
  const { start, byLocation } = frames
  for (let i = 0; i < parent.length; i++) {
    if (of.used[i] === 0) continue
    let node = parent[i]! < 0 ? 0 : nodeOf[parent[i]!]!
    const end = start[location[i]! + 1]!
    for (let k = start[location[i]!]!; k < end; k++) node = pairs.intern(node, byLocation[k]!) + 1
    nodeOf[i] = node
    if (pairs.size >= MAX_NODES) tooManyNodes()
  }
  const self = new Float64Array(pairs.size + 1)
  self[0] = of.rootSelf
  for (let i = 0; i < parent.length; i++) {
    if (of.used[i] === 1) self[nodeOf[i]!]! += of.own[i]!
  }
  const { first, second } = pairs.columns()
  return { self, parent: withRoot(first), frame: withRoot(second) }
}

function withRoot(column: Int32Array): Int32Array {
  const whole = new Int32Array(column.length + 1)
  whole[0] = -1
  whole.set(column, 1)
  return whole
}

function tooManyNodes(): never {
  const reason = `its stacks merge into more than ${MAX_NODES} frames`
  throw new AgentError('input_invalid', `cannot draw the profile: ${reason}; record or export a part of it`)
}
