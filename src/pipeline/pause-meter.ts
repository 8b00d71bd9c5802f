/**
 * How long the event loop was held. A meter that wakes up all the time would cost more than what it measures: it runs
 * while a window is closed, named and handed on, and a moment longer; turns of the pump are timed one by one.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

const RESOLUTION_MS = 2
/** What the receivers of a window do next. */
const AFTERWARDS_MS = 300

export class PauseMeter {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #windows = 0
  #timer: NodeJS.Timeout | undefined
  #longestMs = 0

  /** So far. */
  get longestMs(): number {
    if (this.#windows > 0) this.#look()
    return this.#longestMs
  }

  /** Runs a step that holds the loop. */
  time<T>(step: () => T): T {
    const startMs = performance.now()
    try {
      return step()
    } finally {
      this.#longestMs = Math.max(this.#longestMs, performance.now() - startMs)
    }
  }

  /** A window begins to be worked on. */
  begin(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#windows++ > 0 || !this.#delay.enable()) return
    this.#delay.reset() // what was before is no delay
  }

  /** It was handed on. */
  end(): void {
    if (--this.#windows > 0) return
    this.#timer = setTimeout(() => {
      this.#look()
      this.#delay.disable()
    }, AFTERWARDS_MS)
    this.#timer.unref()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#look()
    this.#delay.disable()
  }

  #look(): void {
    this.#longestMs = Math.max(this.#longestMs, this.#delay.max / 1e6 - RESOLUTION_MS)
  }
}
