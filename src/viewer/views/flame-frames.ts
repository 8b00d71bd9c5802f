/** What the page adds to each frame the library drew for the eye: colour, label and marks. */
import type { LaidOut } from 'd3-flame-graph'
import type { DrawnRow } from '../../view/protocol.ts'
import { changeSign } from '../data/shares.ts'
import { datumOf, type FlameDatum } from './flame-datum.ts'
import { hueClass } from './flame-hues.ts'
import type { FlameLabels } from './flame-labels.ts'
import type { FrameBox, Overlay, Overlays } from './flame-overlays.ts'

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
export type Frames = ReadonlyMap<LaidOut<FlameDatum>, SVGElement>

/** What lies over the frames of a drawing. */
export interface Cover {
  readonly labels: FlameLabels
  readonly overlays: Overlays
}

/** Dresses all frames of a drawing; returns each with its element. */
export function decorate(svg: SVGElement, scale: FrameScale, marks: Marks, cover: Cover): Frames {
  const { labels, overlays } = cover
  const frames = new Map<LaidOut<FlameDatum>, SVGElement>()
  const heightPx = Number(svg.getAttribute('height'))
  const dressing = { ...marks, place: marks.place?.join('\n') ?? null }
  labels.begin()
  for (const element of svg.children) {
    if (element.tagName !== 'polygon') continue
    const shape = element as SVGElement
    const frame = datumOf(shape)
    frames.set(frame, shape)
    const box = boxOf(frame, scale, heightPx)
    const classes = classesOf(frame.data, dressing)
    colour(shape, frame.data, classes, marks.isComparing)
    for (const kind of overlaysOf(frame.data, classes, box.width)) overlays.add(kind, box)
    const { row, fade, name } = frame.data
    labels.add(name, box, fade || row?.shape === 'box' || row?.shape === 'ghost')
  }
  labels.end()
  overlays.draw()
  return frames
}

/** What is written on the element of a frame: to remember it costs much less than to read it back, let alone to write it again. */
interface Written {
  className: string
  strength: string
}

const writtenOnElements = new WeakMap<SVGElement, Written>()

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
  shape: SVGElement,
  { row, fade }: FlameDatum,
  classes: readonly string[],
  isComparing: boolean,
): void {
  const written = writtenOnElements.get(shape) ?? { className: '', strength: '' }
  writtenOnElements.set(shape, written)
  // While comparing the colour tells the change.
  const hue = row?.shape === 'frame' && !isComparing ? ` ${hueClass(row.hue)}` : ''
  const own = fade ? 'frame fade' : 'frame'
  const className = (classes.length === 0 ? own : `${own} ${classes.join(' ')}`) + hue
  if (written.className !== className) shape.setAttribute('class', className)
  written.className = className
  if (row === null || row.change === null) return
  const strength = strengthOf(row.change.share)
  if (written.strength !== strength) shape.style.setProperty('--strength', strength)
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
