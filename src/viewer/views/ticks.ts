/** A thin line above the graph with a tick for each place where the search found something too narrow to draw. */

import { whole } from '../../view/numbers.ts'
import type { Drawing } from '../../view/protocol.ts'
import { layoutOf } from '../data/layout.ts'
import { element, shape } from './dom.ts'

const HEIGHT_PX = 6
const TICK_PX = 2

/** The line of ticks. */
export class Ticks {
  readonly root = element('div', { class: 'ticks' })
  readonly #press: (rowIndex: number) => void

  /** `press` gets the row of the drawing that hides the matches. */
  constructor(press: (rowIndex: number) => void) {
    this.#press = press
    this.root.addEventListener('click', (event) => {
      const row = (event.target as Element).getAttribute('data-row')
      if (row !== null) this.#press(Number(row))
    })
  }

  /** Draws the ticks of a drawing; keeps its room while a search is on, so that the graph does not jump. */
  draw(drawing: Drawing, isSearching: boolean, widthPx: number): void {
    const ticks = isSearching ? hiddenPlaces(drawing, widthPx) : []
    const hidden = ticks.reduce((sum, tick) => sum + tick.matches, 0)
    const words = `${whole(hidden)} ${hidden === 1 ? 'match' : 'matches'} too narrow to draw: click a tick to go there`
    this.root.title = hidden === 0 ? '' : words
    this.root.classList.toggle('on', isSearching)
    if (ticks.length === 0) return void this.root.replaceChildren()
    const svg = shape('svg', {
      width: String(widthPx),
      height: String(HEIGHT_PX),
      role: 'img',
      'aria-label': words,
    })
    for (const { x, row } of ticks)
      svg.append(
        shape('rect', {
          x: (x - TICK_PX / 2).toFixed(1),
          width: String(TICK_PX),
          height: '6',
          'data-row': String(row),
        }),
      )
    this.root.replaceChildren(svg)
  }
}

interface Tick {
  readonly x: number
  readonly row: number
  readonly matches: number
}

/** The deepest rows that hide matches, with the middle of each in pixels. */
export function hiddenPlaces(drawing: Drawing, widthPx: number): Tick[] {
  const { rows } = drawing
  if (rows.length === 0) return []
  const { left } = layoutOf(drawing)
  const hasDeeper = new Uint8Array(rows.length)
  for (let i = rows.length - 1; i > 0; i--)
    if (rows[i]!.hiddenMatches > 0 || hasDeeper[i] === 1) hasDeeper[rows[i]!.parent] = 1
  const scale = widthPx / (rows[0]!.value || 1)
  const ticks: Tick[] = []
  rows.forEach((row, i) => {
    if (row.hiddenMatches === 0 || hasDeeper[i] === 1) return
    ticks.push({ x: (left[i]! + row.value / 2) * scale, row: i, matches: row.hiddenMatches })
  })
  return ticks
}
