/** The rows of a profile as a state leaves them: what time, labels and source lines are counted from. */
import type { Dataset } from './dataset.ts'
import type { FilterChain } from './filtered.ts'
import type { Scene } from './scene.ts'
import type { Chip } from './state.ts'

/** Weight of each row that chips and the rows of a scene leave, in the unit of its column; 0 for the others. */
export function rowWeights(
  { profile }: Dataset,
  chain: FilterChain,
  { rows, column }: Scene,
  chips: readonly Chip[],
): Float64Array {
  const { stack } = profile.samples
  const values = profile.samples.values[column] ?? new Float64Array(0)
  const isLeft = chain.stacksLeft(chips)
  const weights = new Float64Array(values.length)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    if (value > 0 && (rows === null || rows[row] === 1) && isLeft(stack[row]!)) weights[row] = value
  }
  return weights
}

/** Name of the innermost frame of a row, '' for an empty stack. */
export function leafName({ profile, structure, nodeOfStack, frames }: Dataset, row: number): string {
  const stack = profile.samples.stack[row]!
  return stack < 0 ? '' : frames.name[structure.frame[nodeOfStack[stack]!]!]!
}

/** What is true of a whole column. */
export interface ColumnFacts {
  /** Its weight, of the side that is looked at. */
  readonly total: number
  /** Rows below zero, which cannot be drawn. */
  readonly negative: number
}

/** Adds a column up. */
export function columnFacts({ profile, afterRows }: Dataset, column: number): ColumnFacts {
  const values = profile.samples.values[column] ?? new Float64Array(0)
  let [total, negative] = [0, 0]
  for (let row = 0; row < values.length; row++) {
    if (afterRows !== null && afterRows[row] === 0) continue
    if (values[row]! > 0) total += values[row]!
    else if (values[row]! < 0) negative++
  }
  return { total, negative }
}
