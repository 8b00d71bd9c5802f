/** The detail strip: what the pointer, the focus or the selection is on, always in the same place, within a frame. */
import { frameLabel } from '../../model/frame-label.ts'
import type { DrawnFrame } from '../../model/prune.ts'
import { quantity, whole } from '../data/numbers.ts'
import { framePlace, shareOf, type ViewModel } from '../data/view-model.ts'
import { element } from './dom.ts'
import { drawnName } from './flame-datum.ts'

/** The strip at the foot of the page. */
export class StripView {
  readonly root = element('footer', { class: 'strip', 'aria-label': 'Details' })
  readonly #facts = element('div', { class: 'facts' })

  constructor() {
    const keys = element('div', { class: 'keys' })
    for (const [key, does] of [
      ['Enter', 'zoom'],
      ['Esc', 'out'],
      ['/', 'search'],
      ['?', 'keys'],
    ]) {
      keys.append(element('kbd', {}, key!), ` ${does} `)
    }
    this.root.append(this.#facts, keys)
  }

  /** Shows a drawn frame; null: says what to do. */
  showFrame(model: ViewModel, drawn: DrawnFrame | null): void {
    const { tree } = model
    if (drawn === null)
      this.#facts.replaceChildren(muted('Point at a frame or move with the arrow keys; click to zoom.'))
    else if (drawn.members !== null) {
      const { share, error } = shareOf(model, drawn.value)
      const what = `${whole(drawn.members.length)} frames too narrow to draw here`
      this.#facts.replaceChildren(
        name(drawnName(model, drawn)),
        fact('together', share, error),
        muted(`${what}: click to see them`),
      )
    } else if (drawn.node === 0) {
      const value = quantity(tree.total[0]!, model.unit)
      this.#facts.replaceChildren(name('all'), fact('total', value, ''), muted('everything in this profile'))
    } else this.#showNode(model, drawn.node)
  }

  /** Shows a function over all its places. */
  showRow(model: ViewModel, row: number): void {
    const table = model.functions()
    const [self, total] = [shareOf(model, table.self[row]!), shareOf(model, table.total[row]!)]
    const places = table.places[row]!
    this.#facts.replaceChildren(
      name(frameLabel(model.tree, table.frame[row]!)),
      fact('self', self.share, self.error),
      fact('total', total.share, total.error),
      muted(
        [
          `${whole(places)} ${places === 1 ? 'place' : 'places'}`,
          ...framePlace(model.tree, table.frame[row]!),
        ].join(' · '),
      ),
    )
  }

  #showNode(model: ViewModel, node: number): void {
    const { tree } = model
    const [self, total] = [shareOf(model, tree.self[node]!), shareOf(model, tree.total[node]!)]
    const table = model.functions()
    const all = shareOf(model, table.total[table.rowOfFrame[tree.frame[node]!]!]!)
    const place = [quantity(tree.total[node]!, model.unit), ...framePlace(tree, tree.frame[node]!)]
    this.#facts.replaceChildren(
      name(frameLabel(tree, tree.frame[node]!)),
      fact('self', self.share, self.error),
      fact('total', total.share, total.error),
      fact('all instances', all.share, all.error),
      muted(place.join(' · ')),
    )
  }
}

function name(text: string): HTMLElement {
  return element('strong', { class: 'mono', title: text }, text)
}

function fact(label: string, value: string, error: string): HTMLElement {
  const small = error === '' ? null : element('small', {}, ` ${error}`)
  return element('span', { class: 'fact' }, `${label} `, element('b', {}, value), small)
}

function muted(text: string): HTMLElement {
  return element('span', { class: 'muted place', title: text }, text)
}
