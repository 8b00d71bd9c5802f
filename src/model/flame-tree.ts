/**
 * The flame graph's data: the stacks of a profile merged into one tree of frames, as columns of numbers.
 *
 * A million nodes must be merged within a blink, so there are no objects and no Map. The tree is not sorted and not pruned: a view takes what fits its width.
 */
import { AgentError } from '../errors.ts'
import { type FlameFrames, flameFrames } from './flame-frames.ts'
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
  const nodes = mergeStacks(profile, frames, { own, used, rootSelf })
  const count = nodes.count
  const parent = nodes.parent.subarray(0, count)
  const frame = nodes.frame.subarray(0, count)
  const self = nodes.self.subarray(0, count)
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

/**
 * Merges from the root down. Each merged node keeps the stacks that lead to it as a list; its children are found by a
 * mark per frame ("already a child of this node"), so nothing is hashed. Nodes are taken last in, first out: stack
 * tables are mostly written depth first, and memory is then read in its own order.
 */
function mergeStacks(profile: Profile, frames: FlameFrames, of: StackValues): MergedNodes {
  const { location } = profile.stacks
  const { start, byLocation } = frames
  const below = childLists(profile, of.used)
  const nodes = new MergedNodes(location.length + 1)
  nodes.self[0] = of.rootSelf
  /** The next stack of the same node, and how many of its location's frames lie above. */
  const nextInNode = new Int32Array(location.length).fill(-1)
  const framesAbove = new Int32Array(location.length)
  const markedBy = new Int32Array(frames.count).fill(-1)
  const childOfMark = new Int32Array(frames.count)
  const open: number[] = [0]
  let node = 0
  const descend = (stack: number, above: number): void => {
    const frame = byLocation[start[location[stack]!]! + above]!
    if (markedBy[frame] !== node) {
      markedBy[frame] = node
      childOfMark[frame] = nodes.add(node, frame)
      open.push(childOfMark[frame]!)
    }
    const child = childOfMark[frame]!
    framesAbove[stack] = above
    nextInNode[stack] = nodes.stacks[child]!
    nodes.stacks[child] = stack
  }
  for (let top = open.pop(); top !== undefined; top = open.pop()) {
    node = top
    if (node === 0) for (let c = below.root; c >= 0; c = below.next[c]!) descend(c, 0)
    for (let stack = nodes.stacks[node]!; stack >= 0; ) {
      const following = nextInNode[stack]!
      const above = framesAbove[stack]! + 1
      if (start[location[stack]!]! + above < start[location[stack]! + 1]!) descend(stack, above)
      else {
        nodes.self[node]! += of.own[stack]!
        for (let c = below.first[stack]!; c >= 0; c = below.next[c]!) descend(c, 0)
      }
      stack = following
    }
  }
  return nodes
}

/** The stack table read downwards: first child and next sibling of each used stack, and the first root. */
function childLists(
  profile: Profile,
  used: Uint8Array,
): { root: number; first: Int32Array; next: Int32Array } {
  const { parent } = profile.stacks
  const first = new Int32Array(parent.length).fill(-1)
  const next = new Int32Array(parent.length).fill(-1)
  let root = -1
  for (let i = parent.length - 1; i >= 0; i--) {
    if (used[i] === 0) continue
    const above = parent[i]!
    next[i] = above < 0 ? root : first[above]!
    if (above < 0) root = i
    else first[above] = i
  }
  return { root, first, next }
}

/** The growing columns of merged nodes; node 0 is the root. */
class MergedNodes {
  count = 1
  parent: Int32Array
  frame: Int32Array
  self: Float64Array
  /** First stack that leads to the node, -1: none yet. */
  stacks: Int32Array

  constructor(expected: number) {
    this.parent = new Int32Array(expected)
    this.frame = new Int32Array(expected)
    this.self = new Float64Array(expected)
    this.stacks = new Int32Array(expected)
    this.parent[0] = -1
    this.frame[0] = -1
    this.stacks[0] = -1
  }

  add(parent: number, frame: number): number {
    if (this.count === this.parent.length) this.#grow()
    const node = this.count++
    this.parent[node] = parent
    this.frame[node] = frame
    this.stacks[node] = -1
    return node
  }

  #grow(): void {
    const length = Math.min(MAX_NODES, this.count * 2)
    if (length === this.count) {
      const reason = `its stacks merge into more than ${MAX_NODES} frames`
      throw new AgentError(
        'input_invalid',
        `cannot draw the profile: ${reason}; record or export a part of it`,
      )
    }
    this.parent = grown(this.parent, new Int32Array(length))
    this.frame = grown(this.frame, new Int32Array(length))
    this.self = grown(this.self, new Float64Array(length))
    this.stacks = grown(this.stacks, new Int32Array(length))
  }
}

function grown<T extends Int32Array | Float64Array>(column: T, larger: T): T {
  larger.set(column)
  return larger
}
