/**
 * Picks what to draw: at most some thousand frames of a tree of any size, the widest ones, for the width at hand.
 *
 * Frames are taken heaviest first, so whatever is left out is lighter than everything drawn beside it. What is left
 * out below a drawn frame becomes one box that says how many frames and how much, never a silent gap (which would read
 * as self time). d3-flame-graph recurses, so the depth drawn is bounded too.
 */
import type { Zoom } from './zoom.ts'

/** Things drawn below the zoom at most: frames and boxes. */
export const MAX_DRAWN = 1200
/** Frames tried for; fewer when each would need a box beside it. The last always fits: a box a frame, and the splits. */
const FRAME_LIMITS = [1100, 900, 720, 570] as const
/** Rows drawn below the zoom at most; deeper frames are in a box. */
export const MAX_ROWS = 1000
/** Narrower frames go into the box beside them. */
const MIN_FRAME_PX = 4
const MIN_BOX_PX = 1
/** A box at the zoom itself that takes this much room is split, so that a click on a part shows more. */
const SPLIT_BOX_PX = 160
const BOX_SPLITS = 40

/** What pruning looks at of a tree; index = node. */
export interface PrunableTree {
  readonly parent: Int32Array
  readonly firstChild: Int32Array
  readonly nextSibling: Int32Array
  readonly total: Float64Array
  /** Makes the children of a node known, in a tree that grows where it is looked at. */
  expand?(node: number): void
}

/** A drawn thing: a frame, or a box of frames that are not drawn. */
export interface DrawnFrame {
  /** Node in the tree; for a box the parent of its members. */
  readonly node: number
  /** Weight in the column's unit, at least the sum of the children. */
  readonly value: number
  readonly children: DrawnFrame[]
  /** Members of a box, heaviest first; null for a frame. */
  readonly members: Int32Array | null
}

/** What `prune` gives: the drawn top and whether the row limit cut something. */
export interface Pruned {
  readonly top: DrawnFrame
  readonly rowsCut: boolean
}

interface Picked {
  readonly drawn: DrawnFrame
  readonly depth: number
  /** Children that may be drawn, and those that are too narrow. */
  readonly rest: number[]
}

/** The drawn frames of a zoom, `widthPx` wide. */
export function prune(tree: PrunableTree, zoom: Zoom, widthPx: number): Pruned {
  for (const limit of FRAME_LIMITS.slice(0, -1)) {
    const { drawnCount, ...pruned } = pruneTo(tree, zoom, widthPx, limit)
    if (drawnCount <= MAX_DRAWN) return pruned
  }
  const { drawnCount: _fits, ...pruned } = pruneTo(
    tree,
    zoom,
    widthPx,
    FRAME_LIMITS[FRAME_LIMITS.length - 1]!,
  )
  return pruned
}

type Counted = Pruned & { readonly drawnCount: number }

function pruneTo(tree: PrunableTree, zoom: Zoom, widthPx: number, limit: number): Counted {
  const total = zoomTotal(tree, zoom)
  const minValue = (MIN_FRAME_PX / Math.max(1, widthPx)) * total
  const queue = new HeaviestFirst(tree)
  const picked = new Map<number, Picked>()
  let rowsCut = false
  const open = (node: number, depth: number, members: Int32Array | null): Picked => {
    const entry = {
      drawn: { node, value: tree.total[node]!, children: [], members: null },
      depth,
      rest: [] as number[],
    }
    picked.set(node, entry)
    const consider = (child: number): void => {
      if (!(tree.total[child]! > 0)) return
      if (tree.total[child]! >= minValue && depth < MAX_ROWS) queue.push(child)
      else entry.rest.push(child)
      if (depth >= MAX_ROWS) rowsCut = true
    }
    if (members === null) tree.expand?.(node)
    if (members !== null) members.forEach(consider)
    else for (let c = tree.firstChild[node]!; c >= 0; c = tree.nextSibling[c]!) consider(c)
    return entry
  }
  const top = open(zoom.node, 0, zoom.members)
  while (queue.size > 0) {
    const node = queue.pop()
    const above = picked.get(tree.parent[node]!)!
    if (picked.size >= limit) above.rest.push(node)
    else above.drawn.children.push(open(node, above.depth + 1, null).drawn)
  }
  const boxCount = addBoxes(tree, top, [...picked.values()], total / Math.max(1, widthPx))
  const drawn = zoom.members === null ? top.drawn : { ...top.drawn, value: total }
  return { top: drawn, rowsCut, drawnCount: picked.size + boxCount }
}

/** The weight a zoom shows, in the column's unit. */
export function zoomTotal(tree: PrunableTree, zoom: Zoom): number {
  if (zoom.members === null) return tree.total[zoom.node]!
  return sumOf(tree, zoom.members)
}

/** Sum of the totals of some nodes. */
export function sumOf(tree: PrunableTree, nodes: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < nodes.length; i++) sum += tree.total[nodes[i]!]!
  return sum
}

/** A box for what was left out of each frame, unless it is below a pixel, which nobody can see. Returns how many. */
function addBoxes(tree: PrunableTree, top: Picked, all: readonly Picked[], valuePerPx: number): number {
  let count = 0
  for (const entry of all) {
    const value = sumOf(tree, entry.rest)
    if (entry.rest.length === 0 || value < MIN_BOX_PX * valuePerPx) continue
    const sorted = Int32Array.from(entry.rest).sort((a, b) => tree.total[b]! - tree.total[a]! || a - b)
    const split = entry === top && value >= SPLIT_BOX_PX * valuePerPx
    for (const members of split ? splitMembers(sorted) : [sorted]) {
      entry.drawn.children.push({
        node: entry.drawn.node,
        value: sumOf(tree, members),
        children: [],
        members,
      })
      count++
    }
  }
  return count
}

function splitMembers(members: Int32Array): Int32Array[] {
  const size = Math.ceil(members.length / BOX_SPLITS)
  const parts: Int32Array[] = []
  for (let at = 0; at < members.length; at += size) parts.push(members.subarray(at, at + size))
  return parts
}

/** A binary heap of nodes by weight; equal weights leave it lowest node first, so a drawing is repeatable. */
class HeaviestFirst {
  /** The columns of a growing tree are replaced while it grows. */
  readonly #tree: { readonly total: Float64Array }
  readonly #heap: number[] = []

  constructor(tree: { readonly total: Float64Array }) {
    this.#tree = tree
  }

  get size(): number {
    return this.#heap.length
  }

  push(node: number): void {
    const heap = this.#heap
    let at = heap.push(node) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#before(node, heap[above]!)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = node
  }

  /** The heaviest node; only while `size` is above 0. */
  pop(): number {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let at = 0
    for (let child = 1; child < heap.length; child = at * 2 + 1) {
      if (child + 1 < heap.length && this.#before(heap[child + 1]!, heap[child]!)) child++
      if (!this.#before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }

  #before(a: number, b: number): boolean {
    const { total } = this.#tree
    const difference = total[a]! - total[b]!
    return difference > 0 || (difference === 0 && a < b)
  }
}
