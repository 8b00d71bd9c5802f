/** The text on a frame, cut to its width before the browser sees it: SVG text knows no ellipsis. */
import { narrowName } from '../../model/short-name.ts'

/** Frames narrower than this have no label: three letters help nobody. */
export const MIN_LABEL_PX = 26
/** Room between a label and each end of its frame. */
export const LABEL_INSET_PX = 5
/** Width of a label's average character. */
const CHARACTER_PX = 6.2
/** The font of `.flame-holder` in the style sheet. */
const FONT_PX = 11.5

/** The part of a name that is worth showing in a width: a long one loses its namespaces before its end is cut. */
export function labelThatFits(name: string, widthPx: number): string {
  return narrowName(name, Math.floor(widthPx / CHARACTER_PX)).replace(/^…/, '')
}

/** The same, cut with an ellipsis where it is still too wide for the frame. */
export function cutLabel(name: string, widthPx: number): string {
  const text = labelThatFits(name, widthPx)
  const room = widthPx - 2 * LABEL_INSET_PX
  let [used, end, fitting] = [0, 0, 0]
  for (const character of text) {
    used += characterPx(character)
    if (used > room) return `${text.slice(0, fitting)}…`
    end += character.length
    // One letter may use the room beside the label: an ellipsis alone says nothing.
    if (fitting === 0 || used + characterPx('…') <= room) fitting = end
  }
  return text
}

const widths = new Map<string, number>()
let ruler: CanvasRenderingContext2D | null = null

/** Gets what measures text; before a drawing, as in the middle of one the browser would have to style half of it to tell the font. */
export function readyLabels(): void {
  ruler ??= document.createElement('canvas').getContext('2d')!
  ruler.font = `${FONT_PX}px ${getComputedStyle(document.body).fontFamily}`
}

/** Width of one character; text is about as wide as its characters together. */
function characterPx(character: string): number {
  const known = widths.get(character)
  if (known !== undefined) return known
  const width = ruler?.measureText(character).width ?? CHARACTER_PX
  widths.set(character, width)
  return width
}
