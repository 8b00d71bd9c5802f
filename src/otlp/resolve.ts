/** Attributes of OTLP as those of the model: keys and texts looked up in the string table, values simple. */
import type { Attributes, AttributeValue } from '../model/attributes.ts'
import { toBase64 } from '../model/byte-text.ts'
import type { Label } from '../model/profile.ts'
import type { AnyValue, Dictionary, KeyValue } from './model.ts'

/** Attributes of a resource or a scope. The first of two equal keys counts. */
export function resolveAttributes(
  attributes: readonly KeyValue[],
  dictionary: Dictionary | null,
): Attributes {
  const entries = new Map<string, AttributeValue>()
  for (const { key, keyStrindex, value } of attributes) {
    const name = key || textAt(dictionary, keyStrindex)
    if (!entries.has(name)) entries.set(name, simpleValue(value, dictionary))
  }
  // Own properties, whatever a key is called.
  return Object.fromEntries(entries)
}

export function textAt(dictionary: Dictionary | null, index: number): string {
  return dictionary?.stringTable[index] ?? ''
}

/** int64 as number where that is exact. */
export function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function simpleValue(value: AnyValue, dictionary: Dictionary | null): AttributeValue {
  switch (value.kind) {
    case 'empty':
      return ''
    case 'int':
      return narrow(value.value)
    case 'strindex':
      return textAt(dictionary, value.value)
    case 'array':
      return value.values.map((element) => String(simpleValue(element, dictionary)))
    case 'kvlist':
      return JSON.stringify(resolveAttributes(value.values, dictionary), (_, entry) =>
        typeof entry === 'bigint' ? String(entry) : entry,
      )
    case 'bytes':
      return toBase64(value.value)
    default:
      return value.value
  }
}

/** A sample's attribute as labels: an array is several of one key, [value, unit] in it a value with its unit. */
export function labelsOf(key: string, value: AnyValue, unit: string, dictionary: Dictionary): Label[] {
  if (value.kind !== 'array') return [labelOf(key, value, unit, dictionary)]
  return value.values.map((element) => {
    if (element.kind !== 'array' || element.values.length !== 2)
      return labelOf(key, element, unit, dictionary)
    const [inner, innerUnit] = element.values as [AnyValue, AnyValue]
    return labelOf(key, inner, String(simpleValue(innerUnit, dictionary)), dictionary)
  })
}

function labelOf(key: string, value: AnyValue, unit: string, dictionary: Dictionary): Label {
  const simple = simpleValue(value, dictionary)
  const isNumber = typeof simple === 'number' || typeof simple === 'bigint'
  const content = isNumber ? { num: simple } : { str: String(simple) }
  return { key, ...content, ...(unit === '' ? {} : { unit }) }
}
