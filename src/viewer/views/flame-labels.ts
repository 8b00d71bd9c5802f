/**
 * The texts on the frames: which part of a name, cut so that it fits. They lie over all frames together, as plain text of the
 * drawing: a box for each that cuts it off would be a layer of its own to the browser.
 */
import { narrowName } from '../../model/short-name.ts'
import { shape } from './dom.ts'
import type { FrameBox } from './flame-overlays.ts'
import type { TextWidths } from './text-widths.ts'

/** Frames narrower than this have no label: three letters help nobody. */
const MIN_LABEL_PX = 26
const PADDING_PX = 5
/** From the top of a frame to the line its letters stand on. */
const BASELINE_PX = 14
/** Width of a label's average character. */
const CHARACTER_PX = 6.2

/** The part of a name that is worth showing in a width: a long one loses its namespaces before its end is cut. */
export function labelThatFits(name: string, widthPx: number): string {
  return narrowName(name, Math.floor(widthPx / CHARACTER_PX)).replace(/^…/, '')
}

/** A text that is there. To remember what it says costs less than to read it back. */
interface Written {
  readonly element: SVGElement
  readonly text: Text
  x: number
  y: number
  isMuted: boolean
}

/** The texts of one graph. Those of one drawing are used again for the next. */
export class FlameLabels {
  readonly root = shape('g', { class: 'labels' })
  readonly #widths: TextWidths
  #written: Written[] = []
  #count = 0

  constructor(widths: TextWidths) {
    this.#widths = widths
  }

  /** Begins a drawing. */
  begin(): void {
    this.#count = 0
  }

  /** Writes a name on a frame that has the room for it. */
  add(name: string, { x, y, width }: FrameBox, isMuted: boolean): void {
    if (width < MIN_LABEL_PX) return
    const words = this.#widths.cut(labelThatFits(name, width), width - 2 * PADDING_PX)
    const label = this.#written[this.#count++] ?? this.#made()
    const [left, baseline] = [Math.round((x + PADDING_PX) * 100) / 100, y + BASELINE_PX]
    if (label.text.data !== words) label.text.data = words
    if (label.x !== left) label.element.setAttribute('x', String(left))
    if (label.y !== baseline) label.element.setAttribute('y', String(baseline))
    if (label.isMuted !== isMuted) label.element.classList.toggle('muted', isMuted)
    Object.assign(label, { x: left, y: baseline, isMuted })
  }

  /** Ends a drawing: what the one before had more of goes. */
  end(): void {
    for (const { element } of this.#written.splice(this.#count)) element.remove()
  }

  #made(): Written {
    const text = document.createTextNode('')
    const element = shape('text', {}, text)
    this.root.append(element)
    const made = { element, text, x: Number.NaN, y: Number.NaN, isMuted: false }
    this.#written.push(made)
    return made
  }
}
