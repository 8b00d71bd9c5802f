/** The drawer: who calls a function, what it calls, and its source with the weight of each line. */
import type { Details } from '../../view/protocol.ts'
import { clipped, type Measure, shareOf } from '../data/shares.ts'
import { button, element } from './dom.ts'

/** What a reader does in the drawer. */
export interface DrawerActions {
  /** Shows the details of another function, by its row of the table. */
  open(fn: number): void
  close(): void
}

const MOST_NEIGHBOURS = 50

/** The drawer. */
export class Drawer {
  readonly root = element('section', {
    class: 'drawer',
    'aria-label': 'Function',
    tabindex: '-1',
    hidden: '',
  })
  readonly #actions: DrawerActions

  constructor(actions: DrawerActions) {
    this.#actions = actions
    this.root.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return
      event.stopPropagation()
      actions.close()
    })
  }

  get isOpen(): boolean {
    return !this.root.hidden
  }

  /** Shows the details of a function. */
  open(details: Details, measure: Measure): void {
    const { row, callers, callees, source } = details
    const close = button('×', { class: 'control square', 'aria-label': 'Close the drawer' }, () =>
      this.#actions.close(),
    )
    const { share, error } = shareOf(measure, row.total)
    const head = element(
      'div',
      { class: 'panel-head' },
      element('h2', { class: 'mono', title: clipped(row.name, 2000) }, clipped(row.name, 200)),
      element('span', { class: 'muted' }, `total ${share} ${error}`),
      close,
    )
    const body = element('div', { class: 'drawer-body' })
    body.append(
      this.#list('Called by', callers, measure, 'nobody: it is where stacks begin'),
      this.#list('Calls', callees, measure, 'nothing'),
      sourcePart(source, measure),
    )
    this.root.replaceChildren(head, body)
    this.root.hidden = false
    showHottest(body)
  }

  /** Hides the drawer. */
  close(): void {
    this.root.hidden = true
    this.root.replaceChildren()
  }

  #list(title: string, functions: Details['callers'], measure: Measure, none: string): HTMLElement {
    const part = element('section', {}, element('h3', {}, title))
    if (functions.length === 0) part.append(element('p', { class: 'muted' }, none))
    const list = element('ul', {})
    for (const { name, fn, weight } of functions.slice(0, MOST_NEIGHBOURS)) {
      const { share } = shareOf(measure, weight)
      const open = button(clipped(name, 200), { class: 'row-name', title: clipped(name, 2000) }, () =>
        this.#actions.open(fn),
      )
      list.append(element('li', {}, open, element('span', { class: 'number' }, share)))
    }
    part.append(list)
    return part
  }
}

function sourcePart(source: Details['source'], measure: Measure): HTMLElement {
  const part = element(
    'section',
    { class: 'source' },
    element('h3', {}, source === null ? 'Source' : clipped(source.fileName, 200)),
  )
  if (source === null) {
    part.append(
      element(
        'p',
        { class: 'muted' },
        'No source was captured. Record with --source to see what each line costs.',
      ),
    )
    return part
  }
  if (source.isByFunction) part.append(element('p', { class: 'muted' }, BY_FUNCTION))
  const most = source.lines.reduce((max, line) => Math.max(max, line.total), 0)
  const list = element('ol', { class: 'lines mono', tabindex: '0', 'aria-label': 'Source lines' })
  let before = source.lines[0]?.number ?? 0
  for (const { number, text, self, total } of source.lines) {
    if (number > before + 1) list.append(element('li', { class: 'gap', 'aria-hidden': 'true' }, '⋯'))
    before = number
    const bar = element('span', { class: 'line-bar', 'aria-hidden': 'true' })
    bar.style.width = `${most > 0 ? (total / most) * 100 : 0}%`
    const cost = total > 0 ? shareOf(measure, total).share : ''
    const title = total > 0 ? `self ${shareOf(measure, self).share}, total ${cost}` : ''
    list.append(
      element(
        'li',
        { title, class: total > 0 ? (total === most ? 'hot hottest' : 'hot') : null },
        element('span', { class: 'line-number' }, String(number)),
        element('span', { class: 'line-cost' }, bar, cost),
        element('code', {}, clipped(text, 1000)),
      ),
    )
  }
  part.append(list)
  return part
}

const BY_FUNCTION =
  'Of code made at run time only where a function begins is known: its first line has the cost of all its lines.'

/** The source begins with the top of the file: what one came for may be far below. */
function showHottest(body: HTMLElement): void {
  const line = body.querySelector('.hottest')
  const part = body.querySelector('.source')
  if (line === null || part === null) return
  const down = line.getBoundingClientRect().top - part.getBoundingClientRect().top
  part.scrollTop = Math.max(0, down - part.clientHeight / 2)
}
