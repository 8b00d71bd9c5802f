/** The search box: text or /expression/, how much of the profile it covers, the steps through its places, and the way to a filter. */
import { button, element } from './dom.ts'

/** What is shown beside the box. `share` is null when there is no result to show. */
export interface SearchStatus {
  readonly share: string | null
  readonly error: string
  readonly detail: string
  readonly isProblem: boolean
  readonly canStep: boolean
}

/** What a reader does. */
export interface SearchActions {
  change(text: string): void
  step(direction: 1 | -1): void
  /** Turns the text into a filter. */
  filter(text: string): void
  /** Values of a label, for completion. */
  labelValues(key: string): Promise<readonly string[]>
}

const TYPING_PAUSE_MS = 80
/** A second Enter this soon after the first means a filter. */
const TWICE_MS = 400
const MAX_OPTIONS = 50

/** The box and its line. */
export class SearchBox {
  readonly root = element('div', { class: 'search-line', role: 'search' })
  readonly #actions: SearchActions
  readonly #input = element('input', {
    type: 'search',
    'aria-label': 'Search functions',
    placeholder: 'Search, /regexp/, label:value or -hide',
    title: 'Enter: next place. Enter twice or Ctrl+Enter: filter by it. Tab completes label names.',
    spellcheck: 'false',
    autocomplete: 'off',
    list: 'search-options',
  })
  readonly #options = element('datalist', { id: 'search-options' })
  readonly #status = element('output', { class: 'status', 'aria-live': 'polite' })
  readonly #steps: readonly HTMLButtonElement[]
  readonly #filter: HTMLButtonElement
  #labelKeys: readonly string[] = []
  #optionsOf = ''
  #timer = 0
  #enteredAt = Number.NEGATIVE_INFINITY

  constructor(actions: SearchActions) {
    this.#actions = actions
    const step = (label: string, name: string, key: string, way: 1 | -1): HTMLButtonElement =>
      button(label, { class: 'control square', 'aria-label': name, title: `${name} (${key})` }, () =>
        actions.step(way),
      )
    this.#steps = [step('‹', 'Previous place', 'N', -1), step('›', 'Next place', 'n', 1)]
    const title = 'Show only the stacks through what matches (Ctrl+Enter)'
    this.#filter = button('Only these', { class: 'control only-these', title }, () => this.#toFilter())
    const key = element('kbd', { 'aria-hidden': 'true' }, '/')
    const field = element('div', { class: 'field' }, this.#input, this.#options, key)
    this.root.append(field, this.#status, ...this.#steps, this.#filter)
    for (const control of [...this.#steps, this.#filter]) control.hidden = true
    this.#input.addEventListener('input', () => this.#onInput())
    this.#input.addEventListener('keydown', (event) => this.#onKey(event))
  }

  /** Label names that can be completed. */
  set labelKeys(keys: readonly string[]) {
    this.#labelKeys = keys
    this.#optionsOf = ''
    this.#options.replaceChildren()
  }

  get text(): string {
    return this.#input.value
  }

  set text(text: string) {
    if (this.#input.value !== text && !this.isFocused) this.#input.value = text
  }

  get isFocused(): boolean {
    return document.activeElement === this.#input
  }

  focus(): void {
    this.#input.focus()
    this.#input.select()
  }

  /** Empties the box and leaves it. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#input.value = ''
    this.#input.blur()
  }

  #onInput(): void {
    clearTimeout(this.#timer)
    this.#timer = window.setTimeout(() => this.#actions.change(this.#input.value), TYPING_PAUSE_MS)
    this.#offer()
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key === 'Tab' && !event.shiftKey && this.#complete()) return void event.preventDefault()
    if (event.key !== 'Enter' || event.isComposing) return
    event.preventDefault()
    clearTimeout(this.#timer)
    const isTwice = event.timeStamp - this.#enteredAt < TWICE_MS && !event.shiftKey && !event.repeat
    this.#enteredAt = event.timeStamp
    if (event.ctrlKey || event.metaKey || isTwice) return void this.#toFilter()
    this.#actions.change(this.#input.value)
    this.#actions.step(event.shiftKey ? -1 : 1)
  }

  #toFilter(): void {
    const { text } = this
    this.#enteredAt = Number.NEGATIVE_INFINITY
    if (text.trim() !== '') this.#actions.filter(text)
  }

  /** Completes the name of a label; true when there was one to complete. */
  #complete(): boolean {
    const [, sign = '', start = ''] = /^(-?)([^:]*)$/.exec(this.text) ?? []
    const key = start === '' ? undefined : this.#labelKeys.find((name) => name.startsWith(start))
    if (key === undefined || this.text.includes(':')) return false
    this.#input.value = `${sign}${key}:`
    this.#onInput()
    return true
  }

  /** Offers the names of labels, and behind a name its values. */
  #offer(): void {
    const key = this.#labelKeys.find((name) => this.text.replace(/^-/, '').startsWith(`${name}:`)) ?? ''
    const wanted = key === '' && this.text !== '' ? 'keys' : key
    if (wanted === this.#optionsOf) return
    this.#optionsOf = wanted
    if (key === '') return void this.#show(wanted === 'keys' ? this.#labelKeys.map((name) => `${name}:`) : [])
    const show = (values: readonly string[]): void => {
      if (this.#optionsOf === key) this.#show(values.map((value) => `${key}:${value}`))
    }
    this.#actions.labelValues(key).then(show, () => undefined)
  }

  #show(options: readonly string[]): void {
    const made = options.slice(0, MAX_OPTIONS).map((value) => element('option', { value }))
    this.#options.replaceChildren(...made)
  }

  /** Shows a result. */
  show(status: SearchStatus): void {
    const share =
      status.share === null
        ? []
        : [element('b', {}, status.share), element('small', {}, ` ${status.error}`), ' · ']
    this.#status.replaceChildren(...share, status.detail)
    this.#status.classList.toggle('problem', status.isProblem)
    for (const control of [...this.#steps, this.#filter]) control.hidden = !status.canStep
  }
}
