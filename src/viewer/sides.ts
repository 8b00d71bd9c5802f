/** Which part of which profile is looked at: the range of time, what it is compared with, the files of both. */
import { type Baseline, INITIAL_STATE, type TimeRange } from '../view/state.ts'
import type { App } from './app.ts'
import * as change from './state/change.ts'
import { openCompare } from './views/compare-dialog.ts'

/** The sides of a page: what is shown, and the one before. */
export class Sides {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** Looks at a range of time, null for all of it. */
  range(range: TimeRange | null, isStep: boolean): void {
    this.#app.go({ ...this.#app.state, range }, isStep ? 'replace' : 'push')
  }

  /** Compares with a range of time. */
  baselineRange(range: TimeRange | null): void {
    if (range === null) return void this.stopComparing()
    this.#app.go(change.comparedWith(this.#app.state, { kind: 'range', range }))
  }

  /** Compares with a file that was opened, a range or a label. */
  compareWith(base: Baseline): void {
    this.#app.go(change.comparedWith(this.#app.state, base))
  }

  /** Looks at one side alone. */
  stopComparing(): void {
    this.#app.go(change.notCompared(this.#app.state))
  }

  /** Asks what to compare with. */
  compare(): void {
    const opened = this.#app.opened
    if (opened === null) return
    openCompare({
      name: opened.name,
      labelKeys: opened.labelKeys,
      hasTimes: opened.durationNs !== null,
      baselineName: opened.baselineName,
      file: (file) => void this.openFile(file, 'baseline'),
      loaded: () => this.compareWith({ kind: 'file' }),
      label: (key, before, after) => this.compareWith({ kind: 'label', key, before, after }),
      labelValues: (key, part) => this.#app.labelValues(key, part),
    })
  }

  /** Opens a file of the reader's: as the profile, or to compare with. */
  async openFile(file: File, role: 'profile' | 'baseline'): Promise<void> {
    const { screen, ask } = this.#app
    screen.notice.clear()
    screen.notice.news(`Opening ${file.name.slice(0, 100)}…`)
    try {
      const opened = await ask({ do: 'open', bytes: file, name: file.name, role })
      const compared = change.comparedWith(this.#app.state, { kind: 'file' })
      this.#app.openAt(opened, role === 'profile' ? INITIAL_STATE : compared)
    } catch (error) {
      screen.notice.problem(error)
      // What was open still is, but the worker has forgotten what it showed of it.
      this.#app.redraw()
    }
  }
}
