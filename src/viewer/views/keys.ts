/** Keys of the page. Letters do nothing while a text field has the focus, or while something lies over the page. */

import type { Way } from './flame-neighbours.ts'
import { FILTER_KEYS, type FilterKey } from './frame-menu.ts'
import { isSomethingOpen } from './popover.ts'

/** What keys do. */
export interface KeyActions {
  move(way: Way): void
  zoomFocused(): void
  out(): void
  escape(): void
  reset(): void
  search(): void
  step(direction: 1 | -1): void
  view(view: 'flame' | 'inverted' | 'table'): void
  sandwich(): void
  details(): void
  menu(): void
  filter(key: FilterKey): void
  undo(): void
  compare(): void
  heatmap(): void
  copyName(): void
  help(): void
  /** Stops a live page, or lets it go on. */
  pause(): void
}

const MOVES: Readonly<Record<string, Way>> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
  k: 'up',
  j: 'down',
  h: 'left',
  l: 'right',
}

/** Starts listening on the document. */
export function listenToKeys(actions: KeyActions): void {
  const table = actionsByKey(actions)
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isSomethingOpen()) return
    const { target } = event
    const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement
    if (event.key === 'Escape') actions.escape()
    else if (isTyping || !press(event, actions, table)) return
    event.preventDefault()
  })
}

type KeyTable = Readonly<Record<string, (() => void) | undefined>>

function actionsByKey(actions: KeyActions): KeyTable {
  const filters = Object.keys(FILTER_KEYS).map((key) => [key, () => actions.filter(key as FilterKey)])
  return {
    ...Object.fromEntries(filters),
    Backspace: actions.out,
    0: actions.reset,
    '/': actions.search,
    n: () => actions.step(1),
    N: () => actions.step(-1),
    f: () => actions.view('flame'),
    i: () => actions.view('inverted'),
    t: () => actions.view('table'),
    s: actions.sandwich,
    o: actions.details,
    m: actions.menu,
    ContextMenu: actions.menu,
    u: actions.undo,
    d: actions.compare,
    x: actions.heatmap,
    y: actions.copyName,
    '?': actions.help,
  }
}

/** True when the key means something. */
function press(event: KeyboardEvent, actions: KeyActions, table: KeyTable): boolean {
  const target = event.target as Element
  const inGraph = target === document.body || target.closest('.flame') !== null
  const way = MOVES[event.key]
  if (way !== undefined) {
    // Elsewhere the arrows scroll; to a button they mean nothing.
    const isFree =
      inGraph || (target instanceof HTMLButtonElement && target.closest('.functions, .drawer') === null)
    if (isFree) actions.move(way)
    return isFree
  }
  const action =
    event.key === 'Enter' || event.key === ' '
      ? pressAction(event.key, target, inGraph, actions)
      : table[event.key]
  action?.()
  return action !== undefined
}

/** Enter and Space press what has the focus; without a focus Space stops time. */
function pressAction(
  key: string,
  target: Element,
  inGraph: boolean,
  actions: KeyActions,
): (() => void) | undefined {
  if (key === ' ' && target === document.body) return actions.pause
  return inGraph ? actions.zoomFocused : undefined
}
