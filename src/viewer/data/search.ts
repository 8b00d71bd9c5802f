/**
 * Search over the distinct frames of a tree, and what the matches weigh: text is compared once per distinct frame, and
 * a match below another match adds nothing to the share.
 */
import type { FlameTree } from '../../model/flame-tree.ts'
import { frameLabel } from '../../model/frame-label.ts'

/** A query that can't be searched says why. */
export type Query = { readonly matches: (name: string) => boolean } | { readonly problem: string }

/** Reads a query: `/re/` is a regular expression, anything else literal text; both ignore case. */
export function parseQuery(text: string): Query {
  if (text.length > 2 && text.startsWith('/') && text.endsWith('/')) {
    try {
      const pattern = new RegExp(text.slice(1, -1), 'i')
      return { matches: (name) => pattern.test(name) }
    } catch (error) {
      return { problem: (error as Error).message.replace(/^Invalid regular expression: /, '') }
    }
  }
  const literal = text.toLowerCase()
  return { matches: (name) => name.toLowerCase().includes(literal) }
}

/** What a search found. */
export interface SearchResult {
  /** 1 for each frame that matches. */
  readonly frames: Uint8Array
  /** Weight of all stacks with a match, each once, in the tree's unit. */
  readonly value: number
  /** Matching nodes, heaviest first, at most MAX_PLACES of them. */
  readonly places: Int32Array
  /** All of them. */
  readonly placeCount: number
}

/** The next and previous buttons walk this many places at most. */
const MAX_PLACES = 1000

/** Looks a query up in the whole tree. */
export function searchTree(tree: FlameTree, matches: (name: string) => boolean): SearchResult {
  const frames = new Uint8Array(tree.frames.count)
  for (let f = 0; f < frames.length; f++) frames[f] = matches(frameLabel(tree, f)) ? 1 : 0
  const covered = new Uint8Array(tree.count)
  const places = new Heaviest(tree.total)
  let placeCount = 0
  let value = 0
  for (let node = 1; node < tree.count; node++) {
    const isMatch = frames[tree.frame[node]!] === 1
    const isCovered = covered[tree.parent[node]!] === 1
    if (isMatch) {
      places.offer(node)
      placeCount++
      if (!isCovered) value += tree.total[node]!
    }
    covered[node] = isMatch || isCovered ? 1 : 0
  }
  return { frames, value, places: places.sorted(), placeCount }
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
