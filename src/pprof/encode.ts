/**
 * Profile -> pprof bytes (https://github.com/google/pprof/blob/main/proto/profile.proto), uncompressed.
 *
 * The messages are pprof-format's, but for the samples (sample-writer.ts). Pure: the page in the browser uses it too;
 * compressing is the caller's.
 * What pprof cannot say is lost: times per sample (rows that differ in nothing else become one), the capture report,
 * why a frame has no name. The kind of a frame travels in mapping names (frame-kind.ts).
 */
import {
  type LabelInput,
  type LocationInput,
  type MappingInput,
  Profile as ProfileMessage,
  Sample as SampleMessage,
  StringTable,
} from 'pprof-format'
import { kindOfMappingName, mappingNameOfKind } from '../model/frame-kind.ts'
import type { Label, Mapping, Profile } from '../model/profile.ts'
import { exactValues, mergeRows } from '../model/sample-rows.ts'
import { SampleWriter } from './sample-writer.ts'

/** The profile as an uncompressed pprof message. Never fails on a profile that `checkProfile` accepts. */
export function encodePprof(profile: Profile): Uint8Array {
  const strings = new StringTable()
  const labelSets = profile.labelSets.map((labels) => encodeLabels(labels, strings))
  // Two pieces end to end, which protobuf defines as one message.
  const tables = encodeTables(profile, strings)
  const samples = encodeSamples(profile, labelSets)
  const bytes = new Uint8Array(tables.length + samples.length)
  bytes.set(tables)
  bytes.set(samples, tables.length)
  return bytes
}

/** Everything but the samples. */
function encodeTables(profile: Profile, strings: StringTable): Uint8Array {
  const id = (text: string) => strings.dedup(text)
  const { mapping, mappingIds } = encodeMappings(profile, strings)
  const location = profile.locations.map(
    (entry, index): LocationInput => ({
      id: index + 1,
      mappingId: mappingIds[index] ?? 0,
      address: BigInt.asUintN(64, entry.address),
      line: entry.lines.map((line) => ({
        functionId: line.function + 1,
        line: line.line,
        column: line.column,
      })),
      isFolded: entry.isFolded,
    }),
  )
  const sampleType = profile.sampleTypes.map((type) => ({ type: id(type.type), unit: id(type.unit) }))
  const defaultType =
    profile.declaredDefaultType ?? profile.sampleTypes[profile.defaultSampleType]?.type ?? ''
  const message = new ProfileMessage({
    sampleType,
    mapping,
    location,
    function: profile.functions.map((entry, index) => ({
      id: index + 1,
      name: id(entry.name),
      systemName: id(entry.systemName),
      filename: id(entry.fileName),
      startLine: entry.startLine,
    })),
    timeNanos: profile.timeNs,
    durationNanos: profile.durationNs,
    ...(profile.periodType
      ? { periodType: { type: id(profile.periodType.type), unit: id(profile.periodType.unit) } }
      : {}),
    period: profile.period,
    comment: profile.comments.map(id),
    defaultSampleType: id(defaultType),
    dropFrames: id(profile.dropFrames),
    keepFrames: id(profile.keepFrames),
    docUrl: id(profile.docUrl),
    stringTable: strings,
  })
  // pprof-format 2.3.2 counts 0 bytes for a nameless ValueType but writes its tag and length: give it those two.
  const nameless = [...message.sampleType, ...(message.periodType ? [message.periodType] : [])]
  const missing = 2 * nameless.filter((type) => type.length === 0).length
  return message.encode(new Uint8Array(message.length + missing))
}

/** Mappings in their order, then a copy for each kind that a mapping's name does not say; `mappingIds` by location. */
function encodeMappings(
  profile: Profile,
  strings: StringTable,
): { mapping: MappingInput[]; mappingIds: Int32Array } {
  const mapping = profile.mappings.map((entry, index) =>
    encodeMapping(entry, entry.fileName, index + 1, strings),
  )
  const mappingKinds = profile.mappings.map((entry) => kindOfMappingName(entry.fileName))
  const copies = new Map<string, number>()
  const mappingIds = new Int32Array(profile.locations.length)
  for (const [index, location] of profile.locations.entries()) {
    mappingIds[index] = location.mapping + 1
    if (location.kind === (mappingKinds[location.mapping] ?? 'native')) continue
    const key = `${location.mapping} ${location.kind}`
    let id = copies.get(key)
    if (id === undefined) {
      id = mapping.length + 1
      copies.set(key, id)
      const original = profile.mappings[location.mapping] ?? NO_MAPPING
      mapping.push(encodeMapping(original, mappingNameOfKind(original.fileName, location.kind), id, strings))
    }
    mappingIds[index] = id
  }
  return { mapping, mappingIds }
}

/** Stands in for the mapping of a location that has none but must say a kind; it claims to be symbolized. */
const NO_MAPPING: Mapping = {
  start: 0n,
  limit: 0n,
  fileOffset: 0n,
  fileName: '',
  buildId: '',
  hasFunctions: true,
  hasFilenames: false,
  hasLineNumbers: false,
  hasInlineFrames: false,
}

function encodeMapping(entry: Mapping, fileName: string, id: number, strings: StringTable): MappingInput {
  return {
    id,
    memoryStart: BigInt.asUintN(64, entry.start),
    memoryLimit: BigInt.asUintN(64, entry.limit),
    fileOffset: BigInt.asUintN(64, entry.fileOffset),
    filename: strings.dedup(fileName),
    buildId: strings.dedup(entry.buildId),
    hasFunctions: entry.hasFunctions,
    hasFilenames: entry.hasFilenames,
    hasLineNumbers: entry.hasLineNumbers,
    hasInlineFrames: entry.hasInlineFrames,
  }
}

function encodeLabel(label: Label, strings: StringTable): LabelInput {
  return {
    key: strings.dedup(label.key),
    str: strings.dedup(label.str ?? ''),
    num: typeof label.num === 'number' ? Math.round(label.num) : (label.num ?? 0),
    numUnit: strings.dedup(label.unit ?? ''),
  }
}

/** An empty label means nothing to any reader, and pprof-format 2.3.2 miscounts its length. */
function isSomething({ key, str, num, numUnit }: LabelInput): boolean {
  return Boolean(key || str || num || numUnit)
}

/** The labels of one set as fields of a sample, end to end. */
function encodeLabels(labels: readonly Label[], strings: StringTable): Uint8Array {
  const inputs = labels.map((label) => encodeLabel(label, strings)).filter(isSomething)
  return new SampleMessage({ label: inputs }).encode()
}

function encodeSamples(profile: Profile, labelSets: readonly Uint8Array[]): Uint8Array {
  const rows = profile.samples.timeNs ? mergeRows(profile.samples) : exactValues(profile.samples)
  const writer = new SampleWriter(profile.stacks)
  for (let row = 0; row < rows.count; row++) {
    const values = profile.sampleTypes.map((_, column) => rows.value(row, column))
    writer.add(rows.stack[row]!, values, labelSets[rows.labelSet[row]!]!)
  }
  return writer.finish()
}
