/**
 * From a dataset and the chips to the tree that is looked at. Everything that costs a pass over a million nodes is kept: the structure
 * after each prefix of the chips, the masks of their queries. A new chip, or one step back, costs one pass; a new range or
 * column costs none of the structure's.
 */
import type { Dataset } from './dataset.ts'
import { selfWeights } from './dataset.ts'
import { type Found, find } from './query.ts'
import { spareColumns } from './spare-columns.ts'
import type { Chip } from './state.ts'
import { belowMatch, changesStructure, movedWeights, type Reshaped, reshape } from './structure-filters.ts'
import { type CallTree, type Structure, totalsOf } from './tree.ts'

/** One applied chip: a new structure with its map, or nodes whose weight stays. */
type Step =
  | { readonly kind: 'reshaped'; readonly reshaped: Reshaped }
  | { readonly kind: 'weights'; readonly keep: Uint8Array; readonly keepValue: 0 | 1 }

/** Prefixes kept; each may hold columns of a million nodes. */
const KEPT_STEPS = 6

/** The chips of a dataset, applied. */
export class FilterChain {
  readonly #data: Dataset
  #steps: { readonly key: string; readonly step: Step; readonly structure: Structure }[] = []
  #found = new Map<string, Found>()
  #selfs: { key: string; self: Float64Array }[] = []
  #trees: { key: string; tree: CallTree }[] = []

  constructor(data: Dataset) {
    this.#data = data
  }

  /** Frames that a query finds. The answer is kept until frames are added. */
  found(text: string): Found {
    const { frames } = this.#data
    const key = `${frames.count} ${text}`
    const known = this.#found.get(key)
    if (known !== undefined) return known
    const found = find(frames, text)
    if (this.#found.size > 100) this.#found.clear()
    this.#found.set(key, found)
    return found
  }

  /** The tree of a column after the chips, of the rows that are wanted. `rowsKey` names the rows among those asked for before. */
  tree(chips: readonly Chip[], column: number, rows: Uint8Array | null, rowsKey: string): CallTree {
    const steps = this.#apply(chips)
    const key = `${column} ${rowsKey} ${steps.map((step) => step.key).join('\0')}`
    const known = this.#trees.find((entry) => entry.key === key)
    if (known !== undefined) return known.tree
    let self = this.#selfOf(column, rows, rowsKey)
    for (const { step } of steps) self = weighed(self, step)
    const structure = steps.at(-1)?.structure ?? this.#data.structure
    const tree = { ...structure, frames: this.#data.frames, self, total: totalsOf(structure, self) }
    this.#trees = [{ key, tree }, ...this.#trees].slice(0, 3)
    return tree
  }

  /** Self weights before the chips: those that were asked for last are kept. */
  #selfOf(column: number, rows: Uint8Array | null, rowsKey: string): Float64Array {
    const key = `${column} ${rowsKey}`
    const known = this.#selfs.find((entry) => entry.key === key)
    if (known !== undefined) return known.self
    const self = selfWeights(this.#data, column, rows)
    this.#selfs = [{ key, self }, ...this.#selfs].slice(0, 2)
    return self
  }

  /** 1 for each stack that the chips leave something of. Empty stacks (-1) stay unless a chip asks for a frame. */
  stacksLeft(chips: readonly Chip[]): (stack: number) => boolean {
    const steps = this.#apply(chips)
    if (steps.length === 0) return () => true
    const { nodeOfStack, structure } = this.#data
    let place = Int32Array.from({ length: structure.count }, (_, node) => node)
    for (const { step } of steps) {
      place = place.map((node) => {
        if (node < 0) return -1
        if (step.kind === 'reshaped') return step.reshaped.nodeOf[node]!
        return step.keep[node] === step.keepValue ? node : -1
      })
    }
    return (stack) => place[stack < 0 ? 0 : nodeOfStack[stack]!]! >= 0
  }

  #apply(chips: readonly Chip[]): readonly { key: string; step: Step; structure: Structure }[] {
    const wanted = chips.filter(({ kind }) => kind !== 'label' && kind !== 'broken')
    const steps: { key: string; step: Step; structure: Structure }[] = []
    let prefix = ''
    for (const { kind, text } of wanted) {
      const { mask, problem } = this.found(text)
      if (problem !== '') continue
      prefix += `${kind} ${text}\n`
      const structure = steps.at(-1)?.structure ?? this.#data.structure
      const known = this.#steps.find(({ key }) => key === prefix)
      const step = known?.step ?? this.#step(kind, structure, mask)
      steps.push(
        known ?? {
          key: prefix,
          step,
          structure: step.kind === 'reshaped' ? step.reshaped.structure : structure,
        },
      )
    }
    const others = this.#steps.filter(({ key }) => !steps.some((step) => step.key === key))
    this.#steps = [...steps, ...others].slice(0, Math.max(KEPT_STEPS, steps.length))
    return steps
  }

  #step(kind: Chip['kind'], structure: Structure, mask: Uint8Array): Step {
    if (changesStructure(kind))
      return { kind: 'reshaped', reshaped: reshape(structure, this.#data.frames, kind, mask) }
    return { kind: 'weights', keep: belowMatch(structure, mask), keepValue: kind === 'only' ? 1 : 0 }
  }
}

function weighed(self: Float64Array, step: Step): Float64Array {
  if (step.kind === 'reshaped') return movedWeights(self, step.reshaped)
  const { keep, keepValue } = step
  const kept = spareColumns.floats(self.length)
  for (let node = 0; node < kept.length; node++) if (keep[node] === keepValue) kept[node] = self[node]!
  return kept
}
