/** A menu: a panel of commands that arrow keys, first letters and the pointer choose from. */
import { element } from './dom.ts'
import { type Anchor, openPanel } from './popover.ts'

/** A command. `hint` is its key or what it does, in muted words. */
export interface MenuItem {
  readonly label: string
  readonly hint?: string
  /** Set for one of several that exclude each other: whether it is the present one. */
  readonly isChosen?: boolean
  readonly run: () => void
}

/** Opens a menu; a null between items is a line. */
export function openMenu(anchor: Anchor, label: string, items: readonly (MenuItem | null)[]): void {
  const made = items.map(itemElement)
  const panel = openPanel(
    anchor,
    { class: 'menu', role: 'menu', 'aria-label': label },
    ...made.map(({ root }) => root),
  )
  const close = (): void => panel.hidePopover()
  for (const { root, item } of made)
    root.addEventListener('click', () => {
      if (item === null) return
      close()
      item.run()
    })
  const buttons = made.filter(({ item }) => item !== null).map(({ root }) => root)
  panel.addEventListener('keydown', (event) => {
    const next = nextItem(buttons, event.key)
    if (event.key === 'Tab') close()
    if (next === null) return
    event.preventDefault()
    event.stopPropagation()
    next.focus()
  })
  panel.addEventListener('pointermove', (event) => {
    const over = (event.target as Element).closest<HTMLElement>('[role^=menuitem]')
    if (over !== document.activeElement) over?.focus()
  })
  buttons[0]?.focus()
}

function itemElement(item: MenuItem | null): { root: HTMLElement; item: MenuItem | null } {
  if (item === null) return { root: element('hr', {}), item }
  const isChoice = item.isChosen !== undefined
  const root = element('button', {
    type: 'button',
    class: 'menu-item',
    role: isChoice ? 'menuitemradio' : 'menuitem',
    'aria-checked': isChoice ? String(item.isChosen) : null,
    tabindex: '-1',
  })
  const mark = isChoice
    ? element('span', { class: 'mark', 'aria-hidden': 'true' }, item.isChosen ? '✓' : '')
    : null
  root.append(...(mark === null ? [] : [mark]), element('span', {}, item.label))
  if (item.hint !== undefined) root.append(element('small', {}, item.hint))
  return { root, item }
}

/** The item a key leads to, null for a key that leads nowhere. */
function nextItem(buttons: readonly HTMLElement[], key: string): HTMLElement | null {
  const at = buttons.indexOf(document.activeElement as HTMLElement)
  const count = buttons.length
  if (key === 'ArrowDown') return buttons[(at + 1) % count] ?? null
  if (key === 'ArrowUp') return buttons[(at - 1 + count) % count] ?? null
  if (key === 'Home') return buttons[0] ?? null
  if (key === 'End') return buttons[count - 1] ?? null
  if (key.length !== 1 || key === ' ') return null
  const order = [...buttons.slice(at + 1), ...buttons.slice(0, at + 1)]
  return order.find((button) => button.textContent?.toLowerCase().startsWith(key.toLowerCase())) ?? null
}
