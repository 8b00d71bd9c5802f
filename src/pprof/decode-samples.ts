/**
 * Second pass over a pprof file: the samples, as columns over a prefix tree of stacks.
 *
 * pprof lists a stack leaf first and repeats it in every sample; here each is walked from the root and interned, so
 * a million samples of a thousand stacks cost a thousand stacks. Label sets are interned by content.
 */
import { LIMITS } from '../model/limits.ts'
import { PairTable } from '../model/pair-table.ts'
import type { Label, Profile } from '../model/profile.ts'
import { WIRE_BYTES, WIRE_VARINT, WireReader } from '../protobuf/reader.ts'
import { type Id, type RawTables, SAMPLE_FIELD, type TextOf } from './decode-tables.ts'
import { damaged, inconsistent, tooMany } from './faults.ts'
import type { IdTable } from './id-table.ts'

/** Stacks, samples and label sets of the file, in its order. */
export function readSamples(
  bytes: Uint8Array,
  raw: RawTables,
  locationIds: IdTable,
  text: TextOf,
): Pick<Profile, 'stacks' | 'samples' | 'labelSets'> {
  refuseTooMany(bytes, raw)
  const columns = new SampleColumns(raw, locationIds, text)
  const reader = new WireReader(bytes, damaged)
  while (!reader.atEnd) {
    reader.tag()
    if (reader.field !== SAMPLE_FIELD) {
      reader.skip()
      continue
    }
    const outer = reader.enter('sample')
    columns.read(reader)
    reader.leave(outer)
  }
  return columns.finish()
}

function refuseTooMany(bytes: Uint8Array, raw: RawTables): void {
  const types = raw.sampleTypes.length
  if (raw.sampleCount > 0 && types === 0) inconsistent(`${raw.sampleCount} samples, but no sample types`)
  // Each value takes at least one byte: a claim of more is refused before the columns are allocated.
  if (raw.sampleCount * types > bytes.length) inconsistent('samples without their values')
  if (raw.sampleCount > LIMITS.samples) tooMany(`${raw.sampleCount} samples`, LIMITS.samples)
}

class SampleColumns {
  readonly #locationIds: IdTable
  readonly #text: TextOf
  readonly #tree = new PairTable()
  readonly #stack: Int32Array
  readonly #labelSet: Int32Array
  readonly #values: Float64Array[]
  readonly #wide = new Map<number, bigint>()
  readonly #labelSets: Label[][] = []
  readonly #labelSetIds = new Map<string, number>()
  #row = 0
  /** Nodes of the stack read last, root first. */
  readonly #path: number[] = []
  /** Of the sample being read: location indices leaf first, and how many values came. */
  readonly #frames: number[] = []
  #valueCount = 0
  #labels: Label[] = []
  /** Of all label sets together, for the limit. */
  #labelCount = 0

  constructor(raw: RawTables, locationIds: IdTable, text: TextOf) {
    this.#locationIds = locationIds
    this.#text = text
    this.#stack = new Int32Array(raw.sampleCount)
    this.#labelSet = new Int32Array(raw.sampleCount)
    this.#values = raw.sampleTypes.map(() => new Float64Array(raw.sampleCount))
  }

  read(reader: WireReader): void {
    this.#frames.length = 0
    this.#valueCount = 0
    this.#labels = []
    while (!reader.atEnd) {
      reader.tag()
      if (reader.field === 1) reader.repeated('location_id', () => this.#addFrame(reader.id('location_id')))
      else if (reader.field === 2) reader.repeated('value', () => this.#addValue(reader.signed('value')))
      else if (reader.field === 3) this.#addLabel(reader)
      else reader.skip()
    }
    if (this.#valueCount !== this.#values.length) {
      inconsistent(
        `sample ${this.#row + 1} has ${this.#valueCount} values for ${this.#values.length} sample types`,
      )
    }
    this.#stack[this.#row] = this.#internStack()
    this.#labelSet[this.#row] = this.#internLabels()
    this.#row++
  }

  finish(): Pick<Profile, 'stacks' | 'samples' | 'labelSets'> {
    const { first, second } = this.#tree.columns()
    return {
      stacks: { parent: first, location: second },
      samples: {
        stack: this.#stack,
        labelSet: this.#labelSet,
        timeNs: null,
        values: this.#values,
        ...(this.#wide.size > 0 ? { wideValues: this.#wide } : {}),
      },
      labelSets: this.#labelSets,
    }
  }

  #addFrame(id: Id): void {
    const index = this.#locationIds.find(id)
    if (index === undefined)
      inconsistent(`sample ${this.#row + 1} refers to location ${id}, which is missing`)
    if (this.#frames.length >= LIMITS.stackFrames) tooMany('a stack of more frames', LIMITS.stackFrames)
    this.#frames.push(index)
  }

  #addValue(value: number | bigint): void {
    const column = this.#values[this.#valueCount]
    if (!column) inconsistent(`sample ${this.#row + 1} has more values than sample types`)
    column[this.#row] = Number(value)
    if (typeof value === 'bigint') {
      if (this.#wide.size >= LIMITS.distinctEntries) tooMany('values beyond 2^53', LIMITS.distinctEntries)
      this.#wide.set(this.#row * this.#values.length + this.#valueCount, value)
    }
    this.#valueCount++
  }

  #addLabel(reader: WireReader): void {
    reader.expect(WIRE_BYTES, 'label')
    if (this.#labels.length >= LIMITS.sampleLabels) tooMany('a sample of more labels', LIMITS.sampleLabels)
    const outer = reader.enter('label')
    const indices = { key: 0, str: 0, unit: 0 }
    let num: number | bigint = 0
    while (!reader.atEnd) {
      reader.tag()
      if (reader.field < 1 || reader.field > 4) {
        reader.skip()
        continue
      }
      reader.expect(WIRE_VARINT, 'a field of a label')
      if (reader.field === 1) indices.key = reader.index('a label key')
      else if (reader.field === 2) indices.str = reader.index('a label text')
      else if (reader.field === 3) num = reader.signed('a label number')
      else indices.unit = reader.index('a label unit')
    }
    reader.leave(outer)
    const owner = `a label of sample ${this.#row + 1}`
    const key = this.#text(indices.key, owner)
    const str = this.#text(indices.str, owner)
    const unit = this.#text(indices.unit, owner)
    // A label without a text is a number, zero included: the format cannot tell a missing number from 0.
    const label: Label = {
      key,
      ...(str === '' ? {} : { str }),
      ...(str !== '' && num === 0 ? {} : { num }),
      ...(unit === '' ? {} : { unit }),
    }
    // Nothing at all: other readers drop it, and so do we.
    if (key !== '' || str !== '' || num !== 0 || unit !== '') this.#labels.push(label)
  }

  #internStack(): number {
    const frames = this.#frames
    const path = this.#path
    let node = -1
    let depth = 0
    // Neighbours mostly share their way down from the root: no need to look that up again.
    for (; depth < Math.min(frames.length, path.length); depth++) {
      if (this.#tree.secondOf(path[depth]!) !== frames[frames.length - 1 - depth]) break
      node = path[depth]!
    }
    path.length = depth
    for (; depth < frames.length; depth++) {
      node = this.#tree.intern(node, frames[frames.length - 1 - depth]!)
      path.push(node)
    }
    if (this.#tree.size > LIMITS.stackNodes)
      tooMany('more distinct stacks than fit in memory', LIMITS.stackNodes)
    return node
  }

  #internLabels(): number {
    const key = this.#labels.length === 0 ? '' : labelSetKey(this.#labels)
    const known = this.#labelSetIds.get(key)
    if (known !== undefined) return known
    this.#labelCount += 1 + this.#labels.length
    if (this.#labelCount > LIMITS.tableEntries) tooMany('too many distinct labels', LIMITS.tableEntries)
    this.#labelSetIds.set(key, this.#labelSets.length)
    this.#labelSets.push(this.#labels)
    return this.#labelSets.length - 1
  }
}

/** Equal for equal sets only: lengths go before texts, so nothing in a text can look like a border. */
function labelSetKey(labels: readonly Label[]): string {
  const part = (text: string) => `${text.length}:${text}`
  return labels
    .map(({ key, str, num, unit }) => `${part(key)}${part(str ?? '')}${part(unit ?? '')}${num};`)
    .join('')
}
