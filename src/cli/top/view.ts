/** The view on a terminal: windows and keys in, screens out. */
import type { Profile } from '../../model/profile.ts'
import type { Style } from '../terminal.ts'
import { type FunctionDetail, functionDetail } from './function-detail.ts'
import { TopHistory } from './history.ts'
import type { Key } from './keys.ts'
import { renderTop, tableRows } from './render.ts'
import type { Terminal } from './screen.ts'
import { FIRST_STATE, press, type TopState } from './view-state.ts'

export interface TopViewOptions {
  readonly terminal: Terminal
  readonly title: string
  readonly style: Style
  readonly quit: () => void
}

/** Draws at each window and at each key. */
export class TopView {
  readonly #options: TopViewOptions
  readonly #history = new TopHistory()
  /** What is shown while paused. */
  #frozen: TopHistory | null = null
  #state: TopState = FIRST_STATE
  #isOpen = false

  constructor(options: TopViewOptions) {
    this.#options = options
  }

  open(): void {
    const { terminal } = this.#options
    this.#isOpen = true
    terminal.onKey((key) => this.#press(key))
    terminal.onResize(() => this.#draw())
    terminal.open()
    this.#draw()
  }

  add(profile: Profile): void {
    this.#history.add(profile)
    if (this.#frozen === null) this.#draw()
  }

  /** Safe to call twice. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#options.terminal.close()
  }

  #press(key: Key): void {
    const { terminal, quit } = this.#options
    const keys = this.#shown()
      .data(this.#state.span, this.#state.sort, this.#state.filter)
      .rows.map((row) => row.key)
    const next = press(this.#state, key, { keys, page: tableRows(terminal.size) })
    if (next === null) {
      quit()
      return
    }
    if (next.isPaused !== this.#state.isPaused) this.#frozen = next.isPaused ? this.#history.frozen() : null
    this.#state = next
    this.#draw()
  }

  #shown(): TopHistory {
    return this.#frozen ?? this.#history
  }

  #draw(): void {
    if (!this.#isOpen) return
    const { terminal, title, style } = this.#options
    const state = this.#state
    const history = this.#shown()
    const data = history.data(state.span, state.sort, state.filter)
    const detail: FunctionDetail | null =
      state.mode === 'detail' ? functionDetail(history.profiles(state.span), state.selected) : null
    const past = (key: string, sort: TopState['sort']): number[] => history.past(key, sort)
    const screen = { state, data, title, past, detail, problem: '' }
    terminal.draw(renderTop(screen, terminal.size, style))
  }
}
