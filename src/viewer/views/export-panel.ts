/** Saving: formats of the whole profile, the table, and the drawing as it is seen. */
import { EXPORT_FORMATS, type ExportFormat } from '../../view/protocol.ts'
import { button, element } from './dom.ts'
import { openPanel } from './popover.ts'

/** What can be saved: a file of the worker, or a picture. */
export type SaveFormat = ExportFormat | 'svg' | 'png'

const WORDS: Readonly<Record<SaveFormat, readonly [string, string]>> = {
  pprof: ['pprof', '.pb.gz, the whole profile'],
  folded: ['Folded stacks', '.folded, the whole profile'],
  speedscope: ['speedscope', '.speedscope.json, the whole profile'],
  csv: ['Table', '.csv, the functions as shown'],
  svg: ['Picture', '.svg, the graph as shown'],
  png: ['Picture', '.png, the graph as shown'],
}

/** Opens the choice below a button. */
export function openExport(anchor: Element, save: (format: SaveFormat, redact: boolean) => void): void {
  const redact = element('input', { type: 'checkbox', id: 'redact' })
  const list = element('ul', { class: 'export-list' })
  for (const format of [...EXPORT_FORMATS, 'svg', 'png'] as const) {
    const [name, what] = WORDS[format]
    const choose = button('', { class: 'menu-item', 'data-format': format }, () => {
      const isRedacted = redact.checked
      panel.hidePopover()
      save(format, isRedacted)
    })
    choose.append(element('span', {}, name), element('small', {}, what))
    list.append(element('li', {}, choose))
  }
  const words = 'Redacted: paths, host names and command lines become random tokens'
  const check = element('label', { class: 'redact', for: 'redact' }, redact, words)
  const title = element('h2', { id: 'export-title' }, 'Save as')
  const attributes = { class: 'panel', role: 'dialog', 'aria-labelledby': 'export-title' }
  const panel = openPanel(anchor, attributes, title, list, check)
  list.querySelector('button')?.focus()
}
