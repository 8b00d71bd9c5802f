/** All views of the page in their places, and which of them a piece of news concerns. */
import type { Band, Heat, LabelValues, Listed, Opened, Shown } from '../view/protocol.ts'
import type { ViewState } from '../view/state.ts'
import type { App, LiveControls } from './app.ts'
import { pageKeys } from './page-keys.ts'
import { subjectOfRow } from './reading.ts'
import * as change from './state/change.ts'
import { ChipsRow } from './views/chips-row.ts'
import { columnChoice } from './views/column-choice.ts'
import { element } from './views/dom.ts'
import { Drawer } from './views/drawer.ts'
import { listenToDrops } from './views/drop.ts'
import { openExport } from './views/export-panel.ts'
import { GraphView } from './views/graph.ts'
import { headerView } from './views/header.ts'
import { listenToKeys } from './views/keys.ts'
import { listenToMenus } from './views/menu-gesture.ts'
import { Notice } from './views/notice.ts'
import { NO_VALUES, PROCESS_LABEL, ProcessChoice } from './views/process-choice.ts'
import { SearchBox } from './views/search-box.ts'
import { StripView } from './views/strip.ts'
import { TableView } from './views/table.ts'
import { TimeBand } from './views/time-band.ts'
import { Toolbar } from './views/toolbar.ts'
import { VerdictBanner } from './views/verdict.ts'

/** A table of the whole width has room for more columns from here on. */
const WIDE_TABLE_PX = 760

/** The page's elements. */
export class Screen {
  readonly notice = new Notice()
  readonly strip = new StripView()
  readonly search: SearchBox
  readonly graph: GraphView
  readonly table: TableView
  readonly band: TimeBand
  readonly drawer: Drawer
  readonly #app: App
  readonly #header = element('div', { class: 'header-slot' })
  readonly #columns = element('span', { class: 'column-slot' })
  readonly #processes: ProcessChoice
  readonly #chips: ChipsRow
  readonly #toolbar: Toolbar
  readonly #verdict: VerdictBanner
  readonly #main: HTMLElement
  readonly #holder: HTMLElement
  readonly #live: LiveControls | null
  #processValues = NO_VALUES

  constructor(holder: HTMLElement, app: App, live: LiveControls | null) {
    this.#app = app
    this.search = new SearchBox({
      change: (text) => app.walk.search(text),
      step: (way) => void app.walk.step(way),
      filter: (text) => app.walk.filter(text),
      labelValues: (key, part) => app.labelValues(key, part),
    })
    this.graph = new GraphView({
      point: (datum) => app.point(datum),
      press: (datum, isCallers) => app.zooming.press(datum, isCallers),
      reveal: (path, ranks) => app.zooming.zoom({ path, ranks }),
    })
    this.table = new TableView({
      select: (row) => app.functions.select(row),
      open: (row) => void app.functions.openDetails(row.fn),
      sort: (column) => app.go(change.sortedBy(app.state, column)),
      rows: (from, count) => app.rows(from, count),
    })
    this.band = new TimeBand({
      choose: (range, isStep) => app.sides.range(range, isStep),
      baseline: (range) => app.sides.baselineRange(range),
      key: (label) => app.go({ ...app.state, band: label }),
      heatmap: (isOn) => app.go({ ...app.state, heatmap: isOn }),
    })
    this.drawer = new Drawer({
      open: (fn) => void app.functions.openDetails(fn),
      close: () => this.drawer.close(),
    })
    this.#processes = new ProcessChoice((name) => app.process(name))
    this.#chips = new ChipsRow({
      add: (chip) => app.filter(chip),
      remove: (index) => app.removeChip(index),
      undo: () => app.undo(),
    })
    this.#toolbar = new Toolbar({
      view: (view) => app.go(change.inView(app.state, view, pivotFor(app, view))),
      zoom: (zoom, half) => app.zooming.zoom(zoom, half),
      colour: (colouring) => app.go({ ...app.state, colouring }),
      flip: () => app.go({ ...app.state, upward: !app.state.upward }),
    })
    this.#verdict = new VerdictBanner({
      side: (side) =>
        app.state.compare !== null && app.go({ ...app.state, compare: { ...app.state.compare, side } }),
      scale: (scale) =>
        app.state.compare !== null && app.go({ ...app.state, compare: { ...app.state.compare, scale } }),
      stop: () => app.sides.stopComparing(),
    })
    const panes = element('div', { class: 'panes' }, this.graph.root, this.table.root)
    this.#main = element('main', {}, this.#toolbar.root, panes)
    this.#holder = holder
    this.#live = live
    document.body.append(this.notice.root)
    listenToDrops({
      open: (file) => void app.sides.openFile(file, 'profile'),
      compare: (file) => void app.sides.openFile(file, 'baseline'),
    })
  }

  /** Puts the page into its element, in place of what stood there; once. */
  mount(): void {
    if (this.#main.isConnected) return
    const choices = element(
      'div',
      { class: 'choices' },
      this.#processes.root,
      this.#columns,
      this.#chips.root,
    )
    if (this.#live !== null) choices.append(this.#live.root)
    const searchRow = element('div', { class: 'search-row' }, this.search.root, choices)
    this.#holder.replaceChildren(
      this.#header,
      searchRow,
      this.band.root,
      this.#verdict.root,
      this.#main,
      this.drawer.root,
      this.strip.root,
    )
    this.strip.showHint()
    this.#listen(this.#app)
  }

  #listen(app: App): void {
    listenToKeys(pageKeys(app, this))
    listenToMenus(this.#main, (target, at) => {
      const row = this.table.rowOf(target)
      const datum = GraphView.frameAt(target)
      const isCallers = target.closest('.callers') !== null
      const subject =
        row !== null ? subjectOfRow(row) : datum === null ? null : app.reading.subjectOf(datum, isCallers)
      if (subject !== null) app.functions.openMenuOf(subject, at)
      return subject !== null
    })
    let widthPx = 0
    new ResizeObserver(([entry]) => {
      const before = widthPx
      widthPx = entry!.contentRect.width
      // The first call tells the width that was just drawn.
      if (before !== 0 && widthPx !== 0 && before !== widthPx) app.resized()
    }).observe(this.graph.root)
  }

  /** Room for the graph and for the time band, in pixels. */
  get widthPx(): number {
    return this.graph.widthPx
  }

  get bandPx(): number {
    return this.band.widthPx
  }

  /** What is known of a profile once it is open. */
  drawOpened(opened: Opened, state: ViewState): void {
    const app = this.#app
    this.mount()
    this.#lay(state.view, this.#main.hasAttribute('data-compare'))
    this.search.labelKeys = opened.labelKeys
    this.band.reserve(opened.durationNs !== null)
    this.#header.replaceChildren(
      headerView(opened, {
        compare: () => app.sides.compare(),
        export: (at) => openExport(at, (format, redact) => void app.save(format, redact)),
        toggleTheme: () => app.theme(),
        help: () => app.help(),
        notes: () => app.notes(),
        isolate: () => app.filter({ kind: 'broken', text: '' }),
      }),
    )
    const choice = columnChoice(opened, state.column, (column) => app.go({ ...app.state, column }))
    this.#columns.replaceChildren(...(choice === null ? [] : [choice]))
  }

  /** What is wanted: answers at once what needs no worker. */
  drawState(state: ViewState, canUndo: boolean): void {
    this.search.text = state.search
    this.#lay(state.view, this.#main.hasAttribute('data-compare'))
    const known = this.#app.reading.shown?.chips ?? []
    this.#chips.draw(state.chips, known.length === state.chips.length ? known : [], canUndo)
    this.drawProcesses(this.#processValues, state)
  }

  /** Both decide how the panes share the page's width. */
  #lay(view: ViewState['view'], isComparing: boolean): void {
    const { dataset } = this.#main
    if (dataset.view === view && this.#main.hasAttribute('data-compare') === isComparing) return
    dataset.view = view
    this.#main.toggleAttribute('data-compare', isComparing)
    this.graph.forgetWidth()
  }

  /** An answer: the graph; its functions follow. */
  drawShown(shown: Shown, state: ViewState): void {
    const { reading } = this.#app
    this.#lay(state.view, shown.verdict !== null)
    this.#toolbar.draw(state, shown, reading.measure)
    this.#verdict.draw(shown.verdict, state.compare, reading.measure)
    if (state === this.#app.state) this.#chips.answer(state.chips, shown.chips)
    if (state.view !== 'table') this.graph.draw(shown, state, reading.measure, reading.marks)
    this.search.show(reading.searchStatus(state.search))
    reading.describe(this.strip)
  }

  /** The functions of the answer. */
  drawListed({ table }: Listed, state: ViewState): void {
    const { reading } = this.#app
    this.table.draw({
      table,
      measure: reading.measure,
      before: reading.before,
      sort: state.sort,
      selectedKey: reading.selected?.key ?? '',
      isSearching: state.search !== '',
      isWide: state.view === 'table' && innerWidth >= WIDE_TABLE_PX,
    })
  }

  /** Other marks on what is drawn. */
  drawMarks(): void {
    const { reading, state } = this.#app
    this.graph.mark(reading.marks)
    this.table.mark(reading.selected?.key ?? '')
    this.search.show(reading.searchStatus(state.search))
  }

  /** The band of a profile with times. */
  drawBand(opened: Opened, state: ViewState, band: Band | null, heat: Heat | null): void {
    if (opened.durationNs === null) return void this.band.hide()
    const base = state.compare?.with
    this.band.draw({
      durationNs: opened.durationNs,
      labelKeys: opened.labelKeys,
      key: band?.key ?? state.band,
      range: state.range,
      baseline: base?.kind === 'range' ? base.range : null,
      isHeatmap: state.heatmap,
      band,
      heat,
    })
  }

  /** Processes to choose from. */
  drawProcesses(values: LabelValues, state: ViewState): void {
    this.#processValues = values
    const prefix = `${PROCESS_LABEL}:`
    const chip = state.chips.find(({ kind, text }) => kind === 'label' && text.startsWith(prefix))
    this.#processes.draw(values, chip?.text.slice(prefix.length) ?? '')
  }
}

/** The sandwich begins with the function the reader is on, else with the heaviest one. */
function pivotFor(app: App, view: ViewState['view']): string {
  if (view !== 'sandwich') return app.state.pivot
  const key = app.functions.subject()?.subject.key ?? app.state.pivot
  return key !== '' ? key : (app.reading.listed?.table.rows[0]?.key ?? '')
}
