/**
 * The page of an open profile: holds the state, sends it to the worker, and hands the answers to the views. Each thing a reader
 * does becomes a state; nothing is drawn but from an answer.
 */
import type { Band, Heat, LabelValues, Listed, Opened, Shown, TableRow } from '../view/protocol.ts'
import {
  type Baseline,
  type Chip,
  INITIAL_STATE,
  type TimeRange,
  type ViewState,
  type Zoom,
} from '../view/state.ts'
import { copyText } from './data/download.ts'
import { nextPaint } from './data/turn.ts'
import { save } from './exporter.ts'
import { Reading, subjectOfRow } from './reading.ts'
import { Screen } from './screen.ts'
import { type Ask, Session } from './session.ts'
import * as change from './state/change.ts'
import { chipOf } from './state/chips.ts'
import { StateHistory } from './state/history.ts'
import { windowBrowsing } from './state/window-browsing.ts'
import { openCompare } from './views/compare-dialog.ts'
import { openHelp, openNotes } from './views/dialogs.ts'
import { type FlameDatum, zoomOf } from './views/flame-datum.ts'
import { chipFor, type FilterKey, menuLabel, type Subject, subjectMenu } from './views/frame-menu.ts'
import { openMenu } from './views/menu.ts'
import type { Anchor } from './views/popover.ts'
import { NO_VALUES, PROCESS_LABEL } from './views/process-choice.ts'
import { toggleTheme } from './views/theme.ts'

/** What an agent's page has beside the search; Space is its toggle. */
export interface LiveControls {
  readonly root: HTMLElement
  toggle(): void
}

/** The page. */
export class App {
  readonly #ask: Ask
  readonly #notices: string
  readonly #live: LiveControls | null
  readonly #session: Session
  readonly #history: StateHistory
  readonly #screen: Screen
  readonly reading = new Reading()
  #opened: Opened | null = null
  /** False while only a preview is shown: the worker has nothing to answer from, what is wanted waits. */
  #isReady = false
  /** Where the focus goes once the next answer is drawn. */
  #focusNext: readonly string[] | null = null
  #band: Band | null = null
  #heat: Heat | null = null

  constructor(holder: HTMLElement, ask: Ask, notices: string, live: LiveControls | null = null) {
    this.#ask = ask
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
      failed: (error) => this.#screen.notice.problem(error),
    })
    this.#screen = new Screen(holder, this, live)
  }

  get state(): ViewState {
    return this.#history.state
  }

  get isLive(): boolean {
    return this.#live !== null
  }

  /** Shows a profile that the worker has opened, in place of the one before; the state stays. */
  open(opened: Opened): void {
    this.#opened = opened
    this.#isReady = true
    this.reading.forgetFunctions()
    document.title = `${opened.name.slice(0, 200)} · Emberscope`
    this.#screen.drawOpened(opened, this.state)
    void this.#drawProcesses()
    this.#render(true)
  }

  /** The same with a profile to compare with, which is what the page is about unless its link says otherwise. */
  openCompared(opened: Opened): void {
    if (this.state.compare === null) this.#history.replace(change.comparedWith(this.state, { kind: 'file' }))
    this.open(opened)
  }

  /** Draws what came with the page, before the worker has anything to say; in parts, so that no task is long. */
  previewOpened(opened: Opened): void {
    this.#opened = opened
    this.#screen.drawOpened(opened, INITIAL_STATE)
  }

  /** Has the browser lay the empty page out, which is a task of its own: the drawing asks for its width. */
  previewLaid(): void {
    void this.#screen.widthPx
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

  #render(isNews = false): void {
    if (this.#opened === null) return
    const { state } = this
    this.#screen.drawState(state, this.#history.canUndo)
    if (!this.#isReady) return
    const { widthPx } = this.#screen
    const hasTimes = this.#opened.durationNs !== null
    const bandPx = hasTimes ? this.#screen.bandPx : 0
    this.#session.want({ state, widthPx, bandPx, hasTimes }, isNews)
  }

  #onShown(shown: Shown, state: ViewState): void {
    this.reading.take(shown, state)
    this.#screen.drawShown(shown, state)
    markPainted()
    this.#drawBand()
    if (this.#focusNext !== null) this.#screen.graph.focusPath(this.#focusNext)
    this.#focusNext = null
    this.point(this.#screen.graph.underReader())
  }

  #onListed(listed: Listed, state: ViewState): void {
    this.reading.takeListed(listed)
    this.#screen.drawListed(listed, state)
    if (this.reading.selected !== null) this.#screen.drawMarks()
    this.reading.describe(this.#screen.strip)
  }

  #onBand(band: Band | null, heat: Heat | null, state: ViewState): void {
    if (band !== null) this.#band = band
    if (heat !== null) this.#heat = heat
    if (state === this.state) this.#drawBand()
  }

  #drawBand(): void {
    if (this.#opened !== null) this.#screen.drawBand(this.#opened, this.state, this.#band, this.#heat)
  }

  async #drawProcesses(): Promise<void> {
    if (this.#opened?.labelKeys.includes(PROCESS_LABEL) !== true)
      return this.#screen.drawProcesses(NO_VALUES, this.state)
    try {
      this.#screen.drawProcesses(await this.labelValues(PROCESS_LABEL, ''), this.state)
    } catch (error) {
      this.#screen.notice.problem(error)
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
    this.reading.describe(this.#screen.strip)
  }

  press(datum: FlameDatum, isCallers: boolean): void {
    if (this.state.view === 'sandwich') return void this.#pressSandwich(datum, isCallers)
    const zoom = zoomOf(datum, this.state.zoom.path)
    if (zoom !== null) this.zoom(zoom)
  }

  /** In a sandwich a press makes another function the filling; a box shows its members. */
  #pressSandwich(datum: FlameDatum, isCallers: boolean): void {
    const subject = this.reading.subjectOf(datum, isCallers)
    const { shown } = this.reading
    const zoom = zoomOf(datum, (isCallers ? shown?.callers : shown?.drawing)?.path ?? [])
    if (subject !== null && subject.query !== '') this.pivot(subject.key)
    else if (datum.row?.box != null && zoom !== null) this.zoom(zoom, isCallers ? 'callersZoom' : 'zoom')
  }

  zoom(zoom: Zoom, half: change.Half = 'zoom'): void {
    const { path, ranks } = this.state[half]
    const isSame = path.join('\n') === zoom.path.join('\n') && String(ranks) === String(zoom.ranks)
    if (isSame) return
    if (half === 'zoom' && this.#screen.graph.focused() !== null) this.#focusNext = zoom.path
    this.go(change.zoomed(this.state, zoom, half))
  }

  out(): void {
    const half = change.zoomedHalf(this.state)
    if (half === null) return
    if (half === 'zoom' && this.#screen.graph.focused() !== null) this.#focusNext = this.state.zoom.path
    this.go(change.zoomedOut(this.state))
  }

  unzoom(): void {
    if (change.zoomedHalf(this.state) !== null) this.go(change.unzoomed(this.state))
  }

  pivot(key: string): void {
    this.go(change.inView(this.state, 'sandwich', key))
  }

  // Search.

  search(text: string): void {
    if (text === this.state.search) return
    this.go({ ...this.state, search: text }, 'replace')
  }

  async step(direction: 1 | -1): Promise<void> {
    const places = this.reading.shown?.search?.places ?? 0
    if (places === 0 || !this.#isReady) return
    const from = this.reading.place?.index ?? (direction === 1 ? -1 : 0)
    try {
      const place = await this.#ask({ do: 'place', index: (from + direction + places) % places })
      this.reading.place = place
      this.#screen.drawMarks()
      this.#showPlace(place.path)
    } catch (error) {
      this.#screen.notice.problem(error)
    }
  }

  #showPlace(path: readonly string[]): void {
    const isFocus = !this.#screen.search.isFocused
    const { view } = this.state
    const isTree = view === 'flame' || view === 'inverted'
    if (isTree && this.#screen.graph.focusPath(path, isFocus)) return
    if (isFocus) this.#focusNext = path
    this.go({ ...this.state, view: isTree ? view : 'flame', zoom: { path, ranks: null } })
  }

  filterBySearch(text: string): void {
    const chip = chipOf(text, this.#opened?.labelKeys ?? [])
    if (chip === null) return
    this.#screen.search.clear()
    this.go({ ...change.withChip(this.state, chip), search: '' })
  }

  labelValues(key: string, part: string): Promise<LabelValues> {
    return this.#ask({ do: 'labels', key, part })
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

  // Time and comparison.

  range(range: TimeRange | null, isStep: boolean): void {
    this.go({ ...this.state, range }, isStep ? 'replace' : 'push')
  }

  baselineRange(range: TimeRange | null): void {
    if (range === null) return void this.stopComparing()
    this.go(change.comparedWith(this.state, { kind: 'range', range }))
  }

  compareWith(base: Baseline): void {
    this.go(change.comparedWith(this.state, base))
  }

  stopComparing(): void {
    this.go(change.notCompared(this.state))
  }

  compare(): void {
    const opened = this.#opened
    if (opened === null) return
    openCompare({
      name: opened.name,
      labelKeys: opened.labelKeys,
      hasTimes: opened.durationNs !== null,
      baselineName: opened.baselineName,
      file: (file) => void this.openFile(file, 'baseline'),
      loaded: () => this.compareWith({ kind: 'file' }),
      label: (key, before, after) => this.compareWith({ kind: 'label', key, before, after }),
      labelValues: (key, part) => this.labelValues(key, part),
    })
  }

  /** Opens a file of the reader's: as the profile, or to compare with. */
  async openFile(file: File, role: 'profile' | 'baseline'): Promise<void> {
    this.#screen.notice.clear()
    this.#screen.notice.news(`Opening ${file.name.slice(0, 100)}…`)
    try {
      const opened = await this.#ask({ do: 'open', bytes: file, name: file.name, role })
      if (role === 'profile') this.#history.push(INITIAL_STATE)
      else this.#history.push(change.comparedWith(this.state, { kind: 'file' }))
      this.reading.selected = null
      this.#band = null
      this.#heat = null
      this.open(opened)
    } catch (error) {
      this.#screen.notice.problem(error)
      // What was open still is, but the worker has forgotten what it showed of it.
      this.#render(true)
    }
  }

  // The table.

  select(row: TableRow): void {
    this.reading.selected = this.reading.selected?.key === row.key ? null : row
    this.#screen.drawMarks()
    this.point(null)
  }

  rows(from: number, count: number): Promise<readonly TableRow[]> {
    return this.#ask({ do: 'rows', from, count })
  }

  // Functions.

  /** What the reader is on: the focused or pointed frame, the focused or chosen row. */
  subject(): { readonly subject: Subject; readonly at: Anchor } | null {
    const focused = this.#screen.graph.focused()
    const row = this.#screen.table.rowOf(document.activeElement)
    if (row !== null) return { subject: subjectOfRow(row), at: document.activeElement! }
    const datum = focused?.datum ?? this.reading.pointed
    const subject = datum === null ? null : this.reading.subjectOf(datum, focused?.isCallers ?? false)
    if (subject !== null) return { subject, at: focused?.element ?? this.#screen.strip.root }
    const { selected } = this.reading
    return selected === null ? null : { subject: subjectOfRow(selected), at: this.#screen.strip.root }
  }

  openMenuOf(subject: Subject, at: Anchor): void {
    const items = subjectMenu(subject, {
      zoom: (path) => this.zoom({ path, ranks: null }),
      pivot: (key) => this.pivot(key),
      filter: (chip) => this.filter(chip),
      details: ({ fn }) => void this.openDetails(fn),
      copy: (text, what) => void this.copy(text, what),
      link: () => location.href,
    })
    openMenu(at, menuLabel(subject), items)
  }

  filterSubject(key: FilterKey): void {
    const found = this.subject()
    const chip = found === null ? null : chipFor(key, found.subject)
    if (chip !== null) this.filter(chip)
    else this.#screen.notice.news('Point at a function first')
  }

  async openDetails(fn: number): Promise<void> {
    if (fn < 0 || !this.#isReady) return
    try {
      this.#screen.drawer.open(await this.#ask({ do: 'details', fn }), this.reading.measure)
      this.#screen.drawer.root.focus({ preventScroll: true })
    } catch (error) {
      this.#screen.notice.problem(error)
    }
  }

  async copy(text: string, what: string): Promise<void> {
    try {
      await copyText(text)
      this.#screen.notice.news(`Copied the ${what}`)
    } catch (error) {
      this.#screen.notice.problem(error)
    }
  }

  // The page.

  async save(format: Parameters<typeof save>[2], redact: boolean): Promise<void> {
    const { shown, measure } = this.reading
    if (shown === null || this.#opened === null) return
    const { widthPx } = this.#screen
    try {
      await save(
        this.#ask,
        { name: this.#opened.name, shown, state: this.state, measure, widthPx },
        format,
        redact,
      )
    } catch (error) {
      this.#screen.notice.problem(error)
    }
  }

  theme(): void {
    toggleTheme()
    this.#screen.band.redraw()
  }

  notes(): void {
    openNotes(this.#opened?.notes ?? [])
  }

  help(): void {
    openHelp(this.#notices, this.isLive)
  }

  pause(): void {
    this.#live?.toggle()
  }

  escape(): void {
    if (this.#screen.drawer.isOpen) this.#screen.drawer.close()
    else if (this.state.search !== '' || this.#screen.search.isFocused || this.#screen.search.text !== '') {
      this.#screen.search.clear()
      this.search('')
    } else if (this.reading.selected !== null) this.select(this.reading.selected)
    else this.out()
  }
}

/** Tells how soon something was drawn, and a frame later that it is on the screen as well. */
function markPainted(): void {
  if (performance.getEntriesByName('emberscope-drawn').length > 0) return
  performance.mark('emberscope-drawn')
  void nextPaint().then(() => performance.mark('emberscope-painted'))
}

/** Tells when the worker's newest answer was drawn; benches wait for it. */
function markAnswered(): void {
  performance.clearMarks('emberscope-answered')
  performance.mark('emberscope-answered')
}
