/**
 * The messages between the page and its worker. The worker holds the profile (millions of numbers); the page gets only what fits
 * its screen: a thousand drawn frames, a screenful of table rows, a band of bars.
 *
 * Every request has an id, every answer repeats it. Answers are plain objects and typed arrays. Weights are in the unit of the
 * column that is shown; the page makes shares of them by `Shown.total` and intervals by `Shown.samples`.
 */
import type { FrameKind } from '../model/profile.ts'
import type { SortColumn, TimeRange, ViewState } from './state.ts'

export type Request =
  /** A profile in any format we read; '' as name: our own packed bytes, gzipped. `role` baseline: to compare with. */
  | {
      readonly do: 'open'
      readonly bytes: Blob
      readonly name: string
      readonly role: 'profile' | 'baseline'
    }
  /** A window of an agent; it stays until `keep` leaves its id out. */
  | { readonly do: 'window'; readonly id: number; readonly bytes: Uint8Array }
  /** Shows those windows, merged, as the profile; forgets all others that are not in `keep`. */
  | { readonly do: 'windows'; readonly ids: readonly number[]; readonly keep: readonly number[] }
  | { readonly do: 'show'; readonly state: ViewState; readonly widthPx: number }
  /** The functions of what was shown last: apart, so that the drawing need not wait for them. */
  | { readonly do: 'list'; readonly tableRows: number }
  /** Rows from..from + count of the table that was shown last. */
  | { readonly do: 'rows'; readonly from: number; readonly count: number }
  /** The next place of the search from place `from` (-1: none yet) in a direction. */
  | { readonly do: 'place'; readonly index: number }
  | { readonly do: 'band'; readonly state: ViewState; readonly bins: number }
  | { readonly do: 'heat'; readonly state: ViewState; readonly maxColumns: number }
  /** Values of a label key that have a part (ignoring case; '': all), heaviest first. */
  | { readonly do: 'labels'; readonly key: string; readonly part: string }
  /** Callers, callees and lines of one function of the last table. */
  | { readonly do: 'details'; readonly fn: number }
  | { readonly do: 'export'; readonly format: ExportFormat; readonly redact: boolean }
  /** Names of functions of what was shown last, as a redacted profile has them. */
  | { readonly do: 'redacted'; readonly fns: readonly number[] }

/** Of the whole profile; svg and csv of what is shown. */
export const EXPORT_FORMATS = ['pprof', 'folded', 'speedscope', 'csv'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** What each request is answered with. */
export interface Answers {
  open: Opened
  window: null
  windows: Opened
  show: Shown
  list: Listed
  rows: readonly TableRow[]
  place: Place
  band: Band
  heat: Heat
  labels: LabelValues
  details: Details
  redacted: readonly string[]
  export: {
    readonly fileName: string
    readonly parts: readonly (string | Uint8Array)[]
    readonly type: string
  }
}

/** A failed request: the sentence for the reader, and the code of errors.ts. */
export interface Failure {
  readonly message: string
  readonly code: string
}

/** What the header says of a profile, once it is open. */
export interface Opened {
  readonly name: string
  readonly facts: readonly string[]
  readonly quality: readonly QualityFigure[]
  readonly notes: readonly string[]
  /** Value columns that draw different graphs; one entry where all are proportional. */
  readonly columns: readonly { readonly index: number; readonly label: string }[]
  readonly defaultColumn: number
  /** Label keys with more than one value, in the order to offer them. */
  readonly labelKeys: readonly string[]
  /** null when the samples have no times. */
  readonly durationNs: number | null
  /** Unix milliseconds of the start, null when unknown. */
  readonly startMs: number | null
  readonly hasSources: boolean
  readonly baselineName: string | null
}

/** One figure of the quality banner. */
export interface QualityFigure {
  readonly value: string
  readonly label: string
  /** fair: all is there, but some of it only nearly; none: a figure that is neither good nor bad. */
  readonly tone: 'good' | 'fair' | 'bad' | 'none'
  readonly meaning: string
  /** What to do about it, in the doctor's words; '' when nothing. */
  readonly fix: string
  /** There are stacks that it is about, which a chip isolates. */
  readonly isolates: boolean
}

/** A drawn thing. Rows are depth first, parents before children; row 0 is the zoom. */
export interface DrawnRow {
  /** Index of the row above it, -1 for row 0. */
  readonly parent: number
  readonly shape: 'root' | 'frame' | 'box' | 'ghost'
  /** Weight it is drawn with, at least the sum of its children. */
  readonly value: number
  readonly name: string
  /** Names the frame in a zoom path; '' for root and box. */
  readonly key: string
  /** Row of the function table, -1 for none. */
  readonly fn: number
  readonly self: number
  readonly total: number
  /** Weight of the other side while comparing; null otherwise. */
  readonly before: { readonly self: number; readonly total: number } | null
  /** Change of the function's total as a share from -1 to 1, and whether it is significant; null when not comparing. */
  readonly change: { readonly share: number; readonly significant: boolean } | null
  readonly hue: number
  readonly kind: FrameKind
  readonly inlined: boolean
  /** The search found it. */
  readonly found: boolean
  /** Matches below it, or among a box's members, that are not drawn. */
  readonly hiddenMatches: number
  /** Box: how many frames, and their ranks for `Zoom.ranks`; null otherwise. */
  readonly box: { readonly count: number; readonly ranks: readonly [number, number] } | null
  /** Distinct callees in the whole tree, for the spoken words. */
  readonly callees: number
}

/** One flame graph. `rows` is what is drawn below the zoom, `above` the frames from the root to it (without it). */
export interface Drawing {
  readonly rows: readonly DrawnRow[]
  readonly above: readonly DrawnRow[]
  /** The zoom that was found: a path that leads nowhere any more ends at its deepest known frame. */
  readonly path: readonly string[]
  /** Stacks go on below the deepest row that is drawn. */
  readonly rowsCut: boolean
}

export interface TableRow {
  readonly fn: number
  readonly key: string
  readonly name: string
  readonly hue: number
  readonly kind: FrameKind
  readonly self: number
  readonly total: number
  /** `src/json.ts:88`, binary, kind: what is known of where it is. */
  readonly place: readonly string[]
  readonly buildId: string
  /** Queries (query.ts) that find exactly this function, and the frames of its library; '' when it has none. */
  readonly query: string
  readonly library: string
  /** How many places of the tree show it. */
  readonly places: number
  readonly before: { readonly self: number; readonly total: number } | null
  readonly change: Change | null
}

/** Change of a function's total share, in fractions, with its 95 % interval. */
export interface Change {
  readonly share: number
  readonly low: number
  readonly high: number
  readonly p: number
  readonly verdict: 'grew' | 'shrank' | 'new' | 'gone' | 'noise' | 'unknown'
}

export interface Shown {
  /** Whole weight after the filters, and of the profile without them. */
  readonly total: number
  readonly wholeTotal: number
  readonly unit: string
  /** Independent samples behind `total` and `wholeTotal`, null when unknown. */
  readonly samples: number | null
  readonly wholeSamples: number | null
  /** The flame graph or inverted graph; of the sandwich what the function calls. */
  readonly drawing: Drawing
  /** Sandwich: who calls the function, leaf first as the inverted graph. */
  readonly callers: Drawing | null
  readonly search: SearchSummary | null
  readonly legend: readonly LegendEntry[]
  /** For each chip of the state what it matched, or why it cannot be understood. */
  readonly chips: readonly { readonly matched: number; readonly problem: string }[]
  /** While comparing. */
  readonly verdict: Verdict | null
  /** Records with a value below zero, which are not drawn. */
  readonly negativeRows: number
}

/** The functions of what is shown. */
export interface Listed {
  /** Those that the drawings show, in no order: what is pointed at is described at once. */
  readonly functions: readonly TableRow[]
  readonly table: {
    /** The same number: the same rows in the same order, of which only some may be here. */
    readonly revision: number
    readonly rows: readonly TableRow[]
    readonly count: number
    readonly sortedBy: SortColumn
  }
}

export interface Verdict {
  readonly sentence: string
  readonly significant: number
  readonly noise: number
  readonly gone: readonly string[]
  readonly beforeName: string
  readonly afterName: string
  readonly beforeTotal: number
  readonly beforeSamples: number | null
}

export interface SearchSummary {
  /** '' or why the expression cannot be understood. */
  readonly problem: string
  /** Weight of all stacks with a match, each once. */
  readonly value: number
  readonly places: number
}

/** A place of the search: the path of keys to it, the last being the match. */
export interface Place {
  readonly index: number
  readonly path: readonly string[]
}

export interface LegendEntry {
  readonly name: string
  readonly hue: number
  readonly pattern: FrameKind
  readonly value: number
}

/** CPU over time, stacked by a label: `values[s][b]` is the weight of series s in bin b. */
export interface Band {
  readonly key: string
  readonly fromNs: number
  readonly toNs: number
  readonly series: readonly { readonly name: string; readonly hue: number; readonly values: Float64Array }[]
  /** Weight of one bin that is one busy core, to label the axis; 0 when unknown. */
  readonly corePerBin: number
  readonly unusual: Unusual | null
}

/** The most unusual window, with the sentence that says why. */
export interface Unusual extends TimeRange {
  readonly sentence: string
}

/** Sub-second-offset heatmap: column = second, row = offset within it; `values[column * rows + row]`. */
export interface Heat {
  readonly columns: number
  readonly rows: number
  readonly columnNs: number
  readonly fromNs: number
  readonly values: Float64Array
}

export interface LabelValue {
  readonly value: string
  readonly weight: number
}

/** Values of a label as far as one can choose from them, how many others there are, and the weight of all together. */
export interface LabelValues {
  readonly values: readonly LabelValue[]
  readonly more: number
  readonly total: number
}

/** What the drawer shows of a function. */
export interface Details {
  readonly row: TableRow
  readonly callers: readonly Neighbour[]
  readonly callees: readonly Neighbour[]
  /** Source lines with the weight of each; null where none were captured. */
  readonly source: {
    readonly fileName: string
    /** Which lines ran is not known: the function's weight is at its first one. */
    readonly isByFunction: boolean
    readonly lines: readonly {
      readonly number: number
      readonly text: string
      readonly self: number
      readonly total: number
    }[]
  } | null
}

/** A function beside another one in stacks, with the weight that runs through both in that order. */
export interface Neighbour {
  readonly fn: number
  readonly name: string
  readonly key: string
  readonly weight: number
}
