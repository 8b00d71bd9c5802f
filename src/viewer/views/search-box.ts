/** The search box: text or /expression/, how much of the profile it covers, the steps through its places, and the way to a filter. */

import { whole } from '../../view/numbers.ts'
import type { LabelValues } from '../../view/protocol.ts'
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
  /** Values of a label that have a part, for completion. */
  labelValues(key: string, part: string): Promise<LabelValues>
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
  /** The label all of whose values are offered: the browser narrows them down while one types. */
  #wholeKey = ''
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
    this.#wholeKey = ''
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

  /** Offers the names of labels, and behind a name those of its values that have what follows in them. */
  #offer(): void {
    const [, sign = '', plain = ''] = /^(-?)(.*)$/s.exec(this.text)!
    const key = this.#labelKeys.find((name) => plain.startsWith(`${name}:`))
    if (key === undefined) {
      const keys = plain === '' ? [] : this.#labelKeys
      return void this.#show(
        `${sign}keys ${keys.length > 0}`,
        keys.map((name) => `${sign}${name}:`),
      )
    }
    const part = this.#wholeKey === key ? '' : plain.slice(key.length + 1).replace(/^~/, '')
    const wanted = `${sign}${key}:${part}`
    if (wanted === this.#optionsOf) return
    this.#optionsOf = wanted
    const show = ({ values, more }: LabelValues): void => {
      if (this.#optionsOf !== wanted) return
      const shown = values.slice(0, MAX_OPTIONS)
      const left = more + values.length - shown.length
      if (left === 0 && part === '') this.#wholeKey = key
      this.#fill(
        shown.map(({ value }) => `${sign}${key}:${value}`),
        left === 0
          ? null
          : element('option', { value: wanted }, `… and ${whole(left)} more: type a part of it`),
      )
    }
    this.#actions.labelValues(key, part).then(show, () => undefined)
  }

  #show(name: string, options: readonly string[]): void {
    if (name === this.#optionsOf) return
    this.#optionsOf = name
    this.#fill(options, null)
  }

  #fill(options: readonly string[], rest: HTMLElement | null): void {
    const made = options.map((value) => element('option', { value }))
    this.#options.replaceChildren(...made, ...(rest === null ? [] : [rest]))
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
