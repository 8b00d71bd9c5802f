/**
 * JSON schemas for kubeconform, one file a kind, from the OpenAPI document of Kubernetes and from CRDs. Strict: an object
 * with known fields has no others, which the published ones leave open.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { CRDS, readText, SWAGGER } from './tools.ts'

interface Schema {
  [key: string]: unknown
  properties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
  items?: Schema
  $ref?: string
  format?: string
}

interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** Types that JSON has in two spellings. */
const QUANTITY = { oneOf: [{ type: 'string' }, { type: 'number' }] }
const INT_OR_STRING = { oneOf: [{ type: 'string' }, { type: 'integer' }] }
const QUANTITY_NAME = 'io.k8s.apimachinery.pkg.api.resource.Quantity'

/** A schema that refuses unknown fields, in it and below. */
function strict(schema: Schema): Schema {
  if (schema.format === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true) return INT_OR_STRING
  const closed: Schema = { ...schema }
  if (schema.nullable === true && schema.type !== undefined) closed.type = [schema.type, 'null']
  if (schema.properties !== undefined) {
    const entries = Object.entries(schema.properties)
    closed.properties = Object.fromEntries(entries.map(([name, property]) => [name, strict(property)]))
    const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true
    closed.additionalProperties ??= isOpen
  }
  if (typeof schema.additionalProperties === 'object')
    closed.additionalProperties = strict(schema.additionalProperties)
  if (schema.items !== undefined) closed.items = strict(schema.items)
  return closed
}

/** Names of definitions that a schema refers to. */
function references(schema: Schema): string[] {
  return [...JSON.stringify(schema).matchAll(/"#\/definitions\/([^"]+)"/g)].map((match) => match[1]!)
}

/** The definitions reachable from one, strict. */
function closure(name: string, all: Record<string, Schema>): Record<string, Schema> {
  const found: Record<string, Schema> = {}
  const open = [name]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found[next] !== undefined) continue
    found[next] = next === QUANTITY_NAME ? QUANTITY : strict(all[next]!)
    open.push(...references(all[next]!))
  }
  return found
}

function fileName({ group, version, kind }: GroupVersionKind): string {
  const parts = [kind.toLowerCase(), group.split('.')[0]!, version]
  return `${parts.filter((part) => part !== '').join('-')}.json`
}

/** Writes the schemas of the kinds (`kind` as objects spell it) into the directory; kubeconform finds them by name. */
export function writeSchemas(directory: string, kinds: ReadonlySet<string>): void {
  mkdirSync(directory, { recursive: true })
  const { definitions } = JSON.parse(readText(SWAGGER)) as { definitions: Record<string, Schema> }
  for (const [name, definition] of Object.entries(definitions)) {
    const [identity, another] = (definition['x-kubernetes-group-version-kind'] ?? []) as GroupVersionKind[]
    if (identity === undefined || another !== undefined || !kinds.has(identity.kind)) continue
    const schema = { $ref: `#/definitions/${name}`, definitions: closure(name, definitions) }
    writeFileSync(join(directory, fileName(identity)), JSON.stringify(schema))
  }
  for (const file of readdirSync(CRDS)) writeCrd(directory, join(CRDS, file))
}

/** In a CRD `metadata` is only said to be an object: its fields are Kubernetes' own. */
function writeCrd(directory: string, path: string): void {
  const { spec } = parse(readText(path))
  for (const { name, schema } of spec.versions) {
    const closed = strict(schema.openAPIV3Schema)
    closed.properties!.metadata = { type: 'object' }
    writeFileSync(
      join(directory, fileName({ group: spec.group, version: name, kind: spec.names.kind })),
      JSON.stringify(closed),
    )
  }
}
