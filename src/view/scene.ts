/**
 * What one state shows of a dataset: the trees of its sides, the view's tree, the table and the search over them. Built when the
 * state changes in more than its zoom, its sort or its width; kept for the questions that follow.
 */

import type { DiffSide } from '../model/diff-tree.ts'
import { sampleWeight } from '../model/sample-count.ts'
import { calleesTree } from './callees.ts'
import { type Compared, compare } from './comparison.ts'
import type { Dataset } from './dataset.ts'
import type { FilterChain } from './filtered.ts'
import { functionKey } from './frames.ts'
import { type FunctionWeights, functionWeights } from './functions.ts'
import { callersTree, invertedTree, outermost } from './inverted.ts'
import { rowsOfLabel } from './labels.ts'
import { both, type ChosenRows, chooseRows, rowsIn } from './rows.ts'
import type { Baseline, TimeRange, ViewState } from './state.ts'
import type { CallTree } from './tree.ts'

/** The trees of a state. */
export interface Scene {
  readonly column: number
  readonly chosen: ChosenRows
  /** The side that is looked at, root first. */
  readonly tree: CallTree
  /** The functions of `tree`; counted at the first call. */
  functions(): FunctionWeights
  readonly compared: Compared | null
  /** Rows of the side that is looked at. */
  readonly rows: Uint8Array | null
  readonly samples: number | null
  /** What is drawn, and the drawing above it in a sandwich. */
  readonly drawn: CallTree
  readonly callers: CallTree | null
  /** Weights of the other side on `drawn` while comparing; null where they are not on the same nodes. */
  readonly other: CallTree | null
  /** Function that a sandwich is about, -1 for none. */
  readonly pivot: number
}

/** Names of the two sides when files are compared. */
export interface SideNames {
  readonly profile: string
  readonly baseline: string
}

/** Builds the scene of a state. */
export function sceneOf(data: Dataset, chain: FilterChain, state: ViewState, names: SideNames): Scene {
  const column = columnOf(data, state)
  const { profile } = data
  const chosen = chooseRows(profile, state.chips, state.range)
  const after = sideRows(data, state, 'after')
  const rows = both(chosen.rows, after)
  const rowsKey = rowsKeyOf([state.chips.filter(isRowChip), state.range, state.compare?.with ?? null])
  const afterTree = chain.tree(state.chips, column, rows, `after ${rowsKey}`)
  const common = { column, chosen, rows }
  if (state.compare === null) {
    const samples = samplesIn(data, column, afterTree.total[0]!)
    let functions: FunctionWeights | null = null
    return {
      ...common,
      tree: afterTree,
      functions: () => {
        functions ??= functionWeights(afterTree)
        return functions
      },
      compared: null,
      samples,
      ...viewOf(afterTree, null, state),
    }
  }
  const chips = chooseRows(profile, state.chips, rangeOfBefore(state))
  const beforeRows = both(chips.rows, sideRows(data, state, 'before'))
  const beforeTree = chain.tree(state.chips, column, beforeRows, `before ${rowsKey}`)
  const compared = compare({
    ...sideNames(state.compare.with, names),
    before: beforeTree,
    after: afterTree,
    beforeSide: sideOf(data, column, beforeRows, secondsOf(data, state, 'before')),
    afterSide: sideOf(data, column, rows, secondsOf(data, state, 'after')),
    scale: state.compare.scale,
    type: profile.sampleTypes[column]!,
  })
  const isBefore = state.compare.side === 'before'
  const [tree, other] = isBefore ? [beforeTree, afterTree] : [afterTree, beforeTree]
  const functions = isBefore ? compared.before : compared.after
  const samples = samplesIn(data, column, tree.total[0]!)
  return {
    ...common,
    rows: isBefore ? beforeRows : rows,
    tree,
    functions: () => functions,
    compared,
    samples,
    ...viewOf(tree, other, state),
  }
}

/** Names rows among those asked for: what was filtered, the range, what is compared. */
function rowsKeyOf(parts: readonly unknown[]): string {
  return JSON.stringify(parts)
}

/** The name of all rows of the side that is looked at. */
export const WHOLE_ROWS = `after ${rowsKeyOf([[], null, null])}`

function columnOf({ profile }: Dataset, { column }: ViewState): number {
  return column >= 0 && column < profile.sampleTypes.length ? column : profile.defaultSampleType
}

function isRowChip({ kind }: ViewState['chips'][number]): boolean {
  return kind === 'label' || kind === 'broken'
}

/** The tree of the view: upside down, of one function, or as it is. */
function viewOf(
  tree: CallTree,
  other: CallTree | null,
  state: ViewState,
): Pick<Scene, 'drawn' | 'callers' | 'other' | 'pivot'> {
  const none = { callers: null, other: null, pivot: -1 }
  if (state.view === 'inverted') return { ...none, drawn: invertedTree(tree) }
  if (state.view !== 'sandwich') return { ...none, drawn: tree, other }
  const pivot = functionOf(tree, state.pivot)
  if (pivot < 0) return { ...none, drawn: tree, other }
  const nodes = outermost(tree, pivot)
  return { drawn: calleesTree(tree, nodes), callers: callersTree(tree, nodes), other: null, pivot }
}

/** The function of a key, -1 for none. */
export function functionOf({ frames }: CallTree, key: string): number {
  return key === '' ? -1 : frames.functionFrame.findIndex((frame) => functionKey(frames, frame) === key)
}

function sideRows(
  data: Dataset,
  { compare: comparison }: ViewState,
  side: 'before' | 'after',
): Uint8Array | null {
  const ofFile = side === 'before' ? data.beforeRows : data.afterRows
  if (comparison === null) return data.afterRows
  const baseline = comparison.with
  if (baseline.kind === 'file') return ofFile
  if (baseline.kind === 'label') {
    const wanted = side === 'before' ? baseline.before : baseline.after
    const isIt = (labels: Dataset['profile']['labelSets'][number]): boolean =>
      labels.some(({ key, str, num }) => key === baseline.key && String(str ?? num) === wanted)
    return both(data.afterRows, rowsOfLabel(data.profile, isIt))
  }
  if (side === 'before') return both(data.afterRows, rowsIn(data.profile, baseline.range))
  return data.afterRows
}

/** A baseline range stands in the place of the range that is looked at. */
function rangeOfBefore({ compare: comparison, range }: ViewState): TimeRange | null {
  return comparison?.with.kind === 'range' ? null : range
}

function secondsOf(
  data: Dataset,
  { compare: comparison, range }: ViewState,
  side: 'before' | 'after',
): number {
  const whole = Number(data.profile.durationNs) / 1e9
  const baseline = comparison?.with
  if (baseline?.kind === 'file') return (side === 'before' ? data.beforeSeconds : data.afterSeconds) ?? whole
  const shown = side === 'before' && baseline?.kind === 'range' ? baseline.range : range
  return shown === null ? whole : (shown.toNs - shown.fromNs) / 1e9
}

function sideNames(baseline: Baseline, names: SideNames): { beforeName: string; afterName: string } {
  if (baseline.kind === 'file') return { beforeName: names.baseline, afterName: names.profile }
  if (baseline.kind === 'label')
    return {
      beforeName: `${baseline.key}: ${baseline.before}`,
      afterName: `${baseline.key}: ${baseline.after}`,
    }
  return { beforeName: rangeText(baseline.range), afterName: 'selected time' }
}

function rangeText({ fromNs, toNs }: TimeRange): string {
  return `${(fromNs / 1e9).toFixed(1)}–${(toNs / 1e9).toFixed(1)} s`
}

function sideOf({ profile }: Dataset, column: number, rows: Uint8Array | null, seconds: number): DiffSide {
  return { profile, column, rows, seconds }
}

function samplesIn({ profile }: Dataset, column: number, value: number): number | null {
  const weight = sampleWeight(profile, column)
  return weight && Math.round(value / weight)
}
