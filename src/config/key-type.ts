/**
 * The kinds of value a key can have: how each is written, read and described. A value comes as text (environment, flags,
 * defaults) or typed (YAML), never half of each: text is read by the kind, a YAML value must have the kind's own type.
 */
import type { KeySpec } from './schema.ts'

export type KeyType =
  | { readonly kind: 'duration'; readonly min: number; readonly max: number }
  | { readonly kind: 'bytes'; readonly min: number; readonly max: number }
  | { readonly kind: 'percent'; readonly min: number; readonly max: number }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'string' }
  | { readonly kind: 'path' }
  | { readonly kind: 'cgroup' }
  | { readonly kind: 'endpoint' }
  | { readonly kind: 'listen' }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'list'; readonly of: KeyType }
  | { readonly kind: 'map' }
  | RecordsType

/** A list of maps, each with these keys. */
export interface RecordsType {
  readonly kind: 'records'
  readonly fields: readonly KeySpec[]
  /** What they are, in messages: 'destinations'. */
  readonly noun: string
  /** Keys that must be there, and keys of which exactly one must be. */
  readonly required: readonly string[]
  readonly oneOf: readonly string[]
  readonly itemsMax: number
}

export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value }

/** A value as somebody gave it, and where. Scalars keep their spelling in `text`, so that a string 007 stays one. */
export type Given = { readonly at: string; readonly keyAt?: string } & (
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Given[] }
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, Given> }
)

/** What was expected and what was found, as the end of a sentence: 'must be ..., got ...'. */
export class WrongValue extends Error {}

const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const BYTES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  // Kubernetes' way to write them.
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
}
/** What is printed in place of a secret. */
export const MASK = '***'
/** Longest piece of a wrong value that a message repeats. */
const MAX_ECHO = 80
const MAX_ITEMS = 1024

/** The end of 'must be ...'. */
export function expected(type: KeyType): string {
  switch (type.kind) {
    case 'duration':
      return `a time from ${formatDuration(type.min)} to ${formatDuration(type.max)} with its unit (ms, s, m, h)`
    case 'bytes':
      return `a size from ${formatBytes(type.min)} to ${formatBytes(type.max)}, such as 64MiB`
    case 'percent':
      return `a percentage from ${type.min * 100}% to ${type.max * 100}%`
    case 'integer':
      return `an integer from ${type.min} to ${type.max}`
    case 'boolean':
      return 'true or false'
    case 'string':
      return 'a text'
    case 'path':
      return 'an absolute path'
    case 'cgroup':
      return 'the path of a cgroup, with or without /sys/fs/cgroup before it'
    case 'endpoint':
      return 'a URL of http, https or unix without user and password, such as http://collector:4318'
    case 'listen':
      return 'HOST:PORT, :PORT or off'
    case 'enum':
      return `one of ${type.values.join(', ')}`
    case 'list':
      return `a list, each ${expected(type.of)}`
    case 'map':
      return 'a map of texts'
    case 'records':
      return `a list of maps with ${type.fields.map((field) => field.path).join(', ')}`
  }
}

/** Whether a secret was read from what we printed: as a header it would only be a wrong one. */
export function isMasked(value: Value): boolean {
  return value === MASK || (typeof value === 'object' && Object.values(value).includes(MASK))
}

/** Reads a value that is not of kind 'records'. Errors: WrongValue. */
export function readValue(type: KeyType, given: Given): Value {
  if (type.kind === 'list') return itemsOf(type, given).map((item) => readValue(type.of, item))
  if (type.kind === 'map') return readMap(type, given)
  const text = scalarText(type, given)
  const value = readText(type, text)
  if (value === undefined) throw wrong(type, given)
  return value
}

export function wrong(type: KeyType, given: Given): WrongValue {
  return new WrongValue(`must be ${expected(type)}, got ${describe(given)}`)
}

function itemsOf(type: KeyType, given: Given): readonly Given[] {
  if (given.kind === 'text') {
    if (given.text.trim() === '') return []
    const items = given.text.split(',')
    if (items.length > MAX_ITEMS)
      throw new WrongValue(`must have at most ${MAX_ITEMS} items, got ${items.length}`)
    return items.map((text) => ({ kind: 'text', text: text.trim(), at: given.at }))
  }
  if (given.kind !== 'list') throw wrong(type, given)
  if (given.items.length > MAX_ITEMS)
    throw new WrongValue(`must have at most ${MAX_ITEMS} items, got ${given.items.length}`)
  return given.items
}

function readMap(type: KeyType, given: Given): Value {
  if (given.kind === 'text') return parsePairs(given.text)
  if (given.kind !== 'map') throw wrong(type, given)
  const map: Record<string, string> = Object.create(null)
  for (const [key, item] of given.entries) {
    if (item.kind !== 'scalar' || item.value === null)
      throw new WrongValue(`must be ${expected(type)}, got ${describe(item)} for "${echo(key)}"`)
    map[key] = item.text
  }
  return map
}

/**
 * 'a=1,b=two%20words' -> { a: '1', b: 'two words' }: the list of W3C baggage, whose properties (after ';') are ignored.
 * Errors: WrongValue, which does not repeat values: they may be secret.
 */
export function parsePairs(text: string): Readonly<Record<string, string>> {
  const map: Record<string, string> = Object.create(null)
  for (const [index, pair] of text.split(',').entries()) {
    const member = pair.split(';')[0]!.trim()
    if (member === '') continue
    const equals = member.indexOf('=')
    const key = member.slice(0, Math.max(0, equals)).trim()
    if (key === '')
      throw new WrongValue(`must be pairs KEY=VALUE with commas between, but pair ${index + 1} is none`)
    map[decoded(key, index)] = decoded(member.slice(equals + 1).trim(), index)
  }
  return map
}

function decoded(text: string, index: number): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new WrongValue(
      `must be percent-encoded UTF-8, but pair ${index + 1} has a "%" that begins no such character`,
    )
  }
}

/** The text a scalar kind reads. A YAML value of another type than the kind's is wrong, however its text looks. */
function scalarText(type: KeyType, given: Given): string {
  if (given.kind === 'text') return given.text.trim()
  if (given.kind !== 'scalar' || given.value === null) throw wrong(type, given)
  const found = typeof given.value
  const fits = {
    duration: found === 'string',
    bytes: true,
    percent: true,
    integer: found === 'number',
    boolean: found === 'boolean',
  }[type.kind as string]
  if (fits === false) throw wrong(type, given)
  return given.text
}

function readText(type: KeyType, text: string): Value | undefined {
  switch (type.kind) {
    case 'duration':
      return within(type, withUnit(text, DURATION_MS))
    case 'bytes':
      return within(type, withUnit(text, BYTES))
    case 'percent':
      return within(type, withUnit(text.replace(/\s*%$/, ''), { '': 1e-2 }, false))
    case 'integer':
      return within(type, /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined)
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'string':
      return text
    case 'path':
      return text === '' || (text.startsWith('/') && !text.includes('\0')) ? text : undefined
    case 'cgroup':
      return isCgroup(text) ? text : undefined
    case 'endpoint':
      return isEndpoint(text) ? text : undefined
    case 'listen':
      return isListen(text) ? text : undefined
    case 'enum':
      return type.values.includes(text) ? text : undefined
    default:
      return undefined
  }
}

function within(limits: { min: number; max: number }, value: number | undefined): number | undefined {
  return value !== undefined && value >= limits.min && value <= limits.max ? value : undefined
}

function withUnit(text: string, units: Readonly<Record<string, number>>, whole = true): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,9})?|\.\d{1,9})\s*([A-Za-z]*)$/.exec(text)
  const unit = match && Object.hasOwn(units, match[2]!) ? units[match[2]!] : undefined
  if (unit === undefined) return undefined
  const value = Number(match![1]) * unit
  // A percentage of 0.3 is 0.003, whose digits beyond the ninth are the double's, not the user's.
  return whole ? Math.round(value) : Number(value.toFixed(9))
}

/** As /proc/PID/cgroup has it, or as one would type it; never out of the hierarchy. */
function isCgroup(text: string): boolean {
  return text !== '' && !text.includes('\0') && !text.split('/').includes('..')
}

/** '' is none; else a URL. Credentials belong into headers, which are never printed. */
function isEndpoint(text: string): boolean {
  if (text === '' || /^unix:\/\/\/[^\0]+$/.test(text)) return true
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) return false
  return url.hostname !== '' && url.hash === '' && url.username === '' && url.password === ''
}

function isListen(text: string): boolean {
  const match = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]*):(\d{1,5})$/.exec(text)
  return text === 'off' || (match !== null && Number(match[1]) <= 65_535)
}

/** A value in a message: its type, and its spelling cut short. */
export function describe(given: Given): string {
  switch (given.kind) {
    case 'text':
      return `"${echo(given.text)}"`
    case 'scalar':
      if (given.value === null) return 'nothing'
      return typeof given.value === 'string' ? `the text "${echo(given.text)}"` : echo(given.text)
    case 'list':
      return 'a list'
    case 'map':
      return 'a map'
  }
}

function echo(text: string): string {
  const clean = text.replace(/[\u0000-\u001f\u007f]/g, '?').replace(/\/\/[^/@]*@/g, '//***@')
  return clean.length > MAX_ECHO ? `${clean.slice(0, MAX_ECHO)}...` : clean
}

/** A value as one would write it in the file. */
export function formatScalar(type: KeyType, value: Value): string | number | boolean {
  if (type.kind === 'duration') return formatDuration(value as number)
  if (type.kind === 'bytes') return formatBytes(value as number)
  if (type.kind === 'percent') return `${Number(((value as number) * 100).toFixed(7))}%`
  return value as string | number | boolean
}

function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  for (const [unit, factor] of Object.entries(DURATION_MS).reverse())
    if (ms % factor === 0) return `${ms / factor}${unit}`
  return `${ms}ms`
}

function formatBytes(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'])
    if (bytes !== 0 && bytes % BYTES[unit]! === 0) return `${bytes / BYTES[unit]!}${unit}`
  return `${bytes}B`
}
