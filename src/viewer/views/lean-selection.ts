/**
 * What d3-flame-graph does not get to write into the document. Every update of its sets eleven attributes, one style, one text and
 * three listeners a frame, and makes four elements for each: a group that is moved, a rectangle, and an HTML box for the label in
 * a foreign object. With a thousand frames that is most of the time of a zoom, in its code and even more in the browser's style.
 *
 * So d3-selection, which the bundle has for that library alone, makes one polygon of each frame. Its points are the one way to
 * say where a shape is that is no matter of style: a thousand of them move without one style being worked out. We leave out
 * what we do ourselves (flame-frames.ts: class; flame-labels.ts: labels that fit; flame.ts: events) and what is as it was. The library
 * still lays out, makes, places, sizes and removes every frame. To be removed when it can be told to draw like that.
 */
import { selection, select as selectOne } from 'd3-selection'
import { framePoints } from './frame-points.ts'

type Value = (this: Element, datum: unknown, index: number, group: readonly Element[]) => unknown

interface Lean {
  select(choose: string | (() => null)): Lean
  selectAll(choose: string): Lean
  each(act: (this: Element, datum: unknown, index: number, group: readonly Element[]) => void): Lean
  append(what: unknown): Lean
  insert(what: string, before: (this: { readonly _parent: Element }) => Element | null): Lean
  attr(name: string, ...value: readonly unknown[]): Lean
  on(): Lean
  node(): Element | null
}

const lean = selection.prototype as Lean
const { append, attr, select, selectAll } = lean
const GROUP = 'g'
const FRAME = 'polygon'
/** The rectangle and the label box in a frame's group. */
const PARTS: ReadonlySet<unknown> = new Set(['rect', 'svg:rect', 'foreignObject'])
const nothing = selectOne(null) as unknown as Lean

/** Where the library wants a frame, as far as it has said so. */
interface Place {
  x: number
  y: number
  width: number
  points: string
}

const places = new WeakMap<Element, Place>()

lean.on = function (): Lean {
  return this
}

lean.append = function (what): Lean {
  if (PARTS.has(what)) return nothing
  if (what !== `svg:${GROUP}`) return append.call(this, what)
  // Below what lies over all frames.
  return this.insert(`svg:${FRAME}`, function () {
    const { lastElementChild } = this._parent
    return lastElementChild?.tagName === GROUP ? lastElementChild : null
  })
}

lean.select = function (choose): Lean {
  return PARTS.has(choose) ? nothing : select.call(this, choose)
}

lean.selectAll = function (choose): Lean {
  return selectAll.call(this, choose === GROUP ? FRAME : choose)
}

lean.attr = function (name, ...values): Lean {
  const [value] = values
  if (typeof value !== 'function') return attr.call(this, name, ...values)
  const write = WRITERS[name]
  if (write === undefined) return this
  return this.each(function (...place) {
    write(this, (value as Value).apply(this, place))
  })
}

/** What the library says of frames by functions, in the order in which it does; nobody reads the rest. */
const WRITERS: Readonly<Record<string, (frame: Element, value: unknown) => void>> = {
  transform: (frame, value) => {
    const [, x, y] = /\(([^,]+),([^)]+)\)/.exec(String(value)) ?? []
    const place = placeOf(frame)
    place.x = Number(x)
    place.y = Number(y)
  },
  width: (frame, value) => {
    placeOf(frame).width = Number(value)
  },
  height: (frame, value) => {
    const place = placeOf(frame)
    const points = framePoints(place.x, place.y, place.width, Number(value))
    if (points !== place.points) frame.setAttribute('points', points)
    place.points = points
  },
}

function placeOf(frame: Element): Place {
  let place = places.get(frame)
  if (place === undefined) {
    place = { x: 0, y: 0, width: 0, points: '' }
    places.set(frame, place)
  }
  return place
}
