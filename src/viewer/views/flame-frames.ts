/** What the page adds to each frame the library drew: hue, pattern, marks, and the words a screen reader says. */
import type { LaidOut } from 'd3-flame-graph'
import { FRAME_KINDS } from '../../model/profile.ts'
import { narrowName } from '../../model/short-name.ts'
import { percent } from '../data/numbers.ts'
import type { ViewModel } from '../data/view-model.ts'
import { datumOf, type FlameDatum } from './flame-datum.ts'

/** Frames to point out: 1 for each frame id that the search found, and the table's selected row. */
export interface Marks {
  readonly found: Uint8Array | null
  readonly selectedRow: number | null
  /** The node of the place the search is at. */
  readonly currentNode: number | null
}

/** Labels of narrower frames are hidden: three letters help nobody. */
const MIN_LABEL_PX = 26
/** Width of a label's average character. */
const CHARACTER_PX = 6.2
/** Patterns and outlines need some room as well. */
const MIN_PATTERN_PX = 7

/** Dresses all drawn frames; returns each with its element. */
export function decorate(
  holder: Element,
  model: ViewModel,
  marks: Marks,
): Map<LaidOut<FlameDatum>, SVGGElement> {
  const frames = new Map<LaidOut<FlameDatum>, SVGGElement>()
  let tabStop: SVGGElement | null = null
  for (const group of holder.querySelectorAll<SVGGElement>('g.frame')) {
    const frame = datumOf(group)
    frames.set(frame, group)
    dress(group, frame, model, marks)
    if (tabStop === null && !frame.data.fade) tabStop = group
  }
  if (tabStop !== null) tabStop.tabIndex = 0
  return frames
}

function dress(group: SVGGElement, frame: LaidOut<FlameDatum>, model: ViewModel, marks: Marks): void {
  const { drawn, fade } = frame.data
  const classes = ['frame']
  if (fade) classes.push('fade')
  const widthPx = Number(group.getAttribute('width'))
  if (widthPx < MIN_LABEL_PX) classes.push('narrow')
  const id = drawn === null || drawn.members !== null ? -1 : model.tree.frame[drawn.node]!
  if (drawn?.members != null) classes.push('box')
  else if (id < 0) classes.push('root')
  else {
    const { frames } = model.tree
    const kind = FRAME_KINDS[frames.kind[id]!]!
    if (kind !== 'native') classes.push(kind)
    if (frames.inlined[id] === 1) classes.push('inlined')
    if (marks.found?.[id] === 1) classes.push('found')
    if (marks.selectedRow !== null && model.functions().rowOfFrame[id] === marks.selectedRow)
      classes.push('selected')
    if (drawn?.node === marks.currentNode) classes.push('current')
    group.style.setProperty('--hue', String(model.colours.hueOfFrame[id]))
  }
  if (widthPx < MIN_PATTERN_PX || (classes.length === 2 && widthPx < MIN_LABEL_PX)) classes.push('bare')
  group.setAttribute('class', classes.join(' '))
  if (widthPx >= MIN_LABEL_PX) fitLabel(group, frame.data.name, widthPx)
  speak(group, frame, model)
}

/** A long name loses its namespaces before the end of it is cut; there is no room to say so, the strip has it whole. */
function fitLabel(group: SVGGElement, name: string, widthPx: number): void {
  const fitting = narrowName(name, Math.floor(widthPx / CHARACTER_PX)).replace(/^…/, '')
  const label = group.querySelector('.d3-flame-graph-label')
  if (label !== null && label.textContent !== fitting) label.textContent = fitting
}

function speak(group: SVGGElement, frame: LaidOut<FlameDatum>, model: ViewModel): void {
  const { drawn, name } = frame.data
  group.setAttribute('role', 'treeitem')
  group.setAttribute('aria-level', String(frame.depth + 1))
  group.setAttribute('tabindex', '-1')
  if (frame.children !== undefined) group.setAttribute('aria-expanded', 'true')
  else group.removeAttribute('aria-expanded')
  group.setAttribute('aria-label', drawn === null ? name : spoken(model, frame.data))
}

function spoken(model: ViewModel, data: FlameDatum): string {
  const { drawn, name, children } = data
  const all = model.tree.total[0]! || 1
  if (drawn!.members !== null) return `${name}, too narrow to draw`
  const node = drawn!.node
  const callees =
    children.length === 0 ? '' : `, ${children.length} ${children.length === 1 ? 'callee' : 'callees'}`
  return `${name}, ${percent(model.tree.total[node]! / all)}, self ${percent(model.tree.self[node]! / all)}${callees}`
}
