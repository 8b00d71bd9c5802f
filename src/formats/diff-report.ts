/** A comparison of two profile files as every writer of it gets it: the numbers, and what to call things. */
import type { ValueType } from '../model/profile.ts'
import type { Estimate } from '../stats/compare.ts'
import type { DiffChange, DiffRanking } from '../stats/diff-ranking.ts'
import type { DiffTable } from '../stats/diff-table.ts'
import type { DiffWords } from '../stats/diff-text.ts'

/** What the threshold of `--fail` found. */
export interface DiffGate {
  /** Points of percent that a total share must have grown by. */
  readonly points: number
  /** By shares, whatever the scale of the report; largest first. Functions of the table. */
  readonly failed: readonly DiffChange[]
}

/** Everything that is told of two files. */
export interface DiffReport {
  readonly files: { readonly before: string; readonly after: string }
  readonly column: ValueType
  readonly table: DiffTable
  readonly ranking: DiffRanking
  readonly words: DiffWords
  /** Weight of all samples per second, after divided by before; null when the times are not known. */
  readonly ratePerSecond: Estimate | null
  /** The sentence on top, and sentences worth knowing below. */
  readonly verdict: string
  readonly notes: readonly string[]
  /** Null when no threshold was given. */
  readonly gate: DiffGate | null
}
