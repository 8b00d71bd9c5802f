/** What is drawn of a tree at a width: the widest frames, and for the rest boxes that say how much they hide. */
import { FRAME_KINDS } from '../model/profile.ts'
import { type DrawnFrame, prune } from '../model/prune.ts'
import { frameKey } from './frames.ts'
import type { Drawing, DrawnRow } from './protocol.ts'
import type { Matches } from './search.ts'
import type { Zoom } from './state.ts'
import { type CallTree, childrenOf, pathTo } from './tree.ts'
import { type FoundZoom, findZoom, rankOf } from './zoomed.ts'

/** What rows show besides the tree. */
export interface Dressing {
  readonly hue: ArrayLike<number>
  /** Null without a search. `below` may be of fewer nodes than the tree has now. */
  readonly matches: Matches | null
  /** The other side while comparing; null otherwise. */
  readonly other: OtherSide | null
  /** Name of the root: "all", or the function a sandwich is about. */
  readonly rootName: string
  readonly rootFn: number
}

/** The side of a comparison that does not give the widths. */
export interface OtherSide {
  readonly self: Float64Array
  readonly total: Float64Array
  /** Other weights times this are in the scale of the drawing's. */
  readonly factor: number
  changeOf(fn: number): DrawnRow['change']
}

/** Ghosts narrower than this are not drawn. */
const MIN_GHOST_PX = 3

/** Draws a zoom. */
export function drawingOf(tree: CallTree, wanted: Zoom, widthPx: number, dressing: Dressing): Drawing {
  const found = findZoom(tree, wanted)
  const { top, rowsCut } = prune(tree, found.zoom, widthPx)
  const writer = new RowWriter(tree, dressing, found, top.value / Math.max(1, widthPx))
  writer.write(top, -1)
  const above = pathTo(tree, found.zoom.node).slice(0, -1)
  return {
    rows: writer.rows,
    above: above.map((node) => writer.frameRow(node, -1, top.value)),
    path: found.path,
    rowsCut,
  }
}

class RowWriter {
  readonly rows: DrawnRow[] = []
  readonly #tree: CallTree
  readonly #dressing: Dressing
  readonly #zoom: FoundZoom
  readonly #valuePerPx: number

  constructor(tree: CallTree, dressing: Dressing, zoom: FoundZoom, valuePerPx: number) {
    this.#tree = tree
    this.#dressing = dressing
    this.#zoom = zoom
    this.#valuePerPx = valuePerPx
  }

  write(drawn: DrawnFrame, parent: number): void {
    const index = this.rows.length
    this.rows.push(
      drawn.members === null || parent < 0
        ? this.frameRow(drawn.node, parent, drawn.value)
        : this.#boxRow(drawn, drawn.members, parent),
    )
    const { other } = this.#dressing
    const children = other === null ? drawn.children : this.#byName(drawn.children)
    for (const child of children) this.write(child, index)
    if (drawn.members === null || parent < 0) this.#countHidden(drawn, index)
    if (other !== null && drawn.members === null) this.#writeGhosts(drawn, index, other)
  }

  frameRow(node: number, parent: number, value: number): DrawnRow {
    const { frames, frame, self, total } = this.#tree
    const { hue, matches, other, rootName, rootFn } = this.#dressing
    const id = frame[node]!
    const fn = id < 0 ? rootFn : frames.fn[id]!
    return {
      parent,
      shape: id < 0 ? 'root' : 'frame',
      value,
      name: id < 0 ? rootName : frames.name[id]!,
      key: id < 0 ? '' : frameKey(frames, id),
      fn,
      self: self[node]!,
      total: total[node]!,
      before: other === null ? null : { self: other.self[node]!, total: other.total[node]! },
      change: other === null || id < 0 ? null : other.changeOf(fn),
      hue: id < 0 ? 60 : (hue[id] ?? 60),
      kind: FRAME_KINDS[frames.kind[id] ?? 0]!,
      inlined: frames.inlined[id] === 1,
      found: matches?.mask[id] === 1,
      hiddenMatches: 0,
      box: null,
      callees: this.#calleeCount(node),
    }
  }

  #boxRow({ node, value, children }: DrawnFrame, members: Int32Array, parent: number): DrawnRow {
    // All of a box's members are lighter than what is drawn beside it, and heavier than those of the next box.
    const isTop = node === this.#zoom.zoom.node && this.#zoom.zoom.members !== null
    const from = isTop
      ? this.#zoom.firstRank + this.#zoom.zoom.members!.indexOf(members[0]!)
      : rankOf(this.#tree, members[0]!)
    return {
      ...this.frameRow(node, parent, value),
      shape: 'box',
      name: '',
      key: '',
      fn: -1,
      self: 0,
      total: value,
      before: null,
      change: null,
      hue: 60,
      kind: 'native',
      inlined: false,
      found: false,
      hiddenMatches: this.#matchesAmong(members),
      box: { count: members.length, ranks: [from, from + members.length] },
      callees: children.length,
    }
  }

  /** What the new side has no more, as far as there is room beside its real widths. */
  #writeGhosts(drawn: DrawnFrame, parent: number, other: OtherSide): void {
    const tree = this.#tree
    let room = drawn.value - drawn.children.reduce((sum, child) => sum + child.value, 0)
    const gone: number[] = []
    for (const child of childrenOf(tree, drawn.node)) {
      if (tree.total[child] === 0 && other.total[child]! > 0) gone.push(child)
    }
    gone.sort((a, b) => other.total[b]! - other.total[a]!)
    for (const child of gone) {
      const value = Math.min(room, other.total[child]! * other.factor)
      if (value < MIN_GHOST_PX * this.#valuePerPx) break
      room -= value
      this.rows.push({ ...this.frameRow(child, parent, value), shape: 'ghost' })
    }
  }

  #byName(children: readonly DrawnFrame[]): DrawnFrame[] {
    const { frames, frame } = this.#tree
    const nameOf = ({ node, members }: DrawnFrame): string =>
      members === null ? frames.name[frame[node]!]! : '\uffff'
    return [...children].sort((a, b) => compareText(nameOf(a), nameOf(b)))
  }

  #calleeCount(node: number): number {
    let count = 0
    this.#tree.expand?.(node)
    const { firstChild, nextSibling, total } = this.#tree
    for (let child = firstChild[node]!; child >= 0; child = nextSibling[child]!)
      if (total[child]! > 0) count++
    return count
  }

  /** Matches below a frame that neither a drawn frame nor a box beside them shows. */
  #countHidden({ node, children }: DrawnFrame, index: number): void {
    const below = this.#dressing.matches?.below
    if (below === undefined || node >= below.length) return
    let hidden = below[node]! - (this.rows[index]!.found ? 1 : 0)
    for (const child of children)
      hidden -= child.members === null ? below[child.node]! : this.#matchesAmong(child.members)
    if (hidden > 0) this.rows[index] = { ...this.rows[index]!, hiddenMatches: hidden }
  }

  #matchesAmong(members: Int32Array): number {
    const { matches } = this.#dressing
    if (matches === null) return 0
    let count = 0
    for (const node of members) count += matches.below[node] ?? matches.mask[this.#tree.frame[node]!]!
    return count
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
