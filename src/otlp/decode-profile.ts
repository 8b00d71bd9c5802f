/** Reads Profile and Sample messages; samples become columns. Tells payloads of older protos from damage (P-01). */
import { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from '../protobuf/reader.ts'
import {
  bytes,
  type Draft,
  type FieldReader,
  type Fields,
  fixed64,
  indices,
  int32,
  int64,
  one,
  readFields,
  text,
  uint32,
  uint64,
  within,
} from './decode-fields.ts'
import { outdated } from './faults.ts'
import { GrowingInts, GrowingLists } from './growing.ts'
import type { OtlpProfile, SampleColumns, ValueTypeIndices } from './model.ts'

/** A profile while it is read; it has no rows until a sample comes. */
export type ProfileDraft = Draft<Omit<OtlpProfile, 'samples'>> & { rows: SampleRows | null }

const NO_BYTES = new Uint8Array()

export function emptyProfile(): ProfileDraft {
  return {
    sampleType: null,
    rows: null,
    timeUnixNano: 0n,
    durationNano: 0n,
    periodType: null,
    period: 0n,
    profileId: NO_BYTES,
    droppedAttributesCount: 0,
    originalPayloadFormat: '',
    originalPayload: NO_BYTES,
    attributeIndices: [],
  }
}

export function finishProfile({ rows, ...rest }: ProfileDraft): OtlpProfile {
  return { ...rest, samples: rows?.finish() ?? NO_SAMPLES }
}

/** Columns of one profile's samples while they grow. */
export class SampleRows {
  readonly stack = new GrowingInts()
  readonly link = new GrowingInts()
  readonly attributes = new GrowingLists()
  /** Halves of 64-bit numbers, low first; starts count halves too. */
  readonly values = new GrowingLists()
  readonly times = new GrowingLists()
  /** Of the sample being read. */
  stackIndex = 0
  linkIndex = 0

  close(): void {
    this.stack.push(this.stackIndex)
    this.link.push(this.linkIndex)
    this.stackIndex = 0
    this.linkIndex = 0
    this.attributes.close()
    this.values.close()
    this.times.close()
  }

  finish(): SampleColumns {
    const halved = ({ start }: { start: Int32Array }) => start.map((at) => at / 2)
    return {
      stackIndex: this.stack.finish(),
      linkIndex: this.link.finish(),
      attributeIndices: this.attributes.finish(),
      valueStart: halved(this.values.finish()),
      values: this.values.values.finishWide(),
      timestampStart: halved(this.times.finish()),
      timestamps: new BigUint64Array(this.times.values.finishWide().buffer),
    }
  }
}

const NO_SAMPLES: SampleColumns = new SampleRows().finish()

const SAMPLE: Fields<SampleRows> = {
  1: (row, { reader }) => {
    reader.expect(WIRE_VARINT, 'stack_index')
    row.stackIndex = reader.int32('stack_index')
  },
  2: (row, { reader }) => {
    reader.repeated('attribute_indices', () => row.attributes.values.push(reader.int32('attribute_indices')))
  },
  3: (row, { reader }) => {
    if (reader.wireType === WIRE_BYTES) outdated(reader.start, 'a list where Sample has link_index')
    reader.expect(WIRE_VARINT, 'link_index')
    row.linkIndex = reader.int32('link_index')
  },
  4: (row, { reader }) => {
    const { values } = row.values
    reader.repeated('values', () => {
      reader.halves('values')
      values.push(reader.low)
      values.push(reader.high)
    })
  },
  5: (row, { reader }) => {
    if (reader.wireType === WIRE_VARINT) outdated(reader.start, 'an index where Sample has timestamps')
    const { values } = row.times
    const read = () => {
      reader.fixed64Halves('timestamps_unix_nano')
      values.push(reader.low)
      values.push(reader.high)
    }
    reader.repeated('timestamps_unix_nano', read, WIRE_FIXED64)
  },
}

const VALUE_TYPE: Fields<Draft<ValueTypeIndices>> = { 1: int32('typeStrindex'), 2: int32('unitStrindex') }
const emptyType = (): Draft<ValueTypeIndices> => ({ typeStrindex: 0, unitStrindex: 0 })

/** What stood in field 7 and 8 until proto 1.8 had other types. */
function since110<T>(wireType: number, sign: string, read: FieldReader<T>): FieldReader<T> {
  return (message, input) => {
    if (input.reader.wireType !== wireType) outdated(input.reader.start, sign)
    read(message, input)
  }
}

export const PROFILE: Fields<ProfileDraft> = {
  1: one('sampleType', emptyType, VALUE_TYPE),
  2: (profile, input) => {
    profile.rows ??= new SampleRows()
    const { rows } = profile
    within(input, 'samples', () => readFields(rows, input, SAMPLE))
    rows.close()
  },
  3: fixed64('timeUnixNano'),
  4: uint64('durationNano'),
  5: one('periodType', emptyType, VALUE_TYPE),
  6: int64('period'),
  7: since110(WIRE_BYTES, 'a number where Profile has profile_id', bytes('profileId')),
  8: since110(
    WIRE_VARINT,
    'bytes where Profile has dropped_attributes_count',
    uint32('droppedAttributesCount'),
  ),
  9: text('originalPayloadFormat'),
  10: bytes('originalPayload'),
  11: indices('attributeIndices'),
}
