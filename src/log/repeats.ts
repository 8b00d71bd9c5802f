/**
 * Lets the first records of a message through and counts the rest of them for a minute: a collector that refuses
 * every request must not fill the node's disk. What was held back is told with the next record, or at the minute's end.
 * A message about another thing, or for another reason, is no repeat; how many of these are shown has a bound too, since
 * some of their text is chosen by receivers.
 */

const WINDOW_MS = 60_000
const SHOWN_PER_VARIANT = 3
const SHOWN_PER_WINDOW = 20
/** Messages are constants of our code, so this many are never alive; a bound all the same. */
const KEYS_MAX = 500

interface Variant {
  shown: number
  heldBack: number
}

interface Repeats {
  windowStartMs: number
  shown: number
  readonly variants: Map<string, Variant>
}

/** How often a message was held back since it was last shown. */
export interface HeldBack {
  readonly key: string
  readonly count: number
}

export class RepeatLimit {
  readonly #byKey = new Map<string, Repeats>()

  /**
   * Null: hold this record back. Else the number of records like it held back before it. `key`: its message; `variant`:
   * what it is about.
   */
  admit(key: string, variant: string, nowMs: number): number | null {
    const entry = this.#entry(key, nowMs)
    const isFull = entry.shown >= SHOWN_PER_WINDOW
    // All that come for the first time above the bound are counted as one.
    const like = variantOf(entry, isFull && !entry.variants.has(variant) ? '' : variant)
    if (isFull || like.shown >= SHOWN_PER_VARIANT) {
      like.heldBack++
      return null
    }
    entry.shown++
    like.shown++
    const before = like.heldBack
    like.heldBack = 0
    return before
  }

  /** Whether any message has something to tell. */
  get holdsBack(): boolean {
    for (const entry of this.#byKey.values()) if (heldBackOf(entry) > 0) return true
    return false
  }

  /** What was held back of messages whose minute is over (all of them: `atOnce`), each told once. */
  takeOver(nowMs: number, atOnce: boolean): HeldBack[] {
    const over: HeldBack[] = []
    for (const [key, entry] of this.#byKey) {
      if (!atOnce && !isOver(entry, nowMs)) continue
      const count = heldBackOf(entry)
      if (count > 0) over.push({ key, count })
      this.#byKey.delete(key)
    }
    return over
  }

  #entry(key: string, nowMs: number): Repeats {
    const known = this.#byKey.get(key)
    if (known === undefined) {
      const fresh = { windowStartMs: nowMs, shown: 0, variants: new Map() }
      if (this.#byKey.size < KEYS_MAX) this.#byKey.set(key, fresh)
      return fresh
    }
    if (isOver(known, nowMs)) {
      Object.assign(known, { windowStartMs: nowMs, shown: 0 })
      for (const [variant, like] of known.variants)
        if (like.heldBack > 0) like.shown = 0
        else known.variants.delete(variant)
    }
    return known
  }
}

/** A clock that was set back must not keep a message silent. */
function isOver({ windowStartMs }: Repeats, nowMs: number): boolean {
  const age = nowMs - windowStartMs
  return age < 0 || age >= WINDOW_MS
}

function variantOf({ variants }: Repeats, variant: string): Variant {
  const known = variants.get(variant)
  if (known !== undefined) return known
  const fresh = { shown: 0, heldBack: 0 }
  variants.set(variant, fresh)
  return fresh
}

function heldBackOf({ variants }: Repeats): number {
  let count = 0
  for (const { heldBack } of variants.values()) count += heldBack
  return count
}
