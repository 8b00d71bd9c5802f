/** The text on a frame: which part of a name, in a box that the style sheet cuts with an ellipsis. */
import { narrowName } from '../../model/short-name.ts'
import { element, shape } from './dom.ts'
import type { FrameBox } from './flame-overlays.ts'

/** Frames narrower than this have no label: three letters help nobody. */
const MIN_LABEL_PX = 26
/** Width of a label's average character. */
const CHARACTER_PX = 6.2

/** The part of a name that is worth showing in a width: a long one loses its namespaces before its end is cut. */
export function labelThatFits(name: string, widthPx: number): string {
  return narrowName(name, Math.floor(widthPx / CHARACTER_PX)).replace(/^…/, '')
}

/** A label that is there, and what it says at which width. */
export interface Label {
  readonly box: SVGElement
  readonly text: Text
  width: number
}

/** Writes a name on a frame that has the room for it. The box is what the library would have made. */
export function writeLabel(
  group: SVGGElement,
  known: Label | null,
  name: string,
  { width, height }: FrameBox,
): Label | null {
  if (width < MIN_LABEL_PX) {
    known?.box.remove()
    return null
  }
  const words = labelThatFits(name, width)
  if (known === null) {
    const text = document.createTextNode(words)
    const size = { width: String(width), height: String(height) }
    const box = shape('foreignObject', size, element('div', { class: 'd3-flame-graph-label' }, text))
    group.append(box)
    return { box, text, width }
  }
  if (known.text.data !== words) known.text.data = words
  if (known.width !== width) known.box.setAttribute('width', String(width))
  known.width = width
  return known
}
