/** The value of each key, who set it, and with what authority. */
import type { Value } from './key-type.ts'
import type { Taken } from './otel-environment.ts'

/** Ranks of who sets a key; the higher wins. */
export const RANK = { default: 0, file: 1, environment: 2, flag: 3 } as const
export type Rank = (typeof RANK)[keyof typeof RANK]

export class Settings {
  /** Key -> its value. */
  readonly values = new Map<string, Value>()
  /** Key -> who set it, in words. */
  readonly origins = new Map<string, string>()
  readonly #ranks = new Map<string, Rank>()

  /** Calls come in the order of their ranks: the last one stays. */
  set(path: string, { value, origin }: Taken, rank: Rank): void {
    this.values.set(path, value)
    this.origins.set(path, origin)
    this.#ranks.set(path, rank)
  }

  /** Of a key that is set. */
  rank(path: string): Rank {
    return this.#ranks.get(path)!
  }
}
