/** What can be done with one function: the one the reader is on, in the graph or in the table. */
import type { TableRow } from '../view/protocol.ts'
import type { App } from './app.ts'
import { copyText } from './data/download.ts'
import { subjectOfRow } from './reading.ts'
import { chipFor, type FilterKey, menuLabel, type Subject, subjectMenu } from './views/frame-menu.ts'
import { openMenu } from './views/menu.ts'
import type { Anchor } from './views/popover.ts'

/** Menu, details, copies and filters of a function. */
export class FunctionActions {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** Chooses a row of the table, or no more. */
  select(row: TableRow): void {
    const { reading, screen } = this.#app
    reading.selected = reading.selected?.key === row.key ? null : row
    screen.drawMarks()
    this.#app.point(null)
  }

  /** What the reader is on: the focused or pointed frame, the focused or chosen row. */
  subject(): { readonly subject: Subject; readonly at: Anchor } | null {
    const { reading, screen } = this.#app
    const focused = screen.graph.focused()
    const row = screen.table.rowOf(document.activeElement)
    if (row !== null) return { subject: subjectOfRow(row), at: document.activeElement! }
    const datum = focused?.datum ?? reading.pointed
    const subject = datum === null ? null : reading.subjectOf(datum, focused?.isCallers ?? false)
    if (subject !== null) return { subject, at: focused?.element ?? screen.strip.root }
    const { selected } = reading
    return selected === null ? null : { subject: subjectOfRow(selected), at: screen.strip.root }
  }

  /** Opens the menu of a function. */
  openMenuOf(subject: Subject, at: Anchor): void {
    const items = subjectMenu(subject, {
      zoom: (path) => this.#app.zooming.zoom({ path, ranks: null }),
      pivot: (key) => this.#app.zooming.pivot(key),
      filter: (chip) => this.#app.filter(chip),
      details: ({ fn }) => void this.openDetails(fn),
      copy: (text, what) => void this.copy(text, what),
      link: () => location.href,
    })
    openMenu(at, menuLabel(subject), items)
  }

  /** Filters by what the reader is on. */
  filterSubject(key: FilterKey): void {
    const found = this.subject()
    const chip = found === null ? null : chipFor(key, found.subject)
    if (chip !== null) this.#app.filter(chip)
    else this.#app.screen.notice.news('Point at a function first')
  }

  /** Opens the drawer of a function of the last table. */
  async openDetails(fn: number): Promise<void> {
    const { reading, screen, isReady, ask } = this.#app
    if (fn < 0 || !isReady) return
    try {
      screen.drawer.open(await ask({ do: 'details', fn }), reading.measure)
      screen.drawer.root.focus({ preventScroll: true })
    } catch (error) {
      screen.notice.problem(error)
    }
  }

  /** Puts a text into the clipboard; `what` is its name for people. */
  async copy(text: string, what: string): Promise<void> {
    try {
      await copyText(text)
      this.#app.screen.notice.news(`Copied the ${what}`)
    } catch (error) {
      this.#app.screen.notice.problem(error)
    }
  }
}
