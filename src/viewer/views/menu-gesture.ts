/** The ways to a context menu: right click, and a long press where there is no right button. */
const LONG_PRESS_MS = 500
const STILL_PX = 10

/** Calls `open` with the place and what is there; true: a menu was opened, so the browser's own stays away. */
export function listenToMenus(
  root: HTMLElement,
  open: (target: Element, at: { readonly x: number; readonly y: number }) => boolean,
): void {
  let timer = 0
  let pressed: { x: number; y: number } | null = null
  let opened = false
  const cancel = (): void => {
    clearTimeout(timer)
    pressed = null
  }
  root.addEventListener('contextmenu', (event) => {
    cancel()
    if (opened || open(event.target as Element, { x: event.clientX, y: event.clientY }))
      event.preventDefault()
  })
  root.addEventListener('pointerdown', (event) => {
    opened = false
    if (event.pointerType !== 'touch') return
    const { clientX: x, clientY: y, target } = event
    pressed = { x, y }
    timer = window.setTimeout(() => {
      opened = open(target as Element, { x, y })
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
