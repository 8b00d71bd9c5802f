/** The banner of a comparison: the verdict, both sides, which of them is drawn, and how they are made comparable. */

import { quantity, whole } from '../../view/numbers.ts'
import type { Verdict } from '../../view/protocol.ts'
import { type Comparison, SCALES, type Scale } from '../../view/state.ts'
import { clipped, type Measure } from '../data/shares.ts'
import { button, element } from './dom.ts'

/** What a reader does to a comparison. */
export interface VerdictActions {
  side(side: Comparison['side']): void
  scale(scale: Scale): void
  stop(): void
}

const SIDES = ['before', 'diff', 'after'] as const

/** The banner. */
export class VerdictBanner {
  readonly root = element('section', { class: 'verdict', 'aria-label': 'Comparison', hidden: '' })
  readonly #actions: VerdictActions

  constructor(actions: VerdictActions) {
    this.#actions = actions
  }

  /** Shows a verdict; hidden without one. */
  draw(verdict: Verdict | null, compare: Comparison | null, measure: Measure): void {
    this.root.hidden = verdict === null || compare === null
    if (verdict === null || compare === null) return void this.root.replaceChildren()
    const focused = (document.activeElement as HTMLElement | null)?.dataset.side
    const sentence = element(
      'strong',
      { class: 'sentence', role: 'status', title: verdict.sentence },
      clipped(verdict.sentence),
    )
    const before = `${clipped(verdict.beforeName, 60)} ${sizeOf(verdict.beforeTotal, verdict.beforeSamples, measure.unit)}`
    const after = `${clipped(verdict.afterName, 60)} ${sizeOf(measure.total, measure.samples, measure.unit)}`
    const sides = element(
      'span',
      { class: 'muted sides', title: `${before} → ${after}` },
      `${before} → ${after}`,
    )
    const end = button(
      '×',
      { class: 'control square', 'aria-label': 'Stop comparing', title: 'Stop comparing' },
      () => this.#actions.stop(),
    )
    const gone = goneWords(verdict)
    this.root.replaceChildren(
      sentence,
      ...(gone === null ? [] : [gone]),
      sides,
      this.#sideButtons(compare),
      this.#scaleChoice(compare),
      end,
    )
    if (focused !== undefined) this.root.querySelector<HTMLElement>(`[data-side="${focused}"]`)?.focus()
  }

  #sideButtons({ side: present }: Comparison): HTMLElement {
    const group = element('div', { class: 'tabs', role: 'group', 'aria-label': 'What is drawn' })
    for (const side of SIDES)
      group.append(
        button(side, { class: 'tab', 'data-side': side, 'aria-pressed': String(side === present) }, () =>
          this.#actions.side(side),
        ),
      )
    return group
  }

  #scaleChoice({ scale: present }: Comparison): HTMLElement {
    const title = 'How the two sides are made comparable'
    const select = element('select', { class: 'control', 'aria-label': 'Scale', title })
    for (const scale of SCALES)
      select.append(
        element('option', { value: scale, selected: scale === present ? '' : null }, scale.replace('-', ' ')),
      )
    select.addEventListener('change', () => this.#actions.scale(select.value as Scale))
    return select
  }
}

function sizeOf(total: number, samples: number | null, unit: string): string {
  const size = quantity(total, unit)
  if (samples === null) return `(${size})`
  return unit === 'count' ? `(${whole(samples)} samples)` : `(${size}, ${whole(samples)} samples)`
}

/** Names told of what is gone. */
const GONE_NAMES = 2

/** What is only in the profile before, by name: in the graph it may have no room. */
function goneWords({ gone }: Verdict): HTMLElement | null {
  if (gone.length === 0) return null
  const names = gone.slice(0, 50).map((name) => clipped(name, 60))
  const more = gone.length > GONE_NAMES ? ` and ${whole(gone.length - GONE_NAMES)} more` : ''
  const text = `gone: ${names.slice(0, GONE_NAMES).join(', ')}${more}`
  return element('span', { class: 'gone', title: `gone: ${names.join(', ')}` }, text)
}
