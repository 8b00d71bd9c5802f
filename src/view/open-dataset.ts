/** An open dataset with all that is computed from it and kept: filters, colours, sums, the scenes and matches of the last questions. */
import type { Dataset } from './dataset.ts'
import { FilterChain } from './filtered.ts'
import { Palette } from './palette.ts'
import { type ColumnFacts, columnFacts, rowWeights } from './row-weights.ts'
import { type Scene, type SideNames, sceneOf } from './scene.ts'
import { KnownMatches } from './search.ts'
import { spareColumns } from './spare-columns.ts'
import type { ViewState } from './state.ts'

/** Scenes kept: a step back is drawn at once. */
const KEPT_SCENES = 3

/** Lives until another profile is opened, or this one beside another. */
export class OpenDataset {
  readonly data: Dataset
  readonly chain: FilterChain
  readonly palette: Palette
  readonly matches = new KnownMatches()
  readonly #names: SideNames
  #facts = new Map<number, ColumnFacts>()
  #scenes: { key: string; scene: Scene }[] = []

  constructor(data: Dataset, names: SideNames) {
    this.data = data
    this.#names = names
    spareColumns.expect(data.structure.count)
    this.chain = new FilterChain(data)
    this.palette = new Palette(data, this.chain)
  }

  /** The scene of a state; zoom, sort and width are no matter of it. */
  sceneOf(state: ViewState): Scene {
    const { view, column, chips, range, compare, pivot } = state
    const key = JSON.stringify([view, column, chips, range, compare, pivot])
    const known = this.#scenes.find((entry) => entry.key === key)
    if (known !== undefined) return known.scene
    const scene = sceneOf(this.data, this.chain, state, this.#names)
    this.#scenes = [{ key, scene }, ...this.#scenes].slice(0, KEPT_SCENES)
    return scene
  }

  /** Weight of each row that a state leaves, in the unit of its column; 0 for the others. */
  rowWeights(state: ViewState): Float64Array {
    return rowWeights(this.data, this.chain, this.sceneOf(flat(state)), state.chips)
  }

  /** The column that a state shows. */
  columnOf(state: ViewState): number {
    return this.sceneOf(flat(state)).column
  }

  /** What is true of a whole column. */
  columnFacts(column: number): ColumnFacts {
    const facts = this.#facts.get(column) ?? columnFacts(this.data, column)
    this.#facts.set(column, facts)
    return facts
  }
}

/** The state in the view that costs nothing beyond its tree. */
function flat(state: ViewState): ViewState {
  return { ...state, view: 'flame', pivot: '' }
}
