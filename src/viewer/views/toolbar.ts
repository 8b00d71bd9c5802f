/** The line above the graph: the views, the zoom path as links, and what the colours mean. */
import { shortName } from '../../model/short-name.ts'
import { percent, whole } from '../../view/numbers.ts'
import type { Drawing, Shown } from '../../view/protocol.ts'
import {
  COLOURINGS,
  type Colouring,
  VIEWS,
  type ViewName,
  type ViewState,
  type Zoom,
} from '../../view/state.ts'
import { clipped, fractionOf, type Measure } from '../data/shares.ts'
import { type Half, zoomedHalf } from '../state/change.ts'
import { button, element } from './dom.ts'

const LEGEND_ENTRIES = 5
const FIRST_CRUMBS = 2
const LAST_CRUMBS = 3

/** What a reader does in the toolbar. */
export interface ToolbarActions {
  view(view: ViewName): void
  zoom(zoom: Zoom, half: Half): void
  colour(colouring: Colouring): void
  flip(): void
}

const TITLES: Readonly<Record<ViewName, readonly [string, string]>> = {
  flame: ['Flame', 'Callers above callees (f)'],
  sandwich: ['Sandwich', 'One function: its callers above, what it calls below (s)'],
  inverted: ['Inverted', 'What uses the time first, its callers below (i)'],
  table: ['Table', 'All functions (t)'],
}

/** The toolbar. */
export class Toolbar {
  readonly root = element('div', { class: 'toolbar' })
  readonly #actions: ToolbarActions
  readonly #tabs: ReadonlyMap<ViewName, HTMLButtonElement>
  readonly #flip: HTMLButtonElement
  readonly #path = element('div', { class: 'path' })
  readonly #legend = element('div', { class: 'legend-slot' })

  constructor(actions: ToolbarActions) {
    this.#actions = actions
    const tab = (view: ViewName): [ViewName, HTMLButtonElement] => {
      const [name, title] = TITLES[view]
      return [view, button(name, { class: 'tab', title }, () => actions.view(view))]
    }
    this.#tabs = new Map(['flame', 'sandwich', 'inverted', 'table'].map((view) => tab(view as ViewName)))
    const group = element(
      'div',
      { class: 'tabs', role: 'group', 'aria-label': 'View' },
      ...this.#tabs.values(),
    )
    const title = 'Put the root at the bottom, or at the top again'
    this.#flip = button(
      '⇅',
      { class: 'control square flip', 'aria-label': 'Root at the bottom', title },
      () => actions.flip(),
    )
    this.root.append(group, this.#flip, this.#path, this.#legend)
  }

  /** Shows where a state is. */
  draw(state: ViewState, shown: Shown, measure: Measure): void {
    for (const view of VIEWS) this.#tabs.get(view)!.setAttribute('aria-pressed', String(view === state.view))
    this.#flip.setAttribute('aria-pressed', String(state.upward))
    this.#flip.hidden = state.view !== 'flame'
    this.#path.replaceChildren(...this.#crumbs(state, shown))
    this.#legend.replaceChildren(...this.#legendOf(state, shown, measure))
  }

  /** The zoom as links; of a sandwich that of the half which is zoomed. */
  #crumbs(state: ViewState, { drawing, callers }: Shown): HTMLElement[] {
    if (state.view === 'table') return []
    const half = zoomedHalf(state)
    if (state.view === 'sandwich' && half === null) return []
    const [shown, zoom] =
      half === 'callersZoom' && callers !== null ? [callers, state.callersZoom] : [drawing, state.zoom]
    return [breadcrumbs(shown, zoom, (to) => this.#actions.zoom(to, half ?? 'zoom'))]
  }

  #legendOf(state: ViewState, shown: Shown, measure: Measure): HTMLElement[] {
    if (state.compare !== null && state.compare.side === 'diff' && state.view !== 'table')
      return [changeLegend()]
    const select = element('select', {
      class: 'quiet',
      'aria-label': 'Colour by',
      title: 'What the colours tell',
    })
    for (const colouring of COLOURINGS)
      select.append(
        element(
          'option',
          { value: colouring, selected: colouring === state.colouring ? '' : null },
          `colour: ${colouring}`,
        ),
      )
    select.addEventListener('change', () => this.#actions.colour(select.value as Colouring))
    return [select, legend(shown, measure)]
  }
}

/** The path of a zoom; `go` is called with the zoom of a crumb. */
function breadcrumbs(drawing: Drawing, zoom: Zoom, go: (zoom: Zoom) => void): HTMLElement {
  const { path } = drawing
  const names = [...drawing.above, ...drawing.rows.slice(0, 1)].map((row) => row.name)
  const list = element('ol', {})
  for (let i = 0; i <= path.length; i++) {
    const fromEnd = path.length - i
    if (i >= FIRST_CRUMBS && fromEnd >= LAST_CRUMBS) {
      const skipped = `⋯ ${whole(path.length + 1 - FIRST_CRUMBS - LAST_CRUMBS)}`
      if (i === FIRST_CRUMBS) list.append(element('li', { class: 'muted skipped' }, skipped))
      continue
    }
    const name = clipped(names[i] ?? 'all', 200)
    const isHere = fromEnd === 0 && zoom.ranks === null
    const attributes = { class: 'crumb', title: name, 'aria-current': isHere ? 'location' : null }
    const target = { path: path.slice(0, i), ranks: null }
    list.append(
      element(
        'li',
        {},
        button(shortName(name), attributes, () => go(target)),
      ),
    )
  }
  if (zoom.ranks !== null) {
    const members = `+${whole(zoom.ranks[1] - zoom.ranks[0])} small`
    list.append(element('li', {}, element('b', { class: 'crumb' }, members)))
  }
  return element('nav', { class: 'crumbs', 'aria-label': 'Zoom path' }, list)
}

/** The heaviest colour groups. */
function legend(shown: Shown, measure: Measure): HTMLElement {
  const list = element('ul', { class: 'legend', 'aria-label': 'Colours' })
  for (const { name, hue, pattern, value } of shown.legend.slice(0, LEGEND_ENTRIES)) {
    const swatch = element('i', { class: `swatch ${pattern}`, 'aria-hidden': 'true' })
    swatch.style.setProperty('--hue', String(hue))
    const title = `${clipped(name)}: ${percent(fractionOf(measure, value))}`
    const words =
      pattern === 'kernel' ? `${name} (hatched)` : pattern === 'jit' && name === 'jit' ? 'JIT (dotted)' : name
    list.append(element('li', { title }, swatch, element('span', {}, clipped(words, 60))))
  }
  const more = shown.legend.length - LEGEND_ENTRIES
  if (more > 0) {
    const title = shown.legend
      .slice(LEGEND_ENTRIES, LEGEND_ENTRIES + 20)
      .map(({ name }) => clipped(name, 60))
      .join(', ')
    list.append(element('li', { class: 'muted', title }, `+${whole(more)}`))
  }
  return list
}

const CHANGES = [
  ['grew', '+ more'],
  ['shrank', '\u2212 less'],
  ['noise', 'noise'],
  ['ghost', 'gone'],
] as const

/** What the colours of a comparison mean. */
function changeLegend(): HTMLElement {
  const list = element('ul', { class: 'legend changes', 'aria-label': 'Colours' })
  for (const [kind, words] of CHANGES)
    list.append(element('li', {}, element('i', { class: `swatch ${kind}`, 'aria-hidden': 'true' }), words))
  return list
}
