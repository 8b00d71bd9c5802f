/**
 * From a tree to a newer one of the same target: which node, which function is the same to a reader. Ids mean nothing
 * across profiles; names and files do.
 */
import type { FlameTree } from '../../model/flame-tree.ts'
import { frameLabel } from '../../model/frame-label.ts'
import { moduleName } from '../../model/frame-name.ts'
import { pathTo } from '../../model/zoom.ts'
import type { ViewModel } from './view-model.ts'

/** Where a path leads in another tree. */
export interface Likeness {
  /** The deepest node there is on the way. */
  readonly node: number
  /** False when the way ends early. */
  readonly isSame: boolean
}

/** Follows the path of a node through the newer tree, frame by frame. */
export function nodeLike(from: FlameTree, node: number, to: FlameTree): Likeness {
  let at = 0
  for (const step of pathTo(from, node).slice(1)) {
    const wanted = frameKey(from, from.frame[step]!)
    let child = to.firstChild[at]!
    while (child >= 0 && frameKey(to, to.frame[child]!) !== wanted) child = to.nextSibling[child]!
    if (child < 0) return { node: at, isSame: false }
    at = child
  }
  return { node: at, isSame: true }
}

/** The row of the same function in the newer table, null when it is gone. */
export function rowLike(from: ViewModel, row: number, to: ViewModel): number | null {
  const wanted = frameKey(from.tree, from.functions().frame[row]!)
  const { frame, total } = to.functions()
  const found = frame.findIndex((other, i) => total[i]! > 0 && frameKey(to.tree, other) === wanted)
  return found < 0 ? null : found
}

function frameKey(tree: FlameTree, frame: number): string {
  const { profile, frames } = tree
  const module = moduleName(profile, profile.locations[frames.location[frame]!]!)
  return `${frameLabel(tree, frame)}\0${module}`
}
