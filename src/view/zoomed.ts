/** From the names in a zoom to nodes of a tree, and back. */
import type { Zoom as NodeZoom } from '../model/zoom.ts'
import { frameKey } from './frames.ts'
import type { Zoom } from './state.ts'
import { type CallTree, childrenOf, pathTo } from './tree.ts'

/** A zoom that was found. */
export interface FoundZoom {
  readonly zoom: NodeZoom
  /** The part of the path that leads somewhere. */
  readonly path: readonly string[]
  /** Rank of the first member among its siblings; 0 without members. */
  readonly firstRank: number
}

/** Follows a zoom's path; where it leads nowhere any more, its deepest known frame is the zoom. */
export function findZoom(tree: CallTree, { path, ranks }: Zoom): FoundZoom {
  let node = 0
  let depth = 0
  for (; depth < path.length; depth++) {
    const next = childByKey(tree, node, path[depth]!)
    if (next < 0) break
    node = next
  }
  const found = path.slice(0, depth)
  if (ranks === null || depth < path.length)
    return { zoom: { node, members: null }, path: found, firstRank: 0 }
  const members = byRank(tree, node).subarray(ranks[0], ranks[1])
  return members.length === 0
    ? { zoom: { node, members: null }, path: found, firstRank: 0 }
    : { zoom: { node, members }, path: found, firstRank: ranks[0] }
}

/** Children of a node with weight, heaviest first: their order is their rank. */
export function byRank(tree: CallTree, node: number): Int32Array {
  const children = [...childrenOf(tree, node)].filter((child) => tree.total[child]! > 0)
  return Int32Array.from(children).sort((a, b) => tree.total[b]! - tree.total[a]! || a - b)
}

/** Rank of a child among its siblings. */
export function rankOf(tree: CallTree, child: number): number {
  const weight = tree.total[child]!
  let rank = 0
  for (const other of childrenOf(tree, tree.parent[child]!)) {
    const total = tree.total[other]!
    if (total > weight || (total === weight && other < child)) rank++
  }
  return rank
}

/** Keys of the frames from below the root to a node. */
export function keysTo(tree: CallTree, node: number): string[] {
  return pathTo(tree, node)
    .slice(1)
    .map((at) => frameKey(tree.frames, tree.frame[at]!))
}

/** The heaviest child of that key, -1 for none. */
function childByKey(tree: CallTree, node: number, key: string): number {
  let best = -1
  for (const child of childrenOf(tree, node)) {
    if (frameKey(tree.frames, tree.frame[child]!) !== key) continue
    if (best < 0 || tree.total[child]! > tree.total[best]!) best = child
  }
  return best
}
