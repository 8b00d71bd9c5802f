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
import { nameIn } from './frames.ts'
import { heatOf } from './heat.ts'
import { labelValues } from './labels.ts'
import { Listing } from './listing.ts'
import { namedShare } from './named.ts'
import { openedOf } from './opened.ts'
import { Palette } from './palette.ts'
import type {
  Band,
  Details,
  Drawing,
  Heat,
  LabelValues,
  Listed,
  Opened,
  Place,
  SearchSummary,
  Shown,
  TableRow,
} from './protocol.ts'
import { type Scene, sceneOf } from './scene.ts'
import { KnownMatches, type Matches } from './search.ts'
import { spareColumns } from './spare-columns.ts'
import { INITIAL_STATE, type ViewState } from './state.ts'
import { type TableSource, tableRow } from './table.ts'
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
  readonly drawings: readonly (Drawing | null)[]
  readonly found: Uint8Array | null
  readonly matches: Matches | null
}

/** Scenes kept: a step back is drawn at once. */
const KEPT_SCENES = 3

/** The page's questions, answered. */
export class Engine {
  #open: Named | null = null
  #baseline: Named | null = null
  #data: Dataset | null = null
  #chain: FilterChain | null = null
  #isCompared = false
  #palette: Palette | null = null
  #facts = new Map<number, { total: number; negative: number }>()
  #scenes: { key: string; scene: Scene }[] = []
  #matches = new KnownMatches()
  #last: Last | null = null
  #listing: Listing | null = null
  #revision = 0

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
  show(state: ViewState, widthPx: number): Shown {
    const scene = this.#sceneOf(state)
    const data = this.#data!
    const query = state.search === '' ? null : this.#chain!.found(state.search)
    const found = query === null || query.problem !== '' ? null : query.mask
    const matches = found === null ? null : this.#matches.of(scene.tree, found)
    const drawing = this.#draw(scene, scene.drawn, state, widthPx, found)
    const callers = scene.callers === null ? null : this.#draw(scene, scene.callers, state, widthPx, found)
    // Places are stepped through in what is drawn.
    const places = found === null ? null : this.#matches.of(scene.drawn, found)
    this.#last = { state, scene, drawings: [drawing, callers], found, matches: places }
    const { total: whole, negative } = this.#columnFacts(scene.column)
    return {
      total: scene.tree.total[0]!,
      wholeTotal: whole,
      unit: data.profile.sampleTypes[scene.column]?.unit ?? '',
      samples: scene.samples,
      wholeSamples: samplesOf(scene, whole),
      drawing,
      callers,
      search: searchSummary(query?.problem ?? null, matches, places),
      legend: this.#palette!.legend(state.colouring),
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

  /** The functions of what was shown last. */
  list(tableRows: number): Listed {
    return this.#listed.listed(tableRows, this.#shown.drawings)
  }

  /** More rows of the table that was shown last. */
  rows(from: number, count: number): TableRow[] {
    return this.#listed.rows(from, count)
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
    const { scene, state } = this.#shown
    return detailsOf(
      this.#data!,
      scene.tree,
      tableRow(this.#sourceOf(scene, state), fn),
      this.#rowWeights(state),
    )
  }

  /** Names of functions of the last answer, as a redacted profile has them. */
  redactedNames(fns: readonly number[]): string[] {
    const { frames } = this.#shown.scene.tree
    const { profile } = redact(frames.profile)
    return fns.map((fn) => nameIn(profile, frames, frames.functionFrame[fn] ?? -1))
  }

  /** Every row of the table that was shown last, and what its shares are of. */
  shownTable(): { rows: TableRow[]; total: number; samples: number | null; unit: string } {
    const { scene } = this.#shown
    const unit = this.profile.sampleTypes[scene.column]?.unit ?? ''
    return {
      rows: this.rows(0, this.#listed.count),
      total: scene.tree.total[0]!,
      samples: scene.samples,
      unit,
    }
  }

  get #shown(): Last {
    if (this.#last === null) throw new AgentError('internal', 'nothing was shown yet')
    return this.#last
  }

  #sourceOf(scene: Scene, { colouring }: ViewState): TableSource {
    const hue = this.#palette!.hue(colouring)
    return { frames: this.#data!.frames, hue, weights: scene.functions(), compared: scene.compared }
  }

  /** The table of what was shown last: made when it is asked for, which is after the drawing. */
  get #listed(): Listing {
    const { scene, state, found } = this.#shown
    const source = this.#sourceOf(scene, state)
    if (this.#listing?.isOf(source, state.sort, found) !== true)
      this.#listing = new Listing(source, state.sort, found, ++this.#revision)
    return this.#listing
  }

  #forget(): void {
    this.#data = null
    this.#chain = null
    this.#palette = null
    this.#facts.clear()
    this.#scenes = []
    this.#matches = new KnownMatches()
    this.#last = null
    this.#listing = null
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
    spareColumns.expect(this.#data.structure.count)
    this.#chain = new FilterChain(this.#data)
    this.#palette = new Palette(this.#data, this.#chain)
    return this.#data
  }

  #sceneOf(asked: ViewState): Scene {
    // Without a baseline there is nothing to compare with.
    const isLost = asked.compare?.with.kind === 'file' && this.#baseline === null
    const state = isLost ? { ...asked, compare: null } : asked
    const data = this.#dataset(state.compare?.with.kind === 'file')
    const { view, column, chips, range, compare, pivot } = state
    const key = JSON.stringify([view, column, chips, range, compare, pivot])
    const known = this.#scenes.find((entry) => entry.key === key)
    if (known !== undefined) return known.scene
    const names = { profile: this.#opened.name || 'after', baseline: this.#baseline?.name || 'before' }
    const scene = sceneOf(data, this.#chain!, state, names)
    this.#scenes = [{ key, scene }, ...this.#scenes].slice(0, KEPT_SCENES)
    return scene
  }

  #draw(scene: Scene, tree: CallTree, state: ViewState, widthPx: number, found: Uint8Array | null): Drawing {
    const isCallers = tree === scene.callers
    const zoom = isCallers ? state.callersZoom : state.zoom
    const { frames } = this.#data!
    const { compared, other, pivot } = scene
    const hue = this.#palette!.hue(state.colouring)
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
    return drawingOf(tree, zoom, widthPx, { ...dressing, matches: this.#matches.of(tree, found) })
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
