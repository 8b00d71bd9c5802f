/** The bar of a page that an agent serves: what time is shown, whether it goes on, and how to change both. */
import { whole } from '../../view/numbers.ts'
import { button, element } from './dom.ts'

/** A choice of time: the last minutes, or a time of its own (unix milliseconds), which does not move. */
export type Span =
  | { readonly kind: 'last'; readonly minutes: number }
  | { readonly kind: 'custom'; readonly fromMs: number; readonly toMs: number }

/** What a reader does to the bar. */
export interface LiveBarActions {
  toggle(): void
  choose(span: Span): void
}

/** What the bar says. `problem` takes the place of the times; '' for none. */
export interface LiveState {
  readonly isLive: boolean
  readonly fromMs: number
  readonly toMs: number
  readonly windows: number
  /** Recorded since the page was paused. */
  readonly newer: number
  readonly problem: string
}

const DAY_MS = 86_400_000
const MINUTES = [1, 5, 15] as const

/** The bar. */
export class LiveBar {
  readonly root = element('section', { class: 'live-bar', 'aria-label': 'Time shown' })
  readonly #actions: LiveBarActions
  readonly #dot = element('i', { class: 'dot live-dot', 'aria-hidden': 'true' })
  readonly #word = element('b', { class: 'live-word' }, 'Live')
  readonly #toggle: HTMLButtonElement
  readonly #choice = element('select', { class: 'control', 'aria-label': 'Time range' })
  readonly #from = element('input', {
    type: 'time',
    step: '1',
    class: 'control',
    'aria-label': 'From',
  })
  readonly #to = element('input', { type: 'time', step: '1', class: 'control', 'aria-label': 'To' })
  readonly #custom: HTMLElement
  /** End of what was shown when the times were filled in: they mean the day around it. */
  #endMs = 0
  readonly #status = element('span', { class: 'live-status muted' })
  /** Read out: times change too often for that, states do not. */
  readonly #spoken = element('span', { class: 'unseen', 'aria-live': 'polite' })

  constructor(actions: LiveBarActions) {
    this.#actions = actions
    this.#toggle = button('Pause', { class: 'control', title: 'Pause or go on (Space)' }, () =>
      actions.toggle(),
    )
    for (const minutes of MINUTES)
      this.#choice.append(element('option', { value: String(minutes) }, `last ${minutes} min`))
    this.#choice.append(element('option', { value: 'custom' }, 'from … to …'))
    const show = button('Show', { class: 'control' }, () => this.#showCustom())
    this.#custom = element('span', { class: 'live-custom', hidden: '' }, this.#from, '–', this.#to, show)
    this.#choice.addEventListener('change', () => this.#choose())
    for (const input of [this.#from, this.#to])
      input.addEventListener('keydown', (event) => event.key === 'Enter' && this.#showCustom())
    const state = element('span', { class: 'live-state' }, this.#dot, this.#word)
    this.root.append(this.#status, this.#custom, this.#choice, state, this.#toggle, this.#spoken)
  }

  /** Marks a span of the last minutes as the chosen one. */
  set minutes(minutes: number) {
    this.#choice.value = String(minutes)
    this.#custom.hidden = true
  }

  /** Shows a state. */
  show(state: LiveState): void {
    const { isLive, newer, problem } = state
    const word = isLive ? 'Live' : 'Paused'
    this.#word.textContent = word
    this.#toggle.textContent = isLive ? 'Pause' : 'Go on'
    this.#dot.classList.toggle('paused', !isLive)
    this.#dot.classList.toggle('bad', problem !== '')
    const times =
      state.windows === 0 ? '' : `${clock(state.fromMs)} – ${clock(state.toMs)} · ${count(state.windows)}`
    const more = newer > 0 ? ` · ${whole(newer)} newer` : ''
    const text = problem === '' ? times + more : problem
    this.#status.textContent = text
    this.#status.title = text
    this.#status.classList.toggle('problem', problem !== '')
    const spoken = problem === '' ? word : problem
    if (this.#spoken.textContent !== spoken) this.#spoken.textContent = spoken
    if (document.activeElement !== this.#from && document.activeElement !== this.#to && this.#custom.hidden)
      this.#fill(state.fromMs, state.toMs)
  }

  #fill(fromMs: number, toMs: number): void {
    this.#from.value = clock(fromMs)
    this.#to.value = clock(toMs)
    this.#endMs = toMs
  }

  #choose(): void {
    const isCustom = this.#choice.value === 'custom'
    this.#custom.hidden = !isCustom
    if (isCustom) this.#from.focus()
    else this.#actions.choose({ kind: 'last', minutes: Number(this.#choice.value) })
  }

  #showCustom(): void {
    if (!this.#from.reportValidity() || !this.#to.reportValidity()) return
    if (this.#from.value === '' || this.#to.value === '') return
    const toMs = lastTime(this.#to.value, this.#endMs + DAY_MS / 2)
    this.#actions.choose({ kind: 'custom', fromMs: lastTime(this.#from.value, toMs - 1), toMs })
  }
}

/** The last moment until `untilMs` at which clocks here show a time: what was recorded is minutes old, not days. */
function lastTime(text: string, untilMs: number): number {
  const [hours, minutes, seconds] = text.split(':').map(Number)
  const moment = new Date(untilMs)
  moment.setHours(hours!, minutes!, seconds ?? 0, 0)
  if (moment.getTime() > untilMs) moment.setDate(moment.getDate() - 1)
  return moment.getTime()
}

function count(windows: number): string {
  return windows === 1 ? '1 window' : `${whole(windows)} windows`
}

function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB')
}
