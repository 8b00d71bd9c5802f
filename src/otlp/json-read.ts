/** proto3 JSON -> typed tables: what json.ts writes, and what other senders write. Unknown keys are ignored. */
import { AgentError } from '../errors.ts'
import { LIMITS } from '../model/limits.ts'
import { finishProfile, SampleRows } from './decode-profile.ts'
import { MOST_NESTED, tooMany } from './faults.ts'
import { GrowingLists } from './growing.ts'
import { JsonNode } from './json-node.ts'
import type {
  AnyValue,
  Dictionary,
  KeyValue,
  OtlpProfile,
  ProfilesData,
  Resource,
  ResourceProfiles,
  Scope,
  ValueTypeIndices,
} from './model.ts'
import { checkReferences } from './references.ts'
import { narrow } from './resolve.ts'

/**
 * Reads a message and checks it as `decodeRequest` does.
 *
 * Errors: AgentError input_invalid, naming the field, or a limit. JSON objects cost fifty times their text, so their
 * number is counted before they are made.
 */
export function fromJson(text: string): ProfilesData {
  refuseManyObjects(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new AgentError('input_invalid', `the OTLP JSON is damaged: ${(cause as Error).message}`, { cause })
  }
  const root = new JsonNode(value)
  const dictionary = root.get('dictionary')
  const data: ProfilesData = {
    resourceProfiles: root.get('resourceProfiles').list().map(readResourceProfiles),
    dictionary: dictionary.isSet ? readDictionary(dictionary) : null,
  }
  checkReferences(data)
  return data
}

function refuseManyObjects(text: string): void {
  if (text.length > LIMITS.jsonBytes) tooMany(`it has ${text.length} characters`, LIMITS.jsonBytes)
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0x7b || unit === 0x5b) count++
  }
  if (count > LIMITS.jsonObjects) tooMany('too many objects and arrays', LIMITS.jsonObjects)
}

function readResourceProfiles(node: JsonNode): ResourceProfiles {
  const resource = node.get('resource')
  return {
    resource: resource.isSet ? readResource(resource) : null,
    scopeProfiles: node
      .get('scopeProfiles')
      .list()
      .map((entry) => {
        const scope = entry.get('scope')
        return {
          scope: scope.isSet ? readScope(scope) : null,
          profiles: entry.get('profiles').list().map(readProfile),
          schemaUrl: entry.get('schemaUrl').text(),
        }
      }),
    schemaUrl: node.get('schemaUrl').text(),
  }
}

function readResource(node: JsonNode): Resource {
  return {
    attributes: readKeyValues(node.get('attributes'), 0),
    droppedAttributesCount: node.get('droppedAttributesCount').uint32(),
    entityRefs: node
      .get('entityRefs')
      .list()
      .map((entity) => ({
        schemaUrl: entity.get('schemaUrl').text(),
        type: entity.get('type').text(),
        idKeys: readTexts(entity.get('idKeys')),
        descriptionKeys: readTexts(entity.get('descriptionKeys')),
      })),
  }
}

function readScope(node: JsonNode): Scope {
  return {
    name: node.get('name').text(),
    version: node.get('version').text(),
    attributes: readKeyValues(node.get('attributes'), 0),
    droppedAttributesCount: node.get('droppedAttributesCount').uint32(),
  }
}

function readTexts(node: JsonNode): string[] {
  return node.list().map((element) => element.text())
}

function readKeyValues(node: JsonNode, depth: number): KeyValue[] {
  return node.list().map((entry) => ({
    key: entry.get('key').text(),
    keyStrindex: entry.get('keyStrindex').int32(),
    value: readValue(entry.get('value'), depth),
  }))
}

/** Keys of the oneof and how each is read. */
const VALUES: Readonly<Record<string, (node: JsonNode, depth: number) => AnyValue>> = {
  stringValue: (node) => ({ kind: 'string', value: node.text() }),
  boolValue: (node) => ({ kind: 'bool', value: node.boolean() }),
  intValue: (node) => ({ kind: 'int', value: node.int64() }),
  doubleValue: (node) => ({ kind: 'double', value: node.double() }),
  arrayValue: (node, depth) => ({
    kind: 'array',
    values: node
      .get('values')
      .list()
      .map((element) => readValue(element, depth + 1)),
  }),
  kvlistValue: (node, depth) => ({ kind: 'kvlist', values: readKeyValues(node.get('values'), depth + 1) }),
  bytesValue: (node) => ({ kind: 'bytes', value: node.bytes() }),
  stringValueStrindex: (node) => ({ kind: 'strindex', value: node.int32() }),
}

function readValue(node: JsonNode, depth: number): AnyValue {
  if (depth > MOST_NESTED) tooMany('attribute values inside others', MOST_NESTED)
  if (!node.isSet) return { kind: 'empty' }
  for (const [key, read] of Object.entries(VALUES)) {
    const value = node.get(key)
    if (value.isSet) return read(value, depth)
  }
  return { kind: 'empty' }
}

function readType(node: JsonNode): ValueTypeIndices | null {
  if (!node.isSet) return null
  return { typeStrindex: node.get('typeStrindex').int32(), unitStrindex: node.get('unitStrindex').int32() }
}

function readIndices(node: JsonNode): number[] {
  return node.list().map((element) => element.int32())
}

function readProfile(node: JsonNode): OtlpProfile {
  const rows = new SampleRows()
  for (const sample of node.get('samples').list()) readSample(sample, rows)
  return finishProfile({
    sampleType: readType(node.get('sampleType')),
    rows,
    timeUnixNano: node.get('timeUnixNano').uint64(),
    durationNano: node.get('durationNano').uint64(),
    periodType: readType(node.get('periodType')),
    period: node.get('period').int64(),
    profileId: node.get('profileId').id(16),
    droppedAttributesCount: node.get('droppedAttributesCount').uint32(),
    originalPayloadFormat: node.get('originalPayloadFormat').text(),
    originalPayload: node.get('originalPayload').bytes(),
    attributeIndices: readIndices(node.get('attributeIndices')),
  })
}

function readSample(node: JsonNode, rows: SampleRows): void {
  rows.stackIndex = node.get('stackIndex').int32()
  rows.linkIndex = node.get('linkIndex').int32()
  for (const index of readIndices(node.get('attributeIndices'))) rows.attributes.values.push(index)
  for (const value of node.get('values').list()) pushWide(rows.values, value.int64())
  for (const time of node.get('timestampsUnixNano').list()) pushWide(rows.times, time.uint64())
  rows.close()
}

function pushWide({ values }: GrowingLists, value: bigint): void {
  values.push(Number(BigInt.asIntN(32, value)))
  values.push(Number(BigInt.asIntN(32, value >> 32n)))
}

function readDictionary(node: JsonNode): Dictionary {
  const stacks = new GrowingLists()
  for (const stack of node.get('stackTable').list()) {
    for (const index of readIndices(stack.get('locationIndices'))) stacks.values.push(index)
    stacks.close()
  }
  const table = <T>(name: string, read: (entry: JsonNode) => T) => node.get(name).list().map(read)
  return {
    mappingTable: table('mappingTable', (entry) => ({
      memoryStart: entry.get('memoryStart').uint64(),
      memoryLimit: entry.get('memoryLimit').uint64(),
      fileOffset: entry.get('fileOffset').uint64(),
      filenameStrindex: entry.get('filenameStrindex').int32(),
      attributeIndices: readIndices(entry.get('attributeIndices')),
    })),
    locationTable: table('locationTable', (entry) => ({
      mappingIndex: entry.get('mappingIndex').int32(),
      address: entry.get('address').uint64(),
      lines: entry
        .get('lines')
        .list()
        .map((line) => ({
          functionIndex: line.get('functionIndex').int32(),
          line: narrow(line.get('line').int64()),
          column: narrow(line.get('column').int64()),
        })),
      attributeIndices: readIndices(entry.get('attributeIndices')),
    })),
    functionTable: table('functionTable', (entry) => ({
      nameStrindex: entry.get('nameStrindex').int32(),
      systemNameStrindex: entry.get('systemNameStrindex').int32(),
      filenameStrindex: entry.get('filenameStrindex').int32(),
      startLine: narrow(entry.get('startLine').int64()),
    })),
    linkTable: table('linkTable', (entry) => ({
      traceId: entry.get('traceId').id(16),
      spanId: entry.get('spanId').id(8),
    })),
    stringTable: table('stringTable', (entry) => entry.text()),
    attributeTable: table('attributeTable', (entry) => ({
      keyStrindex: entry.get('keyStrindex').int32(),
      value: readValue(entry.get('value'), 0),
      unitStrindex: entry.get('unitStrindex').int32(),
    })),
    stackTable: stacks.finish(),
  }
}
