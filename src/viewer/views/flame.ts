/**
 * The flame graph: d3-flame-graph draws, and only that. It gets a fresh small tree on every change; zoom, search,
 * colours, keys and the spoken text are ours, because the library does them over all of its data, with recursion, or
 * not at all.
 */
import flamegraph, { type FlameChart, type LaidOut } from 'd3-flame-graph'
import { select } from 'd3-selection'
import { type DrawnFrame, MAX_ROWS, prune } from '../../model/prune.ts'
import type { Zoom } from '../../model/zoom.ts'
import { whole } from '../data/numbers.ts'
import type { ViewModel } from '../data/view-model.ts'
import { element } from './dom.ts'
import { datumOf, type FlameDatum, toDatum, withAncestors } from './flame-datum.ts'
import { decorate, type Marks } from './flame-frames.ts'

/** What a reader does to a frame. */
export interface FlameActions {
  point(drawn: DrawnFrame | null): void
  press(drawn: DrawnFrame): void
}

const ROW_PX = 20
const ZOOM_MS = 150

/** The graph and its element. */
export class FlameView {
  readonly root = element('div', { class: 'flame' })
  readonly #note = element('p', { class: 'flame-note', hidden: '' })
  readonly #holder = element('div', { class: 'flame-holder' })
  readonly #empty = element(
    'p',
    { class: 'flame-empty', hidden: '' },
    'No samples: the target used no CPU while it was profiled.',
  )
  readonly #actions: FlameActions
  #pressed: { x: number; width: number } | null = null
  #chart: FlameChart<FlameDatum> | null = null
  #model: ViewModel | null = null
  #frames = new Map<LaidOut<FlameDatum>, SVGGElement>()

  constructor(actions: FlameActions) {
    this.#actions = actions
    this.root.append(this.#note, this.#empty, this.#holder)
    // The library zooms on click and cannot be told not to: the event never reaches it.
    this.#holder.addEventListener('click', (event) => this.#onClick(event), { capture: true })
    this.#holder.addEventListener('pointerover', (event) => this.#actions.point(drawnOf(event.target)))
    this.#holder.addEventListener('pointerleave', () => this.#actions.point(null))
    this.#holder.addEventListener('focusin', (event) => this.#actions.point(drawnOf(event.target)))
  }

  /** Draws a zoom of a model at the present width. */
  draw(model: ViewModel, zoom: Zoom, marks: Marks): void {
    this.#model = model
    const from = this.#pressed
    this.#pressed = null
    const widthPx = Math.max(120, this.#holder.clientWidth)
    const { top, rowsCut } = prune(model.tree, zoom, widthPx)
    const data = withAncestors(model, zoom, toDatum(model, top, zoom.members !== null))
    const notes = notesOf(model, rowsCut)
    this.#note.hidden = notes === ''
    this.#note.textContent = notes
    const isEmpty = !(model.tree.total[0]! > 0)
    this.#empty.hidden = !isEmpty
    this.#holder.hidden = isEmpty
    if (isEmpty) return
    if (this.#chart === null) {
      this.#chart = newChart(widthPx)
      this.#chart(select(this.#holder).datum(data))
      const svg = this.#holder.querySelector('svg')!
      svg.querySelector('text.title')?.remove()
      svg.setAttribute('role', 'tree')
      svg.setAttribute('aria-label', 'Flame graph, callers above callees')
    } else this.#chart.width(widthPx).update(data)
    this.mark(marks)
    if (from !== null) this.#grow(from, widthPx)
  }

  /** Lets the new drawing grow out of the pressed frame, unless the reader wants no motion. */
  #grow(from: { x: number; width: number }, widthPx: number): void {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return
    const start = `translateX(${from.x}px) scaleX(${from.width / widthPx})`
    const [transformOrigin, end] = ['0 0', 'none']
    const steps = [
      { transform: start, transformOrigin },
      { transform: end, transformOrigin },
    ]
    this.#holder.querySelector('svg')?.animate(steps, { duration: ZOOM_MS, easing: 'ease-out' })
  }

  /** Shows other marks (found, selected) on the frames that are drawn. */
  mark(marks: Marks): void {
    if (this.#model === null) return
    this.#frames = decorate(this.#holder, this.#model, marks)
  }

  /** Moves the focus to the frame of a node; false when it is not drawn. */
  focusNode(node: number): boolean {
    for (const [frame, group] of this.#frames) {
      const drawn = frame.data.drawn
      if (drawn?.node !== node || drawn.members !== null) continue
      this.#focus(group)
      return true
    }
    return false
  }

  /** Moves the focus from the focused frame to a neighbour; to the first frame when none has it. */
  moveFocus(way: 'up' | 'down' | 'left' | 'right'): void {
    const focused = [...this.#frames].find(([, group]) => group === document.activeElement)
    if (focused === undefined) {
      const first = [...this.#frames].find(([frame]) => !frame.data.fade)
      if (first !== undefined) this.#focus(first[1])
      return
    }
    const next = neighbour(focused[0], way, this.#frames)
    if (next !== undefined) this.#focus(next)
  }

  #focus(group: SVGGElement): void {
    for (const other of this.#frames.values()) if (other.tabIndex === 0) other.tabIndex = -1
    group.tabIndex = 0
    group.focus({ preventScroll: true })
    group.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }

  #onClick(event: Event): void {
    event.stopPropagation()
    const drawn = drawnOf(event.target)
    if (drawn === null) return
    const frame = datumOf((event.target as Element).closest('g.frame')!)
    const widthPx = this.#holder.clientWidth
    this.#pressed = frame.data.fade ? null : { x: frame.x0 * widthPx, width: (frame.x1 - frame.x0) * widthPx }
    this.#actions.press(drawn)
  }
}

function notesOf(model: ViewModel, rowsCut: boolean): string {
  const notes: string[] = []
  if (rowsCut)
    notes.push(
      `Stacks deeper than ${whole(MAX_ROWS)} rows go on in the hatched boxes: click one to go there.`,
    )
  const negative = model.tree.negativeRows
  if (negative > 0) notes.push(`${whole(negative)} records with a value below zero are not drawn.`)
  return notes.join(' ')
}

function newChart(widthPx: number): FlameChart<FlameDatum> {
  // A tooltip object keeps the library from writing a <title> into every frame; ours is the detail strip.
  const noTooltip = Object.assign(() => undefined, { show: () => undefined, hide: () => undefined })
  return flamegraph<FlameDatum>()
    .width(widthPx)
    .cellHeight(ROW_PX)
    .minFrameSize(1)
    .transitionDuration(0)
    .inverted(true)
    .resetHeightOnZoom(true)
    .sort(false)
    .tooltip(noTooltip)
    .setLabelHandler(() => '')
    .setDetailsHandler(() => undefined)
    .setColorMapper(() => '')
}

/** The drawn frame an event happened on. */
function drawnOf(target: EventTarget | null): DrawnFrame | null {
  const group = target instanceof Element ? target.closest('g.frame') : null
  return group === null ? null : datumOf(group).data.drawn
}

type Frames = ReadonlyMap<LaidOut<FlameDatum>, SVGGElement>

function neighbour(frame: LaidOut<FlameDatum>, way: string, frames: Frames): SVGGElement | undefined {
  if (way === 'up') return frame.parent === null ? undefined : frames.get(frame.parent)
  if (way === 'down') return firstDrawn(frame.children ?? [], frames)
  // Siblings first, then the rest of the row: all frames of a row lie in one line for the eye.
  const row = [...frames.keys()].filter((other) => other.depth === frame.depth).sort((a, b) => a.x0 - b.x0)
  const at = row.indexOf(frame) + (way === 'right' ? 1 : -1)
  return row[at] === undefined ? undefined : frames.get(row[at])
}

function firstDrawn(candidates: readonly LaidOut<FlameDatum>[], frames: Frames): SVGGElement | undefined {
  for (const candidate of candidates) if (frames.has(candidate)) return frames.get(candidate)
  return undefined
}
