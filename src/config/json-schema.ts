/** The JSON schema of the configuration file, made from the table: for editors, and for the chart's values. */
import type { KeyType } from './key-type.ts'
import { KEYS, type KeySpec } from './schema.ts'

export type JsonSchema = { readonly [key: string]: unknown }

/** Draft 7, which Helm reads. Unknown keys are refused, as the agent does. */
export function configSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Emberscope agent',
    ...objectOf(KEYS),
  }
}

interface Branch {
  readonly type: 'object'
  readonly additionalProperties: false
  readonly properties: Record<string, unknown>
}

function objectOf(keys: readonly KeySpec[]): Branch {
  const root = branch()
  for (const key of keys) {
    const names = key.path.split('.')
    let at = root
    for (const name of names.slice(0, -1)) {
      at.properties[name] ??= branch()
      at = at.properties[name] as Branch
    }
    at.properties[names.at(-1)!] = { description: describeKey(key), ...schemaOf(key.type) }
  }
  return root
}

function branch(): Branch {
  return { type: 'object', additionalProperties: false, properties: {} }
}

function describeKey({ help, fallback, secret }: KeySpec): string {
  const more = [fallback === '' ? '' : `default ${fallback}`, secret ? 'secret' : '']
    .filter(Boolean)
    .join(', ')
  return more === '' ? help : `${help} (${more})`
}

function oneOfKeys(keys: readonly string[]): JsonSchema {
  return keys.length === 0 ? {} : { oneOf: keys.map((key) => ({ required: [key] })) }
}

function schemaOf(type: KeyType): JsonSchema {
  switch (type.kind) {
    case 'duration':
      return { type: 'string', pattern: '^(\\d+(\\.\\d+)?|\\.\\d+)(ms|s|m|h)$' }
    case 'bytes':
      return {
        type: ['string', 'integer'],
        pattern: '^(\\d+(\\.\\d+)?|\\.\\d+)\\s*(B|kB|[MG]B|[KMG]iB?|[kMG])?$',
        minimum: type.min,
        maximum: type.max,
      }
    case 'percent':
      return {
        type: ['string', 'number'],
        pattern: '^(\\d+(\\.\\d+)?|\\.\\d+)\\s*%?$',
        minimum: type.min * 100,
        maximum: type.max * 100,
      }
    case 'integer':
      return { type: 'integer', minimum: type.min, maximum: type.max }
    case 'boolean':
      return { type: 'boolean' }
    case 'string':
      return { type: ['string', 'number', 'boolean'] }
    case 'path':
      return { type: 'string', pattern: '^(/.*)?$' }
    case 'cgroup':
      return { type: 'string', minLength: 1, not: { pattern: '(^|/)\\.\\.(/|$)' } }
    case 'endpoint':
      return { type: 'string', pattern: '^(https?://[^@]+|unix:///.+)?$' }
    case 'listen':
      return { type: 'string', pattern: '^(off|(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9._-]*):\\d{1,5})$' }
    case 'enum':
      return { type: 'string', enum: type.values }
    case 'list':
      return { type: 'array', items: schemaOf(type.of), maxItems: 1024 }
    case 'map':
      return { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } }
    case 'records':
      return {
        type: 'array',
        maxItems: type.itemsMax,
        items: { ...objectOf(type.fields), required: type.required, ...oneOfKeys(type.oneOf) },
      }
  }
}
