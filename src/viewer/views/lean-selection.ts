/**
 * What d3-flame-graph does not get to write into the document. Every update of its sets eleven attributes, one style, one text and
 * three listeners a frame, and puts an HTML box for the label into each: with a thousand frames that is half of the time of a
 * zoom, and most of it is for frames too narrow for a letter, or written over by us at once.
 *
 * So d3-selection, which the bundle has for that library alone, leaves out what we do ourselves (flame-frames.ts: class;
 * flame-label.ts: boxes of labels that fit; flame.ts: events) and what is as it was. The library still lays out, makes, moves, sizes
 * and removes every frame. To be removed when it can be told to draw frames without label boxes and listeners.
 */
import { selection, select as selectOne } from 'd3-selection'

type Value = (this: Element, datum: unknown, index: number, group: readonly Element[]) => unknown

interface Lean {
  select(choose: string | (() => null)): Lean
  each(act: (this: Element, datum: unknown, index: number, group: readonly Element[]) => void): Lean
  append(what: unknown): Lean
  attr(name: string, ...value: readonly unknown[]): Lean
  on(): Lean
  node(): Element | null
}

const lean = selection.prototype as Lean
const { append, attr, select } = lean
const LABEL = 'foreignObject'
const nothing = selectOne(null) as unknown as Lean

/** Attributes that nobody reads, of the group of a frame and of its rectangle. */
const UNREAD: Readonly<Record<string, ReadonlySet<string>>> = {
  g: new Set(['name', 'width', 'height', 'class']),
  rect: new Set(['fill']),
}

lean.on = function (): Lean {
  return this
}

lean.append = function (what): Lean {
  return what === LABEL ? nothing : append.call(this, what)
}

lean.select = function (choose): Lean {
  return choose === LABEL ? nothing : select.call(this, choose)
}

lean.attr = function (name, ...values): Lean {
  const [value] = values
  if (typeof value !== 'function') return attr.call(this, name, ...values)
  // All elements of one selection of the library's are of one kind.
  if (UNREAD[this.node()?.tagName ?? '']?.has(name) === true) return this
  return this.each(function (...place) {
    const text = String((value as Value).apply(this, place))
    if (this.getAttribute(name) !== text) this.setAttribute(name, text)
  })
}
