/** What actions do to the state: pure steps from one state to the next. */
import {
  type Baseline,
  type Chip,
  type Comparison,
  INITIAL_STATE,
  type SortColumn,
  type ViewName,
  type ViewState,
  WHOLE,
  type Zoom,
} from '../../view/state.ts'

/** With one more filter, unless it is there already. Where the filter changes what is above a frame, the zoom is left. */
export function withChip(state: ViewState, chip: Chip): ViewState {
  if (state.chips.some(({ kind, text }) => kind === chip.kind && text === chip.text)) return state
  const keepsPaths = ['only', 'drop', 'label', 'broken', 'merge'].includes(chip.kind)
  const chips = [...state.chips, chip]
  return keepsPaths ? { ...state, chips } : { ...state, chips, zoom: WHOLE, callersZoom: WHOLE }
}

/** Without the chip at an index. */
export function withoutChip(state: ViewState, index: number): ViewState {
  return { ...state, chips: state.chips.filter((_, i) => i !== index) }
}

/** With the label filters of a key replaced by one; '' as value: by none. */
export function withLabel(state: ViewState, key: string, value: string): ViewState {
  const others = state.chips.filter(({ kind, text }) => kind !== 'label' || !text.startsWith(`${key}:`))
  return { ...state, chips: value === '' ? others : [...others, { kind: 'label', text: `${key}:${value}` }] }
}

/** The two zooms of a state; that of the callers counts in a sandwich. */
export type Half = 'zoom' | 'callersZoom'

/** Zoomed, in the view that shows a path from the root. */
export function zoomed(state: ViewState, zoom: Zoom, half: Half = 'zoom'): ViewState {
  return { ...state, [half]: zoom }
}

/** The half that is zoomed: of a sandwich the upper one first; null where none is. */
export function zoomedHalf(state: ViewState): Half | null {
  const isZoomed = ({ path, ranks }: Zoom): boolean => path.length > 0 || ranks !== null
  if (state.view === 'sandwich' && isZoomed(state.callersZoom)) return 'callersZoom'
  return isZoomed(state.zoom) ? 'zoom' : null
}

/** One step out of the zoom: its ranks first, then its last frame. */
export function zoomedOut(state: ViewState): ViewState {
  const half = zoomedHalf(state) ?? 'zoom'
  const { path, ranks } = state[half]
  return zoomed(state, { path: ranks === null ? path.slice(0, -1) : path, ranks: null }, half)
}

/** Without any zoom. */
export function unzoomed(state: ViewState): ViewState {
  return { ...state, zoom: WHOLE, callersZoom: WHOLE }
}

/** Another view. A zoom means another place in the inverted tree, so it does not come along. */
export function inView(state: ViewState, view: ViewName, pivot: string = state.pivot): ViewState {
  const keepsZoom = view === state.view && pivot === state.pivot
  return keepsZoom || view === 'table' ? { ...state, view, pivot } : { ...unzoomed(state), view, pivot }
}

/** Sorted by a column: anew heaviest first (names: from A), the other way round when it was that one already. */
export function sortedBy(state: ViewState, by: SortColumn): ViewState {
  const descending = state.sort.by === by ? !state.sort.descending : by !== 'name'
  return { ...state, sort: { by, descending } }
}

/** Comparing with a baseline, in the scale used before; by change first, which is what one compares for. */
export function comparedWith(state: ViewState, base: Baseline): ViewState {
  const scale: Comparison['scale'] = state.compare?.scale ?? 'relative'
  const compare: Comparison = { with: base, scale, side: 'diff' }
  return { ...state, compare, sort: { by: 'change', descending: true } }
}

/** Not comparing any more. */
export function notCompared(state: ViewState): ViewState {
  const sort = state.sort.by === 'change' ? INITIAL_STATE.sort : state.sort
  return { ...state, compare: null, sort }
}
