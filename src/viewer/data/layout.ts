/** Where the rows of a drawing lie: the same as the library lays them out, for what is drawn without it. */
import type { Drawing } from '../../view/protocol.ts'

/** Places as columns, one entry a row of the drawing. */
export interface Layout {
  /** Left edge, in the unit of the rows' values. */
  readonly left: Float64Array
  /** Rows above it. */
  readonly depth: Int32Array
  readonly deepest: number
}

/** Children stand side by side below their parent, in their order, from its left edge on. */
export function layoutOf({ rows }: Drawing): Layout {
  const left = new Float64Array(rows.length)
  const next = new Float64Array(rows.length)
  const depth = new Int32Array(rows.length)
  let deepest = 0
  rows.forEach((row, i) => {
    if (row.parent >= 0) {
      left[i] = next[row.parent]!
      next[row.parent]! += row.value
      depth[i] = depth[row.parent]! + 1
      deepest = Math.max(deepest, depth[i]!)
    }
    next[i] = left[i]!
  })
  return { left, depth, deepest }
}
