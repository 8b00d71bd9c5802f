/**
 * From a pprof file's own ids (any non-zero uint64) to table indices.
 *
 * Nearly every producer numbers 1, 2, 3…, and a sample of 60 frames asks 60 times: that case needs no hash.
 */

import type { Id } from './decode-tables.ts'
import { inconsistent } from './faults.ts'

/** Ids of one table, checked to be non-zero and distinct (AgentError input_invalid names the first that is not). */
export class IdTable {
  readonly #size: number
  /** Null while the ids are 1, 2, 3…. */
  readonly #index: Map<Id, number> | null

  constructor(what: string, entries: readonly { readonly id: Id }[]) {
    this.#size = entries.length
    if (entries.every(({ id }, position) => id === position + 1)) {
      this.#index = null
      return
    }
    this.#index = new Map()
    for (const [position, { id }] of entries.entries()) {
      if (id === 0) inconsistent(`${what} ${position + 1} of the file has id 0`)
      if (this.#index.has(id)) inconsistent(`${what} id ${id} occurs twice`)
      this.#index.set(id, position)
    }
  }

  /** Index of the entry with this id, undefined when there is none. */
  find(id: Id): number | undefined {
    if (this.#index) return this.#index.get(id)
    return typeof id === 'number' && id >= 1 && id <= this.#size ? id - 1 : undefined
  }
}
