/** The colours of a dataset's frames: worked out once for each rule, of the whole profile, so that no filter changes a colour. */
import type { Dataset } from './dataset.ts'
import type { FilterChain } from './filtered.ts'
import { type FrameHues, huesOf } from './frames.ts'
import { frameAreas } from './functions.ts'
import type { LegendEntry } from './protocol.ts'
import { WHOLE_ROWS } from './scene.ts'
import type { Colouring } from './state.ts'

const LEGEND_ENTRIES = 12

const PATTERNS: Readonly<Record<string, LegendEntry['pattern']>> = {
  kernel: 'kernel',
  JIT: 'jit',
  'run-time code': 'jit',
  interpreted: 'interpreted',
}

/** Hues and legends of one dataset. */
export class Palette {
  readonly #data: Dataset
  readonly #chain: FilterChain
  readonly #hues = new Map<Colouring, FrameHues>()
  #areas: Float64Array | null = null

  constructor(data: Dataset, chain: FilterChain) {
    this.#data = data
    this.#chain = chain
  }

  /** Hue of each frame in degrees. */
  hue(colouring: Colouring): ArrayLike<number> {
    return this.#huesOf(colouring).hue
  }

  /** The groups behind the hues, heaviest first. */
  legend(colouring: Colouring): LegendEntry[] {
    const shown = this.#huesOf(colouring).groups.filter(({ value }) => value > 0)
    return shown
      .slice(0, LEGEND_ENTRIES)
      .map(({ name, hue, value }) => ({ name, hue, value, pattern: PATTERNS[name] ?? 'native' }))
  }

  #huesOf(colouring: Colouring): FrameHues {
    const { profile, afterRows, frames } = this.#data
    this.#areas ??= frameAreas(this.#chain.tree([], profile.defaultSampleType, afterRows, WHOLE_ROWS))
    const known = this.#hues.get(colouring)
    // A filter may have added frames that stand for a library.
    if (known !== undefined && known.hue.length === frames.count) return known
    const hues = huesOf(frames, this.#areas, colouring)
    this.#hues.set(colouring, hues)
    return hues
  }
}
