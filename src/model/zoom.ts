/**
 * Where the reader is in the tree: a chain of zooms, each inside the one before, the whole tree first. A zoom shows a
 * node, or only some small children of it, which is how frames below a pixel are reached.
 */
import type { FlameTree } from './flame-tree.ts'

/** One zoom. `members` are the children of `node` it is limited to, heaviest first; null: all of them. */
export interface Zoom {
  readonly node: number
  readonly members: Int32Array | null
}

/** A fresh chain: the whole tree. */
export function wholeTree(): Zoom[] {
  return [{ node: 0, members: null }]
}

/** The chain after zooming to a target: entries that do not contain it are left first. */
export function zoomInto(tree: FlameTree, chain: readonly Zoom[], target: Zoom): Zoom[] {
  const kept = chain.filter((zoom, i) => i === 0 || containsZoom(tree, zoom, target))
  const top = kept[kept.length - 1]!
  if (top.node === target.node && top.members === target.members) return kept
  return [...kept, target]
}

/** The chain one step out; the whole tree stays. */
export function zoomOut(chain: readonly Zoom[]): Zoom[] {
  return chain.length > 1 ? chain.slice(0, -1) : [...chain]
}

/** Nodes from the root (0) to `node`, both included. */
export function pathTo(tree: FlameTree, node: number): number[] {
  const path: number[] = []
  for (let at = node; at >= 0; at = tree.parent[at]!) path.push(at)
  return path.reverse()
}

/** True when `node` is `ancestor` or below it. */
export function isWithin(tree: FlameTree, ancestor: number, node: number): boolean {
  let at = node
  while (at > ancestor) at = tree.parent[at]!
  return at === ancestor
}

function containsZoom(tree: FlameTree, outer: Zoom, inner: Zoom): boolean {
  if (outer.members === null) {
    if (outer.node === inner.node) return inner.members !== null
    return isWithin(tree, outer.node, inner.node)
  }
  if (outer.node === inner.node) return inner.members !== null && inner.members.length < outer.members.length
  let at = inner.node
  while (at >= 0 && tree.parent[at] !== outer.node) at = tree.parent[at]!
  return at >= 0 && outer.members.includes(at)
}
