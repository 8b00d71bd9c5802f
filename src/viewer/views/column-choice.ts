/** The choice between the value columns of a profile, where they differ: heap profiles have four. */
import type { Opened } from '../../view/protocol.ts'
import { element } from './dom.ts'

/** A drop-down of the columns, or null where there is only one. `column` is the chosen one, -1: the default. */
export function columnChoice(
  opened: Opened,
  column: number,
  choose: (column: number) => void,
): HTMLElement | null {
  if (opened.columns.length < 2) return null
  const chosen = column < 0 ? opened.defaultColumn : column
  const select = element('select', { class: 'control', 'aria-label': 'What the width shows' })
  for (const { index, label } of opened.columns)
    select.append(element('option', { value: String(index), selected: index === chosen ? '' : null }, label))
  select.addEventListener('change', () => choose(Number(select.value)))
  return select
}
