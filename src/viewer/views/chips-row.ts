/** The filters that are on, each with its ×, the presets, and undo. */
import type { Shown } from '../../view/protocol.ts'
import type { Chip } from '../../view/state.ts'
import { clipped } from '../data/shares.ts'
import { chipWords } from '../state/chips.ts'
import { PRESETS, presetName } from '../state/presets.ts'
import { button, element } from './dom.ts'
import { openMenu } from './menu.ts'

/** What a reader does to the filters. */
export interface ChipActions {
  add(chip: Chip): void
  remove(index: number): void
  undo(): void
}

/** The row of chips. */
export class ChipsRow {
  readonly root = element('section', { class: 'chips', 'aria-label': 'Filters' })
  readonly #actions: ChipActions
  readonly #list = element('ul', { class: 'chip-list' })
  readonly #undo: HTMLButtonElement

  constructor(actions: ChipActions) {
    this.#actions = actions
    const attributes = {
      class: 'control presets',
      'aria-haspopup': 'menu',
      title: 'Filters for what is seldom the answer',
    }
    const presets = button('Hide ▾', attributes, () => openMenu(presets, 'Presets', this.#presetItems()))
    this.#undo = button('↶ Undo', { class: 'control undo', title: 'Undo the last step (u)' }, () =>
      actions.undo(),
    )
    this.root.append(this.#list, presets, this.#undo)
  }

  #presetItems() {
    return PRESETS.map(({ name, meaning, chip }) => ({
      label: name,
      hint: meaning,
      run: () => this.#actions.add(chip),
    }))
  }

  /** Shows the chips of a state; `answers` tells what each matched, empty while that is not known. */
  draw(chips: readonly Chip[], answers: Shown['chips'], canUndo: boolean): void {
    const focused = [...this.#list.querySelectorAll('button')].indexOf(
      document.activeElement as HTMLButtonElement,
    )
    this.#list.replaceChildren(...chips.map((chip, i) => this.#chip(chip, i, answers[i])))
    this.#list.hidden = chips.length === 0
    this.#undo.hidden = !canUndo
    const left = [...this.#list.querySelectorAll('button')]
    if (focused >= 0) (left[Math.min(focused, left.length - 1)] ?? this.root.querySelector('button'))?.focus()
  }

  /** Shows what the chips that are drawn matched. */
  answer(chips: readonly Chip[], answers: Shown['chips']): void {
    this.draw(chips, answers, !this.#undo.hidden)
  }

  #chip(chip: Chip, index: number, answer: Shown['chips'][number] | undefined): HTMLElement {
    const words = presetName(chip) ?? chipWords(chip)
    const problem = answer?.problem ?? ''
    const matchesNothing = problem === '' && answer?.matched === 0
    const remove = button(
      '×',
      { class: 'remove', 'aria-label': `Remove ${clipped(words, 100)}`, title: 'Remove' },
      () => this.#actions.remove(index),
    )
    const why = problem !== '' ? problem : matchesNothing ? 'matches nothing' : ''
    const title = why === '' ? clipped(words) : `${clipped(words)}: ${why}`
    const label = element('span', { class: 'chip-words' }, clipped(words, 60))
    const warning = why === '' ? null : element('small', {}, ` ${why}`)
    return element('li', { class: why === '' ? 'chip' : 'chip doubtful', title }, label, warning, remove)
  }
}
