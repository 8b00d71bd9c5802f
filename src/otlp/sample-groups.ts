/**
 * Rows of samples by what tells them apart in OTLP (P-10): resource, period, stack, attributes and link. One group is
 * one Sample, and its rows are that Sample's timestamps.
 */
import { PairTable } from '../model/pair-table.ts'
import type { ContentTables } from './content.ts'
import type { LabelColumns } from './label-attributes.ts'
import type { SamplePeriods } from './sample-periods.ts'

/** Columns by group, and the groups in the order in which they are written: those of one resource side by side, and of one period in it. */
export interface SampleGroups {
  readonly count: number
  readonly order: Int32Array
  readonly resource: Int32Array
  /** Index of the period. */
  readonly period: Int32Array
  readonly stack: Int32Array
  readonly attributes: Int32Array
  readonly link: Int32Array
  /** Rows of group g: rows[start[g]..start[g + 1]), in their order. */
  readonly start: Int32Array
  readonly rows: Int32Array
}

export function groupSamples(
  tables: ContentTables,
  labels: LabelColumns,
  resourceOfLabelSet: Int32Array,
  { periods, ofRow }: SamplePeriods,
): SampleGroups {
  const { samples } = tables.profile
  // Label sets that differ only in what OTLP leaves out are one.
  const contents = new PairTable()
  const owners = new PairTable()
  const ownerOf = Int32Array.from(labels.attributes, (set, index) =>
    owners.intern(contents.intern(set, labels.link[index]!), resourceOfLabelSet[index]!),
  )
  const groups = new PairTable()
  const groupOf = new Int32Array(samples.stack.length)
  for (const [row, node] of samples.stack.entries()) {
    const key = ownerOf[samples.labelSet[row]!]! * periods.length + ofRow[row]!
    groupOf[row] = groups.intern(node < 0 ? 0 : tables.stackOf[node]!, key)
  }
  const { first: stack, second: keys } = groups.columns()
  const period = keys.map((key) => key % periods.length)
  const owner = keys.map((key) => Math.floor(key / periods.length))
  const resource = owner.map((id) => owners.secondOf(id))
  const content = owner.map((id) => owners.firstOf(id))
  return {
    count: groups.size,
    order: sortedBy(resource.map((index, group) => index * periods.length + period[group]!)),
    resource,
    period,
    stack,
    attributes: content.map((id) => contents.firstOf(id)),
    link: content.map((id) => contents.secondOf(id)),
    ...bucketed(groupOf, groups.size),
  }
}

/** Indices in the order of their keys, stable. */
function sortedBy(keys: Int32Array): Int32Array {
  const most = keys.reduce((a, b) => Math.max(a, b), -1)
  return bucketed(keys, most + 1).rows
}

/** Counting sort: the rows of each bucket end to end, each in ascending order. */
function bucketed(bucketOf: Int32Array, buckets: number): { start: Int32Array; rows: Int32Array } {
  const start = new Int32Array(buckets + 1)
  for (let row = 0; row < bucketOf.length; row++) start[bucketOf[row]! + 1]!++
  for (let bucket = 0; bucket < buckets; bucket++) start[bucket + 1]! += start[bucket]!
  const next = start.slice()
  const rows = new Int32Array(bucketOf.length)
  for (let row = 0; row < bucketOf.length; row++) rows[next[bucketOf[row]!]!++] = row
  return { start, rows }
}
