/** What the page adds to each frame the library drew: colour, label, marks, and the words a screen reader says. */
import type { LaidOut } from 'd3-flame-graph'
import { percent } from '../../view/numbers.ts'
import type { DrawnRow } from '../../view/protocol.ts'
import { changeSign, clipped, fractionOf, type Measure, points } from '../data/shares.ts'
import { datumOf, type FlameDatum } from './flame-datum.ts'
import { hueClass } from './flame-hues.ts'
import { type Label, writeLabel } from './flame-label.ts'
import { type FrameBox, type Overlay, Overlays } from './flame-overlays.ts'

/** Frames to point out. */
export interface Marks {
  /** Row of the function table that the reader chose, -1 for none. */
  readonly selectedFn: number
  /** Path of the place the search is at. */
  readonly place: readonly string[] | null
  readonly isComparing: boolean
}

/** What frames are dressed for. */
export interface FrameScale {
  readonly measure: Measure
  readonly widthPx: number
  readonly rowPx: number
  /** Root at the bottom. */
  readonly upward: boolean
}

/** Patterns and outlines need some room as well. */
const MIN_PATTERN_PX = 7
/** A change of this share of the profile has the full colour. */
const FULL_CHANGE = 0.1

/** Frames with their elements, in drawing order. */
export type Frames = ReadonlyMap<LaidOut<FlameDatum>, SVGGElement>

/** Dresses all frames of a drawing; returns each with its element. */
export function decorate(svg: SVGElement, scale: FrameScale, marks: Marks): Frames {
  const frames = new Map<LaidOut<FlameDatum>, SVGGElement>()
  const overlays = new Overlays()
  const heightPx = Number(svg.getAttribute('height'))
  const dressing = { ...marks, place: marks.place?.join('\n') ?? null }
  for (const stop of svg.querySelectorAll('g[tabindex="0"]')) stop.setAttribute('tabindex', '-1')
  let [tabStop, topDepth] = [null as SVGGElement | null, Number.POSITIVE_INFINITY]
  for (const element of svg.children) {
    if (element.tagName !== 'g') continue
    const group = element as SVGGElement
    const frame = datumOf(group)
    frames.set(frame, group)
    const box = boxOf(frame, scale, heightPx)
    const classes = classesOf(frame.data, dressing)
    const written = writtenOn(group)
    colour(group, written, frame.data, classes, marks.isComparing)
    for (const kind of overlaysOf(frame.data, classes, box.width)) overlays.add(kind, box)
    written.label = writeLabel(group, written.label, frame.data.name, box)
    speak(group, written, frame, scale.measure)
    if (frame.data.fade || frame.depth >= topDepth) continue
    tabStop = group
    topDepth = frame.depth
  }
  overlays.draw(svg)
  tabStop?.setAttribute('tabindex', '0')
  return frames
}

/** What is written on the element of a frame. To remember it costs much less than to read it back, let alone to write it again. */
interface Written {
  className: string
  /** Class of the rectangle. */
  hue: string
  strength: string
  depth: number
  isExpanded: boolean
  spoken: string
  label: Label | null
}

const writtenOnElements = new WeakMap<SVGGElement, Written>()

/** The same of an element that the library has just made: nothing but what all frames have. */
function writtenOn(group: SVGGElement): Written {
  const known = writtenOnElements.get(group)
  if (known !== undefined) return known
  group.setAttribute('role', 'treeitem')
  group.setAttribute('tabindex', '-1')
  const made = { className: '', hue: '', strength: '', depth: -1, isExpanded: false, spoken: '', label: null }
  writtenOnElements.set(group, made)
  return made
}

function boxOf(
  frame: LaidOut<FlameDatum>,
  { widthPx, rowPx, upward }: FrameScale,
  heightPx: number,
): FrameBox {
  const down = frame.depth * rowPx
  return {
    x: frame.x0 * widthPx,
    y: upward ? heightPx - down - rowPx : down,
    width: (frame.x1 - frame.x0) * widthPx,
    height: rowPx,
  }
}

interface Dressing extends Omit<Marks, 'place'> {
  readonly place: string | null
}

function classesOf({ row, path }: FlameDatum, dressing: Dressing): string[] {
  if (row === null) return ['root']
  const classes = rowClasses(row, dressing)
  if (row.shape === 'frame' && dressing.place !== null && path.join('\n') === dressing.place)
    classes.push('current')
  return classes
}

/** The classes that tell what a row is. */
function rowClasses(row: DrawnRow, { isComparing, selectedFn }: Dressing): string[] {
  if (row.shape !== 'frame') return [row.shape]
  const classes: string[] = []
  if (row.kind !== 'native') classes.push(row.kind)
  if (row.inlined) classes.push('inlined')
  if (row.found) classes.push('found')
  if (row.fn >= 0 && row.fn === selectedFn) classes.push('selected')
  if (isComparing) classes.push(changeClass(row))
  return classes
}

function colour(
  group: SVGGElement,
  written: Written,
  { row, fade }: FlameDatum,
  classes: readonly string[],
  isComparing: boolean,
): void {
  // While comparing the colour tells the change, by a class of the group.
  const isHued = row?.shape === 'frame' && !isComparing
  const own = fade ? 'frame fade' : 'frame'
  const className = classes.length === 0 ? own : `${own} ${classes.join(' ')}`
  if (written.className !== className) group.setAttribute('class', className)
  written.className = className
  // On the rectangle itself: a colour that is inherited has the browser style all of the group anew.
  const hue = isHued ? hueClass(row!.hue) : ''
  if (written.hue !== hue) group.firstElementChild!.setAttribute('class', hue)
  written.hue = hue
  if (row === null || row.change === null) return
  const strength = strengthOf(row.change.share)
  if (written.strength !== strength) group.style.setProperty('--strength', strength)
  written.strength = strength
}

/** What lies over a frame. */
function overlaysOf({ fade }: FlameDatum, classes: readonly string[], widthPx: number): Overlay[] {
  const overlays: Overlay[] = []
  const isWide = widthPx >= MIN_PATTERN_PX
  for (const name of classes) {
    const kind = OVERLAYS[name]
    if (kind === undefined || (fade && kind === 'box')) continue
    if (isWide) overlays.push(kind)
    // An outline would cover all of a narrow frame.
    else if (kind === 'found') overlays.push('dense')
  }
  return overlays
}

const OVERLAYS: Readonly<Record<string, Overlay>> = {
  kernel: 'kernel',
  jit: 'jit',
  interpreted: 'jit',
  inlined: 'inlined',
  box: 'box',
  found: 'found',
  selected: 'selected',
  current: 'current',
}

/** How a frame is coloured while comparing. */
export function changeClass(row: DrawnRow): 'grew' | 'shrank' | 'noise' {
  const sign = changeSign(row.change)
  if (sign === '') return 'noise'
  return row.change!.share > 0 ? 'grew' : 'shrank'
}

/** How strong the colour of a change is, as a percentage: from a quarter on, so that the least one shows. */
export function strengthOf(change: number): string {
  const part = Math.min(1, Math.sqrt(Math.abs(change) / FULL_CHANGE))
  return `${(25 + 75 * part).toFixed(0)}%`
}

function speak(group: SVGGElement, written: Written, frame: LaidOut<FlameDatum>, measure: Measure): void {
  const { row, name } = frame.data
  const { depth } = frame
  if (written.depth !== depth) group.setAttribute('aria-level', String(depth + 1))
  const isExpanded = frame.children !== undefined
  if (isExpanded && !written.isExpanded) group.setAttribute('aria-expanded', 'true')
  else if (!isExpanded && written.isExpanded) group.removeAttribute('aria-expanded')
  const words = row === null ? name : spoken(row, name, measure)
  if (written.spoken !== words) group.setAttribute('aria-label', words)
  Object.assign(written, { depth, isExpanded, spoken: words })
}

function spoken(row: DrawnRow, name: string, measure: Measure): string {
  if (row.box !== null) return `${name}, too narrow to draw`
  const own = clipped(row.name, 200)
  if (row.shape === 'ghost') return `${own}, gone: only in the profile before`
  const callees = row.callees === 0 ? '' : `, ${row.callees} ${row.callees === 1 ? 'callee' : 'callees'}`
  const [total, self] = [row.total, row.self].map((value) => percent(fractionOf(measure, value)))
  return `${own}, ${total}, self ${self}${changeWords(row)}${callees}`
}

function changeWords({ change }: DrawnRow): string {
  if (change === null) return ''
  return change.significant ? `, changed by ${points(change.share)} points` : ', no significant change'
}
