/** Small panels over the page that close by themselves: Escape, a click elsewhere, or a choice. One at a time. */
import { element } from './dom.ts'

/** Where a panel opens: below an element, or at a point of the window, under a finger perhaps that is still down. */
export type Anchor = Element | Point

interface Point {
  readonly x: number
  readonly y: number
  readonly isHeld?: boolean
}

const GAP_PX = 4
const EDGE_PX = 8

/** Opens a panel; it is removed when it closes, and the focus goes back to where it was. */
export function openPanel(
  anchor: Anchor,
  attributes: Readonly<Record<string, string>>,
  ...content: readonly Node[]
): HTMLElement {
  const before = document.activeElement
  const isHeld = !(anchor instanceof Element) && anchor.isHeld === true
  const panel = element('div', { popover: isHeld ? 'manual' : 'auto', ...attributes })
  panel.append(...content)
  // Within the page's main part: what lies outside of all landmarks is hard to find for those who hear a page.
  const part = document.querySelector('main') ?? document.body
  part.append(panel)
  panel.addEventListener('toggle', (event) => {
    if ((event as ToggleEvent).newState !== 'closed') return
    const hadFocus = panel.contains(document.activeElement) || document.activeElement === document.body
    panel.remove()
    if (hadFocus && before instanceof Element && before.isConnected)
      (before as HTMLElement | SVGElement).focus({ preventScroll: true })
  })
  panel.showPopover()
  if (isHeld) closeFromOutside(panel)
  place(panel, anchor)
  return panel
}

/** What browsers do for other panels; for one that opens under a finger they would do it when the finger leaves. */
function closeFromOutside(panel: HTMLElement): void {
  const listening = new AbortController()
  const { signal } = listening
  const close = (): void => panel.hidePopover()
  panel.addEventListener('toggle', ({ newState }) => newState === 'closed' && listening.abort())
  document.addEventListener(
    'pointerdown',
    ({ target }) => {
      if (!panel.contains(target as Node)) close()
    },
    { capture: true, signal },
  )
  document.addEventListener('keydown', ({ key }) => key === 'Escape' && close(), { capture: true, signal })
}

/** True while a panel or a dialog is open: keys are theirs then. */
export function isSomethingOpen(): boolean {
  return document.querySelector('dialog[open], :popover-open') !== null
}

function place(panel: HTMLElement, anchor: Anchor): void {
  const { width, height } = panel.getBoundingClientRect()
  const at = anchor instanceof Element ? anchor.getBoundingClientRect() : null
  const point = at === null ? (anchor as Point) : { x: at.left, y: at.bottom + GAP_PX }
  const fitsBelow = point.y + height <= innerHeight - EDGE_PX
  const above = (at === null ? point.y : at.top - GAP_PX) - height
  const top = fitsBelow ? point.y : Math.max(EDGE_PX, above)
  const left = Math.max(EDGE_PX, Math.min(point.x, innerWidth - width - EDGE_PX))
  panel.style.left = `${left}px`
  panel.style.top = `${top}px`
}
