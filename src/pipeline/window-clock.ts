/**
 * When a window ends, and what its time is for others. Windows follow each other without a gap on CLOCK_BOOTTIME, the
 * clock of the samples; the wall clock is looked at when a window begins, and followed only when it was set.
 */

export interface WindowLength {
  readonly windowMs: number
  /** 0 to 1, of windowMs. */
  readonly jitter: number
}

export interface ClockSources {
  /** CLOCK_BOOTTIME, nanoseconds. */
  readonly bootNs: () => number
  readonly unixMs: () => number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** Milliseconds by which the clocks may drift apart before ours follows: windows then still touch. */
const DRIFT_MS_MAX = 5

export class WindowClock {
  readonly #length: WindowLength
  readonly #sources: ClockSources
  #unixMinusBootNs: bigint
  #startNs = 0
  #endNs = 0

  constructor(length: WindowLength, sources: ClockSources) {
    this.#length = length
    this.#sources = sources
    this.#unixMinusBootNs = this.#offsetNs()
    this.begin(sources.bootNs())
  }

  /** Of the window, CLOCK_BOOTTIME nanoseconds. */
  get startNs(): number {
    return this.#startNs
  }

  /** Its start in unix epoch nanoseconds. */
  get unixNs(): bigint {
    return this.#unixMinusBootNs + BigInt(this.#startNs)
  }

  /** Milliseconds until the window is over, 0 or less when it is. */
  get leftMs(): number {
    return (this.#endNs - this.#sources.bootNs()) / 1e6
  }

  /** Begins a window at that time. */
  begin(startNs: number): void {
    const { windowMs, jitter } = this.#length
    const lengthMs = windowMs * (1 + jitter * (2 * this.#sources.random() - 1))
    this.#startNs = startNs
    this.#endNs = startNs + Math.max(1, lengthMs) * 1e6
    const offsetNs = this.#offsetNs()
    const driftNs = offsetNs - this.#unixMinusBootNs
    if (driftNs > DRIFT_MS_MAX * 1e6 || driftNs < -DRIFT_MS_MAX * 1e6) this.#unixMinusBootNs = offsetNs
  }

  #offsetNs(): bigint {
    return (
      BigInt(Math.round(this.#sources.unixMs())) * 1_000_000n - BigInt(Math.round(this.#sources.bootNs()))
    )
  }
}
