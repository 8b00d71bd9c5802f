/** What the page adds to each frame the library drew: hue, pattern, marks, and the words a screen reader says. */
import type { LaidOut } from 'd3-flame-graph'
import { narrowName } from '../../model/short-name.ts'
import { percent } from '../../view/numbers.ts'
import type { DrawnRow } from '../../view/protocol.ts'
import { changeSign, clipped, fractionOf, type Measure, points } from '../data/shares.ts'
import { datumOf, type FlameDatum } from './flame-datum.ts'

/** Frames to point out. */
export interface Marks {
  /** Row of the function table that the reader chose, -1 for none. */
  readonly selectedFn: number
  /** Path of the place the search is at. */
  readonly place: readonly string[] | null
  readonly isComparing: boolean
}

/** Labels of narrower frames are hidden: three letters help nobody. */
const MIN_LABEL_PX = 26
/** Width of a label's average character. */
const CHARACTER_PX = 6.2
/** Patterns and outlines need some room as well. */
const MIN_PATTERN_PX = 7
/** A change of this share of the profile has the full colour. */
const FULL_CHANGE = 0.1

/** Frames with their elements, in drawing order. */
export type Frames = ReadonlyMap<LaidOut<FlameDatum>, SVGGElement>

/** Dresses all drawn frames; returns each with its element. */
export function decorate(holder: Element, measure: Measure, marks: Marks): Frames {
  const frames = new Map<LaidOut<FlameDatum>, SVGGElement>()
  const place = marks.place?.join('\n') ?? null
  let [tabStop, topDepth] = [null as SVGGElement | null, Number.POSITIVE_INFINITY]
  for (const group of holder.querySelectorAll<SVGGElement>('g.frame')) {
    const frame = datumOf(group)
    frames.set(frame, group)
    const widthPx = Number(group.getAttribute('width'))
    dress(group, frame, { ...marks, place, widthPx })
    speak(group, frame, measure)
    if (frame.data.fade || frame.depth >= topDepth) continue
    tabStop = group
    topDepth = frame.depth
  }
  if (tabStop !== null) tabStop.tabIndex = 0
  return frames
}

interface Dressing extends Omit<Marks, 'place'> {
  readonly place: string | null
  readonly widthPx: number
}

function dress(group: SVGGElement, frame: LaidOut<FlameDatum>, dressing: Dressing): void {
  const { row, fade, path, name } = frame.data
  const { widthPx } = dressing
  const classes = ['frame', ...(row === null ? ['root'] : rowClasses(row, dressing))]
  if (fade) classes.push('fade')
  if (row?.shape === 'frame' && dressing.place !== null && path.join('\n') === dressing.place)
    classes.push('current')
  if (row !== null) {
    group.style.setProperty('--hue', String(row.hue))
    if (row.change !== null) group.style.setProperty('--strength', strengthOf(row.change.share))
  }
  const isPlain = classes.length === 1
  if (widthPx < MIN_LABEL_PX) classes.push('narrow')
  if (widthPx < MIN_PATTERN_PX || (isPlain && widthPx < MIN_LABEL_PX)) classes.push('bare')
  group.setAttribute('class', classes.join(' '))
  if (widthPx >= MIN_LABEL_PX) fitLabel(group, name, widthPx)
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

/** A long name loses its namespaces before the end of it is cut; there is no room to say so, the strip has it whole. */
function fitLabel(group: SVGGElement, name: string, widthPx: number): void {
  const fitting = labelThatFits(name, widthPx)
  const label = group.querySelector('.d3-flame-graph-label')
  if (label !== null && label.textContent !== fitting) label.textContent = fitting
}

/** The part of a name that is worth showing in a width. */
export function labelThatFits(name: string, widthPx: number): string {
  return narrowName(name, Math.floor(widthPx / CHARACTER_PX)).replace(/^…/, '')
}

function speak(group: SVGGElement, frame: LaidOut<FlameDatum>, measure: Measure): void {
  const { row, name } = frame.data
  group.setAttribute('role', 'treeitem')
  group.setAttribute('aria-level', String(frame.depth + 1))
  group.setAttribute('tabindex', '-1')
  if (frame.children !== undefined) group.setAttribute('aria-expanded', 'true')
  else group.removeAttribute('aria-expanded')
  group.setAttribute('aria-label', row === null ? name : spoken(row, name, measure))
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
