/** What a search found in a tree: how much of it, and where. A match below another match adds nothing to the share. */
import { spareColumns } from './spare-columns.ts'
import type { CallTree } from './tree.ts'

/** The matches of one tree. */
export interface Matches {
  /** 1 for each frame that matches. */
  readonly mask: Uint8Array
  /** Weight of all stacks with a match, each once. */
  readonly value: number
  /** Matching nodes with weight, heaviest first, at most MAX_PLACES of them. */
  readonly places: Int32Array
  /** All of them. */
  readonly placeCount: number
  /** By node: matches at it and below it. */
  readonly below: Int32Array
}

/** The next and previous buttons walk this many places at most. */
const MAX_PLACES = 1000

/** Looks for the frames of a mask in the nodes that the tree has made so far. */
export function matchesOf(tree: CallTree, mask: Uint8Array): Matches {
  const { count, parent, frame, total } = tree
  const covered = new Uint8Array(count)
  const below = spareColumns.ints(count)
  const places = new Heaviest(total)
  let placeCount = 0
  let value = 0
  for (let node = 1; node < count; node++) {
    const isMatch = mask[frame[node]!] === 1 && total[node]! > 0
    const isCovered = covered[parent[node]!] === 1
    if (isMatch) {
      places.offer(node)
      placeCount++
      below[node] = 1
      if (!isCovered) value += total[node]!
    }
    covered[node] = isMatch || isCovered ? 1 : 0
  }
  for (let node = count - 1; node > 0; node--) below[parent[node]!]! += below[node]!
  return { mask, value, places: places.sorted(), placeCount, below }
}

/** The matches of the trees that were searched last: a zoom while a search is on looks for nothing again. */
export class KnownMatches {
  #known: { tree: CallTree; count: number; matches: Matches }[] = []

  /** Matches of a mask; looked for again in a tree that has grown. */
  of(tree: CallTree, mask: Uint8Array): Matches {
    const known = this.#known.find(
      (entry) => entry.tree === tree && entry.count === tree.count && entry.matches.mask === mask,
    )
    if (known !== undefined) return known.matches
    const matches = matchesOf(tree, mask)
    this.#known = [{ tree, count: tree.count, matches }, ...this.#known].slice(0, 3)
    return matches
  }
}

/** Keeps the MAX_PLACES heaviest of any number of nodes: half a million matches must not be sorted whole. */
class Heaviest {
  readonly #weight: Float64Array
  #nodes: number[] = []
  #least = 0

  constructor(weight: Float64Array) {
    this.#weight = weight
  }

  offer(node: number): void {
    if (this.#weight[node]! < this.#least) return
    if (this.#nodes.push(node) < MAX_PLACES * 8) return
    this.#nodes = [...this.sorted()]
    this.#least = this.#weight[this.#nodes[MAX_PLACES - 1]!]!
  }

  sorted(): Int32Array {
    const order = Int32Array.from(this.#nodes).sort((a, b) => this.#weight[b]! - this.#weight[a]! || a - b)
    return order.subarray(0, MAX_PLACES)
  }
}
