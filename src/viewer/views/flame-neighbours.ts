/** Which frame lies beside another one: what the arrow keys walk. */
import type { LaidOut } from 'd3-flame-graph'
import type { FlameDatum } from './flame-datum.ts'
import type { Frames } from './flame-frames.ts'

/** A direction; up is towards the root. */
export type Way = 'up' | 'down' | 'left' | 'right'

/** The element of the neighbour, undefined at the border. */
export function neighbour(frame: LaidOut<FlameDatum>, way: Way, frames: Frames): SVGElement | undefined {
  if (way === 'up') return frame.parent === null ? undefined : frames.get(frame.parent)
  if (way === 'down') return firstDrawn(frame.children ?? [], frames)
  // Siblings first, then the rest of the row: all frames of a row lie in one line for the eye.
  const row = [...frames.keys()].filter((other) => other.depth === frame.depth).sort((a, b) => a.x0 - b.x0)
  const beside = row[row.indexOf(frame) + (way === 'right' ? 1 : -1)]
  return beside === undefined ? undefined : frames.get(beside)
}

/** The first child, a frame rather than a box. */
function firstDrawn(candidates: readonly LaidOut<FlameDatum>[], frames: Frames): SVGElement | undefined {
  const drawn = candidates.filter((candidate) => frames.has(candidate))
  const first = drawn.find(({ data }) => data.row?.box === null) ?? drawn[0]
  return first === undefined ? undefined : frames.get(first)
}
