/**
 * Typed tables -> proto3 JSON as OTLP has it (P-40…P-44): lowerCamelCase keys, 64-bit integers as decimal text, trace and
 * span ids in hex, other bytes in base64. What is zero is left out. Reading is json-read.ts's.
 */
import { toBase64, toHex } from '../model/byte-text.ts'
import {
  type AnyValue,
  type Dictionary,
  type KeyValue,
  listAt,
  listCount,
  type OtlpProfile,
  type ProfilesData,
  type Resource,
  type Scope,
  type ValueTypeIndices,
} from './model.ts'

export { fromJson } from './json-read.ts'

export interface JsonOptions {
  /** `base64` by the spec; `hex` is what the Collector writes and wants (P-42). */
  readonly profileId?: 'base64' | 'hex'
}

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json }

/** The message as one line of JSON. */
export function toJson(data: ProfilesData, { profileId = 'base64' }: JsonOptions = {}): string {
  const { resourceProfiles, dictionary } = data
  return JSON.stringify(
    compact({
      resourceProfiles: resourceProfiles.map(({ resource, scopeProfiles, schemaUrl }) =>
        compact({
          resource: resource && resourceJson(resource),
          scopeProfiles: scopeProfiles.map(({ scope, profiles, schemaUrl: url }) =>
            compact({
              scope: scope && scopeJson(scope),
              profiles: profiles.map((profile) => profileJson(profile, profileId)),
              schemaUrl: url,
            }),
          ),
          schemaUrl,
        }),
      ),
      dictionary: dictionary && dictionaryJson(dictionary),
    }),
  )
}

/** Without what is zero, empty or absent. */
function compact(fields: Readonly<Record<string, Json | null>>): Json {
  const kept = Object.entries(fields).filter(([, value]) => !isZero(value))
  return Object.fromEntries(kept) as Json
}

function isZero(value: Json | null): boolean {
  if (value === null || value === 0 || value === '' || value === '0' || value === false) return true
  return Array.isArray(value) && value.length === 0
}

function resourceJson({ attributes, droppedAttributesCount, entityRefs }: Resource): Json {
  return compact({
    attributes: attributes.map(keyValueJson),
    droppedAttributesCount,
    entityRefs: entityRefs.map((entity) => compact({ ...entity })),
  })
}

function scopeJson({ name, version, attributes, droppedAttributesCount }: Scope): Json {
  return compact({ name, version, attributes: attributes.map(keyValueJson), droppedAttributesCount })
}

function keyValueJson({ key, keyStrindex, value }: KeyValue): Json {
  return compact({ key, keyStrindex, value: anyValueJson(value) })
}

function anyValueJson(value: AnyValue): Json {
  switch (value.kind) {
    case 'empty':
      return {}
    case 'string':
      return { stringValue: value.value }
    case 'bool':
      return { boolValue: value.value }
    case 'int':
      return { intValue: String(value.value) }
    case 'double':
      return { doubleValue: Number.isFinite(value.value) ? value.value : String(value.value) }
    case 'array':
      return { arrayValue: { values: value.values.map(anyValueJson) } }
    case 'kvlist':
      return { kvlistValue: { values: value.values.map(keyValueJson) } }
    case 'bytes':
      return { bytesValue: toBase64(value.value) }
    case 'strindex':
      return { stringValueStrindex: value.value }
  }
}

function typeJson(type: ValueTypeIndices | null): Json | null {
  return type && compact({ ...type })
}

function profileJson(profile: OtlpProfile, idEncoding: 'base64' | 'hex'): Json {
  return compact({
    sampleType: typeJson(profile.sampleType),
    samples: Array.from(profile.samples.stackIndex, (_, i) => sampleJson(profile, i)),
    timeUnixNano: String(profile.timeUnixNano),
    durationNano: String(profile.durationNano),
    periodType: typeJson(profile.periodType),
    period: String(profile.period),
    profileId: idEncoding === 'hex' ? toHex(profile.profileId) : toBase64(profile.profileId),
    droppedAttributesCount: profile.droppedAttributesCount,
    originalPayloadFormat: profile.originalPayloadFormat,
    originalPayload: toBase64(profile.originalPayload),
    attributeIndices: profile.attributeIndices,
  })
}

function sampleJson({ samples }: OtlpProfile, i: number): Json {
  const { stackIndex, attributeIndices, linkIndex, values, valueStart, timestamps, timestampStart } = samples
  return compact({
    stackIndex: stackIndex[i]!,
    attributeIndices: [...listAt(attributeIndices, i)],
    linkIndex: linkIndex[i]!,
    values: Array.from(values.subarray(valueStart[i], valueStart[i + 1]), String),
    timestampsUnixNano: Array.from(timestamps.subarray(timestampStart[i], timestampStart[i + 1]), String),
  })
}

function dictionaryJson(dictionary: Dictionary): Json {
  const { mappingTable, locationTable, functionTable, linkTable, attributeTable, stackTable } = dictionary
  return compact({
    mappingTable: mappingTable.map((entry) =>
      compact({
        memoryStart: String(entry.memoryStart),
        memoryLimit: String(entry.memoryLimit),
        fileOffset: String(entry.fileOffset),
        filenameStrindex: entry.filenameStrindex,
        attributeIndices: entry.attributeIndices,
      }),
    ),
    locationTable: locationTable.map((entry) =>
      compact({
        mappingIndex: entry.mappingIndex,
        address: String(entry.address),
        lines: entry.lines.map(({ functionIndex, line, column }) =>
          compact({ functionIndex, line: String(line), column: String(column) }),
        ),
        attributeIndices: entry.attributeIndices,
      }),
    ),
    functionTable: functionTable.map((entry) => compact({ ...entry, startLine: String(entry.startLine) })),
    linkTable: linkTable.map(({ traceId, spanId }) =>
      compact({ traceId: toHex(traceId), spanId: toHex(spanId) }),
    ),
    stringTable: dictionary.stringTable,
    attributeTable: attributeTable.map(({ keyStrindex, value, unitStrindex }) =>
      compact({ keyStrindex, value: value.kind === 'empty' ? null : anyValueJson(value), unitStrindex }),
    ),
    stackTable: Array.from({ length: listCount(stackTable) }, (_, i) =>
      compact({ locationIndices: [...listAt(stackTable, i)] }),
    ),
  })
}
