/** Which column two profiles can be compared by. */
import type { Profile, ValueType } from './profile.ts'
import { sampleWeight } from './sample-count.ts'

/** The same type and unit in both, and its index in each. */
export interface CommonColumn {
  readonly type: ValueType
  readonly before: number
  readonly after: number
}

/** All columns that both have, in the order of the older profile. `name` keeps those of a type, or type/unit; '' all. */
export function commonColumns(before: Profile, after: Profile, name = ''): CommonColumn[] {
  return before.sampleTypes.flatMap((type, index) => {
    const other = after.sampleTypes.findIndex((t) => t.type === type.type && t.unit === type.unit)
    const isAsked = name === '' || name === type.type || name === typeName(type)
    return other >= 0 && isAsked ? [{ type, before: index, after: other }] : []
  })
}

/**
 * The column that the older profile shows first, unless there is another one whose samples can be counted and in this one
 * they cannot: only then differences can be told from noise. Undefined for an empty list.
 */
export function preferredColumn(
  before: Profile,
  after: Profile,
  columns: readonly CommonColumn[],
): CommonColumn | undefined {
  const first = columns.find((column) => column.before === before.defaultSampleType) ?? columns[0]
  const isCounted = (column: CommonColumn): boolean =>
    sampleWeight(before, column.before) !== null && sampleWeight(after, column.after) !== null
  return first === undefined || isCounted(first) ? first : (columns.find(isCounted) ?? first)
}

/** 'cpu/nanoseconds'. */
export function typeName({ type, unit }: ValueType): string {
  return `${type}/${unit}`
}
