/**
 * OTLP profiles as their schema has them, decoded: proto 1.11, `opentelemetry.proto.profiles.v1development`.
 * https://github.com/open-telemetry/opentelemetry-proto/tree/v1.11.0/opentelemetry/proto/profiles/v1development
 *
 * Names and indices are the schema's; nothing is resolved here. What there may be millions of, samples and stacks, are
 * columns: entry i of a list column is [start[i], start[i + 1]) of its values.
 */

/** A value; `strindex` is text by its index in the string table, `empty` one that was not set. */
export type AnyValue =
  | { readonly kind: 'empty' }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'array'; readonly values: readonly AnyValue[] }
  | { readonly kind: 'kvlist'; readonly values: readonly KeyValue[] }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'strindex'; readonly value: number }

export interface KeyValue {
  readonly key: string
  /** Index in the string table; 0 where `key` is the key. */
  readonly keyStrindex: number
  readonly value: AnyValue
}

export interface KeyValueAndUnit {
  readonly keyStrindex: number
  readonly value: AnyValue
  readonly unitStrindex: number
}

export interface EntityRef {
  readonly schemaUrl: string
  readonly type: string
  readonly idKeys: readonly string[]
  readonly descriptionKeys: readonly string[]
}

export interface Resource {
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
  readonly entityRefs: readonly EntityRef[]
}

export interface Scope {
  readonly name: string
  readonly version: string
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
}

export interface ValueTypeIndices {
  readonly typeStrindex: number
  readonly unitStrindex: number
}

/** Many lists of integers, end to end. */
export interface Lists {
  /** One more entry than there are lists. */
  readonly start: Int32Array
  readonly values: Int32Array
}

/** Rows of samples. */
export interface SampleColumns {
  readonly stackIndex: Int32Array
  readonly linkIndex: Int32Array
  readonly attributeIndices: Lists
  readonly valueStart: Int32Array
  readonly values: BigInt64Array
  readonly timestampStart: Int32Array
  /** Unix nanoseconds. */
  readonly timestamps: BigUint64Array
}

export interface OtlpProfile {
  /** Null: not set. */
  readonly sampleType: ValueTypeIndices | null
  readonly samples: SampleColumns
  readonly timeUnixNano: bigint
  readonly durationNano: bigint
  readonly periodType: ValueTypeIndices | null
  readonly period: bigint
  /** 16 bytes, or none. */
  readonly profileId: Uint8Array
  readonly droppedAttributesCount: number
  readonly originalPayloadFormat: string
  readonly originalPayload: Uint8Array
  readonly attributeIndices: readonly number[]
}

export interface ScopeProfiles {
  readonly scope: Scope | null
  readonly profiles: readonly OtlpProfile[]
  readonly schemaUrl: string
}

export interface ResourceProfiles {
  readonly resource: Resource | null
  readonly scopeProfiles: readonly ScopeProfiles[]
  readonly schemaUrl: string
}

export interface OtlpMapping {
  readonly memoryStart: bigint
  readonly memoryLimit: bigint
  readonly fileOffset: bigint
  readonly filenameStrindex: number
  readonly attributeIndices: readonly number[]
}

export interface OtlpLine {
  readonly functionIndex: number
  readonly line: number | bigint
  readonly column: number | bigint
}

export interface OtlpLocation {
  readonly mappingIndex: number
  readonly address: bigint
  readonly lines: readonly OtlpLine[]
  readonly attributeIndices: readonly number[]
}

export interface OtlpFunction {
  readonly nameStrindex: number
  readonly systemNameStrindex: number
  readonly filenameStrindex: number
  readonly startLine: number | bigint
}

export interface OtlpLink {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
}

export interface Dictionary {
  readonly mappingTable: readonly OtlpMapping[]
  readonly locationTable: readonly OtlpLocation[]
  readonly functionTable: readonly OtlpFunction[]
  readonly linkTable: readonly OtlpLink[]
  readonly stringTable: readonly string[]
  readonly attributeTable: readonly KeyValueAndUnit[]
  /** Indices of locations, leaf first. */
  readonly stackTable: Lists
}

/** An ExportProfilesServiceRequest or a ProfilesData: one shape on the wire. */
export interface ProfilesData {
  readonly resourceProfiles: readonly ResourceProfiles[]
  /** Null: not set, which is right where there is no profile. */
  readonly dictionary: Dictionary | null
}

/** Number of lists. */
export function listCount(lists: Lists): number {
  return lists.start.length - 1
}

/** List i, not copied. */
export function listAt(lists: Lists, index: number): Int32Array {
  return lists.values.subarray(lists.start[index]!, lists.start[index + 1]!)
}
