/**
 * How long the pump may rest. A host where nothing happens is looked at once a second; where processes come and go it is
 * oftener, so that their files are opened while they live; and soon where rings fill or stacks wait for their tables.
 */

/** What a turn of the pump found. */
export interface TurnFindings {
  /** Stacks that wait for an unwind table. */
  readonly waiting: number
  readonly events: number
  /** Of the fuller ring, 0 to 1. */
  readonly ringUse: number
}

/** The ring of samples lasts for three of these (ring-size.ts). */
export const PAUSE_MS_MAX = 1000
export const PAUSE_MS_WITH_EVENTS = 200
const PAUSE_MS_MIN = 10
/** Rings lose nothing while they are emptied at this level. */
const RING_USE_MAX = 0.25
/** The kernel keeps some thousands between two turns. */
const EVENTS_MAX = 500
/** A table is loaded in milliseconds; one that takes longer is no reason to ask a hundred times a second. */
const WAITING_MS_MAX = 160
const GROWTH = 1.5

export class Pace {
  #pauseMs = PAUSE_MS_MIN
  #waits = 0

  /** Milliseconds until the next turn. */
  after({ waiting, events, ringUse }: TurnFindings): number {
    this.#waits = waiting > 0 ? this.#waits + 1 : 0
    const grownMs = Math.min(this.#pauseMs * GROWTH, events > 0 ? PAUSE_MS_WITH_EVENTS : PAUSE_MS_MAX)
    const isBusy = ringUse > RING_USE_MAX || events > EVENTS_MAX
    this.#pauseMs = isBusy ? Math.max(PAUSE_MS_MIN, this.#pauseMs / 2) : grownMs
    if (this.#waits === 0) return this.#pauseMs
    return Math.min(this.#pauseMs, WAITING_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(this.#waits, 8))
  }
}
