/** A tree of a scene as it is drawn: with the colours of the state, what the search found and the other side of a comparison. */
import { beforeFactor, drawnChange } from './comparison.ts'
import { type Dressing, drawingOf, type OtherSide } from './drawing.ts'
import type { Drawing } from './protocol.ts'
import type { Scene } from './scene.ts'
import type { KnownMatches } from './search.ts'
import type { ViewState } from './state.ts'
import type { CallTree } from './tree.ts'

/** What a drawing needs besides its scene. */
export interface DrawingContext {
  readonly state: ViewState
  readonly widthPx: number
  /** Hue of each frame, in degrees. */
  readonly hue: ArrayLike<number>
  /** 1 for each frame that the search found; null without a search. */
  readonly found: Uint8Array | null
  readonly matches: KnownMatches
}

/** Draws one tree of a scene: the main one, or the callers above it. */
export function drawScene(scene: Scene, tree: CallTree, context: DrawingContext): Drawing {
  const { state, widthPx, hue, found, matches } = context
  const zoom = tree === scene.callers ? state.callersZoom : state.zoom
  const { frames } = tree
  const { pivot } = scene
  const dressing: Dressing = {
    hue,
    matches: null,
    other: state.compare?.side === 'diff' ? otherSide(scene) : null,
    rootName: pivot < 0 ? 'all' : frames.name[frames.functionFrame[pivot]!]!,
    rootFn: pivot,
  }
  if (found === null) return drawingOf(tree, zoom, widthPx, dressing)
  // A tree that grows has the nodes that are drawn only once they were drawn.
  if (tree.expand !== undefined) drawingOf(tree, zoom, widthPx, dressing)
  return drawingOf(tree, zoom, widthPx, { ...dressing, matches: matches.of(tree, found) })
}

function otherSide({ compared, other }: Scene): OtherSide | null {
  if (compared === null || other === null) return null
  return {
    self: other.self,
    total: other.total,
    factor: beforeFactor(compared),
    changeOf: (fn) => drawnChange(compared, fn),
  }
}
