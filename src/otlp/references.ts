/**
 * The rules that a reader holds senders to: indices in range (P-03), zero values first (P-02), keys once in a set
 * (P-05), what a sample must have (P-11), ids and payloads whole (P-16, P-17). All throw AgentError input_invalid with
 * the field and its indices. What is only recommended is conformance.ts's business.
 */
import { inconsistent } from './faults.ts'
import {
  type AnyValue,
  type Dictionary,
  type KeyValue,
  listAt,
  listCount,
  type OtlpProfile,
  type ProfilesData,
  type ValueTypeIndices,
} from './model.ts'
import { isZeroEntry } from './zero-entry.ts'

/** Up to so many keys are compared pair by pair; a set costs more. */
const FEW = 8

/** Whether there is any: envelopes may be empty, and then nothing is said of the dictionary. */
export function hasProfiles({ resourceProfiles }: ProfilesData): boolean {
  return resourceProfiles.some(({ scopeProfiles }) =>
    scopeProfiles.some(({ profiles }) => profiles.length > 0),
  )
}

/** Everything at once. */
export function checkReferences(data: ProfilesData): void {
  const check = new ReferenceCheck(data)
  for (let resource = 0; resource < data.resourceProfiles.length; resource++) check.resource(resource)
}

/** Made once per message, which checks the dictionary; then single profiles, for those who drop only the bad ones. */
export class ReferenceCheck {
  readonly #data: ProfilesData
  readonly #dictionary: Dictionary
  /** By attribute: the same number for the same key. */
  readonly #keyOf: Int32Array

  constructor(data: ProfilesData) {
    this.#data = data
    if (data.dictionary === null && hasProfiles(data)) inconsistent('dictionary is missing')
    this.#dictionary = data.dictionary ?? EMPTY
    this.#keyOf = keysOf(this.#dictionary)
    if (data.dictionary !== null && hasProfiles(data)) this.#tables()
  }

  /** A resource with all below it. */
  resource(index: number): void {
    const { resource, scopeProfiles } = this.#data.resourceProfiles[index]!
    const path = `resource_profiles[${index}]`
    if (resource) this.#keyed(resource.attributes, `${path}.resource.attributes`)
    for (const [s, { scope, profiles }] of scopeProfiles.entries()) {
      if (scope) this.#keyed(scope.attributes, `${path}.scope_profiles[${s}].scope.attributes`)
      for (let p = 0; p < profiles.length; p++) this.profile(index, s, p)
    }
  }

  profile(resource: number, scope: number, index: number): void {
    const profile = this.#data.resourceProfiles[resource]!.scopeProfiles[scope]!.profiles[index]!
    const path = `resource_profiles[${resource}].scope_profiles[${scope}].profiles[${index}]`
    this.#type(profile.sampleType, `${path}.sample_type`)
    this.#type(profile.periodType, `${path}.period_type`)
    this.#set(profile.attributeIndices, () => `${path}.attribute_indices`)
    const { profileId, originalPayload, originalPayloadFormat } = profile
    if (profileId.length > 0 && (profileId.length !== 16 || profileId.every((byte) => byte === 0))) {
      inconsistent(`${path}.profile_id must be 16 bytes, not all zero; it has ${profileId.length}`)
    }
    if (originalPayload.length > 0 !== (originalPayloadFormat !== '')) {
      inconsistent(`${path}.original_payload and original_payload_format must come together`)
    }
    this.#samples(profile, path)
  }

  #samples({ samples }: OtlpProfile, path: string): void {
    const { stackIndex, linkIndex, attributeIndices, valueStart, timestampStart } = samples
    const stacks = listCount(this.#dictionary.stackTable)
    const links = this.#dictionary.linkTable.length
    for (let i = 0; i < stackIndex.length; i++) {
      const at = (field: string) => `${path}.samples[${i}]${field}`
      if (!isIndex(stackIndex[i]!, stacks)) outside(at('.stack_index'), stackIndex[i]!, 'stack_table', stacks)
      if (!isIndex(linkIndex[i]!, links)) outside(at('.link_index'), linkIndex[i]!, 'link_table', links)
      this.#set(listAt(attributeIndices, i), () => at('.attribute_indices'))
      const values = valueStart[i + 1]! - valueStart[i]!
      const times = timestampStart[i + 1]! - timestampStart[i]!
      if (values === 0 && times === 0) inconsistent(`${at('')} has neither values nor timestamps`)
      if (values > 0 && times > 0 && values !== times) {
        inconsistent(`${at('')} has ${values} values for ${times} timestamps`)
      }
    }
  }

  #tables(): void {
    const { mappingTable, locationTable, functionTable, linkTable, attributeTable } = this.#dictionary
    this.#zeroValues()
    for (const [i, mapping] of mappingTable.entries()) {
      this.#text(mapping.filenameStrindex, `dictionary.mapping_table[${i}].filename_strindex`)
      this.#set(mapping.attributeIndices, () => `dictionary.mapping_table[${i}].attribute_indices`)
    }
    for (const i of locationTable.keys()) this.#location(i)
    for (const [i, entry] of functionTable.entries()) {
      this.#text(entry.nameStrindex, `dictionary.function_table[${i}].name_strindex`)
      this.#text(entry.systemNameStrindex, `dictionary.function_table[${i}].system_name_strindex`)
      this.#text(entry.filenameStrindex, `dictionary.function_table[${i}].filename_strindex`)
    }
    for (const [i, { traceId, spanId }] of linkTable.entries()) {
      if (i > 0 && (traceId.length !== 16 || spanId.length !== 8)) {
        inconsistent(
          `dictionary.link_table[${i}] must have ids of 16 and 8 bytes, it has ${traceId.length} and ${spanId.length}`,
        )
      }
    }
    for (const [i, { keyStrindex, value, unitStrindex }] of attributeTable.entries()) {
      const path = `dictionary.attribute_table[${i}]`
      this.#text(keyStrindex, `${path}.key_strindex`)
      this.#text(unitStrindex, `${path}.unit_strindex`)
      this.#value(value, `${path}.value`)
    }
    this.#stacks()
  }

  #zeroValues(): void {
    for (const table of TABLES) {
      const size =
        table === 'stackTable' ? listCount(this.#dictionary.stackTable) : this.#dictionary[table].length
      const name = table.replace('Table', '_table')
      if (size === 0) inconsistent(`dictionary.${name} is empty; its entry 0 must be the zero value`)
      if (!isZeroEntry(this.#dictionary, table)) inconsistent(`dictionary.${name}[0] must be the zero value`)
    }
  }

  #location(index: number): void {
    const { mappingTable, functionTable, locationTable } = this.#dictionary
    const { mappingIndex, lines, attributeIndices } = locationTable[index]!
    const path = () => `dictionary.location_table[${index}]`
    if (!isIndex(mappingIndex, mappingTable.length)) {
      outside(`${path()}.mapping_index`, mappingIndex, 'mapping_table', mappingTable.length)
    }
    for (const [l, { functionIndex }] of lines.entries()) {
      if (!isIndex(functionIndex, functionTable.length)) {
        outside(`${path()}.lines[${l}].function_index`, functionIndex, 'function_table', functionTable.length)
      }
    }
    this.#set(attributeIndices, () => `${path()}.attribute_indices`)
  }

  #stacks(): void {
    const { stackTable, locationTable } = this.#dictionary
    for (let i = 0; i < listCount(stackTable); i++) {
      const wrong = listAt(stackTable, i).findIndex((index) => !isIndex(index, locationTable.length))
      if (wrong < 0) continue
      const path = `dictionary.stack_table[${i}].location_indices[${wrong}]`
      outside(path, listAt(stackTable, i)[wrong]!, 'location_table', locationTable.length)
    }
  }

  #type(type: ValueTypeIndices | null, path: string): void {
    if (type === null) return
    this.#text(type.typeStrindex, `${path}.type_strindex`)
    this.#text(type.unitStrindex, `${path}.unit_strindex`)
  }

  #text(index: number, path: string): void {
    const { length } = this.#dictionary.stringTable
    // Without a dictionary there is still the text that 0 means.
    if (!isIndex(index, Math.max(1, length))) outside(path, index, 'string_table', length)
  }

  /** A list of attributes: in range, each key once. `path` is only asked for in a fault. */
  #set(list: readonly number[] | Int32Array, path: () => string): void {
    const { length } = this.#keyOf
    for (let i = 0; i < list.length; i++) {
      if (!isIndex(list[i]!, length)) outside(`${path()}[${i}]`, list[i]!, 'attribute_table', length)
    }
    const twice = list.length <= FEW ? this.#pairTwice(list) : this.#setTwice(list)
    if (twice >= 0) {
      const { keyStrindex } = this.#dictionary.attributeTable[list[twice]!]!
      inconsistent(`${path()}[${twice}] has the key '${this.#dictionary.stringTable[keyStrindex]}' again`)
    }
  }

  /** Position of the first key that came before, -1 for none. */
  #pairTwice(list: readonly number[] | Int32Array): number {
    for (let i = 1; i < list.length; i++) {
      for (let j = 0; j < i; j++) if (this.#keyOf[list[i]!] === this.#keyOf[list[j]!]) return i
    }
    return -1
  }

  #setTwice(list: readonly number[] | Int32Array): number {
    const seen = new Set<number>()
    return list.findIndex((index) => seen.size === seen.add(this.#keyOf[index]!).size)
  }

  #keyed(attributes: readonly KeyValue[], path: string): void {
    const seen = new Set<string>()
    for (const [i, { key, keyStrindex, value }] of attributes.entries()) {
      if (key !== '' && keyStrindex !== 0) inconsistent(`${path}[${i}] has both key and key_strindex`)
      this.#text(keyStrindex, `${path}[${i}].key_strindex`)
      const name = key || (this.#dictionary.stringTable[keyStrindex] ?? '')
      if (seen.has(name)) inconsistent(`${path}[${i}] has the key '${name}' again`)
      seen.add(name)
      this.#value(value, `${path}[${i}].value`)
    }
  }

  #value(value: AnyValue, path: string): void {
    if (value.kind === 'strindex') this.#text(value.value, `${path}.string_value_strindex`)
    else if (value.kind === 'array') {
      for (const [i, element] of value.values.entries())
        this.#value(element, `${path}.array_value.values[${i}]`)
    } else if (value.kind === 'kvlist') this.#keyed(value.values, `${path}.kvlist_value.values`)
  }
}

/** Tables of the dictionary, in the order of the schema. */
export const TABLES = [
  'mappingTable',
  'locationTable',
  'functionTable',
  'linkTable',
  'stringTable',
  'attributeTable',
  'stackTable',
] as const

/** Stands for a dictionary that was not sent. */
const EMPTY: Dictionary = {
  mappingTable: [],
  locationTable: [],
  functionTable: [],
  linkTable: [],
  stringTable: [],
  attributeTable: [],
  stackTable: { start: new Int32Array(1), values: new Int32Array(0) },
}

function keysOf({ attributeTable, stringTable }: Dictionary): Int32Array {
  const ids = new Map<string, number>()
  return Int32Array.from(attributeTable, ({ keyStrindex }) => {
    const key = stringTable[keyStrindex] ?? ''
    const known = ids.get(key)
    if (known === undefined) ids.set(key, ids.size)
    return known ?? ids.size - 1
  })
}

function isIndex(index: number, length: number): boolean {
  return index >= 0 && index < length
}

function outside(path: string, index: number, table: string, length: number): never {
  return inconsistent(`${path} is ${index}, ${table} has ${length} entries`)
}
