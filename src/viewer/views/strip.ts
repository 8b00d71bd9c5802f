/** The detail strip: what the pointer, the focus or the selection is on, always in the same place, within a frame. */

import { quantity, whole } from '../../view/numbers.ts'
import type { DrawnRow, TableRow } from '../../view/protocol.ts'
import { clipped, type Measure, points, shareOf } from '../data/shares.ts'
import { element } from './dom.ts'
import { rowName } from './flame-datum.ts'

/** What the strip needs to know beside the row. */
export interface StripContext {
  readonly measure: Measure
  /** The whole of the other side, null unless comparing. */
  readonly before: Measure | null
}

/** The strip at the foot of the page. */
export class StripView {
  readonly root = element('footer', { class: 'strip', 'aria-label': 'Details' })
  readonly #facts = element('div', { class: 'facts' })

  constructor() {
    const keys = element('div', { class: 'keys', 'aria-hidden': 'true' })
    for (const [key, does] of [
      ['Enter', 'zoom'],
      ['s', 'sandwich'],
      ['H', 'hide'],
      ['m', 'menu'],
      ['?', 'keys'],
    ])
      keys.append(element('kbd', {}, key!), ` ${does}  `)
    this.root.append(this.#facts, keys)
  }

  /** Says what to do. */
  showHint(): void {
    const hint = matchMedia('(hover: none)').matches
      ? 'Tap a frame to zoom, press it long for more.'
      : 'Point at a frame or move with the arrow keys; click to zoom, right-click for more.'
    this.#facts.replaceChildren(element('span', { class: 'muted place hint' }, hint))
  }

  /** Shows a drawn row; `fn` is its function where it has one. */
  showFrame(row: DrawnRow, fn: TableRow | null, context: StripContext): void {
    const { measure } = context
    if (row.box !== null) {
      const { share, error } = shareOf(measure, row.value)
      const what = `${whole(row.box.count)} frames too narrow to draw here: click to see them`
      this.#facts.replaceChildren(name(rowName(row, measure)), fact('together', share, error), muted(what))
    } else if (row.shape === 'root') {
      const value = quantity(row.total, measure.unit)
      this.#facts.replaceChildren(name('all'), fact('total', value, ''), muted('everything that is shown'))
    } else this.#showFunctionFrame(row, fn, context)
  }

  #showFunctionFrame(row: DrawnRow, fn: TableRow | null, { measure, before }: StripContext): void {
    const [self, total] = [shareOf(measure, row.self), shareOf(measure, row.total)]
    const facts = [name(row.name)]
    if (row.shape === 'ghost') facts.push(muted('only in the profile before'))
    else facts.push(fact('self', self.share, self.error), fact('total', total.share, total.error))
    if (before !== null) facts.push(...changeFacts(row, before))
    else if (fn !== null) {
      const all = shareOf(measure, fn.total)
      facts.push(fact('all instances', all.share, all.error))
    }
    const place = fn === null ? [] : placeOf(fn)
    if (row.inlined) place.push('inlined')
    facts.push(muted([quantity(row.total, measure.unit), ...place].join(' · ')))
    this.#facts.replaceChildren(...facts)
  }

  /** Shows a function over all its places. */
  showFunction(row: TableRow, { measure, before }: StripContext): void {
    const [self, total] = [shareOf(measure, row.self), shareOf(measure, row.total)]
    const facts = [
      name(row.name),
      fact('self', self.share, self.error),
      fact('total', total.share, total.error),
    ]
    if (before !== null && row.before !== null) facts.push(...changeFacts(row, before))
    const places = `${whole(row.places)} ${row.places === 1 ? 'place' : 'places'}`
    facts.push(muted([places, ...placeOf(row)].join(' · ')))
    this.#facts.replaceChildren(...facts)
  }
}

type Compared = Pick<DrawnRow, 'before' | 'change'> | Pick<TableRow, 'before' | 'change'>

function changeFacts({ before, change }: Compared, whole: Measure): HTMLElement[] {
  const facts: HTMLElement[] = []
  if (before !== null) facts.push(fact('before', shareOf(whole, before.total).share, ''))
  if (change === null) return facts
  const isNoise = 'significant' in change ? !change.significant : change.verdict === 'noise'
  facts.push(fact('change', `${points(change.share)} points`, isNoise ? 'noise' : ''))
  return facts
}

/** What is known of where a function is: file and line, binary, kind, build id. */
function placeOf(fn: TableRow): string[] {
  const id = fn.buildId === '' ? [] : [`build ${fn.buildId.slice(0, 12)}`]
  return [...fn.place, ...id]
}

function name(text: string): HTMLElement {
  return element('strong', { class: 'mono', title: clipped(text, 2000) }, clipped(text))
}

function fact(label: string, value: string, error: string): HTMLElement {
  const small = error === '' ? null : element('small', {}, ` ${error}`)
  return element('span', { class: 'fact' }, `${label} `, element('b', {}, value), small)
}

function muted(text: string): HTMLElement {
  return element('span', { class: 'muted place', title: clipped(text, 2000) }, clipped(text))
}
