/** What d3-flame-graph is fed with: the drawn rows and the way to them, as small fresh objects it may write into. */
import type { LaidOut } from 'd3-flame-graph'
import { shortName } from '../../model/short-name.ts'
import { percent, whole } from '../../view/numbers.ts'
import type { Drawing, DrawnRow } from '../../view/protocol.ts'
import type { Zoom } from '../../view/state.ts'
import { changeSign, clipped, fractionOf, type Measure } from '../data/shares.ts'

/** Ancestors drawn above a zoom: the first few and the last; a line between them stands for the rest. */
const FIRST_ANCESTORS = 4
const LAST_ANCESTORS = 12

/** What the library lays out. `row` is null for a stand-in of skipped ancestors. */
export interface FlameDatum {
  readonly name: string
  readonly value: number
  readonly fade: boolean
  readonly row: DrawnRow | null
  /** Keys from below the root to the frame; of a box, to the frame it belongs to. */
  readonly path: readonly string[]
  readonly children: FlameDatum[]
}

/** The library keeps its layout on the element, as d3-selection does. */
export function datumOf(group: Element): LaidOut<FlameDatum> {
  return (group as unknown as { __data__: LaidOut<FlameDatum> }).__data__
}

/** A drawing in the library's shape; null when it is empty. */
export function toDatum(drawing: Drawing, measure: Measure): FlameDatum | null {
  const made: FlameDatum[] = []
  for (const row of drawing.rows) {
    const above = made[row.parent]
    const path = row.parent < 0 ? drawing.path : pathBelow(above!.path, row)
    const datum = { name: rowName(row, measure), value: row.value, fade: false, row, path, children: [] }
    above?.children.push(datum)
    made.push(datum)
  }
  return made[0] === undefined ? null : withAncestors(drawing, measure, made[0])
}

function pathBelow(path: readonly string[], row: DrawnRow): readonly string[] {
  return row.shape === 'box' ? path : [...path, row.key]
}

/** Label of a drawn row. */
export function rowName(row: DrawnRow, measure: Measure): string {
  if (row.box === null) return changeSign(row.change) + shortName(clipped(row.name))
  return `+${whole(row.box.count)} small · ${percent(fractionOf(measure, row.value))}`
}

/** Puts the way to the zoom above it, at full width and faded. */
function withAncestors(drawing: Drawing, measure: Measure, below: FlameDatum): FlameDatum {
  const { above, path } = drawing
  const skipped = above.length - FIRST_ANCESTORS - LAST_ANCESTORS
  let data = below
  for (let i = above.length - 1; i >= 0; i--) {
    const isSkipped = skipped > 1 && i >= FIRST_ANCESTORS && i < above.length - LAST_ANCESTORS
    if (isSkipped && i > FIRST_ANCESTORS) continue
    const name = isSkipped ? `⋯ ${whole(skipped)} frames` : rowName(above[i]!, measure)
    const row = isSkipped ? null : above[i]!
    data = { name, value: below.value, fade: true, row, path: path.slice(0, i), children: [data] }
  }
  return data
}

/**
 * Where a press on a frame leads: into it. A box at the zoom itself leads to its members alone, one further down to the frame
 * it belongs to, where its members have more room; null where there is nothing to go to.
 */
export function zoomOf(datum: FlameDatum, zoomPath: readonly string[]): Zoom | null {
  const { row, path } = datum
  if (row === null || row.shape === 'ghost') return null
  const isAtZoom = path.length === zoomPath.length
  return { path, ranks: row.box !== null && isAtZoom ? row.box.ranks : null }
}
