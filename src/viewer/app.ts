/** The page's state and how a change of it reaches the views. Each action changes the state, then redraws what shows it. */

import type { Profile } from '../model/profile.ts'
import type { DrawnFrame } from '../model/prune.ts'
import { wholeTree, type Zoom, zoomInto, zoomOut } from '../model/zoom.ts'
import { encodePprof } from '../pprof/encode.ts'
import { nodeLike, rowLike } from './data/carry-over.ts'
import { zip } from './data/load.ts'
import { whole } from './data/numbers.ts'
import { onlyProcess, processShares } from './data/process-filter.ts'
import { parseQuery, type SearchResult, searchTree } from './data/search.ts'
import { shareOf, type ViewModel, viewModel } from './data/view-model.ts'
import { columnChoice } from './views/column-choice.ts'
import { openHelp, openNotes } from './views/dialogs.ts'
import { element } from './views/dom.ts'
import { FlameView } from './views/flame.ts'
import type { Marks } from './views/flame-frames.ts'
import { headerView, targetName } from './views/header.ts'
import { listenToKeys } from './views/keys.ts'
import { ProcessChoice } from './views/process-choice.ts'
import { SearchBox } from './views/search-box.ts'
import { StripView } from './views/strip.ts'
import { type SortColumn, TableView } from './views/table.ts'
import { toggleTheme } from './views/theme.ts'
import { breadcrumbs, legend } from './views/toolbar.ts'

/** What an agent's page has beside the search; Space is its toggle. */
export interface LiveControls {
  readonly root: HTMLElement
  toggle(): void
}

/** The page of one profile, or of one that is replaced as it goes on. */
export class App {
  #profile: Profile
  readonly #notices: string
  readonly #header = element('div', { class: 'header-slot' })
  readonly #toolbar = element('div', { class: 'toolbar' })
  readonly #search: SearchBox
  readonly #flame: FlameView
  readonly #table: TableView
  readonly #strip = new StripView()
  readonly #processes = new ProcessChoice((name) => this.#showProcess(name))
  #model: ViewModel
  #column: number
  /** Name of the process that is shown alone, '' for all. */
  #process = ''
  #chain: Zoom[] = wholeTree()
  #found: SearchResult | null = null
  #place = -1
  #tableTimer = 0
  #sort: SortColumn = 'self'
  #selectedRow: number | null = null
  #pointed: DrawnFrame | null = null
  #isLive = false

  constructor(profile: Profile, notices: string) {
    this.#profile = profile
    this.#notices = notices
    this.#column = profile.defaultSampleType
    this.#model = this.#newModel()
    this.#search = new SearchBox({ change: (text) => this.search(text), step: (way) => this.#step(way) })
    this.#flame = new FlameView({
      point: (drawn) => this.#point(drawn),
      press: (drawn) => this.#press(drawn),
    })
    this.#table = new TableView({
      select: (row) => this.#select(row),
      sort: (column) => this.#sortBy(column),
    })
  }

  /**
   * Puts the page into an element and draws it; the table follows once the graph is on the screen. `live` stands beside
   * the search where an agent serves the page.
   */
  mount(holder: HTMLElement, live: LiveControls | null = null): void {
    document.title = `${targetName(this.#profile)} · Emberscope`
    const searchRow = element('div', { class: 'search-row' }, this.#search.root, this.#processes.root)
    const choice = columnChoice(this.#profile, (column) => this.#showColumn(column))
    if (choice !== null) searchRow.append(choice)
    if (live !== null) searchRow.append(live.root)
    const panes = element('div', { class: 'panes' }, this.#flame.root, this.#table.root)
    const main = element('main', {}, this.#toolbar, panes)
    holder.replaceChildren(this.#header, searchRow, main, this.#strip.root)
    this.#drawHeader()
    this.#drawGraph()
    this.#strip.showFrame(this.#model, null)
    this.#drawTableSoon()
    this.#watchWidth()
    this.#listen(live)
  }

  /**
   * Shows a newer profile of the same target in place of the one shown: the zoom, the search with its place, the selected
   * function, what is pointed at and the focus stay, as far as the newer one has them.
   */
  update(profile: Profile): void {
    this.#profile = profile
    this.#showAgain()
  }

  #showProcess(name: string): void {
    this.#process = name
    this.#showAgain()
  }

  /** Shows the profile anew after it, or what of it is wanted, has changed. */
  #showAgain(): void {
    const before = this.#model
    const hasFocus = this.#flame.root.contains(document.activeElement)
    const [pointed, place] = [this.#pointed, this.#found?.places[this.#place]]
    this.#model = this.#newModel()
    this.#chain = this.#chain.reduce((chain, { node }) => {
      const target = { node: nodeLike(before.tree, node, this.#model.tree).node, members: null }
      return zoomInto(this.#model.tree, chain, target)
    }, wholeTree())
    this.#selectedRow = this.#selectedRow === null ? null : rowLike(before, this.#selectedRow, this.#model)
    this.#drawHeader()
    this.#searchAgain(place === undefined ? null : nodeLike(before.tree, place, this.#model.tree).node)
    this.#drawGraph()
    const now =
      pointed === null || pointed.members !== null
        ? null
        : nodeLike(before.tree, pointed.node, this.#model.tree)
    if (now === null || !now.isSame) return
    if (hasFocus) this.#flame.focusNode(now.node)
    this.#point({ node: now.node, value: this.#model.tree.total[now.node]!, children: [], members: null })
  }

  /** The search box's text in a new tree, at the place that was the current one if it is still found. */
  #searchAgain(node: number | null): void {
    const { text } = this.#search
    if (text !== '') this.search(text)
    this.#drawTableSoon(true)
    if (text === '') return
    this.#place = node === null ? -1 : (this.#found?.places.indexOf(node) ?? -1)
    if (this.#found !== null && this.#found.placeCount > 0) this.#sayFound(this.#found)
  }

  /** Searches and shows what was found. */
  search(text: string): void {
    const query = text === '' ? null : parseQuery(text)
    this.#place = -1
    this.#found = query !== null && 'matches' in query ? searchTree(this.#model.tree, query.matches) : null
    if (query === null)
      this.#search.show({ share: null, error: '', detail: '', isProblem: false, canStep: false })
    else if ('problem' in query) this.#sayProblem(`not a regular expression: ${query.problem}`)
    else if (this.#found!.placeCount === 0) this.#sayProblem(`no function matches ${text} — Esc clears`)
    else this.#sayFound(this.#found!)
    this.#flame.mark(this.#marks())
    this.#drawTableSoon()
  }

  #sayProblem(detail: string): void {
    this.#search.show({ share: null, error: '', detail, isProblem: true, canStep: false })
  }

  #sayFound(found: SearchResult): void {
    const at = this.#place < 0 ? '' : `${whole(this.#place + 1)} of `
    const detail = `${at}${whole(found.placeCount)} ${found.placeCount === 1 ? 'place' : 'places'}`
    this.#search.show({ ...shareOf(this.#model, found.value), detail, isProblem: false, canStep: true })
  }

  #step(direction: 1 | -1): void {
    const places = this.#found?.places
    if (places === undefined || places.length === 0) return
    const from = this.#place < 0 && direction === -1 ? 0 : this.#place
    this.#place = (from + direction + places.length) % places.length
    const node = places[this.#place]!
    this.#sayFound(this.#found!)
    this.#flame.mark(this.#marks())
    if (this.#flame.focusNode(node)) return
    this.#zoom({ node, members: null })
    this.#flame.focusNode(node)
  }

  #zoom(target: Zoom): void {
    this.#chain = zoomInto(this.#model.tree, this.#chain, target)
    this.#drawGraph()
  }

  #press(drawn: DrawnFrame): void {
    const here = this.#chain[this.#chain.length - 1]!
    // A box below the zoom leads to its parent; one at the zoom itself, to its members alone.
    const members = drawn.members !== null && here.node === drawn.node ? drawn.members : null
    const keepFocus = this.#flame.root.contains(document.activeElement)
    this.#zoom({ node: drawn.node, members })
    if (keepFocus) this.#flame.focusNode(drawn.node)
  }

  #out(): void {
    const from = this.#chain[this.#chain.length - 1]!
    const keepFocus = this.#flame.root.contains(document.activeElement)
    this.#chain = zoomOut(this.#chain)
    this.#drawGraph()
    if (keepFocus) this.#flame.focusNode(from.node)
  }

  #point(drawn: DrawnFrame | null): void {
    this.#pointed = drawn
    if (drawn === null && this.#selectedRow !== null) this.#strip.showRow(this.#model, this.#selectedRow)
    else this.#strip.showFrame(this.#model, drawn ?? this.#zoomedFrame())
  }

  /** What the zoom is on, to be described while nothing is pointed at; null for the whole tree. */
  #zoomedFrame(): DrawnFrame | null {
    const { node, members } = this.#chain[this.#chain.length - 1]!
    return node === 0 || members !== null
      ? null
      : { node, value: this.#model.tree.total[node]!, children: [], members }
  }

  #select(row: number): void {
    this.#selectedRow = this.#selectedRow === row ? null : row
    this.#flame.mark(this.#marks())
    this.#table.mark(this.#selectedRow)
    this.#point(null)
  }

  #sortBy(column: SortColumn): void {
    this.#sort = column
    this.#drawTable()
  }

  /** The model of the process and the column that are wanted; the choice of processes tells what there is. */
  #newModel(): ViewModel {
    const model = viewModel(onlyProcess(this.#profile, this.#process), this.#column)
    const shares = processShares(this.#profile, this.#column)
    this.#processes.draw(shares, sumOf(this.#profile, this.#column), this.#process)
    return model
  }

  #showColumn(column: number): void {
    this.#column = column
    this.#model = this.#newModel()
    this.#chain = wholeTree()
    this.#selectedRow = null
    this.#drawHeader()
    this.#drawGraph()
    this.search(this.#search.text)
  }

  #marks(): Marks {
    const currentNode = this.#place < 0 ? null : (this.#found?.places[this.#place] ?? null)
    return { found: this.#found?.frames ?? null, selectedRow: this.#selectedRow, currentNode }
  }

  #drawGraph(): void {
    const zoom = this.#chain[this.#chain.length - 1]!
    this.#toolbar.replaceChildren(
      breadcrumbs(this.#model, zoom, (node) => this.#zoom({ node, members: null })),
      legend(this.#model),
    )
    this.#flame.draw(this.#model, zoom, this.#marks())
    this.#point(null)
  }

  /** The graph is answered first; the table follows once that is on the screen. */
  #drawTableSoon(isNews = false): void {
    requestAnimationFrame(() => {
      clearTimeout(this.#tableTimer)
      this.#tableTimer = window.setTimeout(() => this.#drawTable(isNews), 20)
    })
  }

  #drawTable(isNews = false): void {
    const [found, sort] = [this.#found?.frames ?? null, this.#sort]
    this.#table.draw({ model: this.#model, sort, found, selectedRow: this.#selectedRow }, isNews)
  }

  #drawHeader(): void {
    const download = (): void => void this.#download()
    const notes = (): void => openNotes(this.#profile.capture?.notes ?? [])
    const help = (): void => this.#help()
    this.#header.replaceChildren(headerView(this.#model, { download, toggleTheme, help, notes }))
  }

  async #download(): Promise<void> {
    const url = URL.createObjectURL(await zip(encodePprof(this.#profile)))
    const link = element('a', { href: url, download: `${targetName(this.#profile)}.pb.gz` })
    link.click()
    // The browser has taken the data over once the click was handled.
    setTimeout(() => URL.revokeObjectURL(url), 10_000)
  }

  #watchWidth(): void {
    let widthPx = 0
    new ResizeObserver(([entry]) => {
      const before = widthPx
      widthPx = entry!.contentRect.width
      // The first call tells the width that was just drawn.
      if (before !== 0 && before !== widthPx) this.#drawGraph()
    }).observe(this.#flame.root)
  }

  #listen(live: LiveControls | null): void {
    this.#isLive = live !== null
    listenToKeys({
      move: (way) => this.#flame.moveFocus(way),
      zoomFocused: () => this.#pointed !== null && this.#press(this.#pointed),
      out: () => this.#out(),
      escape: () => this.#escape(),
      reset: () => this.#zoom({ node: 0, members: null }),
      search: () => this.#search.focus(),
      step: (direction) => this.#step(direction),
      table: () => this.#table.focus(),
      help: () => this.#help(),
      pause: () => live?.toggle(),
    })
  }

  #help(): void {
    openHelp(this.#notices, this.#isLive)
  }

  #escape(): void {
    if (this.#search.text !== '' || this.#search.isFocused) {
      this.#search.clear()
      this.search('')
    } else if (this.#selectedRow !== null) this.#select(this.#selectedRow)
    else this.#out()
  }
}

function sumOf(profile: Profile, column: number): number {
  let sum = 0
  for (const value of profile.samples.values[column] ?? []) sum += value
  return sum
}
