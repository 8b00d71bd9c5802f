/**
 * Answers what a page asks of an open profile. Knows no DOM, no worker and no file format: profiles come in decoded. One profile is
 * open at a time, and perhaps one to compare it with.
 */
import { AgentError } from '../errors.ts'
import type { Profile } from '../model/profile.ts'
import { redact } from '../model/redact.ts'
import { bandOf } from './band.ts'
import { beforeFactor, drawnChange, verdictOf } from './comparison.ts'
import { comparedDatasetOf, type Dataset, datasetOf } from './dataset.ts'
import { detailsOf } from './details.ts'
import { type Dressing, drawingOf } from './drawing.ts'
import { FilterChain } from './filtered.ts'
import { type FrameHues, huesOf, nameIn } from './frames.ts'
import { frameAreas } from './functions.ts'
import { heatOf } from './heat.ts'
import { labelValues } from './labels.ts'
import { namedShare } from './named.ts'
import { openedOf } from './opened.ts'
import type {
  Band,
  Details,
  Drawing,
  Heat,
  LabelValues,
  LegendEntry,
  Opened,
  Place,
  SearchSummary,
  Shown,
  TableRow,
} from './protocol.ts'
import { type Scene, sceneOf, WHOLE_ROWS } from './scene.ts'
import { type Matches, matchesOf } from './search.ts'
import { type Colouring, INITIAL_STATE, type ViewState } from './state.ts'
import { sortedFunctions, type TableSource, tableRow } from './table.ts'
import type { CallTree } from './tree.ts'
import { keysTo } from './zoomed.ts'

/** A profile with its name for people. */
interface Named {
  readonly profile: Profile
  readonly name: string
}

/** What was shown last: later questions are about it. */
interface Last {
  readonly state: ViewState
  readonly scene: Scene
  readonly source: TableSource
  readonly order: Int32Array
  readonly matches: Matches | null
}

const LEGEND_ENTRIES = 12

/** The page's questions, answered. */
export class Engine {
  #open: Named | null = null
  #baseline: Named | null = null
  #data: Dataset | null = null
  #chain: FilterChain | null = null
  #isCompared = false
  #hues = new Map<Colouring, FrameHues>()
  #areas: Float64Array | null = null
  #facts = new Map<number, { total: number; negative: number }>()
  #scene: { key: string; scene: Scene } | null = null
  #last: Last | null = null

  /** The profile that is open. Errors: AgentError `internal` before one is. */
  get profile(): Profile {
    return this.#opened.profile
  }

  get #opened(): Named {
    if (this.#open === null) throw new AgentError('internal', 'no profile is open; open one first')
    return this.#open
  }

  /** Opens a profile in the place of the one before; a baseline stays only if `keepBaseline`. */
  open(profile: Profile, name: string, keepBaseline = false): Opened {
    this.#open = { profile, name }
    if (!keepBaseline) this.#baseline = null
    this.#forget()
    return this.#describe()
  }

  /** Takes what the open profile can be compared with. Errors: AgentError when it cannot, because it is of another kind. */
  openBaseline(profile: Profile, name: string): Opened {
    const before = this.#baseline
    this.#baseline = { profile, name }
    try {
      this.#dataset(true)
    } catch (error) {
      this.#baseline = before
      this.#forget()
      throw error
    }
    return this.#describe()
  }

  /** What a state shows at a width. */
  show(state: ViewState, widthPx: number, tableRows: number): Shown {
    const scene = this.#sceneOf(state)
    const data = this.#data!
    const hues = this.#huesOf(state.colouring)
    const source = { frames: data.frames, hue: hues.hue, weights: scene.functions, compared: scene.compared }
    const query = state.search === '' ? null : this.#chain!.found(state.search)
    const found = query === null || query.problem !== '' ? null : query.mask
    const order = sortedFunctions(source, state.sort, found)
    const matches = found === null ? null : matchesOf(scene.tree, found)
    const drawing = this.#draw(scene, scene.drawn, state, widthPx, found, matches)
    const callers =
      scene.callers === null ? null : this.#draw(scene, scene.callers, state, widthPx, found, null)
    this.#last = { state, scene, source, order, matches: this.#placesOf(scene, found, matches) }
    const { total: whole, negative } = this.#columnFacts(scene.column)
    return {
      total: scene.tree.total[0]!,
      wholeTotal: whole,
      unit: data.profile.sampleTypes[scene.column]?.unit ?? '',
      samples: scene.samples,
      wholeSamples: samplesOf(scene, whole),
      drawing,
      callers,
      search: searchSummary(query?.problem ?? null, matches, this.#last.matches),
      functions: functionsIn(source, drawing, callers),
      table: {
        rows: [...order.subarray(0, tableRows)].map((fn) => tableRow(source, fn)),
        count: order.length,
        sortedBy: state.sort.by,
      },
      legend: legendOf(hues),
      chips: state.chips.map((chip) => {
        const outcome = scene.chosen.outcomes.get(chip)
        if (outcome !== undefined) return outcome
        const { count, problem } = this.#chain!.found(chip.text)
        return { matched: count, problem }
      }),
      verdict: scene.compared === null ? null : verdictOf(scene.compared),
      negativeRows: negative,
    }
  }

  /** More rows of the table that was shown last. */
  rows(from: number, count: number): TableRow[] {
    const { source, order } = this.#shown
    return [...order.subarray(from, from + count)].map((fn) => tableRow(source, fn))
  }

  /** A place of the search that was shown last; indices go round. Errors: AgentError `internal` when nothing was found. */
  place(index: number): Place {
    const { matches, scene } = this.#shown
    const count = matches?.places.length ?? 0
    if (matches === null || count === 0) throw new AgentError('internal', 'the search found no place')
    const at = ((index % count) + count) % count
    return { index: at, path: keysTo(scene.drawn, matches.places[at]!) }
  }

  /** CPU over time. */
  band(state: ViewState, bins: number): Band {
    const { profile } = this.#dataset(state.compare?.with.kind === 'file')
    const weights = this.#rowWeights({ ...state, range: null })
    const { column } = this.#sceneOf(flat({ ...state, range: null }))
    const rows = { column, weights, leafName: (row: number) => this.#leafName(row) }
    return bandOf(profile, rows, state.band, bins)
  }

  /** CPU by second and offset in it. */
  heat(state: ViewState, maxColumns: number): Heat {
    const { profile } = this.#dataset(state.compare?.with.kind === 'file')
    return heatOf(profile, this.#rowWeights({ ...state, range: null }), maxColumns)
  }

  /** Values of a label of the open profile that have a part. */
  labels(key: string, part: string): LabelValues {
    const state = this.#last?.state ?? INITIAL_STATE
    return labelValues(
      this.#dataset(false).profile,
      this.#rowWeights({ ...INITIAL_STATE, column: state.column }),
      key,
      part,
    )
  }

  /** Callers, callees and source lines of a function of the last table. */
  details(fn: number): Details {
    const { source, scene, state } = this.#shown
    return detailsOf(this.#data!, scene.tree, tableRow(source, fn), this.#rowWeights(state))
  }

  /** Names of functions of the last answer, as a redacted profile has them. */
  redactedNames(fns: readonly number[]): string[] {
    const { frames } = this.#shown.scene.tree
    const { profile } = redact(frames.profile)
    return fns.map((fn) => nameIn(profile, frames, frames.functionFrame[fn] ?? -1))
  }

  /** Every row of the table that was shown last, and what its shares are of. */
  shownTable(): { rows: TableRow[]; total: number; samples: number | null; unit: string } {
    const { order, scene } = this.#shown
    const unit = this.profile.sampleTypes[scene.column]?.unit ?? ''
    return { rows: this.rows(0, order.length), total: scene.tree.total[0]!, samples: scene.samples, unit }
  }

  get #shown(): Last {
    if (this.#last === null) throw new AgentError('internal', 'nothing was shown yet')
    return this.#last
  }

  #forget(): void {
    this.#data = null
    this.#chain = null
    this.#hues.clear()
    this.#facts.clear()
    this.#areas = null
    this.#scene = null
    this.#last = null
  }

  #describe(): Opened {
    const { profile, name } = this.#opened
    const data = this.#dataset(this.#isCompared && this.#baseline !== null)
    return openedOf(profile, { name, baselineName: this.#baseline?.name ?? null }, () => namedShare(data))
  }

  /** The dataset of the profile alone, or with the baseline in it. */
  #dataset(isCompared: boolean): Dataset {
    const withBaseline = isCompared && this.#baseline !== null
    if (this.#data !== null && this.#isCompared === withBaseline) return this.#data
    const { profile } = this.#opened
    this.#forget()
    this.#isCompared = withBaseline
    this.#data = withBaseline ? comparedDatasetOf(this.#baseline!.profile, profile) : datasetOf(profile)
    this.#chain = new FilterChain(this.#data)
    return this.#data
  }

  #sceneOf(asked: ViewState): Scene {
    // Without a baseline there is nothing to compare with.
    const isLost = asked.compare?.with.kind === 'file' && this.#baseline === null
    const state = isLost ? { ...asked, compare: null } : asked
    const data = this.#dataset(state.compare?.with.kind === 'file')
    const { view, column, chips, range, compare, pivot } = state
    const key = JSON.stringify([view, column, chips, range, compare, pivot])
    if (this.#scene?.key === key) return this.#scene.scene
    const names = { profile: this.#opened.name || 'after', baseline: this.#baseline?.name || 'before' }
    const scene = sceneOf(data, this.#chain!, state, names)
    this.#scene = { key, scene }
    return scene
  }

  #draw(
    scene: Scene,
    tree: CallTree,
    state: ViewState,
    widthPx: number,
    found: Uint8Array | null,
    matches: Matches | null,
  ): Drawing {
    const isCallers = tree === scene.callers
    const zoom = isCallers ? state.callersZoom : state.zoom
    const { frames } = this.#data!
    const { compared, other, pivot } = scene
    const hue = this.#huesOf(state.colouring).hue
    const rootName = pivot < 0 ? 'all' : frames.name[frames.functionFrame[pivot]!]!
    const sides =
      compared === null || other === null
        ? null
        : {
            self: other.self,
            total: other.total,
            factor: state.compare?.side === 'before' ? 1 / beforeFactor(compared) : beforeFactor(compared),
            changeOf: (fn: number) => drawnChange(compared, fn),
          }
    const dressing: Dressing = {
      hue,
      matches: null,
      other: state.compare?.side === 'diff' ? sides : null,
      rootName,
      rootFn: pivot,
    }
    if (found === null) return drawingOf(tree, zoom, widthPx, dressing)
    // A tree that grows has the nodes that are drawn only once they were drawn.
    if (tree.expand !== undefined) drawingOf(tree, zoom, widthPx, dressing)
    const own = tree === scene.tree && matches !== null ? matches : matchesOf(tree, found)
    return drawingOf(tree, zoom, widthPx, { ...dressing, matches: own })
  }

  /** Places are stepped through in what is drawn. */
  #placesOf(scene: Scene, found: Uint8Array | null, matches: Matches | null): Matches | null {
    return found === null || scene.drawn === scene.tree ? matches : matchesOf(scene.drawn, found)
  }

  #huesOf(colouring: Colouring): FrameHues {
    const data = this.#data!
    if (this.#areas === null) {
      const { profile, afterRows } = data
      this.#areas = frameAreas(this.#chain!.tree([], profile.defaultSampleType, afterRows, WHOLE_ROWS))
    }
    const known = this.#hues.get(colouring)
    if (known !== undefined && known.hue.length === data.frames.count) return known
    const hues = huesOf(data.frames, this.#areas, colouring)
    this.#hues.set(colouring, hues)
    return hues
  }

  /** Weight of a whole column, and how many of its rows cannot be drawn. */
  #columnFacts(column: number): { total: number; negative: number } {
    const known = this.#facts.get(column)
    if (known !== undefined) return known
    const { profile, afterRows } = this.#data!
    const values = profile.samples.values[column] ?? new Float64Array(0)
    let [total, negative] = [0, 0]
    for (let row = 0; row < values.length; row++) {
      if (afterRows !== null && afterRows[row] === 0) continue
      if (values[row]! > 0) total += values[row]!
      else if (values[row]! < 0) negative++
    }
    this.#facts.set(column, { total, negative })
    return { total, negative }
  }

  /** Weight of each row that a state leaves, 0 for the others. */
  #rowWeights(state: ViewState): Float64Array {
    const { rows, column } = this.#sceneOf(flat(state))
    const data = this.#data!
    const { stack } = data.profile.samples
    const values = data.profile.samples.values[column] ?? new Float64Array(0)
    const isLeft = this.#chain!.stacksLeft(state.chips)
    const weights = new Float64Array(values.length)
    for (let row = 0; row < values.length; row++) {
      const value = values[row]!
      if (value > 0 && (rows === null || rows[row] === 1) && isLeft(stack[row]!)) weights[row] = value
    }
    return weights
  }

  #leafName(row: number): string {
    const { profile, structure, nodeOfStack, frames } = this.#data!
    const stack = profile.samples.stack[row]!
    return stack < 0 ? '' : frames.name[structure.frame[nodeOfStack[stack]!]!]!
  }
}

/** The state in the view that costs nothing beyond its tree. */
function flat(state: ViewState): ViewState {
  return { ...state, view: 'flame', pivot: '' }
}

function samplesOf({ samples, tree }: Scene, whole: number): number | null {
  const total = tree.total[0]!
  return samples === null || total <= 0 ? samples : Math.round((whole / total) * samples)
}

function searchSummary(
  problem: string | null,
  matches: Matches | null,
  places: Matches | null,
): SearchSummary | null {
  if (problem === null) return null
  return { problem, value: matches?.value ?? 0, places: places?.placeCount ?? 0 }
}

/** A row for each function that a drawing shows. */
function functionsIn(source: TableSource, ...drawings: readonly (Drawing | null)[]): TableRow[] {
  const fns = new Set<number>()
  for (const drawing of drawings)
    for (const { fn } of [...(drawing?.rows ?? []), ...(drawing?.above ?? [])]) fns.add(fn)
  fns.delete(-1)
  return [...fns].map((fn) => tableRow(source, fn))
}

function legendOf({ groups }: FrameHues): LegendEntry[] {
  const shown = groups.filter(({ value }) => value > 0).slice(0, LEGEND_ENTRIES)
  return shown.map(({ name, hue, value }) => ({ name, hue, value, pattern: PATTERNS[name] ?? 'native' }))
}

const PATTERNS: Readonly<Record<string, LegendEntry['pattern']>> = {
  kernel: 'kernel',
  JIT: 'jit',
  'run-time code': 'jit',
  interpreted: 'interpreted',
}
