/**
 * What a reader is at, beside the state: the answer that is shown, the frame that is pointed at, the function that is chosen, the
 * place of the search. None of it belongs into a link or the history.
 */

import { percent, whole } from '../view/numbers.ts'
import type { Listed, Place, Shown, TableRow } from '../view/protocol.ts'
import type { ViewState } from '../view/state.ts'
import { type Measure, shareOf } from './data/shares.ts'
import type { FlameDatum } from './views/flame-datum.ts'
import type { Marks } from './views/flame-frames.ts'
import type { Subject } from './views/frame-menu.ts'
import type { SearchStatus } from './views/search-box.ts'
import type { StripContext, StripView } from './views/strip.ts'

/** The reader's place in one answer after the other. */
export class Reading {
  pointed: FlameDatum | null = null
  selected: TableRow | null = null
  place: Place | null = null
  /** Path of the frame that gets the focus once the next answer is drawn. */
  focusNext: readonly string[] | null = null
  #shown: Shown | null = null
  #listed: Listed | null = null
  #state: ViewState | null = null
  #functions = new Map<number, TableRow>()

  get shown(): Shown | null {
    return this.#shown
  }

  get listed(): Listed | null {
    return this.#listed
  }

  /** Numbers of functions mean something else in another profile. */
  forgetFunctions(): void {
    this.#listed = null
    this.#functions.clear()
  }

  /** Takes the next answer; what it has no more is forgotten. */
  take(shown: Shown, state: ViewState): void {
    if (this.#state?.search !== state.search) this.place = null
    if (this.place !== null && this.place.index >= (shown.search?.places ?? 0)) this.place = null
    this.#shown = shown
    this.#state = state
    this.pointed = null
  }

  /** Takes the functions of the answer before. */
  takeListed(listed: Listed): void {
    this.#listed = listed
    this.#functions = new Map([...listed.table.rows, ...listed.functions].map((row) => [row.fn, row]))
    const key = this.selected?.key
    // A function that is not in sight keeps its old figures until it comes back.
    if (key !== undefined) this.selected = this.byKey(key) ?? this.selected
  }

  /** The function of a table row's number or of a key, null when this answer does not show it. */
  byNumber(fn: number): TableRow | null {
    return this.#functions.get(fn) ?? null
  }

  byKey(key: string): TableRow | null {
    for (const row of this.#functions.values()) if (row.key === key) return row
    return null
  }

  /** What shares are shares of, and the same of the other side while comparing. */
  get measure(): Measure {
    const { total = 0, unit = '', samples = null } = this.#shown ?? {}
    return { total, unit, samples }
  }

  get before(): Measure | null {
    const verdict = this.#shown?.verdict ?? null
    if (verdict === null) return null
    return { total: verdict.beforeTotal, unit: this.measure.unit, samples: verdict.beforeSamples }
  }

  get marks(): Marks {
    const isComparing = this.#state?.compare?.side === 'diff' && this.before !== null
    const selectedFn = this.selected === null ? -1 : (this.byKey(this.selected.key)?.fn ?? -1)
    return { selectedFn, place: this.place?.path ?? null, isComparing }
  }

  /** Describes what is pointed at, else what is chosen, else what is zoomed to. */
  describe(strip: StripView): void {
    const context: StripContext = { measure: this.measure, before: this.before }
    const zoomed = this.#shown?.drawing.rows[0]
    const row = this.pointed?.row ?? null
    if (row !== null) strip.showFrame(row, this.byNumber(row.fn), context)
    else if (this.selected !== null) strip.showFunction(this.selected, context)
    else if (zoomed !== undefined && zoomed.shape !== 'root')
      strip.showFrame(zoomed, this.byNumber(zoomed.fn), context)
    else strip.showHint()
  }

  /** What the menu of a frame is about; null for what is no function. */
  subjectOf(datum: FlameDatum, isCallers: boolean): Subject | null {
    const { row, path } = datum
    if (row === null || row.shape === 'box') return null
    const fn = this.byNumber(row.fn)
    const hasPath = !isCallers && this.#state?.view !== 'sandwich' && row.shape !== 'ghost'
    return {
      name: row.name,
      key: fn?.key ?? row.key,
      fn: row.fn,
      query: fn?.query ?? '',
      library: fn?.library ?? '',
      path: hasPath ? path : null,
    }
  }

  /** The words beside the search box. */
  searchStatus(text: string): SearchStatus {
    const nothing = { share: null, error: '', detail: '', isProblem: false, canStep: false }
    const search = this.#shown?.search ?? null
    if (text === '' || search === null) return nothing
    if (search.problem !== '') return { ...nothing, detail: search.problem, isProblem: true }
    if (search.places === 0)
      return { ...nothing, detail: `no function matches ${text.slice(0, 100)} — Esc clears`, isProblem: true }
    const at = this.place === null ? '' : `${whole(this.place.index + 1)} of `
    const detail = `${at}${whole(search.places)} ${search.places === 1 ? 'place' : 'places'}`
    return { ...shareOf(this.measure, search.value), detail, isProblem: false, canStep: true }
  }
}

/** The menu's subject of a row of the table. */
export function subjectOfRow(row: TableRow): Subject {
  const { name, key, fn, query, library } = row
  return { name, key, fn, query, library, path: null }
}

/** How much of the whole profile the filters leave, in words; '' when all of it. */
export function leftWords(shown: Shown): string {
  if (shown.wholeTotal <= 0 || shown.total >= shown.wholeTotal) return ''
  return `${percent(shown.total / shown.wholeTotal)} of the profile`
}
