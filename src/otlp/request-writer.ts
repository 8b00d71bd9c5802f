/**
 * One request being written: samples by resource, period and column, and beside them the dictionary that they need.
 *
 * Samples are tried and taken back when they pass the limit, so no size is estimated twice. The parts are put together
 * at the end: ResourceProfiles, ScopeProfiles, a Profile message for each period and column (fields: model.ts's schema).
 */
import { randomFillSync } from 'node:crypto'
import { WireWriter } from '../protobuf/writer.ts'
import type { ContentTables } from './content.ts'
import { DictionaryWriter } from './dictionary-writer.ts'
import { SCHEMA_URL } from './keys.ts'
import type { SampleGroups } from './sample-groups.ts'
import type { SampleValues } from './sample-values.ts'

/** What every Profile message of all requests says; texts and sets by their ids in the content tables. */
export interface ProfileHead {
  readonly columns: readonly { readonly type: number; readonly unit: number }[]
  readonly periodType: { readonly type: number; readonly unit: number }
  /** By the index that groups have. */
  readonly periods: readonly bigint[]
  readonly timeNs: bigint
  readonly durationNs: bigint
  readonly attributes: number
}

/** Encoded messages that are the same in each request. */
export interface Envelope {
  readonly resources: readonly Uint8Array[]
  readonly scope: Uint8Array
}

export interface RequestParts {
  readonly tables: ContentTables
  readonly groups: SampleGroups
  readonly values: SampleValues
  readonly head: ProfileHead
  readonly envelope: Envelope
}

/** Samples of one resource and period; positions in the writers where each column's head and samples begin. */
interface Segment {
  readonly resource: number
  readonly period: number
  readonly heads: readonly number[]
  readonly samples: readonly number[]
}

/** Tags and lengths around a message. */
const FRAMING = 12
/** Of a Sample without its lists of numbers, and one value. */
const SAMPLE_FRAMING = 50
/** Of an index. */
const INDEX_BYTES = 5

export class RequestWriter {
  readonly #parts: RequestParts
  readonly #maxBytes: number
  readonly #dictionary: DictionaryWriter
  readonly #heads: WireWriter[]
  readonly #samples: WireWriter[]
  readonly #out = new WireWriter(1 << 16)
  #segments: Segment[] = []
  /** Of the segments: resources, scopes, and what goes around messages. */
  #envelopeBytes = 0
  /** Rows in it. */
  rows = 0

  constructor(parts: RequestParts, maxBytes: number) {
    this.#parts = parts
    this.#maxBytes = maxBytes
    this.#dictionary = new DictionaryWriter(parts.tables)
    this.#heads = parts.head.columns.map(() => new WireWriter(512))
    this.#samples = parts.head.columns.map(() => new WireWriter(1 << 16))
  }

  /**
   * Adds rows of group `group` from its row `from` on, as many as fit. Gives their number; 0 when none fits, and then
   * only `finish` may follow.
   */
  add(group: number, from: number): number {
    const { groups, values } = this.#parts
    this.#dictionary.mark()
    const segments = this.#segments.length
    this.openSegment(groups.resource[group]!, groups.period[group]!)
    const set = groups.attributes[group]!
    const stack = this.#dictionary.stack(groups.stack[group]!)
    const link = this.#dictionary.link(groups.link[group]!)
    const heads = this.#samples.length * (SAMPLE_FRAMING + INDEX_BYTES * this.#dictionary.useSet(set))
    const start = groups.start[group]! + from
    const end = groups.start[group + 1]!
    const take = rowsThatFit(end - start, this.#maxBytes - this.#size() - heads, values.rowBytes)
    if (take === 0) {
      this.#cutSegments(segments)
      this.#dictionary.cut()
      return 0
    }
    const rows = groups.rows.subarray(start, start + take)
    for (let column = 0; column < this.#samples.length; column++) {
      const writer = this.#samples[column]!
      const sample = writer.begin(2)
      writer.uint(1, stack)
      this.#dictionary.attributeSet(writer, 2, set)
      writer.uint(3, link)
      values.write(writer, rows, column)
      writer.end(sample)
    }
    this.rows += take
    return take
  }

  /** The request, and a new one begun. */
  finish(): Uint8Array {
    const out = this.#out
    out.length = 0
    for (let from = 0; from < this.#segments.length; ) from = this.#writeResource(out, from)
    const dictionary = out.begin(2)
    this.#dictionary.writeTo(out)
    out.end(dictionary)
    this.#reset()
    return out.finish()
  }

  /** The segments of one resource, from the first of them on; where the next resource begins. */
  #writeResource(out: WireWriter, first: number): number {
    const { envelope } = this.#parts
    const { resource } = this.#segments[first]!
    const resourceProfiles = out.begin(1)
    out.element(1, envelope.resources[resource]!)
    const scopeProfiles = out.begin(2)
    out.element(1, envelope.scope)
    let segment = first
    for (; this.#segments[segment]?.resource === resource; segment++) this.#writeProfiles(out, segment)
    out.text(3, SCHEMA_URL)
    out.end(scopeProfiles)
    out.text(3, SCHEMA_URL)
    out.end(resourceProfiles)
    return segment
  }

  /** A Profile message for each column. */
  #writeProfiles(out: WireWriter, index: number): void {
    const segment = this.#segments[index]!
    const next = this.#segments[index + 1]
    for (let column = 0; column < this.#samples.length; column++) {
      const profile = out.begin(2)
      const heads = this.#heads[column]!.view()
      const samples = this.#samples[column]!.view()
      out.raw(heads.subarray(segment.heads[column]!, next?.heads[column] ?? heads.length))
      out.raw(samples.subarray(segment.samples[column]!, next?.samples[column] ?? samples.length))
      out.end(profile)
    }
  }

  /** Makes `resource` and `period` those that samples are added to. */
  openSegment(resource: number, period: number): void {
    const last = this.#segments.at(-1)
    if (last?.resource === resource && last.period === period) return
    const samples = this.#samples.map(({ length }) => length)
    const heads = this.#heads.map(({ length }) => length)
    this.#segments.push({ resource, period, heads, samples })
    const { resources, scope } = this.#parts.envelope
    // As if each had an envelope of its own.
    this.#envelopeBytes += resources[resource]!.length + scope.length + 2 * SCHEMA_URL.length
    this.#envelopeBytes += (6 + samples.length) * FRAMING
    for (const [column, writer] of this.#heads.entries()) this.#writeHead(writer, column, period)
  }

  /** Takes back what was opened after the first `count`: the head of the last one ends where the next begins. */
  #cutSegments(count: number): void {
    const cut = this.#segments[count]
    if (cut) for (const [column, writer] of this.#heads.entries()) writer.length = cut.heads[column]!
    this.#segments.length = count
  }

  #reset(): void {
    this.#dictionary.reset()
    for (const writer of [...this.#heads, ...this.#samples]) writer.length = 0
    this.#segments = []
    this.#envelopeBytes = 0
    this.rows = 0
  }

  /** At most so many bytes will it be. */
  #size(): number {
    let size = this.#dictionary.length + FRAMING
    for (const writer of this.#heads) size += writer.length
    for (const writer of this.#samples) size += writer.length
    return size + this.#envelopeBytes
  }

  #writeHead(writer: WireWriter, column: number, period: number): void {
    const { columns, periodType, periods, timeNs, durationNs, attributes } = this.#parts.head
    this.#writeType(writer, 1, columns[column]!)
    writer.fixed64(3, timeNs)
    writer.int64(4, durationNs)
    this.#writeType(writer, 5, periodType)
    writer.int64(6, periods[period]!)
    writer.element(7, randomId())
    this.#dictionary.attributeSet(writer, 11, attributes)
  }

  #writeType(writer: WireWriter, field: number, { type, unit }: { type: number; unit: number }): void {
    const message = writer.begin(field)
    writer.uint(1, this.#dictionary.text(type))
    writer.uint(2, this.#dictionary.text(unit))
    writer.end(message)
  }
}

/** `rowBytes` 0: all rows are one value. */
function rowsThatFit(rows: number, room: number, rowBytes: number): number {
  if (room < rowBytes) return 0
  return rowBytes === 0 ? rows : Math.min(rows, Math.floor(room / rowBytes))
}

/** Random bytes in stock: asking for them costs the same for 16 as for 1024. */
const stock = new Uint8Array(1024)
let used = stock.length

/** 16 random bytes that are not all zero (P-17). */
function randomId(): Uint8Array {
  if (used === stock.length) {
    randomFillSync(stock)
    used = 0
  }
  const id = stock.subarray(used, used + 16)
  used += 16
  return id.some((byte) => byte !== 0) ? id : randomId()
}
