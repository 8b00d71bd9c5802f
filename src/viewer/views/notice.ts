/** A line over the page for what went wrong, until it is closed, and for what was done, for a moment. */
import { button, element } from './dom.ts'

const SHORT_MS = 2500

/** The line. */
export class Notice {
  readonly root = element('div', { class: 'notices' })
  readonly #problem = element('div', { role: 'alert' })
  readonly #news = element('div', { role: 'status' })
  #timer = 0

  constructor() {
    this.root.append(this.#problem, this.#news)
  }

  /** Says what went wrong. */
  problem(error: unknown): void {
    const message = error instanceof Error ? error.message : messageOf(error)
    const text = element('span', {}, message)
    const close = button('×', { class: 'control square', 'aria-label': 'Close the message' }, () =>
      this.clear(),
    )
    this.#problem.replaceChildren(element('p', { class: 'notice problem' }, text, close))
  }

  /** Says what was done. */
  news(text: string): void {
    clearTimeout(this.#timer)
    this.#news.replaceChildren(element('p', { class: 'notice' }, text))
    this.#timer = window.setTimeout(() => this.#news.replaceChildren(), SHORT_MS)
  }

  /** Takes a problem away. */
  clear(): void {
    this.#problem.replaceChildren()
  }
}

/** What a worker throws is a plain object. */
function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | null)?.message
  return typeof message === 'string' ? message : String(error)
}
