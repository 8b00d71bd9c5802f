/**
 * Keeps resident memory and BPF maps below `memoryLimit`. Above the soft limit, 80 % of it, those who hold memory only to
 * be faster or more comfortable (recorder, caches) give some back, the dearest to lose last. Above the hard one new
 * windows are refused and counted: losing windows is bad, being killed by the kernel loses the node.
 */

const SOFT_SHARE = 0.8
/** Freed memory returns to the kernel with a delay; asking again at once would empty every cache for nothing. */
const SHED_EVERY_MS = 10_000
/** Pressure ends this share of the limit below where it began. */
const RELIEF_SHARE = 0.05

export const PRESSURES = ['none', 'soft', 'hard'] as const
export type Pressure = (typeof PRESSURES)[number]

/** Frees about `bytes` (all it can: Infinity) and says how many it has freed. */
export type Shed = (bytes: number) => number

export interface MemoryStats {
  readonly usedBytes: number
  readonly softBytes: number
  readonly hardBytes: number
  readonly pressure: Pressure
  /** How often each stage was asked and gave something. */
  readonly shed: Readonly<Record<string, number>>
  /** Windows refused above the hard limit. */
  readonly refused: number
}

export class MemoryBudget {
  readonly #stages: { readonly name: string; readonly shed: Shed }[] = []
  readonly #shed: Record<string, number> = {}
  #limitBytes: number
  #usedBytes = 0
  #pressure: Pressure = 'none'
  #lastShedMs = Number.NEGATIVE_INFINITY
  #refused = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** Who can give memory back; those who come first are asked first. */
  add(name: string, shed: Shed): void {
    this.#stages.push({ name, shed })
    this.#shed[name] ??= 0
  }

  configure(limitBytes: number): void {
    this.#limitBytes = limitBytes
  }

  /**
   * A look at the memory in use, resident and maps; every few seconds. `timeMs` never steps back. The answer is the pressure
   * if it has changed, else null.
   */
  observe(timeMs: number, usedBytes: number): Pressure | null {
    const before = this.#pressure
    this.#usedBytes = usedBytes
    this.#pressure = this.#pressureAt(usedBytes)
    const worse = PRESSURES.indexOf(this.#pressure) > PRESSURES.indexOf(before)
    if (this.#pressure !== 'none' && (worse || timeMs - this.#lastShedMs >= SHED_EVERY_MS)) {
      this.#lastShedMs = timeMs
      this.#shedSome()
    }
    return this.#pressure === before ? null : this.#pressure
  }

  /** Whether another window may be kept; a refusal is counted. */
  admits(): boolean {
    if (this.#pressure !== 'hard') return true
    this.#refused++
    return false
  }

  stats(): MemoryStats {
    return {
      usedBytes: this.#usedBytes,
      softBytes: this.#limitBytes * SOFT_SHARE,
      hardBytes: this.#limitBytes,
      pressure: this.#pressure,
      shed: { ...this.#shed },
      refused: this.#refused,
    }
  }

  #pressureAt(usedBytes: number): Pressure {
    const share = usedBytes / this.#limitBytes
    const leaving = (limit: Pressure) => (this.#pressure === limit ? RELIEF_SHARE : 0)
    if (share > 1 - leaving('hard')) return 'hard'
    // Whoever comes down from hard is in the soft range until below that one's relief too.
    const inside = this.#pressure === 'none' ? 0 : RELIEF_SHARE
    return share > SOFT_SHARE - inside ? 'soft' : 'none'
  }

  #shedSome(): void {
    const goal = this.#limitBytes * (SOFT_SHARE - RELIEF_SHARE)
    let missing = this.#pressure === 'hard' ? Number.POSITIVE_INFINITY : this.#usedBytes - goal
    for (const { name, shed } of this.#stages) {
      if (missing <= 0) return
      const freed = shed(missing)
      if (freed > 0) this.#shed[name] = (this.#shed[name] ?? 0) + 1
      missing -= freed
    }
  }
}
