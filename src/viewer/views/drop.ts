/** Dropping a profile onto the page: it is opened, or compared with where Shift or Alt is held. */
import { element } from './dom.ts'

/** What is done with a file. */
export interface DropActions {
  open(file: File): void
  compare(file: File): void
}

/** Starts listening; the overlay says what a drop does. */
export function listenToDrops(actions: DropActions): void {
  const words = element('p', {})
  const overlay = element('div', { class: 'drop', 'aria-hidden': 'true', hidden: '' }, words)
  document.body.append(overlay)
  let depth = 0
  const hide = (): void => {
    depth = 0
    overlay.hidden = true
  }
  document.addEventListener('dragenter', (event) => {
    if (!hasFile(event)) return
    depth++
    overlay.hidden = false
  })
  document.addEventListener('dragleave', () => {
    if (--depth <= 0) hide()
  })
  document.addEventListener('dragover', (event) => {
    if (!hasFile(event)) return
    event.preventDefault()
    words.textContent = isComparing(event)
      ? 'Drop to compare: the file is the profile before'
      : 'Drop to open · hold Shift or Alt to compare'
  })
  document.addEventListener('drop', (event) => {
    hide()
    const file = event.dataTransfer?.files[0]
    if (file === undefined) return
    event.preventDefault()
    if (isComparing(event)) actions.compare(file)
    else actions.open(file)
  })
}

function isComparing(event: DragEvent): boolean {
  return event.shiftKey || event.altKey
}

function hasFile(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') === true
}
