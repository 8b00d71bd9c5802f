/** The width of an element's content, known without a layout: to ask the browser after a change makes it lay out a thousand frames. */

/** Follows one element. What changes its width without it being seen at once (a class of an ancestor) has to `forget` it. */
export class KnownWidth {
  readonly #of: HTMLElement
  #px: number | null = null

  constructor(of: HTMLElement) {
    this.#of = of
    new ResizeObserver(([entry]) => {
      this.#px = entry!.contentRect.width || null
    }).observe(of)
  }

  /** Pixels, 0 while it is not shown. */
  get px(): number {
    this.#px ??= this.#measured() || null
    return this.#px ?? 0
  }

  /** Has it measured when it is asked for next. */
  forget(): void {
    this.#px = null
  }

  #measured(): number {
    const { clientWidth } = this.#of
    if (clientWidth === 0) return 0
    const { paddingLeft, paddingRight } = getComputedStyle(this.#of)
    return clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight)
  }
}
