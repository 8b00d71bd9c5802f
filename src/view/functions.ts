/** The functions of a tree: self and total of each, a recursion counted once. A function inlined here and called there is one. */
import type { CallTree } from './tree.ts'

/** Weights by function (`Frames.fn`), in the tree's unit. */
export interface FunctionWeights {
  readonly count: number
  readonly self: Float64Array
  readonly total: Float64Array
  /** How many nodes with weight show the function. */
  readonly places: Int32Array
}

/** One pass over the nodes; which of them are outermost is found once for all weights of a structure. */
export function functionWeights(tree: CallTree): FunctionWeights {
  const { frames, frame } = tree
  const count = frames.functionFrame.length
  const self = new Float64Array(count)
  const total = new Float64Array(count)
  const places = new Int32Array(count)
  const fnOfFrame = Int32Array.from(frames.fn)
  const isOutermost = outermostNodes(tree, fnOfFrame)
  for (let node = 1; node < tree.count; node++) {
    const weight = tree.total[node]!
    if (!(weight > 0)) continue
    const fn = fnOfFrame[frame[node]!]!
    self[fn]! += tree.self[node]!
    places[fn]!++
    if (isOutermost[node] === 1) total[fn]! += weight
  }
  return { count, self, total, places }
}

const outermostOf = new WeakMap<Int32Array, Uint8Array>()

/** 1 for each node whose function is not among its callers. */
function outermostNodes(
  { count, parent, frame, firstChild, nextSibling }: CallTree,
  fnOfFrame: Int32Array,
): Uint8Array {
  const known = outermostOf.get(parent)
  if (known !== undefined) return known
  const isOutermost = new Uint8Array(count)
  outermostOf.set(parent, isOutermost)
  const onPath = new Int32Array(fnOfFrame.length)
  let node = count > 1 ? firstChild[0]! : -1
  while (node > 0) {
    if (onPath[fnOfFrame[frame[node]!]!]!++ === 0) isOutermost[node] = 1
    if (firstChild[node]! >= 0) {
      node = firstChild[node]!
      continue
    }
    while (node > 0) {
      onPath[fnOfFrame[frame[node]!]!]!--
      if (nextSibling[node]! >= 0) {
        node = nextSibling[node]!
        break
      }
      node = parent[node]!
    }
  }
  return isOutermost
}

/** Area of each frame in the whole drawing, which decides who gets the clearest colours. */
export function frameAreas(tree: CallTree): Float64Array {
  const areas = new Float64Array(tree.frames.count)
  for (let node = 1; node < tree.count; node++) areas[tree.frame[node]!]! += tree.total[node]!
  return areas
}
