/** Where a comparison begins: a second file, two values of a label, or two ranges of time. */

import { whole } from '../../view/numbers.ts'
import type { LabelValues } from '../../view/protocol.ts'
import { openDialog } from './dialogs.ts'
import { button, element } from './dom.ts'

/** What can be compared, and what a choice does. */
export interface CompareChoices {
  readonly name: string
  readonly labelKeys: readonly string[]
  readonly hasTimes: boolean
  /** Name of a second profile that is loaded already. */
  readonly baselineName: string | null
  file(file: File): void
  /** The second profile that is there. */
  loaded(): void
  label(key: string, before: string, after: string): void
  labelValues(key: string, part: string): Promise<LabelValues>
}

/** Opens the choice. */
export function openCompare(choices: CompareChoices): void {
  const close = (): void => dialog.close()
  const parts = [filePart(choices, close)]
  if (choices.labelKeys.length > 0) parts.push(labelPart(choices, close))
  parts.push(timePart(choices.hasTimes))
  const dialog = openDialog('Compare with…', ...parts)
}

function filePart(choices: CompareChoices, close: () => void): HTMLElement {
  const input = element('input', {
    type: 'file',
    class: 'unseen',
    tabindex: '-1',
    'aria-label': 'File with the profile before',
  })
  input.addEventListener('change', () => {
    const file = input.files?.[0]
    if (file === undefined) return
    close()
    choices.file(file)
  })
  const choose = button('Choose a file…', { class: 'control primary' }, () => input.click())
  const row = element('div', { class: 'panel-buttons' }, choose, input)
  if (choices.baselineName !== null)
    row.append(
      button(`With ${choices.baselineName}`, { class: 'control' }, () => {
        close()
        choices.loaded()
      }),
    )
  const how =
    'Any profile we read: pprof, folded, speedscope, perf script, .cpuprofile or a page like this one. You can also drop it onto the page with Shift held.'
  return element('section', {}, element('h3', {}, 'The profile before'), element('p', {}, how), row)
}

function labelPart(choices: CompareChoices, close: () => void): HTMLElement {
  const [key, before, after] = ['Label', 'Before', 'After'].map((name) =>
    element('select', { class: 'control', 'aria-label': name }),
  ) as [HTMLSelectElement, HTMLSelectElement, HTMLSelectElement]
  key.append(...choices.labelKeys.map((name) => element('option', { value: name }, name)))
  const compare = button('Compare', { class: 'control' }, () => {
    close()
    choices.label(key.value, before.value, after.value)
  })
  const check = (): void => {
    compare.disabled = before.value === after.value || before.value === ''
  }
  const part = element('input', {
    type: 'search',
    class: 'control value-part',
    'aria-label': 'Part of a value',
    placeholder: 'Part of a value',
    hidden: '',
  })
  const fill = async (): Promise<void> => {
    const asked = `${key.value}:${part.value}`
    const found = await choices.labelValues(key.value, part.value)
    if (asked !== `${key.value}:${part.value}`) return
    if (found.more > 0) part.hidden = false
    const isFirst = part.value === ''
    for (const [i, select] of [before, after].entries()) {
      const chosen = isFirst ? (found.values[i] ?? found.values[0])?.value : select.value
      select.replaceChildren(...valueOptions(found, chosen ?? ''))
      select.value = chosen ?? ''
    }
    check()
  }
  key.addEventListener('change', () => {
    part.value = ''
    part.hidden = true
    void fill()
  })
  part.addEventListener('input', () => void fill())
  for (const select of [before, after]) select.addEventListener('change', check)
  void fill()
  const row = element(
    'div',
    { class: 'panel-buttons' },
    key,
    part,
    before,
    element('span', {}, '→'),
    after,
    compare,
  )
  return element('section', {}, element('h3', {}, 'Two values of a label'), row)
}

/** What one can choose, with what was chosen already, and how much is not in the list. */
function valueOptions({ values, more }: LabelValues, chosen: string): HTMLElement[] {
  const names = values.map(({ value }) => value)
  const offered = names.includes(chosen) ? names : [chosen, ...names]
  const options = offered.map((value) => element('option', { value }, value === '' ? '(none)' : value))
  if (more > 0)
    options.push(element('option', { disabled: '' }, `… and ${whole(more)} more: type a part of it`))
  return options
}

function timePart(hasTimes: boolean): HTMLElement {
  const how = hasTimes
    ? 'Drag over the time band with Alt held: that time is before. A drag without Alt chooses the time after; without one it is all the rest.'
    : 'This profile does not say when its samples were taken, so it has no time band.'
  return element('section', {}, element('h3', {}, 'Two ranges of time'), element('p', {}, how))
}
