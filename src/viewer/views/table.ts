/**
 * The functions table: the same facts as the graph, sorted, in rows tall enough to hit; the graph's equivalent for those who
 * can't use it. Only the rows in sight are in the document; others are asked for in pages as they come into it.
 */

import { whole } from '../../view/numbers.ts'
import type { Listed, TableRow } from '../../view/protocol.ts'
import type { SortColumn } from '../../view/state.ts'
import type { Measure } from '../data/shares.ts'
import { element } from './dom.ts'
import { headCells, rowElement, waitingRow } from './table-rows.ts'

/** Height of a row; the style sheet says the same. */
export const TABLE_ROW_PX = 27
/** Rows fetched at once, and rows kept in the document above and below what is seen. */
const PAGE_ROWS = 100
const SPARE_ROWS = 8

/** What a reader does to the table. */
export interface TableActions {
  select(row: TableRow): void
  open(row: TableRow): void
  sort(column: SortColumn): void
  rows(from: number, count: number): Promise<readonly TableRow[]>
}

/** What the table shows. */
export interface TablePicture {
  readonly table: Listed['table']
  readonly measure: Measure
  /** The whole of the other side, null unless comparing. */
  readonly before: Measure | null
  readonly sort: { readonly by: SortColumn; readonly descending: boolean }
  readonly selectedKey: string
  readonly isSearching: boolean
  /** Has the room for more columns. */
  readonly isWide: boolean
}

/** The panel with the table. */
export class TableView {
  readonly root = element('section', { class: 'functions', 'aria-label': 'Functions' })
  readonly #actions: TableActions
  readonly #count = element('span', { class: 'muted' })
  readonly #heads = element('tr', {})
  readonly #body = element('tbody', {})
  readonly #table = element('table', {}, element('thead', {}, this.#heads), this.#body)
  readonly #note = element('p', { class: 'table-note muted', hidden: '' })
  readonly #scroller = element('div', { class: 'table-scroll', tabindex: '-1' }, this.#table, this.#note)
  #picture: TablePicture | null = null
  #pages = new Map<number, readonly TableRow[] | 'asked'>()
  /** Row that the keys are at. */
  #current = 0
  #drawing = 0
  #heightPx = 0
  #scrollTop = 0
  /** Row that gets the focus once it is there. */
  #wanted: number | null = null

  constructor(actions: TableActions) {
    this.#actions = actions
    const head = element('div', { class: 'panel-head' }, element('h2', {}, 'Functions'), this.#count)
    this.root.append(head, this.#scroller)
    this.#scroller.addEventListener('scroll', () => this.#onScroll())
    this.#body.addEventListener('click', (event) => this.#onClick(event))
    this.#body.addEventListener('dblclick', (event) => this.#withRow(event, (row) => actions.open(row)))
    this.#scroller.addEventListener('keydown', (event) => this.#onKey(event))
    new ResizeObserver(() => {
      this.#heightPx = this.#scroller.clientHeight
      this.#drawRows()
    }).observe(this.#scroller)
  }

  /** Draws the table; it stays where it was scrolled to when it is the same one with newer figures. */
  draw(picture: TablePicture): void {
    const before = this.#picture
    if (before !== null && isSamePicture(before, picture)) return
    const isSame =
      before !== null &&
      before.sort.by === picture.sort.by &&
      before.sort.descending === picture.sort.descending
    this.#picture = picture
    this.#pages = new Map()
    this.#drawing++
    for (let at = 0; at < picture.table.rows.length; at += PAGE_ROWS) {
      const page = picture.table.rows.slice(at, at + PAGE_ROWS)
      if (page.length === PAGE_ROWS || at + page.length === picture.table.count)
        this.#pages.set(at / PAGE_ROWS, page)
    }
    const { count } = picture.table
    const arrow = picture.sort.descending ? '▾' : '▴'
    this.#count.textContent = `${picture.sort.by} ${arrow} · ${whole(count)}`
    this.#table.setAttribute('aria-rowcount', String(count + 1))
    const hadFocus = this.#heads.contains(document.activeElement) ? document.activeElement!.textContent : null
    this.#heads.replaceChildren(...headCells(picture, (column) => this.#actions.sort(column)))
    if (hadFocus !== null) this.#focusHead(hadFocus)
    this.#note.hidden = count > 0
    this.#note.textContent = picture.isSearching ? 'No function matches the search.' : 'No functions.'
    this.#current = Math.min(this.#current, Math.max(0, count - 1))
    if (!isSame) {
      this.#current = 0
      this.#scroller.scrollTop = 0
      this.#scrollTop = 0
    }
    this.#drawRows()
  }

  #onScroll(): void {
    this.#scrollTop = this.#scroller.scrollTop
    this.#drawRows()
  }

  #focusHead(text: string): void {
    const name = text.replace(/ [▾▴]$/, '')
    const heads = [...this.#heads.querySelectorAll('button')]
    heads.find((head) => head.textContent!.startsWith(name))?.focus()
  }

  /** The rows in sight, between two empty rows that are as tall as the others together. */
  #drawRows(): void {
    const picture = this.#picture
    if (picture === null) return
    const { count } = picture.table
    const first = Math.max(0, Math.floor(this.#scrollTop / TABLE_ROW_PX) - SPARE_ROWS)
    const seen = Math.ceil((this.#heightPx || USUAL_HEIGHT_PX) / TABLE_ROW_PX) + 2 * SPARE_ROWS
    const last = Math.min(count, first + seen)
    const focused = this.#focusedIndex()
    const most = this.#mostWeight(picture)
    const rows: HTMLElement[] = [spacer(first)]
    for (let index = first; index < last; index++) {
      const row = this.#rowAt(index)
      const made = row === null ? waitingRow() : rowElement(row, picture, most)
      made.dataset.index = String(index)
      made.setAttribute('aria-rowindex', String(index + 2))
      const name = made.querySelector<HTMLElement>('.row-name')
      if (name !== null) name.tabIndex = index === this.#current ? 0 : -1
      rows.push(made)
    }
    rows.push(spacer(count - last))
    this.#body.replaceChildren(...rows)
    if (this.#current < first || this.#current >= last)
      this.#body.querySelector<HTMLElement>('.row-name')?.setAttribute('tabindex', '0')
    this.#focusName(this.#wanted ?? focused)
  }

  #mostWeight(picture: TablePicture): number {
    const column = picture.sort.by === 'total' ? 'total' : 'self'
    let most = 0
    for (const row of picture.table.rows) most = Math.max(most, row[column])
    return most
  }

  #rowAt(index: number): TableRow | null {
    const number = Math.floor(index / PAGE_ROWS)
    const page = this.#pages.get(number)
    if (page === undefined) this.#fetch(number)
    if (page === undefined || page === 'asked') return this.#picture?.table.rows[index] ?? null
    return page[index % PAGE_ROWS] ?? null
  }

  #fetch(page: number): void {
    const drawing = this.#drawing
    this.#pages.set(page, 'asked')
    const show = (rows: readonly TableRow[]): void => {
      // The table may have become another one meanwhile.
      if (drawing !== this.#drawing) return
      this.#pages.set(page, rows)
      this.#drawRows()
    }
    this.#actions.rows(page * PAGE_ROWS, PAGE_ROWS).then(show, () => undefined)
  }

  #onClick(event: MouseEvent): void {
    this.#withRow(event, (row, index) => {
      this.#current = index
      this.#actions.select(row)
    })
  }

  #withRow(event: Event, then: (row: TableRow, index: number) => void): void {
    const index = indexOf(event.target)
    const row = index === null ? null : this.#rowAt(index)
    if (row !== null) then(row, index!)
  }

  /** The row that something in the document stands in. */
  rowOf(target: EventTarget | null): TableRow | null {
    const index = target instanceof Node && this.#body.contains(target) ? indexOf(target) : null
    return index === null ? null : this.#rowAt(index)
  }

  #onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.#body.contains(event.target as Node)) return
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / TABLE_ROW_PX) - 2)
    const count = this.#picture?.table.count ?? 0
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      j: 1,
      ArrowUp: -1,
      k: -1,
      PageDown: page,
      PageUp: -page,
      Home: -count,
      End: count,
    }
    const step = steps[event.key]
    if (step === undefined) return
    event.preventDefault()
    event.stopPropagation()
    this.#focusRow(Math.max(0, Math.min(count - 1, this.#current + step)))
  }

  #focusRow(index: number): void {
    this.#current = index
    const [top, height] = [index * TABLE_ROW_PX, this.#scroller.clientHeight - HEAD_PX - TABLE_ROW_PX]
    const { scrollTop } = this.#scroller
    if (top < scrollTop) this.#scroller.scrollTop = top
    else if (top > scrollTop + height) this.#scroller.scrollTop = top - height
    this.#scrollTop = this.#scroller.scrollTop
    this.#wanted = index
    this.#drawRows()
  }

  /** Gives the focus to a row; one that is still asked for gets it when it comes. */
  #focusName(index: number | null): void {
    const name = index === null ? null : this.#nameAt(index)
    if (name === null) return
    this.#wanted = null
    name.focus({ preventScroll: true })
  }

  #focusedIndex(): number | null {
    const { activeElement } = document
    return activeElement !== null && this.#body.contains(activeElement) ? indexOf(activeElement) : null
  }

  #nameAt(index: number): HTMLElement | null {
    return this.#body.querySelector<HTMLElement>(`tr[data-index="${index}"] .row-name`)
  }

  /** Marks another row as selected, without asking for anything. */
  mark(selectedKey: string): void {
    if (this.#picture === null) return
    this.#picture = { ...this.#picture, selectedKey }
    this.#drawRows()
  }

  /** Moves the focus into the table. */
  focus(): void {
    this.#focusRow(this.#current)
  }
}

const HEAD_PX = 28
/** Until the browser has told the height. */
const USUAL_HEIGHT_PX = 700

/** True when drawing the second over the first would change nothing. */
function isSamePicture(a: TablePicture, b: TablePicture): boolean {
  const isSameMeasure = JSON.stringify([a.measure, a.before]) === JSON.stringify([b.measure, b.before])
  const isSameLook =
    a.selectedKey === b.selectedKey && a.isWide === b.isWide && a.isSearching === b.isSearching
  return a.table.revision === b.table.revision && isSameMeasure && isSameLook
}

function spacer(rows: number): HTMLElement {
  const made = element('tr', { class: 'spacer', 'aria-hidden': 'true' })
  made.style.height = `${rows * TABLE_ROW_PX}px`
  return made
}

function indexOf(target: EventTarget | null): number | null {
  const row = target instanceof Element ? target.closest<HTMLElement>('tr[data-index]') : null
  return row === null ? null : Number(row.dataset.index)
}
