/**
 * How wide texts are in a font, known without a layout: each character is measured once. True of texts that are drawn with
 * `text-rendering: geometricPrecision`: others have their letters moved to whole pixels.
 */

const ELLIPSIS = '…'

/** The widths of one font. */
export class TextWidths {
  readonly #context = document.createElement('canvas').getContext('2d')
  readonly #known = new Map<string, number>()

  /** `font` as in CSS. */
  constructor(font: string) {
    if (this.#context === null) return
    this.#context.font = font
    this.#context.textRendering = 'geometricPrecision'
  }

  /** As much of a text as there is room for, with an ellipsis where something is missing. */
  cut(text: string, roomPx: number): string {
    const ellipsisPx = this.#of(ELLIPSIS)
    let [widthPx, end, fitting] = [0, 0, 0]
    for (const character of text) {
      widthPx += this.#of(character)
      if (widthPx > roomPx) return text.slice(0, fitting) + ELLIPSIS
      end += character.length
      if (widthPx + ellipsisPx <= roomPx) fitting = end
    }
    return text
  }

  #of(character: string): number {
    let width = this.#known.get(character)
    if (width === undefined) {
      width = this.#context?.measureText(character).width ?? 0
      this.#known.set(character, width)
    }
    return width
  }
}
