/** The choice of one process out of several; not there where a profile has only one. */
import { percent } from '../data/numbers.ts'
import type { ProcessShare } from '../data/process-filter.ts'
import { element } from './dom.ts'

/** A drop-down that may be filled anew. */
export class ProcessChoice {
  readonly root = element('select', { class: 'control process-choice', 'aria-label': 'Process', hidden: '' })

  constructor(choose: (name: string) => void) {
    this.root.addEventListener('change', () => choose(this.root.value))
  }

  /** Names with their share of `total`. The chosen one stays even when it has no sample now. */
  draw(shares: readonly ProcessShare[], total: number, chosen: string): void {
    const isThere = chosen === '' || shares.some(({ name }) => name === chosen)
    const all = isThere ? shares : [...shares, { name: chosen, value: 0 }]
    this.root.hidden = all.length === 0
    const options = all.map(({ name, value }) =>
      element('option', { value: name }, `${name} · ${percent(total > 0 ? value / total : 0)}`),
    )
    this.root.replaceChildren(element('option', { value: '' }, 'all processes'), ...options)
    this.root.value = chosen
  }
}
