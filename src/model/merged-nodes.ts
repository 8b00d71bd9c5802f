/**
 * Nodes of merged stacks: the frames that several stacks share, once each, as growing columns. Knows no values.
 *
 * Stacks that come in drawing order (callers first, siblings by rising frame: what the page's own files hold) are
 * merged by a look at the newest sibling. Only where that order breaks are the children of a node put into a table.
 */
import { AgentError } from '../errors.ts'
import type { FlameFrames } from './flame-frames.ts'
import type { StackTable } from './profile.ts'

/** A tree of 2^26 nodes is 2 GB of columns: more is damage or an attack, not a profile. */
const MAX_NODES = 2 ** 26
/** Merged nodes, parents before children; node 0 is the root with frame -1. */
export class MergedNodes {
  count = 1
  parent: Int32Array
  frame: Int32Array
  /** First child or -1; siblings in the order of their ids. */
  firstChild: Int32Array
  nextSibling: Int32Array
  /** The child added last, 0: none yet. Above 0 its frame is the highest so far, negated the children are in the table. */
  #newest: Int32Array
  /** Nodes by (parent, frame), open addressing, 0: free; at most half full. The keys are the columns themselves. */
  #slots = new Int32Array(1 << 10)
  #inSlots = 0
  /** Unknown to whoever wrote the file, so that no file can make all its nodes meet in one slot. */
  readonly #seed = (Math.random() * 2 ** 32) | 0

  /** `zeros` makes the columns. */
  constructor(expected: number, zeros: (length: number) => Int32Array = (length) => new Int32Array(length)) {
    this.parent = zeros(expected)
    this.frame = zeros(expected)
    this.firstChild = zeros(expected).fill(-1)
    this.nextSibling = zeros(expected).fill(-1)
    this.#newest = zeros(expected)
    this.parent[0] = -1
    this.frame[0] = -1
  }

  /** The child of a node that shows a frame, made when there is none. Errors: AgentError past 2^26 nodes. */
  child(parent: number, frame: number): number {
    const newest = this.#newest[parent]!
    if (newest === 0) {
      const node = this.#add(parent, frame)
      this.firstChild[parent] = node
      this.#newest[parent] = node
      return node
    }
    if (newest < 0) return this.#unorderedChild(parent, frame)
    const highest = this.frame[newest]!
    if (frame === highest) return newest
    if (frame < highest) return this.#unorderedChild(parent, frame)
    const node = this.#add(parent, frame)
    this.nextSibling[newest] = node
    this.#newest[parent] = node
    return node
  }

  #unorderedChild(parent: number, frame: number): number {
    if (this.#newest[parent]! > 0) this.#tableChildren(parent)
    const slot = this.#find(parent, frame)
    const known = this.#slots[slot]!
    if (known !== 0) return known
    const node = this.#add(parent, frame)
    this.nextSibling[-this.#newest[parent]!] = node
    this.#newest[parent] = -node
    this.#insert(node, slot)
    return node
  }

  #tableChildren(parent: number): void {
    for (let node = this.firstChild[parent]!; node >= 0; node = this.nextSibling[node]!) {
      this.#insert(node, this.#find(parent, this.frame[node]!))
    }
    this.#newest[parent] = -this.#newest[parent]!
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
    this.parent = grown(this.parent, length, 0)
    this.frame = grown(this.frame, length, 0)
    this.firstChild = grown(this.firstChild, length, -1)
    this.nextSibling = grown(this.nextSibling, length, -1)
    this.#newest = grown(this.#newest, length, 0)
  }
}

function grown(column: Int32Array, length: number, rest: number): Int32Array {
  const larger = new Int32Array(length)
  larger.fill(rest, column.length)
  larger.set(column)
  return larger
}

/** Merged stacks: the nodes, and for each stack the node it ends in (0 for one that was left out). */
export interface MergedStacks {
  readonly nodes: MergedNodes
  readonly nodeOf: Int32Array
}

/** The frames of each location l, outermost first: `byLocation[start[l]..start[l + 1])`. */
type LocationFrames = Pick<FlameFrames, 'start' | 'byLocation'>

/** Stacks merged by themselves. */
export function mergeStacks(
  stacks: StackTable,
  frames: LocationFrames,
  used: Uint8Array | null,
): MergedStacks {
  const nodes = new MergedNodes(stacks.parent.length + 1)
  return { nodes, nodeOf: addStacks(nodes, stacks, frames, used) }
}

/**
 * Adds stacks to nodes; shape: for each stack the node it ends in, 0 for one that was left out. Walks the stack table once,
 * parents first, in the order in which it lies in memory. `used` marks the stacks to be merged by 1 (null: all); the caller
 * of a used stack is used.
 */
export function addStacks(
  nodes: MergedNodes,
  stacks: StackTable,
  frames: LocationFrames,
  used: Uint8Array | null,
): Int32Array {
  const { parent, location } = stacks
  const { start, byLocation } = frames
  const nodeOf = new Int32Array(parent.length)
  for (let i = 0; i < parent.length; i++) {
    if (used !== null && used[i] === 0) continue
    const above = parent[i]!
    const at = location[i]!
    const end = start[at + 1]!
    let node = above < 0 ? 0 : nodeOf[above]!
    for (let k = start[at]!; k < end; k++) node = nodes.child(node, byLocation[k]!)
    nodeOf[i] = node
  }
  return nodeOf
}
