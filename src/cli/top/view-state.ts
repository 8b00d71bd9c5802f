/** What the user of `profile top` has chosen, and what a key does to it. Pure. */
import type { SortColumn } from './history.ts'
import type { Key } from './keys.ts'

/** Seconds that the figures are of; a window is one second. */
export const SPANS = [1, 10, 60] as const

export interface TopState {
  readonly mode: 'list' | 'filter' | 'detail' | 'help'
  readonly sort: SortColumn
  readonly filter: string
  readonly span: (typeof SPANS)[number]
  readonly isPaused: boolean
  /** Key of the chosen function; '' until one is chosen: the first row then. It stays chosen wherever it moves. */
  readonly selected: string
}

export const FIRST_STATE: TopState = {
  mode: 'list',
  sort: 'self',
  filter: '',
  span: 10,
  isPaused: false,
  selected: '',
}

/** What is on the screen: the keys of all rows in their order, and how many are shown at a time. */
export interface Shown {
  readonly keys: readonly string[]
  readonly page: number
}

const MAX_FILTER = 200

/** The state after a key, or null: quit. */
export function press(state: TopState, key: Key, shown: Shown): TopState | null {
  if (key === 'ctrl-c') return null
  if (state.mode === 'filter') return pressInFilter(state, key)
  if (key === 'q') return state.mode === 'list' ? null : { ...state, mode: 'list' }
  if (key === '?') return { ...state, mode: state.mode === 'help' ? 'list' : 'help' }
  if (key === 'escape' || key === 'backspace') return back(state)
  if (key === 'p' || key === ' ') return { ...state, isPaused: !state.isPaused }
  if (key === 'w') return { ...state, span: SPANS[(SPANS.indexOf(state.span) + 1) % SPANS.length]! }
  if (state.mode !== 'list') return state
  if (key === 's' || key === 't') return { ...state, sort: key === 's' ? 'self' : 'total' }
  if (key === '/') return { ...state, mode: 'filter' }
  if (key === 'enter') {
    const selected = shown.keys[selectedIndex(state, shown.keys)]
    return selected === undefined ? state : { ...state, mode: 'detail', selected }
  }
  return move(state, key, shown)
}

/** Row of the chosen function; the first one when it is not there. */
export function selectedIndex(state: TopState, keys: readonly string[]): number {
  return Math.max(0, keys.indexOf(state.selected))
}

function back(state: TopState): TopState {
  if (state.mode !== 'list') return { ...state, mode: 'list' }
  return state.filter === '' ? { ...state, selected: '' } : { ...state, filter: '' }
}

function pressInFilter(state: TopState, key: Key): TopState {
  if (key === 'enter') return { ...state, mode: 'list' }
  if (key === 'escape') return { ...state, mode: 'list', filter: '' }
  if (key === 'backspace') return { ...state, filter: Array.from(state.filter).slice(0, -1).join('') }
  const isText = Array.from(key).length === 1
  return isText && state.filter.length < MAX_FILTER ? { ...state, filter: state.filter + key } : state
}

function move(state: TopState, key: Key, { keys, page }: Shown): TopState {
  const steps: Readonly<Record<string, number>> = {
    up: -1,
    k: -1,
    down: 1,
    j: 1,
    'page-up': -page,
    'page-down': page,
    home: -keys.length,
    g: -keys.length,
    end: keys.length,
    G: keys.length,
  }
  const step = steps[key]
  if (step === undefined || keys.length === 0) return state
  const to = Math.min(keys.length - 1, Math.max(0, selectedIndex(state, keys) + step))
  return { ...state, selected: keys[to]! }
}
