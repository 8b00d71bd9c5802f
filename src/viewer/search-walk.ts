/** The search: its text, the walk from place to place of what it found, and the filter that it can become. */
import type { App } from './app.ts'
import * as change from './state/change.ts'
import { chipOf } from './state/chips.ts'

/** The search of a page. */
export class SearchWalk {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** Searches for a text, '' for nothing. */
  search(text: string): void {
    if (text === this.#app.state.search) return
    this.#app.go({ ...this.#app.state, search: text }, 'replace')
  }

  /** To the next place or the one before; round at the end. */
  async step(direction: 1 | -1): Promise<void> {
    const { reading, screen, isReady, ask } = this.#app
    const places = reading.shown?.search?.places ?? 0
    if (places === 0 || !isReady) return
    const from = reading.place?.index ?? (direction === 1 ? -1 : 0)
    try {
      const place = await ask({ do: 'place', index: (from + direction + places) % places })
      reading.place = place
      screen.drawMarks()
      this.#showPlace(place.path)
    } catch (error) {
      screen.notice.problem(error)
    }
  }

  #showPlace(path: readonly string[]): void {
    const { screen, reading, state } = this.#app
    const isFocus = !screen.search.isFocused
    const { view } = state
    const isTree = view === 'flame' || view === 'inverted'
    if (isTree && screen.graph.focusPath(path, isFocus)) return
    if (isFocus) reading.focusNext = path
    this.#app.go({ ...state, view: isTree ? view : 'flame', zoom: { path, ranks: null } })
  }

  /** Makes a chip of a text. */
  filter(text: string): void {
    const chip = chipOf(text, this.#app.opened?.labelKeys ?? [])
    if (chip === null) return
    this.#app.screen.search.clear()
    this.#app.go({ ...change.withChip(this.#app.state, chip), search: '' })
  }
}
