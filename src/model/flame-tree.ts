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

/** Walks the stack table once, parents first, in the order in which it lies in memory. */
function mergeStacks(profile: Profile, frames: FlameFrames, of: StackValues): MergedNodes {
  const { parent, location } = profile.stacks
  const { start, byLocation } = frames
  const nodes = new MergedNodes(parent.length + 1)
  const nodeOf = new Int32Array(parent.length)
  for (let i = 0; i < parent.length; i++) {
    if (of.used[i] === 0) continue
    let node = parent[i]! < 0 ? 0 : nodeOf[parent[i]!]!
    const end = start[location[i]! + 1]!
    for (let k = start[location[i]!]!; k < end; k++) node = nodes.child(node, byLocation[k]!)
    nodeOf[i] = node
    nodes.self[node]! += of.own[i]!
  }
  nodes.self[0]! += of.rootSelf
  return nodes
}

const MANY = -1

/**
 * The growing columns of merged nodes; node 0 is the root. Most nodes have one child, which is kept beside them; only
 * the children of the others are found through an open-addressing table, whose keys are the columns themselves.
 */
class MergedNodes {
  count = 1
  parent: Int32Array
  frame: Int32Array
  self: Float64Array
  /** The only child, 0: none yet, MANY: look into the table. */
  #onlyChild: Int32Array
  /** Nodes by (parent, frame), 0: free; at most half full. */
  #slots = new Int32Array(1 << 16)
  #inSlots = 0
  /** Unknown to whoever wrote the file, so that no file can make all its nodes meet in one slot. */
  readonly #seed = (Math.random() * 2 ** 32) | 0

  constructor(expected: number) {
    this.parent = new Int32Array(expected)
    this.frame = new Int32Array(expected)
    this.self = new Float64Array(expected)
    this.#onlyChild = new Int32Array(expected)
    this.parent[0] = -1
    this.frame[0] = -1
  }

  /** The child of a node that shows a frame, made when there is none. */
  child(parent: number, frame: number): number {
    const only = this.#onlyChild[parent]!
    if (only === 0) {
      const node = this.#add(parent, frame)
      this.#onlyChild[parent] = node
      return node
    }
    if (only !== MANY) {
      if (this.frame[only] === frame) return only
      this.#onlyChild[parent] = MANY
      this.#insert(only, this.#find(parent, this.frame[only]!))
    }
    const slot = this.#find(parent, frame)
    const known = this.#slots[slot]!
    if (known !== 0) return known
    const node = this.#add(parent, frame)
    this.#insert(node, slot)
    return node
  }

  /** The slot that holds the child, or the free one where it belongs. */
  #find(parent: number, frame: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let hash = Math.imul(parent ^ this.#seed, 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 15) ^ frame, 0x85ebca6b)
    let slot = (hash ^ (hash >>> 13)) & mask
    for (let node = slots[slot]!; node !== 0; node = slots[slot]!) {
      if (this.parent[node] === parent && this.frame[node] === frame) return slot
      slot = (slot + 1) & mask
    }
    return slot
  }

  #insert(node: number, slot: number): void {
    this.#slots[slot] = node
    if (++this.#inSlots * 2 <= this.#slots.length) return
    const full = this.#slots
    this.#slots = new Int32Array(full.length * 4)
    for (const old of full) if (old !== 0) this.#slots[this.#find(this.parent[old]!, this.frame[old]!)] = old
  }

  #add(parent: number, frame: number): number {
    if (this.count === this.parent.length) this.#grow()
    const node = this.count++
    this.parent[node] = parent
    this.frame[node] = frame
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
    this.#onlyChild = grown(this.#onlyChild, new Int32Array(length))
  }
}

function grown<T extends Int32Array | Float64Array>(column: T, larger: T): T {
  larger.set(column)
  return larger
}
