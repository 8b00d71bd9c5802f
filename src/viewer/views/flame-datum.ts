/** What d3-flame-graph is fed with: the pruned tree and the way to it, as small fresh objects it may write into. */
import type { LaidOut } from 'd3-flame-graph'
import { nodeName } from '../../model/frame-label.ts'
import type { DrawnFrame } from '../../model/prune.ts'
import { shortName } from '../../model/short-name.ts'
import { pathTo, type Zoom } from '../../model/zoom.ts'
import { percent, whole } from '../data/numbers.ts'
import type { ViewModel } from '../data/view-model.ts'

/** Ancestors drawn above a zoom: the first few and the last; a line between them stands for the rest. */
const FIRST_ANCESTORS = 4
const LAST_ANCESTORS = 12

/** What the library lays out. `drawn` is null for a stand-in of skipped ancestors. */
export interface FlameDatum {
  readonly name: string
  readonly value: number
  readonly fade: boolean
  readonly drawn: DrawnFrame | null
  readonly children: FlameDatum[]
}

/** The library keeps its layout on the element, as d3-selection does. */
export function datumOf(group: Element): LaidOut<FlameDatum> {
  return (group as unknown as { __data__: LaidOut<FlameDatum> }).__data__
}

/** The pruned tree in the library's shape. */
export function toDatum(model: ViewModel, drawn: DrawnFrame, fade: boolean): FlameDatum {
  const children = drawn.children.map((child) => toDatum(model, child, false))
  return { name: drawnName(model, drawn), value: drawn.value, fade, drawn, children }
}

/** Label of a drawn thing. */
export function drawnName(model: ViewModel, drawn: DrawnFrame): string {
  if (drawn.members === null) return shortName(nodeName(model.tree, drawn.node))
  const share = model.tree.total[0]! > 0 ? drawn.value / model.tree.total[0]! : 0
  return `+${whole(drawn.members.length)} small · ${percent(share)}`
}

/** Puts the way to the zoom above it, at full width and faded. */
export function withAncestors(model: ViewModel, zoom: Zoom, below: FlameDatum): FlameDatum {
  const above = pathTo(model.tree, zoom.node).slice(0, -1)
  const skipped = above.length - FIRST_ANCESTORS - LAST_ANCESTORS
  let data = below
  for (let i = above.length - 1; i >= 0; i--) {
    const isSkipped = skipped > 1 && i >= FIRST_ANCESTORS && i < above.length - LAST_ANCESTORS
    if (isSkipped && i > FIRST_ANCESTORS) continue
    const drawn = { node: above[i]!, value: below.value, children: [], members: null }
    const name = isSkipped ? `⋯ ${whole(skipped)} frames` : shortName(nodeName(model.tree, above[i]!))
    data = { name, value: below.value, fade: true, drawn: isSkipped ? null : drawn, children: [data] }
  }
  return data
}
