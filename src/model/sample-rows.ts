/**
 * Values of samples as files of other formats want them: exact integers, and merged where only the time told rows apart.
 *
 * Values of pprof and OTLP are int64. Doubles hold sums exactly up to 2^53 (104 days in nanoseconds); beyond, or where the profile
 * already carries wide values, everything is added up in bigints instead.
 */
import { PairTable } from './pair-table.ts'
import type { SampleTable } from './profile.ts'

/** Rows ready to encode; `value` gives an integer within int64. */
export interface SampleRows {
  readonly count: number
  readonly stack: Int32Array
  readonly labelSet: Int32Array
  value(row: number, column: number): number | bigint
}

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/** The rows as they are. */
export function exactValues(samples: SampleTable): SampleRows {
  const { stack, labelSet } = samples
  return { count: stack.length, stack, labelSet, value: (row, column) => exactValue(samples, row, column) }
}

/** One row per distinct (stack, label set), values added up, in the order of first appearance. */
export function mergeRows(samples: SampleTable): SampleRows {
  const pairs = new PairTable()
  const target = new Int32Array(samples.stack.length)
  for (let row = 0; row < target.length; row++) {
    target[row] = pairs.intern(samples.stack[row]!, samples.labelSet[row]!)
  }
  const sums = samples.values.map((_, column) => sumColumn(samples, column, target, pairs.size))
  const { first: stack, second: labelSet } = pairs.columns()
  return { count: pairs.size, stack, labelSet, value: (row, column) => sums[column]![row]! }
}

function sumColumn(
  samples: SampleTable,
  column: number,
  target: Int32Array,
  size: number,
): Float64Array | bigint[] {
  const sums = new Float64Array(size)
  const values = samples.values[column]!
  let exact = samples.wideValues === undefined
  for (let row = 0; exact && row < target.length; row++) {
    const sum = sums[target[row]!]! + Math.round(values[row]!)
    sums[target[row]!] = sum
    exact = Number.isSafeInteger(sum)
  }
  if (exact) return sums
  const wide = new Array<bigint>(size).fill(0n)
  for (let row = 0; row < target.length; row++) {
    wide[target[row]!]! += BigInt(exactValue(samples, row, column))
  }
  return wide.map(clampInt64)
}

/** A value as an integer within int64; what is no number is 0. */
export function exactValue(samples: SampleTable, row: number, column: number): number | bigint {
  const wide = samples.wideValues?.get(row * samples.values.length + column)
  if (wide !== undefined) return clampInt64(wide)
  const value = samples.values[column]![row]!
  if (Number.isSafeInteger(value)) return value
  if (!Number.isFinite(value)) return 0
  return Math.abs(value) < 2 ** 53 ? Math.round(value) : clampInt64(BigInt(value))
}

/** The nearest int64. */
export function clampInt64(value: bigint): bigint {
  return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : value
}
