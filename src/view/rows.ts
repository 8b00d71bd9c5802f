/** Which sample rows a reader wants: those in a time range, with a label, with a broken stack. Decided per label set, not per row. */
import type { Profile } from '../model/profile.ts'
import { rowsBroken } from './broken.ts'
import { labelMatcher, rowsOfLabel } from './labels.ts'
import type { Chip, TimeRange } from './state.ts'

/** Rows that stay. */
export interface ChosenRows {
  /** 1 for each row that stays; null: all. */
  readonly rows: Uint8Array | null
  /** By chip that filters rows: how many rows it found, and why it cannot be understood. */
  readonly outcomes: ReadonlyMap<Chip, { readonly matched: number; readonly problem: string }>
}

/** Applies the row filters among the chips, and the range. */
export function chooseRows(profile: Profile, chips: readonly Chip[], range: TimeRange | null): ChosenRows {
  const outcomes = new Map<Chip, { matched: number; problem: string }>()
  let rows: Uint8Array | null = null
  for (const chip of chips) {
    if (chip.kind !== 'label' && chip.kind !== 'broken') continue
    const chosen = chip.kind === 'label' ? ofLabel(profile, chip.text) : rowsBroken(profile, chip.text)
    if (typeof chosen === 'string') {
      outcomes.set(chip, { matched: 0, problem: chosen })
      continue
    }
    outcomes.set(chip, { matched: countOf(chosen), problem: '' })
    rows = both(rows, chosen)
  }
  if (range !== null) rows = both(rows, rowsIn(profile, range))
  return { rows, outcomes }
}

/** Rows of a time range. All of them where the profile has no times. */
export function rowsIn({ samples }: Profile, { fromNs, toNs }: TimeRange): Uint8Array {
  const rows = new Uint8Array(samples.stack.length)
  const { timeNs } = samples
  if (timeNs === null) return rows.fill(1)
  for (let row = 0; row < rows.length; row++) if (timeNs[row]! >= fromNs && timeNs[row]! < toNs) rows[row] = 1
  return rows
}

/** Rows that are in both; null stands for all. */
export function both(one: Uint8Array | null, other: Uint8Array | null): Uint8Array | null {
  if (one === null || other === null) return one ?? other
  return one.map((isIn, row) => isIn & other[row]!)
}

function ofLabel(profile: Profile, text: string): Uint8Array | string {
  const matcher = labelMatcher(text)
  return typeof matcher === 'function' ? rowsOfLabel(profile, matcher) : matcher.problem
}

function countOf(rows: Uint8Array): number {
  let count = 0
  for (let row = 0; row < rows.length; row++) count += rows[row]!
  return count
}
