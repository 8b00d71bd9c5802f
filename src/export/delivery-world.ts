/** What a delivery finds outside of itself. */

/** The clocks and the dice; tests bring their own. */
export interface DeliveryWorld {
  /** Wall clock, ms: for ages and what a human reads. */
  readonly nowMs: () => number
  /** A clock that never steps, ms: for waits. */
  readonly monotonicMs: () => number
  readonly random: () => number
  readonly setTimer: (call: () => void, ms: number) => () => void
}

export const REAL_WORLD: DeliveryWorld = {
  nowMs: Date.now,
  monotonicMs: () => performance.now(),
  random: Math.random,
  setTimer: (call, ms) => {
    const timer = setTimeout(call, ms)
    return () => clearTimeout(timer)
  },
}
