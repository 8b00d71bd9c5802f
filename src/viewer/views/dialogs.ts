/** What opens over the page: the keys with the patterns and the notices, and the profiler's notes. */
import { element } from './dom.ts'
import { KEY_LIST, LIVE_KEYS } from './key-list.ts'

const PATTERNS: readonly (readonly [string, string])[] = [
  ['kernel', 'kernel: hatched'],
  ['jit', 'made at run time (JIT, interpreted): dotted'],
  ['inlined', 'inlined into its caller: dashed top edge'],
  ['box', 'frames too narrow to draw: grey hatch; a click shows them'],
  ['ghost', 'while comparing: only in the profile before'],
]

/** Opens the help over the page. `notices` is shown as text. */
export function openHelp(notices: string, isLive: boolean): void {
  const keys = element('dl', { class: 'key-list' })
  for (const [key, does] of isLive ? [...KEY_LIST, ...LIVE_KEYS] : KEY_LIST)
    keys.append(element('dt', {}, ...kbds(key)), element('dd', {}, does))
  const patterns = element('ul', { class: 'patterns' })
  for (const [kind, words] of PATTERNS) {
    const sample = element('i', { class: `sample ${kind}`, 'aria-hidden': 'true' })
    patterns.append(element('li', {}, sample, words))
  }
  const reading = element(
    'p',
    {},
    'Width is what the profile counts, CPU time as a rule: a frame is as wide as the samples that ran in it or below it. Its self part is what no callee covers. ± is the 95 % interval. While comparing, orange is more and blue is less than before; grey may be chance.',
  )
  const licences = element('details', {}, element('summary', {}, 'Third-party notices'))
  licences.append(element('pre', { tabindex: '0' }, notices))
  openDialog('Keys and reading', keys, element('h3', {}, 'Patterns'), patterns, reading, licences)
}

function kbds(keys: string): (HTMLElement | string)[] {
  return keys
    .split(' ')
    .flatMap((key, i) => (i === 0 ? [element('kbd', {}, key)] : [' ', element('kbd', {}, key)]))
}

/** Opens the profiler's notes. */
export function openNotes(notes: readonly string[]): void {
  const list = element('ul', { class: 'notes' })
  for (const note of notes) list.append(element('li', {}, note))
  openDialog('Notes of the profiler', list)
}

/** Opens a dialog; it is removed when it closes. */
export function openDialog(title: string, ...content: Node[]): HTMLDialogElement {
  const heading = element('h2', { id: 'dialog-title' }, title)
  const close = element('button', { class: 'control', value: 'close' }, 'Close')
  const form = element('form', { method: 'dialog' }, heading, close)
  const dialog = element('dialog', { 'aria-labelledby': 'dialog-title' }, form)
  dialog.append(...content)
  dialog.addEventListener('close', () => dialog.remove())
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close()
  })
  document.body.append(dialog)
  dialog.showModal()
  return dialog
}
