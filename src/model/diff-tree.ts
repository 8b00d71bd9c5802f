/**
 * Two profiles merged into one tree of frames with the weights of both, for drawing a difference: what grew, and what
 * is no longer there. Also two selections of rows of one profile: a range of time against another, a label against another.
 *
 * As in flame-tree.ts there are only columns of numbers: a million nodes must be merged within a blink.
 */
import { type DiffFunctions, matchFunctions } from './diff-functions.ts'
import { selfOf, usedStacks } from './flame-tree.ts'
import { addStacks, MergedNodes } from './merged-nodes.ts'
import type { Profile } from './profile.ts'

/** What one side of a comparison is made of. */
export interface DiffSide {
  readonly profile: Profile
  /** Index into `Profile.sampleTypes`. */
  readonly column: number
  /** 1 for each sample row that belongs to the side; null: all. */
  readonly rows: Uint8Array | null
  /** Time in which the rows were taken, in seconds; 0 when unknown. */
  readonly seconds: number
}

/** Weights of one side by node, in the unit of its column. */
export interface DiffWeights {
  readonly self: Float64Array
  readonly total: Float64Array
}

/**
 * Frames of both sides merged by path; index = node, node 0 is the root ("all") with frame -1. parent[i] < i for every
 * i > 0. A node of one side only has a total of 0 on the other. Frames are functions: their kind, and whether they were
 * inlined, may differ between two builds.
 */
export interface DiffTree {
  readonly before: DiffWeights
  readonly after: DiffWeights
  readonly sides: { readonly before: DiffSide; readonly after: DiffSide }
  readonly functions: DiffFunctions
  readonly count: number
  readonly parent: Int32Array
  /** First child or -1; siblings are in the order of their functions, which is that of names. */
  readonly firstChild: Int32Array
  readonly nextSibling: Int32Array
  /** Index into `functions`. */
  readonly frame: Int32Array
  /** Sample rows left out because their value was below zero, of both sides. */
  readonly negativeRows: number
}

/** All rows of a profile. */
export function wholeSide(profile: Profile, column: number): DiffSide {
  return { profile, column, rows: null, seconds: Number(profile.durationNs) / 1e9 }
}

/** Merges two sides. Units: their columns'. Errors: AgentError `input_invalid` past 2^26 nodes. */
export function diffTree(before: DiffSide, after: DiffSide): DiffTree {
  const matched = matchFunctions(before.profile, after.profile)
  const [a, b] = [valuesOf(before), valuesOf(after)]
  const [usedA, usedB] = [usedStacks(before.profile, a), usedStacks(after.profile, b)]
  const larger = Math.max(before.profile.stacks.parent.length, after.profile.stacks.parent.length)
  const nodes = new MergedNodes(larger + 1)
  const nodeOfA = addStacks(nodes, before.profile.stacks, matched.before, usedA.used)
  const nodeOfB = addStacks(nodes, after.profile.stacks, matched.after, usedB.used)
  const { count } = nodes
  const [parent, frame] = [nodes.parent.subarray(0, count), nodes.frame.subarray(0, count)]
  return {
    before: weights(selfOf(before.profile, a, nodeOfA, count), parent),
    after: weights(selfOf(after.profile, b, nodeOfB, count), parent),
    sides: { before, after },
    functions: matched.functions,
    count,
    parent,
    frame,
    ...siblingsByFrame(parent, frame, matched.functions.count),
    negativeRows: usedA.negativeRows + usedB.negativeRows,
  }
}

/** Values of the side's column, 0 in the rows that are not its. */
function valuesOf({ profile, column, rows }: DiffSide): Float64Array {
  const values = profile.samples.values[column] ?? new Float64Array(0)
  return rows === null ? values : values.map((value, row) => (rows[row] === 1 ? value : 0))
}

function weights(self: Float64Array, parent: Int32Array): DiffWeights {
  const total = self.slice()
  for (let i = total.length - 1; i > 0; i--) total[parent[i]!]! += total[i]!
  return { self, total }
}

/** Links of siblings by rising frame: nodes are counted by frame, then put in front of their siblings from the last on. */
function siblingsByFrame(
  parent: Int32Array,
  frame: Int32Array,
  frames: number,
): { firstChild: Int32Array; nextSibling: Int32Array } {
  const count = parent.length
  const end = new Int32Array(frames + 1)
  for (let i = 1; i < count; i++) end[frame[i]! + 1]!++
  for (let f = 0; f < frames; f++) end[f + 1]! += end[f]!
  const byFrame = new Int32Array(count - 1)
  for (let i = 1; i < count; i++) byFrame[end[frame[i]!]!++] = i
  const firstChild = new Int32Array(count).fill(-1)
  const nextSibling = new Int32Array(count).fill(-1)
  for (let k = count - 2; k >= 0; k--) {
    const node = byFrame[k]!
    nextSibling[node] = firstChild[parent[node]!]!
    firstChild[parent[node]!] = node
  }
  return { firstChild, nextSibling }
}
