/** Trees of frames as columns of numbers: the shape that filters make and drawings read. */
import type { Frames } from './frames.ts'
import { spareColumns } from './spare-columns.ts'

/** Frames merged by path; index = node, node 0 is the root with frame -1. parent[i] < i for every i > 0. Knows no weights. */
export interface Structure {
  readonly count: number
  readonly parent: Int32Array
  readonly frame: Int32Array
  /** First child or -1; siblings by `nextSibling`, in no order that means anything. */
  readonly firstChild: Int32Array
  readonly nextSibling: Int32Array
}

/** A structure with weights, in the unit of the column. */
export interface CallTree extends Structure {
  readonly frames: Frames
  readonly self: Float64Array
  readonly total: Float64Array
  /** Makes the children of a node known, in a tree that grows where it is looked at. */
  expand?(node: number): void
}

/** Totals of a structure: the self weight of each node and of all below it. */
export function totalsOf({ count, parent }: Structure, self: Float64Array): Float64Array {
  // Zeros: what lies below a node is there before its own turn comes.
  const total = spareColumns.floats(self.length)
  for (let i = count - 1; i > 0; i--) {
    const sum = total[i]! + self[i]!
    total[i] = sum
    total[parent[i]!]! += sum
  }
  if (count > 0) total[0]! += self[0]!
  return total
}

/** Children of a node, in their order. */
export function* childrenOf(tree: CallTree, node: number): Generator<number> {
  tree.expand?.(node)
  for (let child = tree.firstChild[node]!; child >= 0; child = tree.nextSibling[child]!) yield child
}

/** Nodes from the root (0) to `node`, both included. */
export function pathTo(tree: Structure, node: number): number[] {
  const path: number[] = []
  for (let at = node; at >= 0; at = tree.parent[at]!) path.push(at)
  return path.reverse()
}
