/**
 * Keeps what we cost below `maxOverhead` by lowering the sampling rate, and gives it back when there is room.
 *
 * Overhead is CPU time of the agent, its children and its BPF programs, as a share of the CPU time of the host: 1 % of 8
 * CPUs is 80 ms a second. (A share of one core would slow down every large node, as there is a sampler on each CPU.)
 *
 * The rate is lowered after three periods above the limit in a row, or when the mean of two minutes is above it. A burst
 * is neither: starting, or naming a program as large as a browser, is not made cheaper by a lower rate. Raising takes calm
 * periods, and that the overhead scaled to the next rate stays well below the limit: so a constant load is raised into no
 * new lowering. Where the load itself swings, each raise that had to be taken back doubles the wait for the next, and
 * each that lasted halves it.
 */

const PERIOD_MS = 10_000
/** A period that took longer is one of a host that slept or a clock that stepped: it says nothing. */
const PERIOD_MAX_MS = 60_000
const RATE_MIN_HZ = 1
const PERIODS_TO_LOWER = 3
const PERIODS_OF_MEAN = 12
const PERIODS_TO_RAISE = 3
const PERIODS_TO_RAISE_MAX = 192
/** A rate is lowered to what would cost this share of the limit, to half of it at most; and raised by a quarter. */
const LOWER_TO = 0.8
const LOWER_BY_MAX = 0.5
const RAISE_BY = 1.25
/** What the raised rate may be expected to cost, as a share of the limit. LOWER_TO * RAISE_BY is above it: no ping-pong. */
const RAISE_BELOW = 0.85

export interface GovernorOptions {
  /** The configured rate, the highest of several: never exceeded. The others keep their proportion to it. */
  readonly rateHz: number
  /** Fraction of the CPU time of all CPUs, as 0.01. */
  readonly maxOverhead: number
}

/** A new rate, and what made us choose it. */
export interface RateChange {
  readonly fromHz: number
  readonly toHz: number
  readonly overhead: number
}

export interface GovernorStats {
  readonly rateHz: number
  readonly configuredHz: number
  /** Of the last whole period; 0 before. */
  readonly overhead: number
  readonly maxOverhead: number
  readonly lowered: number
  readonly raised: number
}

interface Reading {
  readonly timeMs: number
  readonly cpuNs: number
}

export class Governor {
  #options: GovernorOptions
  #rateHz: number
  #from: Reading | null = null
  #lastOverhead = 0
  /** Of the last periods at this rate, the newest last. */
  #overheads: number[] = []
  /** What was measured when the rate was last lowered: the reason a user gets to read. */
  #causeOverhead = 0
  #calmPeriods = 0
  #periodsToRaise = PERIODS_TO_RAISE
  #periodsSinceRaise = Number.POSITIVE_INFINITY
  #lowered = 0
  #raised = 0

  constructor(options: GovernorOptions) {
    this.#options = options
    this.#rateHz = options.rateHz
  }

  /** What a reload brings. A lowered rate stays, if it is not above the new one, and rises from there. */
  configure(options: GovernorOptions): void {
    const lowered = this.#rateHz < this.#options.rateHz
    this.#rateHz = lowered ? Math.min(this.#rateHz, options.rateHz) : options.rateHz
    this.#options = options
    this.#overheads = []
    this.#calmPeriods = 0
    this.#from = null
  }

  /**
   * One look, at any pace of a second to ten. `timeMs` should be of a clock that never steps; `cpuNs` is the sum since
   * the start over agent, children and BPF; `cpus` those that are online. The answer is the change to make, mostly null.
   */
  observe(timeMs: number, cpuNs: number, cpus: number): RateChange | null {
    const from = this.#from
    if (from !== null && timeMs - from.timeMs < PERIOD_MS && timeMs >= from.timeMs) return null
    this.#from = { timeMs, cpuNs }
    if (from === null) return null
    const elapsedMs = timeMs - from.timeMs
    const spentNs = cpuNs - from.cpuNs
    if (elapsedMs <= 0 || elapsedMs > PERIOD_MAX_MS || !(spentNs >= 0)) return null
    this.#lastOverhead = spentNs / (elapsedMs * 1e6 * Math.max(1, cpus))
    return this.#judge()
  }

  get rateHz(): number {
    return this.#rateHz
  }

  stats(): GovernorStats {
    const { rateHz: configuredHz, maxOverhead } = this.#options
    const [lowered, raised] = [this.#lowered, this.#raised]
    return { rateHz: this.#rateHz, configuredHz, overhead: this.#lastOverhead, maxOverhead, lowered, raised }
  }

  /** A sentence for the profile while the rate is lowered, else ''. */
  note(): string {
    const { rateHz, maxOverhead } = this.#options
    if (this.#rateHz >= rateHz) return ''
    const [cost, limit] = [this.#causeOverhead, maxOverhead].map(percentText)
    return `the rate is ${this.#rateHz} Hz instead of ${rateHz}: profiling took ${cost} of the host's CPU time, maxOverhead is ${limit}`
  }

  #judge(): RateChange | null {
    this.#periodsSinceRaise++
    this.#overheads = [...this.#overheads, this.#lastOverhead].slice(-PERIODS_OF_MEAN)
    const tooMuch = this.#tooMuch()
    if (tooMuch !== null) return this.#lower(tooMuch)
    if (this.#rateHz >= this.#options.rateHz) return this.#forgive()
    return this.#mayRaise() ? this.#raise() : null
  }

  /** The mean overhead that calls for a lower rate, or null. */
  #tooMuch(): number | null {
    const { maxOverhead } = this.#options
    const last = this.#overheads.slice(-PERIODS_TO_LOWER)
    if (last.length === PERIODS_TO_LOWER && last.every((overhead) => overhead > maxOverhead))
      return mean(last)
    const long = this.#overheads.length === PERIODS_OF_MEAN ? mean(this.#overheads) : 0
    return long > maxOverhead ? long : null
  }

  #lower(overhead: number): RateChange | null {
    this.#calmPeriods = 0
    if (this.#rateHz <= RATE_MIN_HZ) return null
    // The last raise was one too many: be slower next time.
    if (this.#periodsSinceRaise <= 2 * this.#periodsToRaise)
      this.#periodsToRaise = Math.min(2 * this.#periodsToRaise, PERIODS_TO_RAISE_MAX)
    this.#periodsSinceRaise = Number.POSITIVE_INFINITY
    const share = Math.max(LOWER_BY_MAX, (LOWER_TO * this.#options.maxOverhead) / overhead)
    this.#lowered++
    this.#causeOverhead = overhead
    return this.#change(Math.max(RATE_MIN_HZ, Math.floor(this.#rateHz * share)), overhead)
  }

  #mayRaise(): boolean {
    const expected = this.#lastOverhead * (this.#nextHz() / this.#rateHz)
    if (expected > RAISE_BELOW * this.#options.maxOverhead) {
      this.#calmPeriods = 0
      return false
    }
    return ++this.#calmPeriods >= this.#periodsToRaise
  }

  #raise(): RateChange {
    this.#raised++
    // Calm ever since the last one, and for long.
    if (this.#periodsSinceRaise === this.#periodsToRaise && this.#periodsToRaise >= PERIODS_OF_MEAN)
      this.#periodsToRaise = Math.max(PERIODS_TO_RAISE, Math.floor(this.#periodsToRaise / 2))
    this.#periodsSinceRaise = 0
    return this.#change(this.#nextHz(), this.#lastOverhead)
  }

  /** At the full rate for long: what happened before is forgotten. */
  #forgive(): null {
    if (++this.#calmPeriods > PERIODS_TO_RAISE_MAX) this.#periodsToRaise = PERIODS_TO_RAISE
    return null
  }

  #nextHz(): number {
    return Math.min(this.#options.rateHz, Math.ceil(this.#rateHz * RAISE_BY))
  }

  #change(toHz: number, overhead: number): RateChange {
    const change = { fromHz: this.#rateHz, toHz, overhead }
    this.#rateHz = toHz
    this.#overheads = []
    this.#calmPeriods = 0
    return change
  }
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** A share as people read it: '1.3 %'. */
export function percentText(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`
}
