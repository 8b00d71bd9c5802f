/** The text on a frame: which part of a name, in a box that the style sheet cuts with an ellipsis. */
import { narrowName } from '../../model/short-name.ts'
import { element, shape } from './dom.ts'

/** Frames narrower than this have no label: three letters help nobody. */
const MIN_LABEL_PX = 26
/** Width of a label's average character. */
const CHARACTER_PX = 6.2

/** The part of a name that is worth showing in a width: a long one loses its namespaces before its end is cut. */
export function labelThatFits(name: string, widthPx: number): string {
  return narrowName(name, Math.floor(widthPx / CHARACTER_PX)).replace(/^…/, '')
}

/** Writes a name on a frame that has the room for it. The box is what the library would have made; it sizes it from now on. */
export function writeLabel(group: SVGGElement, name: string, width: number, height: number): void {
  const last = group.lastElementChild
  const known = last?.tagName === 'foreignObject' ? last : null
  if (width < MIN_LABEL_PX) return void known?.remove()
  const text = labelThatFits(name, width)
  if (known !== null) {
    if (known.textContent !== text) known.firstElementChild!.textContent = text
    return
  }
  const size = { width: String(width), height: String(height) }
  group.append(shape('foreignObject', size, element('div', { class: 'd3-flame-graph-label' }, text)))
}
