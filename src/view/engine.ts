/**
 * Answers what a page asks of an open profile. Knows no DOM, no worker and no file format: profiles come in decoded. One profile is
 * open at a time, and perhaps one to compare it with.
 */
import { AgentError } from '../errors.ts'
import type { Profile } from '../model/profile.ts'
import { redact } from '../model/redact.ts'
import { bandOf } from './band.ts'
import { verdictOf } from './comparison.ts'
import { comparedDatasetOf, datasetOf } from './dataset.ts'
import { detailsOf } from './details.ts'
import { nameIn } from './frames.ts'
import { heatOf } from './heat.ts'
import { labelValues } from './labels.ts'
import { Listing } from './listing.ts'
import { namedShare } from './named.ts'
import { OpenDataset } from './open-dataset.ts'
import { openedOf } from './opened.ts'
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
import { leafName } from './row-weights.ts'
import type { Scene } from './scene.ts'
import { drawScene } from './scene-drawing.ts'
import type { Matches } from './search.ts'
import { INITIAL_STATE, type ViewState } from './state.ts'
import { type TableSource, tableRow } from './table.ts'
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

/** The page's questions, answered. */
export class Engine {
  #open: Named | null = null
  #baseline: Named | null = null
  #dataset: OpenDataset | null = null
  #isCompared = false
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
    this.#forget()
    try {
      this.#datasetOf(true)
    } catch (error) {
      this.#baseline = before
      this.#forget()
      throw error
    }
    return this.#describe()
  }

  /** What a state shows at a width. */
  show(state: ViewState, widthPx: number): Shown {
    const { dataset, seen } = this.#at(state)
    const { data, chain, palette, matches: known } = dataset
    const scene = dataset.sceneOf(seen)
    const query = state.search === '' ? null : chain.found(state.search)
    const found = query === null || query.problem !== '' ? null : query.mask
    const matches = found === null ? null : known.of(scene.tree, found)
    const context = { state, widthPx, hue: palette.hue(state.colouring), found, matches: known }
    const drawing = drawScene(scene, scene.drawn, context)
    const callers = scene.callers === null ? null : drawScene(scene, scene.callers, context)
    // Places are stepped through in what is drawn.
    const places = found === null ? null : known.of(scene.drawn, found)
    this.#last = { state, scene, drawings: [drawing, callers], found, matches: places }
    const { total: whole, negative } = dataset.columnFacts(scene.column)
    return {
      total: scene.tree.total[0]!,
      wholeTotal: whole,
      unit: data.profile.sampleTypes[scene.column]?.unit ?? '',
      samples: scene.samples,
      wholeSamples: samplesOf(scene, whole),
      drawing,
      callers,
      search: searchSummary(query?.problem ?? null, matches, places),
      legend: palette.legend(state.colouring),
      chips: state.chips.map((chip) => {
        const outcome = scene.chosen.outcomes.get(chip)
        if (outcome !== undefined) return outcome
        const { count, problem } = chain.found(chip.text)
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
    const { dataset, seen } = this.#at({ ...state, range: null })
    const { data } = dataset
    const weights = dataset.rowWeights(seen)
    const rows = { column: dataset.columnOf(seen), weights, leafName: (row: number) => leafName(data, row) }
    return bandOf(data.profile, rows, state.band, bins)
  }

  /** CPU by second and offset in it. */
  heat(state: ViewState, maxColumns: number): Heat {
    const { dataset, seen } = this.#at({ ...state, range: null })
    return heatOf(dataset.data.profile, dataset.rowWeights(seen), maxColumns)
  }

  /** Values of a label of the open profile that have a part. */
  labels(key: string, part: string): LabelValues {
    const { column } = this.#last?.state ?? INITIAL_STATE
    const { dataset, seen } = this.#at({ ...INITIAL_STATE, column })
    return labelValues(dataset.data.profile, dataset.rowWeights(seen), key, part)
  }

  /** Callers, callees and source lines of a function of the last table. */
  details(fn: number): Details {
    const { scene, state } = this.#shown
    const row = tableRow(this.#sourceOf(scene, state), fn)
    const { dataset, seen } = this.#at(state)
    return detailsOf(dataset.data, scene.tree, row, dataset.rowWeights(seen))
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
    const { data, palette } = this.#dataset!
    const hue = palette.hue(colouring)
    return { frames: data.frames, hue, weights: scene.functions(), compared: scene.compared }
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
    this.#dataset = null
    this.#last = null
    this.#listing = null
  }

  #describe(): Opened {
    const { profile, name } = this.#opened
    const { data } = this.#datasetOf(this.#isCompared && this.#baseline !== null)
    return openedOf(profile, { name, baselineName: this.#baseline?.name ?? null }, () => namedShare(data))
  }

  /** The profile alone, or with the baseline in it. */
  #datasetOf(isCompared: boolean): OpenDataset {
    const withBaseline = isCompared && this.#baseline !== null
    if (this.#dataset !== null && this.#isCompared === withBaseline) return this.#dataset
    const { profile, name } = this.#opened
    this.#forget()
    this.#isCompared = withBaseline
    const data = withBaseline ? comparedDatasetOf(this.#baseline!.profile, profile) : datasetOf(profile)
    this.#dataset = new OpenDataset(data, {
      profile: name || 'after',
      baseline: this.#baseline?.name || 'before',
    })
    return this.#dataset
  }

  /** What a state is about, and the state as far as there is something to see of it. */
  #at(asked: ViewState): { readonly dataset: OpenDataset; readonly seen: ViewState } {
    // Without a baseline there is nothing to compare with.
    const isLost = asked.compare?.with.kind === 'file' && this.#baseline === null
    const seen = isLost ? { ...asked, compare: null } : asked
    return { dataset: this.#datasetOf(seen.compare?.with.kind === 'file'), seen }
  }
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
