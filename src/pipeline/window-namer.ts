/** Closed windows -> profiles, one after the other, in the order of time; the pump goes on meanwhile. */
import { performance } from 'node:perf_hooks'
import type { CaptureReport, Profile } from '../model/profile.ts'
import type { Window } from '../model/window.ts'
import type { SymbolReaders } from '../native/symbols.ts'
import type { ExecutableTable } from '../process/executable-table.ts'
import type { NameCache } from '../symbolize/name-cache.ts'
import { type Symbolized, symbolize } from '../symbolize/symbolizer.ts'
import { commentsOf } from './host-report.ts'

/** A window without names, and all that is known of how it was taken. */
export interface ClosedWindow {
  readonly window: Window
  /** Holds the files of its frames open; closed once they are named. */
  readonly executables: ExecutableTable
  /** `named`: the names of its frames. */
  report(named: Symbolized): CaptureReport
}

/** Time for source lines, and again for readable names, of a window; what is late has a chance in a later one. */
const BUDGET_MS = 5000
/** With more windows than this waiting, lines and readable names are left out until we are on time again. */
const WAITING_MAX = 6
/** With so many, no further one should be closed: each holds its samples, its tables and its files. */
const FULL = 12

export class WindowNamer {
  readonly #readers: SymbolReaders
  readonly #cache: NameCache
  readonly #onNamed: (profile: Profile) => void
  #last: Promise<void> = Promise.resolve()
  waiting = 0
  lastWindowJsMs = 0

  constructor(readers: SymbolReaders, cache: NameCache, onNamed: (profile: Profile) => void) {
    this.#readers = readers
    this.#cache = cache
    this.#onNamed = onNamed
  }

  get isFull(): boolean {
    return this.waiting >= FULL
  }

  add(closed: ClosedWindow): void {
    this.waiting++
    this.#last = this.#last.then(() => this.#name(closed))
  }

  /** Resolves when every window was handed on. */
  async idle(): Promise<void> {
    while (this.waiting > 0) await this.#last
  }

  async #name({ window, executables, report }: ClosedWindow): Promise<void> {
    const before = performance.eventLoopUtilization()
    try {
      const budgetMs = this.waiting > WAITING_MAX ? 1 : BUDGET_MS
      const named = await symbolize(window, this.#readers, { cache: this.#cache, budgetMs })
      const capture = report(named)
      const { profile } = named
      this.#onNamed({
        ...profile,
        comments: commentsOf(capture),
        capture,
        ...(window.origins && { origins: window.origins }),
      })
    } catch (error) {
      // symbolize() rejects for nothing it reads: a fault of ours, or of the receiver, must not look like a quiet host.
      setImmediate(() => {
        throw error
      })
    } finally {
      executables.close()
      this.waiting--
      this.lastWindowJsMs = performance.eventLoopUtilization(before).active
    }
  }
}
