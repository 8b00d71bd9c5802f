/**
 * What a message of profiles says, without indices: two messages have the same content when this is equal. Nothing
 * that a sample means is left out; tables' order, duplicates and how a string is referred to are no content.
 */
import {
  type AnyValue,
  type Dictionary,
  type KeyValue,
  listAt,
  type OtlpProfile,
  type ProfilesData,
} from '../../src/otlp/model.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** One entry a profile, in an order that only depends on the content. */
export function contentOf(messages: readonly ProfilesData[]): Json[] {
  const profiles = messages.flatMap((message) => [...profilesOf(message)])
  return sorted(profiles)
}

/** How many samples there are, to see that a comparison compared something. */
export function sampleCount(content: readonly Json[]): number {
  return content.reduce<number>((sum, one) => sum + (one as { samples: Json[] }).samples.length, 0)
}

function* profilesOf({ resourceProfiles, dictionary }: ProfilesData): Iterable<Json> {
  for (const { resource, scopeProfiles, schemaUrl } of resourceProfiles)
    for (const { scope, profiles, schemaUrl: scopeSchemaUrl } of scopeProfiles)
      for (const profile of profiles) {
        const tables = new Tables(dictionary!)
        yield {
          resource: tables.attributes(resource?.attributes ?? []),
          schemaUrl,
          scope: [scope?.name ?? '', scope?.version ?? '', tables.attributes(scope?.attributes ?? [])],
          scopeSchemaUrl,
          ...tables.profile(profile),
        }
      }
}

function sorted(values: readonly Json[]): Json[] {
  return values
    .map((value) => [JSON.stringify(value), value] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, value]) => value)
}

class Tables {
  private readonly dictionary: Dictionary

  constructor(dictionary: Dictionary) {
    this.dictionary = dictionary
  }

  profile(profile: OtlpProfile): { readonly [key: string]: Json } {
    return {
      sampleType: this.valueType(profile.sampleType),
      periodType: this.valueType(profile.periodType), // unset and empty mean the same, and come back as empty
      period: `${profile.period}`,
      time: `${profile.timeUnixNano}`,
      duration: `${profile.durationNano}`,
      profileId: Buffer.from(profile.profileId).toString('hex'),
      dropped: profile.droppedAttributesCount,
      payload: [profile.originalPayloadFormat, Buffer.from(profile.originalPayload).toString('hex')],
      attributes: this.attributesAt(profile.attributeIndices),
      samples: sorted(this.samples(profile)),
    }
  }

  attributes(list: readonly KeyValue[]): Json {
    return sorted(list.map((one) => [one.key || this.text(one.keyStrindex), this.value(one.value)]))
  }

  private samples({ samples }: OtlpProfile): Json[] {
    return Array.from(samples.stackIndex, (stack, row) => ({
      stack: this.stack(stack),
      attributes: this.attributesAt([...listAt(samples.attributeIndices, row)]),
      link: this.link(samples.linkIndex[row]!),
      values: Array.from(
        samples.values.subarray(samples.valueStart[row]!, samples.valueStart[row + 1]!),
        String,
      ),
      timestamps: Array.from(
        samples.timestamps.subarray(samples.timestampStart[row]!, samples.timestampStart[row + 1]!),
        String,
      ),
    }))
  }

  private text(index: number): string {
    return this.dictionary.stringTable[index]!
  }

  private valueType(value: OtlpProfile['sampleType']): Json {
    return [this.text(value?.typeStrindex ?? 0), this.text(value?.unitStrindex ?? 0)]
  }

  private attributesAt(indices: readonly number[]): Json {
    const entries = indices.map((index) => this.dictionary.attributeTable[index]!)
    return sorted(
      entries.map((one) => [this.text(one.keyStrindex), this.value(one.value), this.text(one.unitStrindex)]),
    )
  }

  private stack(index: number): Json {
    return Array.from(listAt(this.dictionary.stackTable, index), (location) => this.location(location))
  }

  private location(index: number): Json {
    const { mappingIndex, address, lines, attributeIndices } = this.dictionary.locationTable[index]!
    return {
      mapping: this.mapping(mappingIndex),
      address: `${address}`,
      lines: lines.map(({ functionIndex, line, column }) => [
        this.function(functionIndex),
        `${line}`,
        `${column}`,
      ]),
      attributes: this.attributesAt(attributeIndices),
    }
  }

  private mapping(index: number): Json {
    const mapping = this.dictionary.mappingTable[index]!
    return [
      `${mapping.memoryStart}`,
      `${mapping.memoryLimit}`,
      `${mapping.fileOffset}`,
      this.text(mapping.filenameStrindex),
      this.attributesAt(mapping.attributeIndices),
    ]
  }

  private function(index: number): Json {
    const one = this.dictionary.functionTable[index]!
    return [
      this.text(one.nameStrindex),
      this.text(one.systemNameStrindex),
      this.text(one.filenameStrindex),
      `${one.startLine}`,
    ]
  }

  private link(index: number): Json {
    const { traceId, spanId } = this.dictionary.linkTable[index]!
    return [Buffer.from(traceId).toString('hex'), Buffer.from(spanId).toString('hex')]
  }

  private value(value: AnyValue): Json {
    switch (value.kind) {
      case 'empty':
        return null
      case 'strindex':
        return ['string', this.text(value.value)]
      case 'array':
        return ['array', value.values.map((one) => this.value(one))]
      case 'kvlist':
        return ['kvlist', this.attributes(value.values)]
      case 'bytes':
        return ['bytes', Buffer.from(value.value).toString('hex')]
      default:
        return [value.kind, `${value.value}`]
    }
  }
}
