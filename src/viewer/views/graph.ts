/**
 * The graph pane: the flame graph or the inverted one, or the sandwich of two (callers above the function, what it calls
 * below), with the notes that belong to them.
 */

import { whole } from '../../view/numbers.ts'
import type { Drawing, Shown } from '../../view/protocol.ts'
import type { ViewState } from '../../view/state.ts'
import { clipped, type Measure } from '../data/shares.ts'
import { element } from './dom.ts'
import { datumAt, FlameView } from './flame.ts'
import type { FlameDatum } from './flame-datum.ts'
import type { Marks } from './flame-frames.ts'
import type { Way } from './flame-neighbours.ts'
import { patternTiles } from './flame-overlays.ts'
import { KnownWidth } from './known-width.ts'
import { Ticks } from './ticks.ts'

/** What a reader does to the graph. */
export interface GraphActions {
  point(datum: FlameDatum | null): void
  /** A press on a frame; `isCallers` tells that it belongs to the upper half of the sandwich. */
  press(datum: FlameDatum, isCallers: boolean): void
  /** A press on a tick: where the hidden matches are. */
  reveal(path: readonly string[], ranks: readonly [number, number] | null): void
}

/** The pane. */
export class GraphView {
  readonly root = element('section', { class: 'flame', 'aria-label': 'Graph' })
  readonly #note = element('p', { class: 'flame-note', hidden: '' })
  readonly #empty = element('p', { class: 'flame-empty', hidden: '' })
  readonly #scroll = element('div', { class: 'flame-scroll', tabindex: '-1' })
  readonly #width = new KnownWidth(this.#scroll)
  readonly #callers: FlameView
  readonly #main: FlameView
  readonly #ticks: Ticks
  #drawing: Drawing | null = null
  #isSandwich = false
  #isUpward = false

  constructor(actions: GraphActions) {
    this.#main = new FlameView({
      point: (datum) => actions.point(datum),
      press: (datum) => actions.press(datum, false),
    })
    this.#callers = new FlameView({
      point: (datum) => actions.point(datum),
      press: (datum) => actions.press(datum, true),
    })
    this.#ticks = new Ticks((row) => {
      if (this.#drawing !== null) actions.reveal(...placeOf(this.#drawing, row))
    })
    this.#callers.root.classList.add('callers')
    this.#scroll.append(this.#callers.root, this.#main.root)
    this.root.append(patternTiles(), this.#note, this.#ticks.root, this.#empty, this.#scroll)
  }

  /** Room for the graph, in pixels. */
  get widthPx(): number {
    return Math.max(MIN_WIDTH_PX, this.#width.px)
  }

  /** The page changed in a way that may leave another width for the graph. */
  forgetWidth(): void {
    this.#width.forget()
  }

  /** Makes ready for the first drawing: the width of the page is known after it. */
  prepare(): void {
    this.#main.prepare()
    void this.widthPx
  }

  /** Draws what was answered. */
  draw(shown: Shown, state: ViewState, measure: Measure, marks: Marks): void {
    const { drawing, callers } = shown
    const { widthPx } = this
    this.#drawing = drawing
    this.#showNotes(shown, state)
    const isSandwich = state.view === 'sandwich'
    const isUpward = state.view === 'flame' && state.upward
    const label =
      LABELS[isSandwich ? 'callees' : state.view === 'inverted' ? 'inverted' : isUpward ? 'up' : 'down']
    const nothing = { rows: [], above: [], path: [], rowsCut: false }
    this.root.classList.toggle('upward', isUpward)
    this.root.classList.toggle('sandwich', isSandwich && callers !== null)
    this.#callers.draw({
      drawing: callers ?? nothing,
      measure,
      marks,
      upward: true,
      label: LABELS.callers,
      widthPx,
    })
    this.#main.draw({ drawing, measure, marks, upward: isUpward, label, widthPx })
    this.#ticks.draw(drawing, state.search !== '' && shown.search?.problem === '', widthPx)
    if (isSandwich && !this.#isSandwich) this.#showFunctionBar()
    if (isUpward && !this.#isUpward) this.#scroll.scrollTop = this.#scroll.scrollHeight
    this.#isSandwich = isSandwich
    this.#isUpward = isUpward
  }

  /** Callers may be many rows: the bar between both halves is what one comes for. */
  #showFunctionBar(): void {
    const barTop = this.#callers.root.offsetHeight - this.#scroll.clientHeight / 2
    this.#scroll.scrollTop = Math.max(0, barTop)
  }

  #showNotes(shown: Shown, state: ViewState): void {
    const notes: string[] = []
    if (shown.drawing.rowsCut || shown.callers?.rowsCut === true)
      notes.push('Stacks go on below the lowest row, in the hatched boxes: click one to go there.')
    if (shown.negativeRows > 0)
      notes.push(`${whole(shown.negativeRows)} records with a value below zero are not drawn.`)
    this.#note.hidden = notes.length === 0
    this.#note.textContent = notes.join(' ')
    const why = emptyReason(shown, state)
    this.#empty.hidden = why === ''
    this.#empty.textContent = why
    this.#scroll.hidden = why !== ''
  }

  /** Shows other marks. */
  mark(marks: Marks): void {
    this.#main.mark(marks)
    this.#callers.mark(marks)
  }

  /** Moves the focus to a frame, or only brings it into sight; false when it is not drawn. */
  focusPath(path: readonly string[], isFocus = true): boolean {
    return this.#main.focusPath(path, isFocus)
  }

  /** Moves the focus to a neighbour of the focused frame. */
  moveFocus(way: Way): void {
    const half = this.#callers.focused() === null ? this.#main : this.#callers
    half.moveFocus(way)
  }

  /** The frame that has the focus. */
  focused(): { readonly datum: FlameDatum; readonly element: Element; readonly isCallers: boolean } | null {
    for (const half of [this.#main, this.#callers]) {
      const [datum, at] = [half.focused(), half.focusedElement()]
      if (datum !== null && at !== null) return { datum, element: at, isCallers: half === this.#callers }
    }
    return null
  }

  /** The frame that has the focus or lies under the pointer: after a redraw it may be another one. */
  underReader(): FlameDatum | null {
    return this.focused()?.datum ?? datumAt(this.root.querySelector('.frame:hover'))
  }

  /** The frame at a place of the page. */
  static frameAt(target: EventTarget | null): FlameDatum | null {
    return datumAt(target)
  }
}

/** A graph is drawn as if it had this much room at least. */
const MIN_WIDTH_PX = 96

const LABELS = {
  down: 'Flame graph, callers above callees',
  up: 'Flame graph, callees above callers',
  inverted: 'Inverted graph, callees above their callers',
  callers: 'Callers of the function, the nearest one lowest',
  callees: 'What the function calls, callers above callees',
} as const

/** The path to a row, and which members of its parent it is where it is a box. */
function placeOf(
  { rows, path }: Drawing,
  index: number,
): [readonly string[], readonly [number, number] | null] {
  const keys: string[] = []
  // Members of a box further down have the room of their parent.
  const ranks = rows[index]!.parent === 0 ? (rows[index]!.box?.ranks ?? null) : null
  for (let at = index; at > 0; at = rows[at]!.parent) if (rows[at]!.box === null) keys.push(rows[at]!.key)
  return [[...path, ...keys.reverse()], ranks]
}

function emptyReason(shown: Shown, state: ViewState): string {
  if (state.view === 'sandwich' && state.pivot === '')
    return 'Choose a function: s on a frame or a row of the table, or Focus on function in its menu.'
  if (shown.total > 0 && (shown.drawing.rows[0]?.value ?? 0) > 0) return ''
  if (state.view === 'sandwich' && shown.total > 0)
    return `${clipped(state.pivot.split('\0')[0]!, 80)} is not in what is shown: it may be hidden by a filter.`
  if (shown.wholeTotal > 0) return 'Nothing is left after the filters. Take one away, or press u to undo.'
  return 'No samples: the target used no CPU while it was profiled.'
}
