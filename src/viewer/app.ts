/**
 * The page of an open profile: holds the state, sends it to the worker, and hands the answers to the views. Each thing a reader
 * does becomes a state; nothing is drawn but from an answer.
 */
import type { Band, Heat, LabelValues, Listed, Opened, Shown, TableRow } from '../view/protocol.ts'
import { type Chip, INITIAL_STATE, type ViewState } from '../view/state.ts'
import { markAnswered, markPainted } from './data/marks.ts'
import { save } from './exporter.ts'
import { FunctionActions } from './function-actions.ts'
import { Reading } from './reading.ts'
import { Screen } from './screen.ts'
import { SearchWalk } from './search-walk.ts'
import { type Ask, Session } from './session.ts'
import { Sides } from './sides.ts'
import * as change from './state/change.ts'
import { StateHistory } from './state/history.ts'
import { windowBrowsing } from './state/window-browsing.ts'
import { openHelp, openNotes } from './views/dialogs.ts'
import type { FlameDatum } from './views/flame-datum.ts'
import { NO_VALUES, PROCESS_LABEL } from './views/process-choice.ts'
import { toggleTheme } from './views/theme.ts'
import { Zooming } from './zooming.ts'

/** What an agent's page has beside the search; Space is its toggle. */
export interface LiveControls {
  readonly root: HTMLElement
  toggle(): void
}

/** The page. */
export class App {
  readonly ask: Ask
  readonly #notices: string
  readonly #live: LiveControls | null
  readonly #session: Session
  readonly #history: StateHistory
  readonly screen: Screen
  readonly reading = new Reading()
  readonly zooming = new Zooming(this)
  readonly walk = new SearchWalk(this)
  readonly sides = new Sides(this)
  readonly functions = new FunctionActions(this)
  /** What is known of the open profile. */
  opened: Opened | null = null
  /** False while only a preview is shown: the worker has nothing to answer from, what is wanted waits. */
  isReady = false
  #band: Band | null = null
  #heat: Heat | null = null

  constructor(holder: HTMLElement, ask: Ask, notices: string, live: LiveControls | null = null) {
    this.ask = ask
    this.#notices = notices
    this.#live = live
    this.#history = new StateHistory(windowBrowsing(), () => this.#render())
    this.#session = new Session(ask, {
      shown: (shown, state) => {
        this.#onShown(shown, state)
        markAnswered()
      },
      listed: (listed, state) => this.#onListed(listed, state),
      band: (band, heat, state) => this.#onBand(band, heat, state),
      failed: (error) => this.screen.notice.problem(error),
    })
    this.screen = new Screen(holder, this, live)
  }

  get state(): ViewState {
    return this.#history.state
  }

  get isLive(): boolean {
    return this.#live !== null
  }

  /** Shows a profile that the worker has opened, in place of the one before; the state stays. */
  open(opened: Opened): void {
    this.opened = opened
    this.isReady = true
    this.reading.forgetFunctions()
    document.title = `${opened.name.slice(0, 200)} · Emberscope`
    this.screen.drawOpened(opened, this.state)
    void this.#drawProcesses()
    this.#render(true)
  }

  /** Shows another profile, or this one beside another, from a state of its own on. */
  openAt(opened: Opened, state: ViewState): void {
    this.#history.push(state)
    this.reading.selected = null
    this.#band = null
    this.#heat = null
    this.open(opened)
  }

  /** The same with a profile to compare with, which is what the page is about unless its link says otherwise. */
  openCompared(opened: Opened): void {
    if (this.state.compare === null) this.#history.replace(change.comparedWith(this.state, { kind: 'file' }))
    this.open(opened)
  }

  /** Draws what came with the page, before the worker has anything to say; in parts, so that no task is long. */
  previewOpened(opened: Opened): void {
    this.opened = opened
    this.screen.drawOpened(opened, INITIAL_STATE)
  }

  /** Has the browser lay the empty page out, which is a task of its own: the drawing asks for its width. */
  previewLaid(): void {
    this.screen.graph.prepare()
  }

  previewShown(shown: Shown): void {
    this.#onShown(shown, INITIAL_STATE)
  }

  previewListed(listed: Listed): void {
    this.#onListed(listed, INITIAL_STATE)
  }

  /** Goes on to a state. */
  go(state: ViewState, how: 'push' | 'replace' = 'push'): void {
    if (how === 'push') this.#history.push(state)
    else this.#history.replace(state)
    this.#render()
  }

  /** Asks for what is wanted as if for the first time. */
  redraw(): void {
    this.#render(true)
  }

  #render(isNews = false): void {
    if (this.opened === null) return
    const { state } = this
    this.screen.drawState(state, this.#history.canUndo)
    if (!this.isReady) return
    const { widthPx } = this.screen
    const hasTimes = this.opened.durationNs !== null
    const bandPx = hasTimes ? this.screen.bandPx : 0
    this.#session.want({ state, widthPx, bandPx, hasTimes }, isNews)
  }

  #onShown(shown: Shown, state: ViewState): void {
    this.reading.take(shown, state)
    this.screen.drawShown(shown, state)
    markPainted()
    this.#drawBand()
    const { focusNext } = this.reading
    if (focusNext !== null) this.screen.graph.focusPath(focusNext)
    this.reading.focusNext = null
    this.point(this.screen.graph.underReader())
  }

  #onListed(listed: Listed, state: ViewState): void {
    this.reading.takeListed(listed)
    this.screen.drawListed(listed, state)
    if (this.reading.selected !== null) this.screen.drawMarks()
    this.reading.describe(this.screen.strip)
  }

  #onBand(band: Band | null, heat: Heat | null, state: ViewState): void {
    if (band !== null) this.#band = band
    if (heat !== null) this.#heat = heat
    if (state === this.state) this.#drawBand()
  }

  #drawBand(): void {
    if (this.opened !== null) this.screen.drawBand(this.opened, this.state, this.#band, this.#heat)
  }

  async #drawProcesses(): Promise<void> {
    if (this.opened?.labelKeys.includes(PROCESS_LABEL) !== true)
      return this.screen.drawProcesses(NO_VALUES, this.state)
    try {
      this.screen.drawProcesses(await this.labelValues(PROCESS_LABEL, ''), this.state)
    } catch (error) {
      this.screen.notice.problem(error)
    }
  }

  /** The view at another width. */
  resized(): void {
    this.#render()
  }

  undo(): void {
    this.#history.undo()
  }

  // The graph.

  point(datum: FlameDatum | null): void {
    this.reading.pointed = datum
    this.reading.describe(this.screen.strip)
  }

  labelValues(key: string, part: string): Promise<LabelValues> {
    return this.ask({ do: 'labels', key, part })
  }

  // Filters.

  filter(chip: Chip): void {
    this.go(change.withChip(this.state, chip))
  }

  removeChip(index: number): void {
    this.go(change.withoutChip(this.state, index))
  }

  process(name: string): void {
    this.go(change.withLabel(this.state, PROCESS_LABEL, name))
  }

  // The table.

  rows(from: number, count: number): Promise<readonly TableRow[]> {
    return this.ask({ do: 'rows', from, count })
  }

  // The page.

  async save(format: Parameters<typeof save>[2], redact: boolean): Promise<void> {
    const { shown, measure } = this.reading
    if (shown === null || this.opened === null) return
    const { widthPx } = this.screen
    try {
      await save(
        this.ask,
        { name: this.opened.name, shown, state: this.state, measure, widthPx },
        format,
        redact,
      )
    } catch (error) {
      this.screen.notice.problem(error)
    }
  }

  theme(): void {
    toggleTheme()
    this.screen.band.redraw()
  }

  notes(): void {
    openNotes(this.opened?.notes ?? [])
  }

  help(): void {
    openHelp(this.#notices, this.isLive)
  }

  pause(): void {
    this.#live?.toggle()
  }

  escape(): void {
    if (this.screen.drawer.isOpen) this.screen.drawer.close()
    else if (this.state.search !== '' || this.screen.search.isFocused || this.screen.search.text !== '') {
      this.screen.search.clear()
      this.walk.search('')
    } else if (this.reading.selected !== null) this.functions.select(this.reading.selected)
    else this.zooming.out()
  }
}
