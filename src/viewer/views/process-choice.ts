/** The choice of one process out of several; not there where a profile has only one. */

import { percent } from '../../view/numbers.ts'
import type { LabelValue } from '../../view/protocol.ts'
import { element } from './dom.ts'

/** The label that capture gives the name of a process. */
export const PROCESS_LABEL = 'comm'
/** More names than this help nobody to choose. */
const MAX_NAMES = 100

/** A drop-down that may be filled anew. */
export class ProcessChoice {
  readonly root = element('select', { class: 'control process-choice', 'aria-label': 'Process', hidden: '' })

  constructor(choose: (name: string) => void) {
    this.root.addEventListener('change', () => choose(this.root.value))
  }

  /** Names with their share of all. The chosen one stays even when it has no sample now. */
  draw(values: readonly LabelValue[], chosen: string): void {
    const total = values.reduce((sum, { weight }) => sum + weight, 0)
    const named = values.filter(({ value }) => value !== '').slice(0, MAX_NAMES)
    const isThere = chosen === '' || named.some(({ value }) => value === chosen)
    const all = isThere ? named : [...named, { value: chosen, weight: 0 }]
    this.root.hidden = all.length < 2 && chosen === ''
    const options = all.map(({ value, weight }) =>
      element('option', { value }, `${value} · ${percent(total > 0 ? weight / total : 0)}`),
    )
    this.root.replaceChildren(element('option', { value: '' }, 'all processes'), ...options)
    this.root.value = chosen
  }
}
