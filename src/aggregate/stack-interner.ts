/** The prefix tree of stacks: a node is a frame called by its parent node, so a stack is one integer. */
import type { StackTable } from '../model/profile.ts'
import type { FrameId } from './frame-interner.ts'

export type NodeId = number & { readonly __brand: 'NodeId' }

/** Two ids below this pack exactly into one double: (2^26)^2 = 2^52. */
const ID_LIMIT = 2 ** 26
export const NO_PARENT = -1 as NodeId

export class StackInterner {
  readonly #byParentAndFrame = new Map<number, NodeId>()
  readonly #parent: number[] = []
  readonly #frame: number[] = []

  /** The node of `frame` called from `parent` (NO_PARENT: a root). Errors: RangeError beyond 2^26 nodes. */
  child(parent: NodeId, frame: FrameId): NodeId {
    const key = (parent + 1) * ID_LIMIT + frame
    const known = this.#byParentAndFrame.get(key)
    if (known !== undefined) return known
    const id = this.#parent.length as NodeId
    if (id + 1 >= ID_LIMIT || frame >= ID_LIMIT) throw new RangeError('more than 2^26 distinct stack nodes')
    this.#byParentAndFrame.set(key, id)
    this.#parent.push(parent)
    this.#frame.push(frame)
    return id
  }

  /** `location` holds frame ids. */
  toTable(): StackTable {
    return { parent: Int32Array.from(this.#parent), location: Int32Array.from(this.#frame) }
  }
}
