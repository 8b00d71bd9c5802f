/**
 * What a reader wants to see, as plain data: it is a message to the worker, the text behind the `#` of a link, an entry of the
 * undo history, and the input of a test. Nothing in it is an id of one profile: names survive from one profile to the next.
 */

/** The four ways to look at one filtered profile. */
export const VIEWS = ['flame', 'inverted', 'sandwich', 'table'] as const
export type ViewName = (typeof VIEWS)[number]

/**
 * Filters, applied in their order. `text` is a query (query.ts) on frames, of `label` on labels.
 *
 * - hide: frames vanish, what they called moves up to their caller, which gets their self weight (pprof's hide)
 * - only: stacks without such a frame go (pprof's focus)
 * - drop: stacks with such a frame go (pprof's ignore)
 * - focus: the function is the root: what it calls, over all places that call it
 * - merge: a frame and all it calls become self weight of its caller
 * - collapse: neighbours of one stack that match become one frame, named after their library
 * - from: frames above the outermost match go, and stacks without one (pprof's show_from)
 * - label: samples without that label go; `thread:main` is the value, `thread:~gc` a part of it, `-thread:main` all others
 * - broken: only stacks that are not complete; `text` is a reason, or '' for all
 */
export const CHIP_KINDS = [
  'hide',
  'only',
  'drop',
  'focus',
  'merge',
  'collapse',
  'from',
  'label',
  'broken',
] as const
export type ChipKind = (typeof CHIP_KINDS)[number]

export interface Chip {
  readonly kind: ChipKind
  readonly text: string
}

/** Nanoseconds since the profile's start, from <= t < to. */
export interface TimeRange {
  readonly fromNs: number
  readonly toNs: number
}

/**
 * Where the reader is in the tree: keys of frames (`DrawnRow.key`) below the root. `ranks` limits the zoom to some small children of
 * its last frame: those of rank from <= r < to, heaviest first, which is how frames below a pixel are reached.
 */
export interface Zoom {
  readonly path: readonly string[]
  readonly ranks: readonly [from: number, to: number] | null
}

/** How two sides are made comparable. */
export const SCALES = ['relative', 'per-second', 'absolute'] as const
export type Scale = (typeof SCALES)[number]

/** What the shown profile (after) is compared with (before). */
export type Baseline =
  | { readonly kind: 'file' }
  | { readonly kind: 'range'; readonly range: TimeRange }
  | { readonly kind: 'label'; readonly key: string; readonly before: string; readonly after: string }

export interface Comparison {
  readonly with: Baseline
  readonly scale: Scale
  /** Which side is drawn; diff: the new one's widths with the change as colour. */
  readonly side: 'before' | 'diff' | 'after'
}

export const COLOURINGS = ['binary', 'package', 'kind'] as const
export type Colouring = (typeof COLOURINGS)[number]

/** Columns of the table; change columns only while comparing. */
export const SORTS = ['self', 'total', 'name', 'change'] as const
export type SortColumn = (typeof SORTS)[number]

export interface ViewState {
  readonly view: ViewName
  /** Index into the profile's sample types; -1: its default. */
  readonly column: number
  readonly chips: readonly Chip[]
  readonly range: TimeRange | null
  readonly compare: Comparison | null
  readonly zoom: Zoom
  /** Key of the function the sandwich is about, '' for none. */
  readonly pivot: string
  /** Zoom of the sandwich's upper half, from the function to its callers; `zoom` is that of the lower one. */
  readonly callersZoom: Zoom
  /** The search box's text, '' for none. */
  readonly search: string
  readonly sort: { readonly by: SortColumn; readonly descending: boolean }
  readonly colouring: Colouring
  /** Flame: root at the bottom instead of the top. */
  readonly upward: boolean
  /** Label the time band is stacked by. */
  readonly band: string
  readonly heatmap: boolean
}

export const WHOLE: Zoom = { path: [], ranks: null }

/** What a page shows at first. */
export const INITIAL_STATE: ViewState = {
  view: 'flame',
  column: -1,
  chips: [],
  range: null,
  compare: null,
  zoom: WHOLE,
  pivot: '',
  callersZoom: WHOLE,
  search: '',
  sort: { by: 'self', descending: true },
  colouring: 'binary',
  upward: false,
  band: 'thread',
  heatmap: false,
}
