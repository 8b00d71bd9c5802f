/**
 * What OpenTelemetry's own checker of profiles (`profcheck -check-dupes -check-orphans`) asks of a sender, as a
 * function: every test of ours that makes a request runs it. It is stricter than a reader may be (references.ts).
 */
import { AgentError } from '../errors.ts'
import {
  type AnyValue,
  type Dictionary,
  type KeyValue,
  listAt,
  listCount,
  type OtlpProfile,
  type ProfilesData,
  type SampleColumns,
} from './model.ts'
import { checkReferences, TABLES } from './references.ts'

/** All faults as sentences, none for a message that conforms. Cost: linear, but not meant for the hot path. */
export function check(data: ProfilesData): string[] {
  try {
    checkReferences(data)
  } catch (error) {
    if (error instanceof AgentError) return [error.message]
    throw error
  }
  return [...emptyLists(data), ...(data.dictionary ? checkDictionary(data, data.dictionary) : [])]
}

function* emptyLists({ resourceProfiles, dictionary }: ProfilesData): Iterable<string> {
  if (resourceProfiles.length === 0) yield 'resource_profiles is empty'
  if (dictionary === null) yield 'dictionary is missing'
  for (const [r, { resource, scopeProfiles }] of resourceProfiles.entries()) {
    if (resource === null) yield `resource_profiles[${r}].resource is missing`
    if (scopeProfiles.length === 0) yield `resource_profiles[${r}].scope_profiles is empty`
    for (const [s, { profiles }] of scopeProfiles.entries()) {
      if (profiles.length === 0) yield `resource_profiles[${r}].scope_profiles[${s}].profiles is empty`
    }
  }
}

function* profilesOf(data: ProfilesData): Iterable<readonly [path: string, profile: OtlpProfile]> {
  for (const [r, { scopeProfiles }] of data.resourceProfiles.entries()) {
    for (const [s, { profiles }] of scopeProfiles.entries()) {
      for (const [p, profile] of profiles.entries()) {
        yield [`resource_profiles[${r}].scope_profiles[${s}].profiles[${p}]`, profile]
      }
    }
  }
}

function* checkDictionary(data: ProfilesData, dictionary: Dictionary): Iterable<string> {
  for (const [path, profile] of profilesOf(data)) yield* checkSamples(path, profile)
  yield* checkEntries(dictionary)
  yield* duplicates(dictionary)
  yield* orphans(data, dictionary)
}

function* checkSamples(path: string, profile: OtlpProfile): Iterable<string> {
  const { samples, timeUnixNano, durationNano, periodType } = profile
  if (periodType === null) yield `${path}.period_type is missing`
  const shapes = new Set<string>()
  const identities = new Set<string>()
  const end = timeUnixNano + durationNano
  for (let i = 0; i < samples.stackIndex.length; i++) {
    const values = samples.valueStart[i + 1]! - samples.valueStart[i]!
    const times = samples.timestamps.subarray(samples.timestampStart[i], samples.timestampStart[i + 1])
    shapes.add(`${values > 0 ? 'values' : ''} ${times.length > 0 ? 'timestamps' : ''}`)
    if (times.length === 0 && values !== 1)
      yield `${path}.samples[${i}] has ${values} values and no timestamps`
    if (times.some((time) => time < timeUnixNano || time >= end)) {
      yield `${path}.samples[${i}].timestamps_unix_nano are not all within the profile's time`
    }
    const identity = identityOf(samples, i)
    if (identities.has(identity)) yield `${path}.samples[${i}] has stack, attributes and link of one before`
    identities.add(identity)
  }
  if (shapes.size > 1) yield `${path}.samples are of different shapes: ${[...shapes].join(', ')}`
}

function identityOf({ stackIndex, linkIndex, attributeIndices }: SampleColumns, i: number): string {
  return `${stackIndex[i]} ${linkIndex[i]} ${listAt(attributeIndices, i).slice().sort()}`
}

function* checkEntries(dictionary: Dictionary): Iterable<string> {
  for (const [i, { memoryStart, memoryLimit }] of dictionary.mappingTable.entries()) {
    const isUnset = memoryStart === 0n && memoryLimit === 0n
    if (!isUnset && memoryStart >= memoryLimit) {
      yield `dictionary.mapping_table[${i}].memory_start is not below its memory_limit`
    }
  }
  for (const [i, { lines }] of dictionary.locationTable.entries()) {
    if (lines.some(({ line, column }) => line < 0 || column < 0)) {
      yield `dictionary.location_table[${i}].lines have a negative line or column`
    }
  }
  for (const [i, { startLine }] of dictionary.functionTable.entries()) {
    if (startLine < 0) yield `dictionary.function_table[${i}].start_line is negative`
  }
  for (const [i, { keyStrindex }] of dictionary.attributeTable.entries()) {
    if (i > 0 && keyStrindex === 0) yield `dictionary.attribute_table[${i}].key_strindex is 0`
  }
  const [link] = dictionary.linkTable
  if (link!.traceId.length + link!.spanId.length > 0) yield 'dictionary.link_table[0] has ids'
}

function entriesOf(dictionary: Dictionary, table: keyof Dictionary): readonly unknown[] {
  if (table !== 'stackTable') return dictionary[table]
  const { stackTable } = dictionary
  return Array.from({ length: listCount(stackTable) }, (_, i) => [...listAt(stackTable, i)])
}

function* duplicates(dictionary: Dictionary): Iterable<string> {
  for (const table of TABLES) {
    const seen = new Map<string, number>()
    for (const [i, entry] of entriesOf(dictionary, table).entries()) {
      const content = JSON.stringify(entry, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
      const first = seen.get(content)
      if (first !== undefined) yield `dictionary.${snake(table)}[${i}] repeats entry ${first}`
      else seen.set(content, i)
    }
  }
}

function snake(table: string): string {
  return table.replace('Table', '_table')
}

function* orphans(data: ProfilesData, dictionary: Dictionary): Iterable<string> {
  const used = usedEntries(data, dictionary)
  for (const table of TABLES) {
    const count = entriesOf(dictionary, table).length
    for (let i = 1; i < count; i++)
      if (!used[table].has(i)) yield `dictionary.${snake(table)}[${i}] is never used`
  }
}

type Used = Readonly<Record<keyof Dictionary, Set<number>>>

function usedEntries(data: ProfilesData, dictionary: Dictionary): Used {
  const used = Object.fromEntries(TABLES.map((table) => [table, new Set<number>()])) as unknown as Used
  const mark = (table: keyof Dictionary, indices: Iterable<number>) => {
    for (const index of indices) used[table].add(index)
  }
  const text = (...indices: readonly number[]) => mark('stringTable', indices)
  const markKeyed = (attributes: readonly KeyValue[] | undefined) => {
    for (const { keyStrindex, value } of attributes ?? []) {
      text(keyStrindex)
      markValue(value)
    }
  }
  const markValue = (value: AnyValue): void => {
    if (value.kind === 'strindex') text(value.value)
    else if (value.kind === 'array') for (const element of value.values) markValue(element)
    else if (value.kind === 'kvlist') markKeyed(value.values)
  }
  for (const { resource, scopeProfiles } of data.resourceProfiles) {
    markKeyed(resource?.attributes)
    for (const { scope } of scopeProfiles) markKeyed(scope?.attributes)
  }
  for (const [, { sampleType, periodType, attributeIndices, samples }] of profilesOf(data)) {
    for (const type of [sampleType, periodType]) text(type?.typeStrindex ?? 0, type?.unitStrindex ?? 0)
    mark('attributeTable', attributeIndices)
    mark('attributeTable', samples.attributeIndices.values)
    mark('stackTable', samples.stackIndex)
    mark('linkTable', samples.linkIndex)
  }
  mark('locationTable', dictionary.stackTable.values)
  for (const { mappingIndex, lines, attributeIndices } of dictionary.locationTable) {
    mark('mappingTable', [mappingIndex])
    mark('attributeTable', attributeIndices)
    mark(
      'functionTable',
      lines.map(({ functionIndex }) => functionIndex),
    )
  }
  for (const { filenameStrindex, attributeIndices } of dictionary.mappingTable) {
    text(filenameStrindex)
    mark('attributeTable', attributeIndices)
  }
  for (const { nameStrindex, systemNameStrindex, filenameStrindex } of dictionary.functionTable) {
    text(nameStrindex, systemNameStrindex, filenameStrindex)
  }
  for (const { keyStrindex, value, unitStrindex } of dictionary.attributeTable) {
    text(keyStrindex, unitStrindex)
    markValue(value)
  }
  return used
}
