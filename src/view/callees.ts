/** What a function calls, over all places that call it: the subtrees of its outermost frames as one. */
import { MergedNodes } from '../model/merged-nodes.ts'
import { structureOf } from './structure-filters.ts'
import { type CallTree, totalsOf } from './tree.ts'

/** Merges the subtrees of some nodes of one function; the root is that function. None of the nodes may be below another. */
export function calleesTree(tree: CallTree, nodes: Int32Array): CallTree {
  const merged = new MergedNodes(1024)
  const nodeOf = new Int32Array(tree.count).fill(-1)
  for (const node of nodes) nodeOf[node] = 0
  for (let i = 1; i < tree.count; i++) {
    const above = nodeOf[tree.parent[i]!]!
    if (above >= 0 && tree.total[i]! > 0) nodeOf[i] = merged.child(above, tree.frame[i]!)
  }
  const structure = structureOf(merged)
  const self = new Float64Array(structure.count)
  for (let i = 1; i < tree.count; i++) if (nodeOf[i]! >= 0) self[nodeOf[i]!]! += tree.self[i]!
  return { ...structure, frames: tree.frames, self, total: totalsOf(structure, self) }
}
