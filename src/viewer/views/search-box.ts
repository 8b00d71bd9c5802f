/** The search field, what it found, and the way from place to place. */
import { button, element } from './dom.ts'

/** What a reader does to the search. */
export interface SearchActions {
  change(text: string): void
  step(direction: 1 | -1): void
}

/** What the search says; `share` is null when there is nothing to say yet. */
export interface SearchStatus {
  readonly share: string | null
  readonly error: string
  readonly detail: string
  readonly isProblem: boolean
  readonly canStep: boolean
}

/** Time after the last key until the tree is searched: long enough not to search for every letter. */
const TYPING_PAUSE_MS = 60

/** The search line. */
export class SearchBox {
  readonly root = element('div', { class: 'search-line', role: 'search' })
  readonly #input = element('input', {
    type: 'search',
    placeholder: 'Search functions, or /regexp/',
    'aria-label': 'Search functions; a regular expression between slashes',
    spellcheck: 'false',
    autocomplete: 'off',
  })
  readonly #status = element('output', { class: 'status', 'aria-live': 'polite' })
  readonly #steps: HTMLButtonElement[]
  #timer = 0

  constructor(actions: SearchActions) {
    this.#steps = [
      button(
        '‹',
        { class: 'control square', 'aria-label': 'Previous place', title: 'Previous place (N)' },
        () => actions.step(-1),
      ),
      button('›', { class: 'control square', 'aria-label': 'Next place', title: 'Next place (n)' }, () =>
        actions.step(1),
      ),
    ]
    const field = element(
      'div',
      { class: 'field' },
      this.#input,
      element('kbd', { 'aria-hidden': 'true' }, '/'),
    )
    this.root.append(field, this.#status, ...this.#steps)
    for (const step of this.#steps) step.hidden = true
    this.#input.addEventListener('input', () => {
      clearTimeout(this.#timer)
      this.#timer = window.setTimeout(() => actions.change(this.#input.value), TYPING_PAUSE_MS)
    })
    this.#input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return
      clearTimeout(this.#timer)
      actions.change(this.#input.value)
      actions.step(event.shiftKey ? -1 : 1)
    })
  }

  get text(): string {
    return this.#input.value
  }

  get isFocused(): boolean {
    return document.activeElement === this.#input
  }

  focus(): void {
    this.#input.focus()
    this.#input.select()
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#input.value = ''
    this.#input.blur()
  }

  /** Shows a result. */
  show(status: SearchStatus): void {
    this.#status.replaceChildren(
      ...(status.share === null
        ? []
        : [element('b', {}, status.share), element('small', {}, ` ${status.error}`), ' · ']),
      status.detail,
    )
    this.#status.classList.toggle('problem', status.isProblem)
    for (const step of this.#steps) step.hidden = !status.canStep
  }
}
