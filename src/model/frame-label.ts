/** Names of what a flame tree shows, for people; the rule itself is in frame-name.ts. */
import type { FlameTree } from './flame-tree.ts'
import { frameName } from './frame-name.ts'
import type { Profile } from './profile.ts'

/** Frames of a profile by where they were first seen. */
export interface LabelledFrames {
  readonly profile: Profile
  readonly frames: { readonly location: ArrayLike<number>; readonly line: ArrayLike<number> }
}

/** Name of the frame a node shows; the root is "all". */
export function nodeName(tree: FlameTree, node: number): string {
  return node === 0 ? 'all' : frameLabel(tree, tree.frame[node]!)
}

/** Name of a frame. */
export function frameLabel(tree: LabelledFrames, frame: number): string {
  return frameName(tree.profile, tree.frames.location[frame]!, tree.frames.line[frame]!)
}
