/**
 * Lets the first records of a message through and counts the rest of them for a minute: a collector that refuses
 * every request must not fill the node's disk. What was held back is told with the next record, or at the minute's end.
 */

const WINDOW_MS = 60_000
const SHOWN_PER_WINDOW = 3
/** Messages are constants of our code, so this many are never alive; a bound all the same. */
const KEYS_MAX = 500

interface Repeats {
  windowStartMs: number
  shown: number
  heldBack: number
}

/** How often a message was held back since it was last shown. */
export interface HeldBack {
  readonly key: string
  readonly count: number
}

export class RepeatLimit {
  readonly #byKey = new Map<string, Repeats>()

  /** Null: hold this record back. Else the number of records of `key` held back before it. */
  admit(key: string, nowMs: number): number | null {
    const entry = this.#entry(key, nowMs)
    if (entry.shown >= SHOWN_PER_WINDOW) {
      entry.heldBack++
      return null
    }
    entry.shown++
    const before = entry.heldBack
    entry.heldBack = 0
    return before
  }

  /** Whether any message has something to tell. */
  get holdsBack(): boolean {
    for (const { heldBack } of this.#byKey.values()) if (heldBack > 0) return true
    return false
  }

  /** What was held back of messages whose minute is over (all of them: `atOnce`), each told once. */
  takeOver(nowMs: number, atOnce: boolean): HeldBack[] {
    const over: HeldBack[] = []
    for (const [key, entry] of this.#byKey) {
      // A clock that was set back must not keep a message silent.
      const age = nowMs - entry.windowStartMs
      if (!atOnce && age >= 0 && age < WINDOW_MS) continue
      if (entry.heldBack > 0) over.push({ key, count: entry.heldBack })
      this.#byKey.delete(key)
    }
    return over
  }

  #entry(key: string, nowMs: number): Repeats {
    const known = this.#byKey.get(key)
    if (known === undefined) {
      if (this.#byKey.size >= KEYS_MAX) return { windowStartMs: nowMs, shown: 0, heldBack: 0 }
      const fresh = { windowStartMs: nowMs, shown: 0, heldBack: 0 }
      this.#byKey.set(key, fresh)
      return fresh
    }
    const age = nowMs - known.windowStartMs
    if (age < 0 || age >= WINDOW_MS) Object.assign(known, { windowStartMs: nowMs, shown: 0 })
    return known
  }
}
