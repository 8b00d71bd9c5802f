/** Self and total weight of every function of a two-sided tree: the rows of a diff, before anybody judges them. */
import type { DiffTree, DiffWeights } from './diff-tree.ts'

/** By function of the diff, in the unit of the column. */
export interface FunctionWeights {
  readonly before: DiffWeights
  readonly after: DiffWeights
}

/**
 * Self is what ends in a function, total what passes through it, once however often it is on the stack. One walk over
 * the tree with a count of open frames per function: its total is the weight of its outermost nodes.
 */
export function functionWeights(tree: DiffTree): FunctionWeights {
  const { functions, parent, firstChild, nextSibling, frame } = tree
  const zero = (): DiffWeights => ({
    self: new Float64Array(functions.count),
    total: new Float64Array(functions.count),
  })
  const [before, after] = [zero(), zero()]
  const open = new Int32Array(functions.count)
  let node = firstChild[0]!
  while (node > 0) {
    const fn = frame[node]!
    before.self[fn]! += tree.before.self[node]!
    after.self[fn]! += tree.after.self[node]!
    if (open[fn]!++ === 0) {
      before.total[fn]! += tree.before.total[node]!
      after.total[fn]! += tree.after.total[node]!
    }
    if (firstChild[node]! >= 0) {
      node = firstChild[node]!
      continue
    }
    while (node > 0) {
      open[frame[node]!]!--
      if (nextSibling[node]! >= 0) {
        node = nextSibling[node]!
        break
      }
      node = parent[node]!
    }
  }
  return { before, after }
}
