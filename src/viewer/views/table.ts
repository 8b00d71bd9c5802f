/** The functions table: the same facts as the graph, sorted, with rows tall enough to hit; the graph's equivalent for those who can't use it. */

import { frameLabel } from '../../model/frame-label.ts'
import { narrowName } from '../../model/short-name.ts'
import { type FunctionTable, sortedRows } from '../data/function-table.ts'
import { whole } from '../data/numbers.ts'
import { shareOf, type ViewModel } from '../data/view-model.ts'
import { button, element } from './dom.ts'

/** About what the name column shows. */
const NAME_CHARACTERS = 26
/** Rows in the document at most; more are counted in a note. */
const MAX_ROWS = 200

/** A column the table is sorted by. */
export type SortColumn = 'self' | 'total'

/** What the table shows. */
export interface TableState {
  readonly model: ViewModel
  readonly sort: SortColumn
  /** Frames the search found, null: no search. */
  readonly found: Uint8Array | null
  readonly selectedRow: number | null
}

/** What a reader does to the table. */
export interface TableActions {
  select(row: number): void
  sort(column: SortColumn): void
}

/** The panel with the table. */
export class TableView {
  readonly root = element('section', { class: 'functions', 'aria-label': 'Functions' })
  readonly #actions: TableActions
  readonly #count = element('span', { class: 'muted' })
  readonly #heads = element('tr', {})
  readonly #rows = element('tbody', {})
  readonly #more = element('p', { class: 'table-note muted' })
  readonly #scroller: HTMLElement

  constructor(actions: TableActions) {
    this.#actions = actions
    const table = element('table', {}, element('thead', {}, this.#heads), this.#rows)
    this.#scroller = element('div', {
      class: 'table-scroll',
      tabindex: '0',
      'aria-label': 'Table of functions',
      role: 'region',
    })
    this.#scroller.append(table, this.#more)
    this.root.append(
      element('div', { class: 'panel-head' }, element('h2', {}, 'Functions'), this.#count),
      this.#scroller,
    )
    this.#rows.addEventListener('click', (event) => {
      const row = (event.target as Element).closest('tr')?.dataset.row
      if (row !== undefined) this.#actions.select(Number(row))
    })
  }

  /** Draws the table anew, from its top unless it is the same table with newer figures (`isNews`). */
  draw(state: TableState, isNews = false): void {
    const table = state.model.functions()
    const only = state.found === null ? null : rowsWithMatch(table, state.found)
    const rows = sortedRows(table, state.sort, only)
    this.#count.textContent = `${state.sort} ▾ · ${whole(rows.length)}`
    this.#heads.replaceChildren(
      element('th', { scope: 'col' }, 'function'),
      ...(['self', 'total'] as const).map((column) => this.#head(column, state.sort)),
    )
    const most = Math.max(...[...rows.subarray(0, 1)].map((row) => table[state.sort][row]!), 0)
    const shown = [...rows.subarray(0, MAX_ROWS)]
    const [focused, scrollTop] = [focusedName(this.#rows), this.#scroller.scrollTop]
    this.#rows.replaceChildren(...shown.map((row) => tableRow(state, table, row, most)))
    this.#more.hidden = rows.length > 0 && rows.length <= MAX_ROWS
    this.#more.textContent = this.#more.hidden ? '' : moreText(rows.length, state.found !== null)
    this.#scroller.scrollTop = isNews ? scrollTop : 0
    if (focused !== null) focusName(this.#rows, focused)
  }

  /** Marks another row as selected, without a redraw. */
  mark(selectedRow: number | null): void {
    for (const row of this.#rows.rows)
      row.classList.toggle('selected', row.dataset.row === String(selectedRow))
  }

  /** Moves the focus into the table. */
  focus(): void {
    this.#scroller.focus()
  }

  #head(column: SortColumn, sorted: SortColumn): HTMLElement {
    const isSorted = column === sorted
    const label = isSorted ? `${column} ▾` : column
    const sort = isSorted ? 'descending' : null
    const press = button(label, { class: 'sort', title: `Sort by ${column}` }, () =>
      this.#actions.sort(column),
    )
    return element('th', { scope: 'col', class: 'number', 'aria-sort': sort }, press)
  }
}

/** Function of the row that has the focus. */
function focusedName(rows: HTMLElement): string | null {
  const { activeElement } = document
  return activeElement !== null && rows.contains(activeElement) ? activeElement.getAttribute('title') : null
}

function focusName(rows: HTMLElement, name: string): void {
  const buttons = [...rows.querySelectorAll<HTMLElement>('.row-name')]
  buttons.find((row) => row.title === name)?.focus({ preventScroll: true })
}

function moreText(count: number, isSearch: boolean): string {
  if (count === 0) return isSearch ? 'No function matches the search.' : 'The profile has no samples.'
  return `${whole(count - MAX_ROWS)} more functions: search to narrow the table down.`
}

function rowsWithMatch(table: FunctionTable, found: Uint8Array): Uint8Array {
  const rows = new Uint8Array(table.count)
  for (let f = 0; f < found.length; f++) if (found[f] === 1) rows[table.rowOfFrame[f]!] = 1
  return rows
}

function tableRow(state: TableState, table: FunctionTable, row: number, most: number): HTMLElement {
  const { model, sort } = state
  const frame = table.frame[row]!
  const name = frameLabel(model.tree, frame)
  const swatch = element('i', { class: 'swatch', 'aria-hidden': 'true' })
  swatch.style.setProperty('--hue', String(model.colours.hueOfFrame[frame]))
  const select = element(
    'button',
    { type: 'button', class: 'row-name', title: name },
    narrowName(name, NAME_CHARACTERS),
  )
  const cells = (['self', 'total'] as const).map((column) => {
    const { share, error } = shareOf(model, table[column][row]!)
    const isSorted = column === sort
    const cell = element('td', { class: 'number' }, share)
    if (isSorted && error !== '') cell.append(element('small', {}, ` ${error}`))
    if (isSorted) cell.append(bar(most > 0 ? table[column][row]! / most : 0))
    return cell
  })
  const isSelected = row === state.selectedRow
  const head = element('td', { class: 'name' }, swatch, select)
  return element('tr', { 'data-row': String(row), class: isSelected ? 'selected' : null }, head, ...cells)
}

function bar(share: number): HTMLElement {
  const made = element('span', { class: 'bar', 'aria-hidden': 'true' })
  made.style.width = `${(share === 0 ? 0 : Math.max(1, share * 48)).toFixed(1)}px`
  return made
}
