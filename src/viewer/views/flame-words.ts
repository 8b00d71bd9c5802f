/**
 * What a screen reader says of frames. It is written once the picture is on the screen: a thousand frames have five attributes each,
 * and nobody listens before the graph is there.
 */
import type { LaidOut } from 'd3-flame-graph'
import { percent } from '../../view/numbers.ts'
import type { DrawnRow } from '../../view/protocol.ts'
import { clipped, fractionOf, type Measure, points } from '../data/shares.ts'
import type { FlameDatum } from './flame-datum.ts'
import type { Frames } from './flame-frames.ts'

/** What is written on the element of a frame: to remember it costs much less than to read it back. */
interface Written {
  depth: number
  isExpanded: boolean
  spoken: string
}

const writtenOnElements = new WeakMap<SVGElement, Written>()

/** Makes items of a tree of all frames, and the top one the stop of the Tab key unless one is focused. */
export function speak(frames: Frames, measure: Measure): void {
  let [tabStop, topDepth] = [null as SVGElement | null, Number.POSITIVE_INFINITY]
  for (const [frame, element] of frames) {
    speakFrame(element, writtenOn(element), frame, measure)
    if (element === document.activeElement) {
      tabStop = element
      topDepth = -1
    } else if (!frame.data.fade && frame.depth < topDepth) {
      tabStop = element
      topDepth = frame.depth
    }
  }
  for (const element of frames.values())
    if (element.tabIndex === 0 && element !== tabStop) element.tabIndex = -1
  if (tabStop !== null) tabStop.tabIndex = 0
}

/** The same of an element that the library has just made. */
function writtenOn(element: SVGElement): Written {
  const known = writtenOnElements.get(element)
  if (known !== undefined) return known
  element.setAttribute('role', 'treeitem')
  if (!element.hasAttribute('tabindex')) element.setAttribute('tabindex', '-1')
  const made = { depth: -1, isExpanded: false, spoken: '' }
  writtenOnElements.set(element, made)
  return made
}

function speakFrame(
  element: SVGElement,
  written: Written,
  frame: LaidOut<FlameDatum>,
  measure: Measure,
): void {
  const { row, name } = frame.data
  const { depth } = frame
  if (written.depth !== depth) element.setAttribute('aria-level', String(depth + 1))
  const isExpanded = frame.children !== undefined
  if (isExpanded && !written.isExpanded) element.setAttribute('aria-expanded', 'true')
  else if (!isExpanded && written.isExpanded) element.removeAttribute('aria-expanded')
  const words = row === null ? name : spoken(row, name, measure)
  if (written.spoken !== words) element.setAttribute('aria-label', words)
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
