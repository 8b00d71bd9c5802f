/**
 * Search over the distinct frames of a tree, and what the matches weigh: text is compared once per distinct frame, and
 * a match below another match adds nothing to the share.
 */
import type { FlameTree } from '../../model/flame-tree.ts'
import { frameLabel } from './function-table.ts'

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
const MAX_PLACES = 10_000

/** Looks a query up in the whole tree. */
export function searchTree(tree: FlameTree, matches: (name: string) => boolean): SearchResult {
  const frames = new Uint8Array(tree.frames.count)
  for (let f = 0; f < frames.length; f++) frames[f] = matches(frameLabel(tree, f)) ? 1 : 0
  const covered = new Uint8Array(tree.count)
  const places: number[] = []
  let value = 0
  for (let node = 1; node < tree.count; node++) {
    const isMatch = frames[tree.frame[node]!] === 1
    const isCovered = covered[tree.parent[node]!] === 1
    if (isMatch) {
      places.push(node)
      if (!isCovered) value += tree.total[node]!
    }
    covered[node] = isMatch || isCovered ? 1 : 0
  }
  const sorted = Int32Array.from(places).sort((a, b) => tree.total[b]! - tree.total[a]! || a - b)
  return { frames, value, places: sorted.subarray(0, MAX_PLACES), placeCount: places.length }
}
