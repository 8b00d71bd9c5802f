/** Keys of the page. Letters do nothing while a text field has the focus. */

/** What keys do. */
export interface KeyActions {
  move(way: 'up' | 'down' | 'left' | 'right'): void
  zoomFocused(): void
  out(): void
  escape(): void
  reset(): void
  search(): void
  step(direction: 1 | -1): void
  table(): void
  help(): void
  /** Stops a live page, or lets it go on. */
  pause(): void
}

const MOVES = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
  k: 'up',
  j: 'down',
  h: 'left',
  l: 'right',
} as const

/** Starts listening on the document. */
export function listenToKeys(actions: KeyActions): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null)
      return
    const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement
    if (event.key === 'Escape') actions.escape()
    else if (isTyping || !press(event, actions)) return
    event.preventDefault()
  })
}

/** True when the key means something. */
function press(event: KeyboardEvent, actions: KeyActions): boolean {
  const inGraph = event.target === document.body || (event.target as Element).closest('.flame') !== null
  if (event.key in MOVES) {
    // Elsewhere the arrows scroll the table.
    if (!inGraph) return false
    actions.move(MOVES[event.key as keyof typeof MOVES])
    return true
  }
  const does: Readonly<Record<string, (() => void) | undefined>> = {
    Enter: inGraph ? actions.zoomFocused : undefined,
    ' ': spaceAction(event.target, inGraph, actions),
    Backspace: actions.out,
    0: actions.reset,
    '/': actions.search,
    n: () => actions.step(1),
    N: () => actions.step(-1),
    t: actions.table,
    '?': actions.help,
  }
  const action = does[event.key]
  action?.()
  return action !== undefined
}

/** Space presses what has the focus; without a focus it stops time. */
function spaceAction(
  target: EventTarget | null,
  inGraph: boolean,
  actions: KeyActions,
): (() => void) | undefined {
  if (target === document.body) return actions.pause
  return inGraph ? actions.zoomFocused : undefined
}
