/** The ways to a context menu: right click, and a long press where there is no right button. */
const LONG_PRESS_MS = 500
const STILL_PX = 10

/** Where a menu is asked for; `isHeld`: by a finger that is still down. */
export interface MenuPlace {
  readonly x: number
  readonly y: number
  readonly isHeld: boolean
}

/** Calls `open` with the place and what is there; true: a menu was opened, so the browser's own stays away. */
export function listenToMenus(root: HTMLElement, open: (target: Element, at: MenuPlace) => boolean): void {
  let timer = 0
  let pressed: { x: number; y: number } | null = null
  let opened = false
  const cancel = (): void => {
    clearTimeout(timer)
    pressed = null
  }
  root.addEventListener('contextmenu', (event) => {
    // Some browsers send it for a long press, perhaps sooner than ours is one.
    const isHeld = pressed !== null
    cancel()
    const { clientX: x, clientY: y, target } = event
    const isMade = opened || open(target as Element, { x, y, isHeld })
    if (isMade) event.preventDefault()
    opened = isMade && (opened || isHeld)
  })
  root.addEventListener('pointerdown', (event) => {
    opened = false
    if (event.pointerType !== 'touch') return
    const { clientX: x, clientY: y, target } = event
    pressed = { x, y }
    timer = window.setTimeout(() => {
      opened = open(target as Element, { x, y, isHeld: true })
    }, LONG_PRESS_MS)
  })
  root.addEventListener('pointermove', (event) => {
    if (pressed !== null && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > STILL_PX)
      cancel()
  })
  for (const end of ['pointerup', 'pointercancel'] as const) root.addEventListener(end, cancel)
  // The click that ends a long press is not a press.
  root.addEventListener(
    'click',
    (event) => {
      if (!opened) return
      opened = false
      event.stopImmediatePropagation()
      event.preventDefault()
    },
    { capture: true },
  )
}
