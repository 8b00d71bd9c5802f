/** The choice of one process out of several; not there where a profile has only one. */

import { percent, whole } from '../../view/numbers.ts'
import type { LabelValues } from '../../view/protocol.ts'
import { element } from './dom.ts'

/** The label that capture gives the name of a process. */
export const PROCESS_LABEL = 'comm'
/** What a profile without that label has to choose from. */
export const NO_VALUES: LabelValues = { values: [], more: 0, total: 0 }

/** A drop-down that may be filled anew. */
export class ProcessChoice {
  readonly root = element('select', { class: 'control process-choice', 'aria-label': 'Process', hidden: '' })

  constructor(choose: (name: string) => void) {
    this.root.addEventListener('change', () => choose(this.root.value))
  }

  /** Names with their share of all. The chosen one stays even when it has no sample now. */
  draw({ values, more, total }: LabelValues, chosen: string): void {
    const named = values.filter(({ value }) => value !== '')
    const isThere = chosen === '' || named.some(({ value }) => value === chosen)
    const all = isThere ? named : [...named, { value: chosen, weight: 0 }]
    this.root.hidden = all.length < 2 && chosen === ''
    const options = all.map(({ value, weight }) =>
      element('option', { value }, `${value} · ${percent(total > 0 ? weight / total : 0)}`),
    )
    if (more > 0) {
      const words = `… and ${whole(more)} more: search for ${PROCESS_LABEL}:~part of a name`
      options.push(element('option', { disabled: '' }, words))
    }
    this.root.replaceChildren(element('option', { value: '' }, 'all processes'), ...options)
    this.root.value = chosen
  }
}
