/**
 * Rows of samples by what tells them apart in OTLP (P-10): resource, stack, attributes and link. One group is one
 * Sample, and its rows are that Sample's timestamps.
 */
import { PairTable } from '../model/pair-table.ts'
import type { ContentTables } from './content.ts'
import type { LabelColumns } from './label-attributes.ts'

/** Columns by group, and the groups in the order in which they are written: those of one resource side by side. */
export interface SampleGroups {
  readonly count: number
  readonly order: Int32Array
  readonly resource: Int32Array
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
): SampleGroups {
  const { stack, labelSet } = tables.profile.samples
  // Label sets that differ only in what OTLP leaves out are one.
  const contents = new PairTable()
  const owners = new PairTable()
  const ownerOf = Int32Array.from(labels.attributes, (set, index) =>
    owners.intern(contents.intern(set, labels.link[index]!), resourceOfLabelSet[index]!),
  )
  const groups = new PairTable()
  const groupOf = new Int32Array(stack.length)
  for (let row = 0; row < stack.length; row++) {
    const node = stack[row]!
    groupOf[row] = groups.intern(node < 0 ? 0 : tables.stackOf[node]!, ownerOf[labelSet[row]!]!)
  }
  const { first, second } = groups.columns()
  const resource = second.map((owner) => owners.secondOf(owner))
  return {
    count: groups.size,
    order: sortedBy(resource),
    resource,
    stack: first,
    attributes: second.map((owner) => contents.firstOf(owners.firstOf(owner))),
    link: second.map((owner) => contents.secondOf(owners.firstOf(owner))),
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
