/** The functions of what is shown: the order of the table, its rows, and a row for each function that a drawing shows. */
import type { Drawing, Listed, TableRow } from './protocol.ts'
import type { ViewState } from './state.ts'
import { sortedFunctions, type TableSource, tableRow } from './table.ts'

/** The table of one scene, one search and one order. */
export class Listing {
  readonly source: TableSource
  readonly #revision: number
  readonly #sort: ViewState['sort']
  readonly #found: Uint8Array | null
  readonly #order: Int32Array

  /** `found` marks the frames of a search, null without one; `revision` is a number that no other table has. */
  constructor(source: TableSource, sort: ViewState['sort'], found: Uint8Array | null, revision: number) {
    this.source = source
    this.#revision = revision
    this.#sort = sort
    this.#found = found
    this.#order = sortedFunctions(source, sort, found)
  }

  /** True when this is the table of those as well. */
  isOf({ weights, hue }: TableSource, sort: ViewState['sort'], found: Uint8Array | null): boolean {
    const isSameOrder = this.#sort.by === sort.by && this.#sort.descending === sort.descending
    const isSameSource = this.source.weights === weights && this.source.hue === hue
    return isSameOrder && isSameSource && this.#found === found
  }

  get count(): number {
    return this.#order.length
  }

  /** Rows from..from + count. */
  rows(from: number, count: number): TableRow[] {
    return [...this.#order.subarray(from, from + count)].map((fn) => tableRow(this.source, fn))
  }

  /** The first rows, and the functions of some drawings. */
  listed(tableRows: number, drawings: readonly (Drawing | null)[]): Listed {
    return {
      functions: this.#functionsIn(drawings),
      table: {
        revision: this.#revision,
        rows: this.rows(0, tableRows),
        count: this.count,
        sortedBy: this.#sort.by,
      },
    }
  }

  #functionsIn(drawings: readonly (Drawing | null)[]): TableRow[] {
    const fns = new Set<number>()
    for (const drawing of drawings)
      for (const { fn } of [...(drawing?.rows ?? []), ...(drawing?.above ?? [])]) fns.add(fn)
    fns.delete(-1)
    return [...fns].map((fn) => tableRow(this.source, fn))
  }
}
