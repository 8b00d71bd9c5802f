/**
 * Choosing a range of time: by dragging, Alt for the baseline, and by two handles that arrow keys move, Shift for bigger
 * steps. A click without a drag takes the range away.
 */

import { duration } from '../../view/numbers.ts'
import type { TimeRange } from '../../view/state.ts'
import { element } from './dom.ts'

/** What a reader chooses; null: nothing any more. `isStep`: one of many small steps. */
export interface BrushActions {
  choose(range: TimeRange | null, isStep: boolean): void
  baseline(range: TimeRange | null): void
  /** Time under a point, as fractions of width and height from the upper left; and the length that is one. */
  timeAt(x: number, y: number): { readonly ns: number; readonly cellNs: number }
  /** Where a time is, as a fraction of the width. */
  placeOf(ns: number): number
}

const MIN_DRAG_PX = 3
const STEPS = 100

/** The layer over a picture of time. */
export class Brush {
  readonly root = element('div', { class: 'brush' })
  readonly #actions: BrushActions
  readonly #range = element('div', { class: 'range', hidden: '' })
  readonly #baseline = element('div', { class: 'range baseline', hidden: '' }, element('span', {}, 'before'))
  readonly #handles: readonly HTMLElement[]
  #domain: TimeRange = { fromNs: 0, toNs: 1 }
  #chosen: TimeRange | null = null
  #isBaselineSet = false
  #drag: {
    readonly x: number
    readonly start: { ns: number; cellNs: number }
    readonly isBaseline: boolean
    hasMoved: boolean
  } | null = null

  constructor(actions: BrushActions) {
    this.#actions = actions
    this.#handles = ['Start of the range', 'End of the range'].map((label, i) => {
      const handle = element('div', { class: 'handle', role: 'slider', tabindex: '0', 'aria-label': label })
      handle.addEventListener('keydown', (event) => this.#onKey(event, i === 0))
      return handle
    })
    this.root.append(this.#baseline, this.#range, ...this.#handles)
    this.root.addEventListener('pointerdown', (event) => this.#begin(event))
    this.root.addEventListener('pointermove', (event) => this.#move(event))
    this.root.addEventListener('pointerup', (event) => this.#end(event))
    this.root.addEventListener('pointercancel', () => this.#cancel())
  }

  /** Shows what is chosen of a length of time. */
  draw(domain: TimeRange, range: TimeRange | null, baseline: TimeRange | null): void {
    this.#domain = domain
    this.#chosen = range
    this.#isBaselineSet = baseline !== null
    this.#showBox(this.#range, range)
    this.#showBox(this.#baseline, baseline)
    const shown = range ?? domain
    for (const [i, ns] of [shown.fromNs, shown.toNs].entries()) this.#showHandle(this.#handles[i]!, ns)
    this.root.classList.toggle('chosen', range !== null)
  }

  #showBox(box: HTMLElement, range: TimeRange | null): void {
    box.hidden = range === null
    if (range === null) return
    const [left, right] = [this.#actions.placeOf(range.fromNs), this.#actions.placeOf(range.toNs)]
    box.style.left = `${left * 100}%`
    box.style.width = `${Math.max(0, right - left) * 100}%`
  }

  #showHandle(handle: HTMLElement, ns: number): void {
    const { fromNs, toNs } = this.#domain
    handle.style.left = `${this.#actions.placeOf(ns) * 100}%`
    handle.setAttribute('aria-valuemin', seconds(fromNs))
    handle.setAttribute('aria-valuemax', seconds(toNs))
    handle.setAttribute('aria-valuenow', seconds(ns))
    handle.setAttribute('aria-valuetext', duration(ns / 1e9))
  }

  #onKey(event: KeyboardEvent, isStart: boolean): void {
    const { fromNs, toNs } = this.#domain
    const small = (toNs - fromNs) / STEPS
    const size = event.shiftKey ? small * 10 : small
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -size,
      ArrowDown: -size,
      ArrowRight: size,
      ArrowUp: size,
      PageDown: -small * 10,
      PageUp: small * 10,
      Home: fromNs - toNs,
      End: toNs - fromNs,
    }
    const step = steps[event.key]
    if (event.key === 'Delete' || event.key === 'Backspace') this.#actions.choose(null, false)
    else if (step === undefined) return
    else this.#nudge(isStart, step, small)
    event.preventDefault()
    event.stopPropagation()
  }

  #nudge(isStart: boolean, step: number, small: number): void {
    const { fromNs, toNs } = this.#domain
    const now = this.#chosen ?? this.#domain
    const from = isStart ? clamp(now.fromNs + step, fromNs, now.toNs - small) : now.fromNs
    const to = isStart ? now.toNs : clamp(now.toNs + step, now.fromNs + small, toNs)
    const isWhole = from <= fromNs && to >= toNs
    const isAdjusting = this.#chosen !== null
    // The next key goes on from here, also where it comes before the answer.
    this.#chosen = isWhole ? null : { fromNs: Math.round(from), toNs: Math.round(to) }
    this.#actions.choose(this.#chosen, isAdjusting)
  }

  #begin(event: PointerEvent): void {
    if (event.button !== 0) return
    event.preventDefault()
    const start = this.#timeOf(event)
    // A handle that is dragged leaves the other end where it is.
    const handle = this.#handles.indexOf(event.target as HTMLElement)
    const fixed =
      handle < 0 || this.#chosen === null ? null : handle === 0 ? this.#chosen.toNs : this.#chosen.fromNs
    const anchor = fixed === null ? start : { ns: fixed, cellNs: 0 }
    this.#drag = { x: event.clientX, start: anchor, isBaseline: event.altKey, hasMoved: false }
    this.root.setPointerCapture(event.pointerId)
  }

  #move(event: PointerEvent): void {
    const drag = this.#drag
    if (drag === null) return
    drag.hasMoved ||= Math.abs(event.clientX - drag.x) >= MIN_DRAG_PX
    if (drag.hasMoved) this.#showBox(drag.isBaseline ? this.#baseline : this.#range, this.#dragged(event))
  }

  #end(event: PointerEvent): void {
    const drag = this.#drag
    const range = this.#dragged(event)
    this.#drag = null
    if (drag === null) return
    if (drag.hasMoved && range !== null) {
      if (drag.isBaseline) this.#actions.baseline(range)
      else this.#actions.choose(range, false)
    } else if (drag.isBaseline && this.#isBaselineSet) this.#actions.baseline(null)
    else if (!drag.isBaseline && this.#chosen !== null) this.#actions.choose(null, false)
  }

  #cancel(): void {
    this.#drag = null
    this.#showBox(this.#range, this.#chosen)
  }

  #dragged(event: PointerEvent): TimeRange | null {
    if (this.#drag === null) return null
    const [a, b] = [this.#drag.start, this.#timeOf(event)]
    const { fromNs: first, toNs: last } = this.#domain
    const fromNs = Math.round(clamp(Math.min(a.ns, b.ns), first, last))
    const toNs = Math.round(clamp(Math.max(a.ns + a.cellNs, b.ns + b.cellNs), first, last))
    return fromNs < toNs ? { fromNs, toNs } : null
  }

  #timeOf(event: PointerEvent): { ns: number; cellNs: number } {
    const { left, top, width, height } = this.root.getBoundingClientRect()
    return this.#actions.timeAt((event.clientX - left) / width, (event.clientY - top) / height)
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value))
}

function seconds(ns: number): string {
  return (ns / 1e9).toFixed(3)
}
