/**
 * What lies over the frames: patterns of code that is no plain native code, hatching of boxes, outlines of what was found or chosen.
 * One path a kind for all frames together: a shape of its own in each of a thousand frames would cost a redraw its smoothness.
 */
import { shape } from './dom.ts'

/** The kinds, in the order in which they are painted. */
const KINDS = ['kernel', 'jit', 'inlined', 'box', 'dense', 'found', 'selected', 'current'] as const
export type Overlay = (typeof KINDS)[number]

/** Where a frame is, in pixels of its drawing. */
export interface FrameBox {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Outlines are drawn inside of their frame. */
const OUTLINE_PX = 2

/** Collects the boxes of each kind, then draws them. */
export class Overlays {
  readonly root = shape('g', { class: 'overlays' })
  readonly #paths = new Map<Overlay, string>()

  add(kind: Overlay, box: FrameBox): void {
    this.#paths.set(kind, (this.#paths.get(kind) ?? '') + PATHS[kind](box))
  }

  /** Draws what was added since the last time, in place of what was drawn then. */
  draw(): void {
    const drawn = KINDS.filter((kind) => this.#paths.has(kind)).map((kind) =>
      shape('path', { class: `overlay ${kind}`, d: this.#paths.get(kind)! }),
    )
    this.root.replaceChildren(...drawn)
    this.#paths.clear()
  }
}

const area = ({ x, y, width, height }: FrameBox): string => rectangle(x, y, width - 1, height - 1)
const outline = ({ x, y, width, height }: FrameBox): string =>
  rectangle(x + OUTLINE_PX / 2, y + OUTLINE_PX / 2, width - OUTLINE_PX, height - OUTLINE_PX)

const PATHS: Readonly<Record<Overlay, (box: FrameBox) => string>> = {
  kernel: area,
  jit: area,
  inlined: ({ x, y, width }) => `M${x.toFixed(1)} ${y + 1}h${(width - 1).toFixed(1)}`,
  box: area,
  dense: area,
  found: outline,
  selected: outline,
  current: outline,
}

function rectangle(x: number, y: number, width: number, height: number): string {
  const w = Math.max(0.5, width).toFixed(1)
  return `M${x.toFixed(1)} ${y}h${w}v${height}h-${w}z`
}

/** The patterns that the style sheet fills the paths with; once in a document. */
export function patternTiles(): SVGElement {
  return shape(
    'svg',
    { class: 'pattern-tiles', width: '0', height: '0', 'aria-hidden': 'true' },
    shape(
      'defs',
      {},
      tile('kernel-tile', 6, stripe(2, 6), true),
      tile('box-tile', 5, stripe(1.5, 5), true),
      tile('jit-tile', 5, shape('circle', { cx: '2.5', cy: '2.5', r: '1' }), false),
    ),
  )
}

function tile(id: string, size: number, content: SVGElement, isSlanted: boolean): SVGElement {
  const made = shape(
    'pattern',
    { id, width: String(size), height: String(size), patternUnits: 'userSpaceOnUse' },
    content,
  )
  if (isSlanted) made.setAttribute('patternTransform', 'rotate(45)')
  return made
}

function stripe(width: number, height: number): SVGElement {
  return shape('rect', { width: String(width), height: String(height) })
}
