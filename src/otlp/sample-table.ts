/** Samples of OTLP as rows of the model: one for each timestamp, or one for a value without (P-12). */
import { toHex } from '../model/byte-text.ts'
import type { Label, SampleTable } from '../model/profile.ts'
import { LABEL_OF_ATTRIBUTE, SPAN_ID_LABEL, TRACE_ID_LABEL } from './keys.ts'
import { type Dictionary, listAt, type OtlpProfile, type SampleColumns } from './model.ts'
import { labelsOf, narrow, textAt } from './resolve.ts'

/** Distinct label sets of the samples of one scope. */
export class LabelSets {
  readonly sets: Label[][] = []
  readonly #ids = new Map<string, number>()
  readonly #dictionary: Dictionary
  readonly #isTranslated: boolean

  /** `isTranslated`: attributes of the semantic conventions get the names of our labels. */
  constructor(dictionary: Dictionary, isTranslated: boolean) {
    this.#dictionary = dictionary
    this.#isTranslated = isTranslated
  }

  id({ attributeIndices, linkIndex }: SampleColumns, sample: number): number {
    const indices = listAt(attributeIndices, sample)
    const key = `${linkIndex[sample]}:${indices.join()}`
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const labels = [...indices].flatMap((index) => this.#labels(index))
    labels.push(...this.#linkLabels(linkIndex[sample]!))
    this.#ids.set(key, this.sets.length)
    return this.sets.push(labels) - 1
  }

  #labels(index: number): Label[] {
    const { keyStrindex, value, unitStrindex } = this.#dictionary.attributeTable[index]!
    const key = textAt(this.#dictionary, keyStrindex)
    const name = (this.#isTranslated && LABEL_OF_ATTRIBUTE.get(key)) || key
    return labelsOf(name, value, textAt(this.#dictionary, unitStrindex), this.#dictionary)
  }

  #linkLabels(index: number): Label[] {
    if (index === 0) return []
    const { traceId, spanId } = this.#dictionary.linkTable[index]!
    return [
      { key: TRACE_ID_LABEL, str: toHex(traceId) },
      { key: SPAN_ID_LABEL, str: toHex(spanId) },
    ]
  }
}

/** Rows that all columns share, and where they come from. */
export interface Rows {
  readonly count: number
  readonly stack: Int32Array
  readonly labelSet: Int32Array
  readonly timeNs: Float64Array | null
}

/** `nodeOf`: leaf by stack index. `startNs`: what times are counted from. */
export function readRows(
  { samples }: OtlpProfile,
  nodeOf: Int32Array,
  labels: LabelSets,
  startNs: bigint,
): Rows {
  const { stackIndex, timestampStart, timestamps } = samples
  let count = 0
  for (let i = 0; i < stackIndex.length; i++) count += rowsOf(samples, i)
  const stack = new Int32Array(count)
  const labelSet = new Int32Array(count)
  // Samples without a time among others with one are at the start.
  const timeNs = timestamps.length > 0 ? new Float64Array(count) : null
  let row = 0
  for (let i = 0; i < stackIndex.length; i++) {
    const end = row + rowsOf(samples, i)
    stack.fill(nodeOf[stackIndex[i]!]!, row, end)
    labelSet.fill(labels.id(samples, i), row, end)
    for (let at = timestampStart[i]!; at < timestampStart[i + 1]!; at++) {
      timeNs![row + at - timestampStart[i]!] = Number(timestamps[at]! - startNs)
    }
    row = end
  }
  return { count, stack, labelSet, timeNs }
}

function rowsOf({ timestampStart }: SampleColumns, sample: number): number {
  return Math.max(1, timestampStart[sample + 1]! - timestampStart[sample]!)
}

/** Where times are counted from: the profile's start, or where that is not told the first sample. */
export function startOf({ timeUnixNano, samples }: OtlpProfile): bigint {
  if (timeUnixNano !== 0n || samples.timestamps.length === 0) return timeUnixNano
  let first = samples.timestamps[0]!
  for (const time of samples.timestamps) if (time < first) first = time
  return first
}

/** Values of each profile as a column; what a double cannot hold also goes to `wideValues`. */
export function readColumns(
  profiles: readonly OtlpProfile[],
  count: number,
): Pick<SampleTable, 'values' | 'wideValues'> {
  const wide = new Map<number, bigint>()
  const values = profiles.map(({ samples }, column) => {
    const cells = new Float64Array(count)
    let row = 0
    const put = (value: bigint) => {
      const narrowed = narrow(value)
      if (typeof narrowed === 'bigint') wide.set(row * profiles.length + column, value)
      cells[row++] = Number(narrowed)
    }
    for (let i = 0; i < samples.stackIndex.length; i++) {
      const rows = rowsOf(samples, i)
      const own = samples.values.subarray(samples.valueStart[i]!, samples.valueStart[i + 1]!)
      if (own.length === 0) row = cells.fill(1, row, row + rows) && row + rows
      else if (own.length === rows) for (const value of own) put(value)
      // Several values without timestamps: together they are what was measured.
      else
        put(
          BigInt.asIntN(
            64,
            own.reduce((sum, value) => sum + value),
          ),
        )
    }
    return cells
  })
  return { values, ...(wide.size > 0 ? { wideValues: wide } : {}) }
}
