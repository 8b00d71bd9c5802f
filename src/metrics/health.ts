/**
 * Alive and ready, each with its reasons. Alive means that restarting would not help: the event loop turns and windows are
 * closed. It knows nothing of the exporter, since a collector that is down must not restart the agent of every node.
 * Ready means that this node is being profiled: the sampler runs, a first window came, the configuration is in force.
 */

export interface HealthCheck {
  readonly name: string
  readonly ok: boolean
  /** What is, or why not; one line. */
  readonly reason: string
}

export interface HealthReport {
  readonly alive: boolean
  readonly ready: boolean
  readonly checks: readonly HealthCheck[]
}

/** The loop's heart beats once a second (`beat`); a stall of this length is one a probe should see. */
const BEAT_AGE_MAX_MS = 15_000
/** Windows late by more than their own length are late; on top, time for a slow host to name a window. */
const WINDOW_SLACK_MS = 30_000

/** Told by the agent what happens, asked by the server. Times are of a clock that never steps (performance.now()). */
export class Health {
  readonly #nowMs: () => number
  #windowMs: number
  #beatMs: number
  #lastWindowMs: number
  #windows = 0
  #samplingFault = 'the sampler is starting'
  #configurationFault = ''

  constructor(windowMs: number, nowMs: () => number = () => performance.now()) {
    this.#windowMs = windowMs
    this.#nowMs = nowMs
    this.#beatMs = nowMs()
    this.#lastWindowMs = nowMs()
  }

  /** To be called every second, by a timer. */
  beat(): void {
    this.#beatMs = this.#nowMs()
  }

  /** The sampler runs, '', or why it does not. A sampler that was started anew has its time for a first window. */
  sampling(fault: string, windowMs: number = this.#windowMs): void {
    this.#samplingFault = fault
    this.#windowMs = windowMs
    if (fault === '') this.#lastWindowMs = this.#nowMs()
  }

  windowClosed(): void {
    this.#windows++
    this.#lastWindowMs = this.#nowMs()
  }

  /** The file's configuration is in force, '', or why it was refused; the former one goes on then. */
  configuration(fault: string): void {
    this.#configurationFault = fault
  }

  report(): HealthReport {
    const life = [this.#eventLoop(), this.#drained()]
    const readiness = [this.#sampling(), this.#firstWindow(), this.#configuration()]
    const alive = life.every(({ ok }) => ok)
    return { alive, ready: alive && readiness.every(({ ok }) => ok), checks: [...life, ...readiness] }
  }

  #eventLoop(): HealthCheck {
    const ageMs = this.#nowMs() - this.#beatMs
    const ok = ageMs <= BEAT_AGE_MAX_MS
    return { name: 'event_loop', ok, reason: ok ? 'it turns' : `it stood still for ${seconds(ageMs)}` }
  }

  #drained(): HealthCheck {
    const ageMs = this.#nowMs() - this.#lastWindowMs
    const ok = ageMs <= 2 * this.#windowMs + WINDOW_SLACK_MS
    const reason = ok
      ? 'windows are closed in time'
      : `no window was closed for ${seconds(ageMs)}, and they take ${seconds(this.#windowMs)}`
    return { name: 'sampler_drained', ok, reason }
  }

  #sampling(): HealthCheck {
    const ok = this.#samplingFault === ''
    return { name: 'sampling', ok, reason: ok ? 'the sampler runs' : this.#samplingFault }
  }

  #firstWindow(): HealthCheck {
    const ok = this.#windows > 0
    return { name: 'first_window', ok, reason: ok ? `${this.#windows} windows so far` : 'no window yet' }
  }

  #configuration(): HealthCheck {
    const ok = this.#configurationFault === ''
    const reason = ok ? 'in force' : `refused, the former one goes on: ${this.#configurationFault}`
    return { name: 'configuration', ok, reason }
  }
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
