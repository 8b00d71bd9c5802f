/** Names of what a flame tree shows, for people; the rule itself is in frame-name.ts. */
import type { FlameTree } from './flame-tree.ts'
import { frameName } from './frame-name.ts'

/** Name of the frame a node shows; the root is "all". */
export function nodeName(tree: FlameTree, node: number): string {
  return node === 0 ? 'all' : frameLabel(tree, tree.frame[node]!)
}

/** Name of a frame. */
export function frameLabel(tree: FlameTree, frame: number): string {
  return frameName(tree.profile, tree.frames.location[frame]!, tree.frames.line[frame]!)
}
