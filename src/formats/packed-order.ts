/**
 * The order in which a packed profile keeps its stacks: that of the drawing, top down and siblings by rising frame.
 * A page merges such stacks by a look at their neighbours, and finds what belongs together side by side in memory.
 *
 * Ids mean nothing beyond the tables, and neither does the order of samples without times: no content changes.
 */
import { flameFrames } from '../model/flame-frames.ts'
import { type MergedNodes, mergeStacks } from '../model/merged-nodes.ts'
import type { Profile, SampleTable } from '../model/profile.ts'

/**
 * The same profile with its stacks in drawing order, and its samples in the order of their stacks unless they have
 * times. Errors: AgentError `input_invalid` where the stacks are too many to be drawn.
 */
export function inDrawingOrder(profile: Profile): Profile {
  const { parent, location } = profile.stacks
  const frames = flameFrames(profile)
  const { nodes, nodeOf } = mergeStacks(profile.stacks, frames, null)
  const rank = drawingRanks(nodes, frames.count)
  const order = sortedBy((stack) => rank[nodeOf[stack]!]!, parent.length, nodes.count)
  const placeOf = new Int32Array(parent.length)
  order.forEach((stack, place) => {
    placeOf[stack] = place
  })
  const stacks = {
    parent: order.map((stack) => (parent[stack]! < 0 ? -1 : placeOf[parent[stack]!]!)),
    location: order.map((stack) => location[stack]!),
  }
  const stack = profile.samples.stack.map((old) => (old < 0 ? -1 : placeOf[old]!))
  const samples = { ...profile.samples, stack }
  return { ...profile, stacks, samples: samples.timeNs === null ? byStack(samples, parent.length) : samples }
}

/** Where each node stands in a walk from the top that takes the child of the lowest frame first. */
function drawingRanks(nodes: MergedNodes, frameCount: number): Int32Array {
  const { count, parent, frame } = nodes
  const firstChild = new Int32Array(count)
  const nextSibling = new Int32Array(count)
  const byFrame = sortedBy((node) => frame[node]! + 1, count, frameCount + 1)
  for (let at = count - 1; at > 0; at--) {
    const node = byFrame[at]!
    nextSibling[node] = firstChild[parent[node]!]!
    firstChild[parent[node]!] = node
  }
  const ranks = new Int32Array(count)
  let node = 0
  for (let rank = 0; rank < count; rank++) {
    ranks[node] = rank
    if (firstChild[node] !== 0) node = firstChild[node]!
    else {
      while (node > 0 && nextSibling[node] === 0) node = parent[node]!
      node = nextSibling[node]!
    }
  }
  return ranks
}

/** The rows of a table in the order of their stacks, those of one stack in the order they had. */
function byStack(samples: SampleTable, stackCount: number): SampleTable {
  const order = sortedBy((row) => samples.stack[row]! + 1, samples.stack.length, stackCount + 1)
  const values = samples.values.map((column) => Float64Array.from(order, (row) => column[row]!))
  const pick = (column: Int32Array): Int32Array => order.map((row) => column[row]!)
  const table = { stack: pick(samples.stack), labelSet: pick(samples.labelSet), timeNs: null, values }
  const { wideValues } = samples
  if (wideValues === undefined) return table
  const moved = new Map<number, bigint>()
  order.forEach((row, place) => {
    for (let column = 0; column < values.length; column++) {
      const wide = wideValues.get(row * values.length + column)
      if (wide !== undefined) moved.set(place * values.length + column, wide)
    }
  })
  return { ...table, wideValues: moved }
}

/** The numbers below `count` by their keys, which are below `keys`; equal keys keep their order. */
function sortedBy(key: (item: number) => number, count: number, keys: number): Int32Array {
  const next = new Int32Array(keys + 1)
  for (let item = 0; item < count; item++) next[key(item) + 1]!++
  for (let k = 0; k < keys; k++) next[k + 1]! += next[k]!
  const order = new Int32Array(count)
  for (let item = 0; item < count; item++) order[next[key(item)]!++] = item
  return order
}
