/**
 * One flame graph: d3-flame-graph draws, and only that. It gets a fresh small tree on every change; zoom, search,
 * colours, keys and the spoken text are ours, because the library does them over all of its data, with recursion, or
 * not at all.
 */
import flamegraph, { type FlameChart } from 'd3-flame-graph'
import { select } from 'd3-selection'
import type { Drawing } from '../../view/protocol.ts'
import type { Measure } from '../data/shares.ts'
import { whenSeen } from '../data/turn.ts'
import { element, shape } from './dom.ts'
import { datumOf, type FlameDatum, toDatum } from './flame-datum.ts'
import { type Cover, decorate, type Frames, type Marks } from './flame-frames.ts'
import { addHueClasses } from './flame-hues.ts'
import { FlameLabels } from './flame-labels.ts'
import { neighbour, type Way } from './flame-neighbours.ts'
import { Overlays } from './flame-overlays.ts'
import { speak } from './flame-words.ts'
import './lean-selection.ts'
import { TextWidths } from './text-widths.ts'

/** What a reader does to a frame; `at` is where, in pixels of the window. */
export interface FlameActions {
  point(datum: FlameDatum | null): void
  press(datum: FlameDatum): void
}

/** What a graph shows. */
export interface FlamePicture {
  readonly drawing: Drawing
  readonly measure: Measure
  readonly marks: Marks
  /** Root at the bottom. */
  readonly upward: boolean
  /** Name of the tree for those who hear it. */
  readonly label: string
  /** Room for it. */
  readonly widthPx: number
}

const ROW_PX = 20
const ZOOM_MS = 150

/** A graph and its element. */
export class FlameView {
  readonly root = element('div', { class: 'flame-holder' })
  readonly #actions: FlameActions
  #pressed: { x: number; width: number } | null = null
  #chart: FlameChart<FlameDatum> | null = null
  #picture: FlamePicture | null = null
  #frames: Frames = new Map()
  #cover: Cover | null = null

  constructor(actions: FlameActions) {
    this.#actions = actions
    addHueClasses()
    this.root.addEventListener('click', (event) => this.#onClick(event))
    this.root.addEventListener('pointerover', (event) => actions.point(datumAt(event.target)))
    this.root.addEventListener('pointerleave', () => actions.point(null))
    this.root.addEventListener('focusin', (event) => actions.point(datumAt(event.target)))
  }

  /** Makes what the first drawing needs and no drawing changes, for those who have a task to spare before it. */
  prepare(): void {
    this.#chart ??= newChart()
    this.#cover ??= newCover(this.root)
  }

  /** Draws at a width; nothing for a drawing without rows. */
  draw(picture: FlamePicture): void {
    const data = toDatum(picture.drawing, picture.measure)
    this.root.hidden = data === null
    this.#frames = new Map()
    if (data === null) return
    const from = this.#pressed
    this.#pressed = null
    const hadFocus = this.focusedPath()
    const { widthPx } = picture
    const isFirst = this.root.firstChild === null
    this.prepare()
    const chart = this.#chart!.width(widthPx).inverted(!picture.upward)
    if (isFirst) this.#drawFirst(chart, data)
    else chart.update(data)
    this.#picture = picture
    this.mark(picture.marks)
    void this.#speak(picture)
    if (hadFocus !== null && !this.focusPath(hadFocus)) this.#focusFirst()
    if (from !== null) this.#grow(from, widthPx)
  }

  #drawFirst(chart: FlameChart<FlameDatum>, data: FlameDatum): void {
    chart(select(this.root).datum(data))
    this.root.querySelector('text.title')?.remove()
    const { labels, overlays } = this.#cover!
    // The one group that the library does not look at.
    const cover = shape('g', { 'aria-hidden': 'true' }, labels.root, overlays.root)
    this.root.querySelector('svg')!.append(cover)
  }

  /** Says what was drawn once it is seen, unless something else was drawn in the meantime. */
  async #speak(picture: FlamePicture): Promise<void> {
    const svg = this.root.querySelector('svg')!
    svg.setAttribute('aria-busy', 'true')
    await whenSeen()
    if (this.#picture !== picture) return
    svg.setAttribute('role', 'tree')
    svg.setAttribute('aria-label', picture.label)
    speak(this.#frames, picture.measure)
    svg.removeAttribute('aria-busy')
  }

  /** Lets the new drawing grow out of the pressed frame, unless the reader wants no motion. */
  #grow(from: { x: number; width: number }, widthPx: number): void {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return
    const start = `translateX(${from.x}px) scaleX(${from.width / widthPx})`
    const transformOrigin = '0 0'
    const steps = [
      { transform: start, transformOrigin },
      { transform: 'none', transformOrigin },
    ]
    this.root.querySelector('svg')?.animate(steps, { duration: ZOOM_MS, easing: 'ease-out' })
  }

  /** Shows other marks on the frames that are drawn. */
  mark(marks: Marks): void {
    const svg = this.root.querySelector('svg')
    if (this.#picture === null || this.#cover === null || svg === null) return
    this.#frames = decorate(svg, { ...this.#picture, rowPx: ROW_PX }, marks, this.#cover)
  }

  /** Moves the focus to a frame, or only brings it into sight; false when it is not drawn. */
  focusPath(path: readonly string[], isFocus = true): boolean {
    const wanted = path.join('\n')
    for (const [frame, group] of this.#frames) {
      if (frame.data.row?.shape === 'box' || frame.data.path.join('\n') !== wanted) continue
      if (isFocus) this.#focus(group)
      else group.scrollIntoView({ block: 'nearest', inline: 'nearest' })
      return true
    }
    return false
  }

  /** Path of the frame that has the focus. */
  focusedPath(): readonly string[] | null {
    return this.focused()?.path ?? null
  }

  /** The frame that has the focus. */
  focused(): FlameDatum | null {
    const { activeElement } = document
    return activeElement !== null && this.root.contains(activeElement) ? datumAt(activeElement) : null
  }

  /** The element of the frame that has the focus. */
  focusedElement(): Element | null {
    return this.focused() === null ? null : document.activeElement
  }

  /** Moves the focus from the focused frame to a neighbour; to the first frame when none has it. */
  moveFocus(way: Way): void {
    const focused = [...this.#frames].find(([, group]) => group === document.activeElement)
    if (focused === undefined) return void this.#focusFirst()
    const isFlipped = this.#picture?.upward === true
    const next = neighbour(focused[0], isFlipped ? (FLIPPED[way] ?? way) : way, this.#frames)
    if (next !== undefined) this.#focus(next)
  }

  #focusFirst(): void {
    let first: [number, SVGElement] | null = null
    // The library reuses elements: the first of them need not be the root.
    for (const [{ data, depth }, group] of this.#frames)
      if (!data.fade && (first === null || depth < first[0])) first = [depth, group]
    if (first !== null) this.#focus(first[1])
  }

  #focus(group: SVGElement): void {
    for (const other of this.#frames.values()) if (other.tabIndex === 0) other.tabIndex = -1
    group.tabIndex = 0
    group.focus({ preventScroll: true })
    group.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }

  #onClick(event: Event): void {
    const datum = datumAt(event.target)
    if (datum === null) return
    const frame = datumOf((event.target as Element).closest('.frame')!)
    const widthPx = this.#picture?.widthPx ?? 0
    this.#pressed = datum.fade ? null : { x: frame.x0 * widthPx, width: (frame.x1 - frame.x0) * widthPx }
    this.#actions.press(datum)
  }
}

const FLIPPED: Readonly<Partial<Record<Way, Way>>> = { up: 'down', down: 'up' }

function newCover(holder: HTMLElement): Cover {
  // Not `font`: it is empty where a part of it has no short form, as the variant of our numbers.
  const { fontWeight, fontSize, fontFamily } = getComputedStyle(holder)
  const widths = new TextWidths(`${fontWeight} ${fontSize} ${fontFamily}`)
  return { labels: new FlameLabels(widths), overlays: new Overlays() }
}

function newChart(): FlameChart<FlameDatum> {
  // A tooltip object keeps the library from writing a <title> into every frame; ours is the detail strip.
  const noTooltip = Object.assign(() => undefined, { show: () => undefined, hide: () => undefined })
  return flamegraph<FlameDatum>()
    .cellHeight(ROW_PX)
    .minFrameSize(1)
    .transitionDuration(0)
    .resetHeightOnZoom(true)
    .sort(false)
    .tooltip(noTooltip)
    .setLabelHandler(() => '')
    .setDetailsHandler(() => undefined)
    .setColorMapper(() => '')
}

/** The drawn frame an event happened on. */
export function datumAt(target: EventTarget | null): FlameDatum | null {
  const group = target instanceof Element ? target.closest('.frame') : null
  return group === null ? null : datumOf(group).data
}
