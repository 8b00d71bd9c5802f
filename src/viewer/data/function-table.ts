/**
 * The table's rows: self and total per function over the whole tree, a recursion counted once. A function that is
 * inlined here and called there is one row; an unnamed frame is a row of its own.
 */

import type { FlameTree } from '../../model/flame-tree.ts'

/** Rows as columns; units are the tree's. */
export interface FunctionTable {
  readonly count: number
  /** A frame that stands for the row: its name, its colour. */
  readonly frame: Int32Array
  readonly self: Float64Array
  readonly total: Float64Array
  /** How many nodes of the tree show the row. */
  readonly places: Int32Array
  /** Row of a frame. */
  readonly rowOfFrame: Int32Array
}

/** One walk over the tree. */
export function functionTable(tree: FlameTree): FunctionTable {
  const { rowOfFrame, frame } = rowsOf(tree)
  const count = frame.length
  const self = new Float64Array(count)
  const total = new Float64Array(count)
  const places = new Int32Array(count)
  const onPath = new Int32Array(count)
  for (let node = tree.firstChild[0] ?? -1; node > 0; ) {
    const row = rowOfFrame[tree.frame[node]!]!
    self[row]! += tree.self[node]!
    places[row]!++
    if (onPath[row]!++ === 0) total[row]! += tree.total[node]!
    if (tree.firstChild[node]! >= 0) {
      node = tree.firstChild[node]!
      continue
    }
    while (node > 0 && tree.nextSibling[node]! < 0) {
      onPath[rowOfFrame[tree.frame[node]!]!]!--
      node = tree.parent[node]!
    }
    if (node <= 0) break
    onPath[rowOfFrame[tree.frame[node]!]!]!--
    node = tree.nextSibling[node]!
  }
  return { count, frame, self, total, places, rowOfFrame }
}

function rowsOf(tree: FlameTree): { rowOfFrame: Int32Array; frame: Int32Array } {
  const { frames, profile } = tree
  const rowOfFrame = new Int32Array(frames.count)
  const rowOfFunction = new Int32Array(profile.functions.length).fill(-1)
  const frame: number[] = []
  for (let f = 0; f < frames.count; f++) {
    const fn = frames.function[f]!
    const known = fn < 0 ? -1 : rowOfFunction[fn]!
    rowOfFrame[f] = known >= 0 ? known : frame.push(f) - 1
    if (fn >= 0) rowOfFunction[fn] = rowOfFrame[f]!
  }
  return { rowOfFrame, frame: Int32Array.from(frame) }
}

/** Rows in the order of a column, heaviest first; rows of weight 0 in both columns are left out. */
export function sortedRows(table: FunctionTable, by: 'self' | 'total', only: Uint8Array | null): Int32Array {
  const rows: number[] = []
  for (let row = 0; row < table.count; row++) {
    if (table.total[row]! > 0 && (only === null || only[row] === 1)) rows.push(row)
  }
  const [first, second] = by === 'self' ? [table.self, table.total] : [table.total, table.self]
  return Int32Array.from(rows).sort((a, b) => first[b]! - first[a]! || second[b]! - second[a]! || a - b)
}
