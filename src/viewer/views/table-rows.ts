/** The cells of the functions table: name, self, total; while comparing what they were before, and the change. */
import { narrowName } from '../../model/short-name.ts'
import { plusMinus } from '../../view/numbers.ts'
import type { Change, TableRow } from '../../view/protocol.ts'
import type { SortColumn } from '../../view/state.ts'
import { clipped, type Measure, points, shareOf } from '../data/shares.ts'
import { button, element } from './dom.ts'
import type { TablePicture } from './table.ts'

/** Characters that a name column shows, about; the style sheet cuts the rest. */
const NARROW_CHARACTERS = 27
const BAR_PX = 48

interface Column {
  readonly key: SortColumn
  readonly title: string
  readonly className: string
}

const NAME: Column = { key: 'name', title: 'function', className: 'name' }
const SELF: Column = { key: 'self', title: 'self', className: 'number' }
const TOTAL: Column = { key: 'total', title: 'total', className: 'number' }
const CHANGE: Column = { key: 'change', title: 'change', className: 'number change' }

/** The heads, each a button that sorts; those that only show are plain. */
export function headCells(picture: TablePicture, sort: (column: SortColumn) => void): HTMLElement[] {
  const heads = [head(NAME, picture, sort)]
  if (picture.before !== null) {
    heads.push(plainHead('before'), plainHead('after'), head(CHANGE, picture, sort))
    if (picture.isWide) heads.push(head(SELF, picture, sort), head(TOTAL, picture, sort))
  } else heads.push(head(SELF, picture, sort), head(TOTAL, picture, sort))
  if (picture.isWide) heads.push(element('th', { scope: 'col', class: 'where' }, 'where'))
  return heads
}

function head(column: Column, { sort: sorting }: TablePicture, sort: (by: SortColumn) => void): HTMLElement {
  const isSorted = column.key === sorting.by
  const label = isSorted ? `${column.title} ${sorting.descending ? '▾' : '▴'}` : column.title
  const order = isSorted ? (sorting.descending ? 'descending' : 'ascending') : null
  const press = button(label, { class: 'sort', title: `Sort by ${column.title}` }, () => sort(column.key))
  return element('th', { scope: 'col', class: column.className, 'aria-sort': order }, press)
}

function plainHead(text: string): HTMLElement {
  return element('th', { scope: 'col', class: 'number', title: `total ${text}` }, text)
}

/** The row of a function; `most` is the weight whose bar is full. */
export function rowElement(row: TableRow, picture: TablePicture, most: number): HTMLElement {
  const { measure, before, sort, isWide } = picture
  const cells = [nameCell(row, isWide)]
  if (before !== null) {
    cells.push(
      numberCell(before, row.before?.total ?? 0),
      numberCell(measure, row.total),
      changeCell(row.change),
    )
  }
  if (before === null || isWide)
    for (const column of ['self', 'total'] as const) {
      const cell = numberCell(measure, row[column], column === sort.by || isWide)
      if (column === sort.by) cell.append(bar(most > 0 ? row[column] / most : 0))
      cells.push(cell)
    }
  if (isWide) {
    const place = clipped(row.place.join(' · '), 200)
    cells.push(element('td', { class: 'where muted', title: place }, place))
  }
  return element('tr', { class: row.key === picture.selectedKey ? 'selected' : null }, ...cells)
}

/** A row that has been asked for. */
export function waitingRow(): HTMLElement {
  return element('tr', { class: 'waiting' }, element('td', { class: 'name muted' }, '…'))
}

function nameCell(row: TableRow, isWide: boolean): HTMLElement {
  const swatch = element('i', { class: `swatch ${row.kind}`, 'aria-hidden': 'true' })
  swatch.style.setProperty('--hue', String(row.hue))
  const name = clipped(row.name)
  const label = isWide ? name : narrowName(name, NARROW_CHARACTERS)
  const select = element(
    'button',
    { type: 'button', class: 'row-name', title: clipped(row.name, 2000) },
    label,
  )
  return element('td', { class: 'name' }, swatch, select)
}

function numberCell(measure: Measure, value: number, hasError = false): HTMLElement {
  const { share, error } = shareOf(measure, value)
  const cell = element('td', { class: 'number' }, share)
  if (hasError && error !== '') cell.append(element('small', {}, ` ${error}`))
  return cell
}

function changeCell(change: Change | null): HTMLElement {
  if (change === null) return element('td', { class: 'number' }, '')
  const half = Math.max(change.high - change.share, change.share - change.low)
  const cell = element('td', { class: `number change ${change.verdict}` }, points(change.share))
  if (Number.isFinite(half)) cell.append(element('small', {}, ` ${plusMinus(half)}`))
  const words = VERDICT_WORDS[change.verdict]
  cell.title =
    change.verdict === 'unknown'
      ? words
      : `${words} (p = ${change.p < 0.001 ? '< 0.001' : change.p.toFixed(3)})`
  if (change.verdict === 'new' || change.verdict === 'gone')
    cell.append(element('span', { class: 'tag' }, change.verdict))
  return cell
}

const VERDICT_WORDS = {
  grew: 'grew, and not by chance',
  shrank: 'shrank, and not by chance',
  new: 'was not there before',
  gone: 'is not there any more',
  noise: 'no more than chance',
  unknown: 'too little is known of the samples to tell change from chance',
} as const

function bar(share: number): HTMLElement {
  const made = element('span', { class: 'bar', 'aria-hidden': 'true' })
  made.style.width = `${(share === 0 ? 0 : Math.max(1, share * BAR_PX)).toFixed(1)}px`
  return made
}
