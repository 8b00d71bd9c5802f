/**
 * pprof bytes of any producer -> Profile (https://github.com/google/pprof/blob/main/proto/profile.proto).
 *
 * Reads in two passes: tables, then samples. Lossless on content: `decode(encode(decode(x)))` equals `decode(x)`; ids
 * and string order are the file's business and are renumbered. Pure: unpacking gzip is the caller's. Every reference
 * is checked; what go's own reader silently drops (a location of an unknown mapping) is an error that names the id.
 */
import { AgentError } from '../errors.ts'
import { kindOfMappingName } from '../model/frame-kind.ts'
import { LIMITS } from '../model/limits.ts'
import type { Location, Mapping, Profile, ProfileFunction, ValueType } from '../model/profile.ts'
import { readSamples } from './decode-samples.ts'
import {
  type Id,
  looksLikePprof,
  type RawTables,
  type RawValueType,
  readTables,
  type TextOf,
} from './decode-tables.ts'
import { inconsistent, tooMany } from './faults.ts'
import { IdTable } from './id-table.ts'

/**
 * Decodes an uncompressed pprof message.
 *
 * Errors: AgentError input_invalid, `not a pprof profile: …` when it is something else, `the pprof profile is damaged
 * at byte n: …` when it breaks off or contradicts itself, `cannot read …` when it passes one of our limits.
 */
export function decodePprof(bytes: Uint8Array): Profile {
  refuseOtherFormats(bytes)
  const raw = readTables(bytes)
  const text = stringLookup(raw.strings)
  const mappingIds = new IdTable('mapping', raw.mappings)
  const functionIds = new IdTable('function', raw.functions)
  const locationIds = new IdTable('location', raw.locations)
  const sampleTypes = raw.sampleTypes.map((type) => valueType(type, text))
  const mappings = decodeMappings(raw, text)
  return {
    sampleTypes,
    ...defaultSampleType(sampleTypes, text(raw.defaultSampleType, 'the default sample type')),
    periodType: raw.periodType ? valueType(raw.periodType, text) : null,
    period: raw.period,
    timeNs: raw.timeNs,
    durationNs: raw.durationNs,
    mappings,
    functions: decodeFunctions(raw, text),
    locations: decodeLocations(raw, mappings, mappingIds, functionIds),
    ...readSamples(bytes, raw, locationIds, text),
    comments: raw.comments.map((index) => text(index, 'a comment')),
    dropFrames: text(raw.dropFrames, 'drop_frames'),
    keepFrames: text(raw.keepFrames, 'keep_frames'),
    docUrl: text(raw.docUrl, 'doc_url'),
    capture: null,
  }
}

function refuseOtherFormats(bytes: Uint8Array): void {
  const refuse = (reason: string) => {
    throw new AgentError('input_invalid', `not a pprof profile: ${reason}`)
  }
  if (bytes.length === 0) refuse('it is empty')
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) refuse('it is gzip data; unpack it first')
  if (!looksLikePprof(bytes)) refuse('it does not start with a field of the pprof message')
  if (bytes.length > LIMITS.pprofBytes) {
    tooMany(`it has ${bytes.length} bytes`, LIMITS.pprofBytes)
  }
}

function stringLookup(strings: readonly string[]): TextOf {
  if (strings.length > 0 && strings[0] !== '') inconsistent(`string 0 must be empty, it is '${strings[0]}'`)
  return (index, owner) => {
    if (index === 0) return ''
    return strings[index] ?? inconsistent(`${owner} is string ${index}, the table has ${strings.length}`)
  }
}

function valueType(raw: RawValueType, text: TextOf): ValueType {
  return { type: text(raw.type, 'the type of a value'), unit: text(raw.unit, 'the unit of a value') }
}

/** The column that `name` means; the last one when it means none, as profile.proto says. */
function defaultSampleType(
  sampleTypes: readonly ValueType[],
  name: string,
): Pick<Profile, 'defaultSampleType' | 'declaredDefaultType'> {
  const found = sampleTypes.findIndex((entry) => entry.type === name)
  const index = found >= 0 ? found : Math.max(0, sampleTypes.length - 1)
  const agrees = name === (sampleTypes[index]?.type ?? '')
  return { defaultSampleType: index, ...(agrees ? {} : { declaredDefaultType: name }) }
}

function decodeMappings(raw: RawTables, text: TextOf): Mapping[] {
  return raw.mappings.map(({ id, fileName, buildId, ...rest }) => ({
    ...rest,
    fileName: text(fileName, `the file name of mapping ${id}`),
    buildId: text(buildId, `the build id of mapping ${id}`),
  }))
}

function decodeFunctions(raw: RawTables, text: TextOf): ProfileFunction[] {
  return raw.functions.map((entry) => ({
    name: text(entry.name, `the name of function ${entry.id}`),
    systemName: text(entry.systemName, `the system name of function ${entry.id}`),
    fileName: text(entry.fileName, `the file name of function ${entry.id}`),
    startLine: sourcePosition(entry.startLine, `the start line of function ${entry.id}`),
  }))
}

function decodeLocations(
  raw: RawTables,
  mappings: readonly Mapping[],
  mappingIds: IdTable,
  functionIds: IdTable,
): Location[] {
  const kinds = mappings.map((mapping) => kindOfMappingName(mapping.fileName))
  return raw.locations.map((entry) => {
    const mapping = entry.mappingId === 0 ? -1 : mappingIds.find(entry.mappingId)
    if (mapping === undefined)
      inconsistent(`location ${entry.id} is in mapping ${entry.mappingId}, which is missing`)
    const lines = entry.lines.map((line) => {
      const index = functionIds.find(line.functionId)
      if (index === undefined)
        inconsistent(`location ${entry.id} names function ${line.functionId}, which is missing`)
      return {
        function: index,
        line: sourcePosition(line.line, `a line of location ${entry.id}`),
        column: sourcePosition(line.column, `a column of location ${entry.id}`),
      }
    })
    const kind = kinds[mapping] ?? 'native'
    return { mapping, address: entry.address, lines, isFolded: entry.isFolded, kind, unnamedReason: '' }
  })
}

function sourcePosition(value: Id, owner: string): number {
  return typeof value === 'number' ? value : inconsistent(`${owner} is ${value}`)
}
