/**
 * The file, over it the environment, over that the flags: one frozen AgentConfig, and for every key who set it.
 * Everything wrong in any of them is told at once. Reading the file is the only thing done to the host.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { AgentError } from '../errors.ts'
import { nearest } from '../model/nearest.ts'
import type { AgentConfig, DestinationConfig } from './config.ts'
import { destinationFault, destinationOf } from './destinations.ts'
import {
  describe,
  type Given,
  isMasked,
  MASK,
  type RecordsType,
  readValue,
  type Value,
  WrongValue,
} from './key-type.ts'
import {
  type Environment,
  EXACT_ENDPOINT,
  isOtelVariable,
  readOtelEnvironment,
  type Taken,
} from './otel-environment.ts'
import { flagOf, KEYS, type KeySpec, keyOfFlag, variableOf } from './schema.ts'
import { MAX_CONFIG_BYTES, readYaml } from './yaml-file.ts'

export interface ConfigSources {
  /** Path of the file, '' for none. */
  readonly file: string
  readonly env: Environment
  /** Name without dashes and text, in the order given. */
  readonly flags: readonly (readonly [flag: string, text: string])[]
}

export interface LoadedConfig {
  readonly config: AgentConfig
  /** Key -> its value, as the file would nest it. */
  readonly values: ReadonlyMap<string, Value>
  /** Key -> 'default', 'agent.yaml:3:7', 'EMBERSCOPE_RATE', '--rate'. */
  readonly origins: ReadonlyMap<string, string>
  /** Whether the list of destinations is in force, or `exporter.*`. */
  readonly isListed: boolean
  /** Sentences: what was ignored, and why. */
  readonly warnings: readonly string[]
}

/** Names the file when no flag does; not a key, since a file cannot say where it is. */
export const CONFIG_VARIABLE = 'EMBERSCOPE_CONFIG'
/** Variables of ours that are no keys. */
const OTHER_VARIABLES = [CONFIG_VARIABLE, 'EMBERSCOPE_CACHE_DIR', 'EMBERSCOPE_UNWINDER', 'EMBERSCOPE_DEBUG']
/** What Kubernetes sets in every pod when there is a service of our name. */
const SERVICE_LINK = /^EMBERSCOPE_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$/
const FAULTS_SHOWN = 10

/** Ranks of who sets a key; the higher wins. */
const RANK = { default: 0, file: 1, environment: 2, flag: 3 } as const
type Rank = (typeof RANK)[keyof typeof RANK]

/** Errors: AgentError `config_invalid` that lists all that is wrong, with places. */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const loading = new Loading()
  for (const key of KEYS) loading.give(key, { kind: 'text', text: key.fallback, at: 'default' }, RANK.default)
  if (sources.file !== '') await loading.file(sources.file)
  loading.environment(sources.env)
  await loading.ownVariables(sources.env)
  await loading.flags(sources.flags)
  return loading.finish()
}

class Loading {
  readonly #values = new Map<string, Value>()
  readonly #origins = new Map<string, string>()
  readonly #ranks = new Map<string, Rank>()
  readonly #faults: string[] = []
  readonly #warnings: string[] = []
  #isListed = false

  /** Reads a value of a key; the last one that is right stays. */
  give(key: KeySpec, given: Given, rank: Rank): void {
    const value = this.#read(key, given, key.path)
    if (value !== undefined) this.#set(key.path, { value, origin: given.at }, rank)
  }

  #set(path: string, { value, origin }: Taken, rank: Rank): void {
    this.#values.set(path, value)
    this.#origins.set(path, origin)
    this.#ranks.set(path, rank)
  }

  #read(key: KeySpec, given: Given, path: string): Value | undefined {
    if (key.type.kind === 'records') return this.#records(key.type, given, path)
    try {
      const value = readValue(key.type, given)
      if (key.secret && isMasked(value))
        throw new WrongValue(
          `is the ${MASK} that --print-config writes in place of a secret: write the secret`,
        )
      return value
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error
      const reason = key.secret ? error.message.replace(/, got .*$/s, ', got something else') : error.message
      this.#faults.push(`${given.at}: "${path}" ${reason}`)
      return undefined
    }
  }

  /** A list of maps, each complete: what is not given has the default. */
  #records(type: RecordsType, given: Given, path: string): Value | undefined {
    const { fields, noun, itemsMax } = type
    if (given.kind === 'text' && given.text === '') return []
    if (given.kind !== 'list') {
      this.#faults.push(`${given.at}: "${path}" must be a list of ${noun}, each a map`)
      return undefined
    }
    if (given.items.length > itemsMax) {
      this.#faults.push(
        `${given.at}: "${path}" must have at most ${itemsMax} items, got ${given.items.length}`,
      )
      return undefined
    }
    return given.items.map((item, index) => {
      const faults = this.#faults.length
      const record: Record<string, Value> = {}
      for (const field of fields.filter((key) => !key.optional))
        record[field.path] = readValue(field.type, { kind: 'text', text: field.fallback, at: '' })
      this.#map(item, fields, `${path}[${index}]`, (field, value) => {
        const read = this.#read(field, value, `${path}[${index}].${field.path}`)
        if (read !== undefined) record[field.path] = read
      })
      // What is wrong in itself is not missing too.
      const fault = this.#faults.length > faults ? '' : recordFault(type, record)
      if (fault !== '') this.#faults.push(`${item.at}: "${path}[${index}]" ${fault}`)
      return record
    })
  }

  /** Calls `take` for each key that the map and the maps in it name; the others are faults. `root` is what they lie in. */
  #map(
    given: Given,
    keys: readonly KeySpec[],
    root: string,
    take: (key: KeySpec, value: Given) => void,
  ): void {
    const full = (path: string): string => [root, path].filter(Boolean).join('.')
    const walk = (map: Given, prefix: string): void => {
      // `queue:` with nothing below it says nothing.
      if (map.kind === 'scalar' && map.value === null) return
      if (map.kind !== 'map') {
        this.#faults.push(
          `${map.at}: "${full(prefix.slice(0, -1))}" must be a map of keys, got ${describe(map)}`,
        )
        return
      }
      for (const [name, value] of map.entries) {
        const path = prefix + name
        const key = keys.find((known) => known.path === path)
        if (key) take(key, value)
        else if (keys.some((known) => known.path.startsWith(`${path}.`))) walk(value, `${path}.`)
        else
          this.#faults.push(
            `${value.keyAt ?? value.at}: unknown key "${full(path)}"${nearestKey(path, keys, full)}`,
          )
      }
    }
    walk(given, '')
  }

  async file(path: string): Promise<void> {
    const entries = await readYaml(readConfigFile(path), path)
    if (Array.isArray(entries)) this.#faults.push(...entries)
    else
      this.#map(
        { kind: 'map', entries: entries as ReadonlyMap<string, Given>, at: path },
        KEYS,
        '',
        (key, value) => this.give(key, value, RANK.file),
      )
  }

  environment(env: Environment): void {
    const { taken, warnings } = readOtelEnvironment(env)
    this.#warnings.push(...warnings)
    for (const [path, value] of taken) this.#set(path, value, RANK.environment)
  }

  async ownVariables(env: Environment): Promise<void> {
    for (const key of KEYS) {
      const variable = variableOf(key.path)
      const text = env[variable]
      if (text !== undefined && text !== '')
        this.give(key, await asGiven(key, text, variable), RANK.environment)
    }
    const known = [...KEYS.map((key) => variableOf(key.path)), ...OTHER_VARIABLES]
    for (const name of Object.keys(env)) {
      if (!name.startsWith('EMBERSCOPE_') || known.includes(name) || SERVICE_LINK.test(name)) continue
      this.#warnings.push(`the variable ${name} is unknown and ignored${didYouMean(name, known)}`)
    }
  }

  async flags(flags: ConfigSources['flags']): Promise<void> {
    for (const [flag, text] of flags) {
      const key = keyOfFlag(flag)
      if (key) this.give(key, await asGiven(key, text, `--${flag}`), RANK.flag)
      else {
        const known = KEYS.map((k) => `--${flagOf(k.path)}`)
        this.#faults.push(`--${flag}: no such flag${didYouMean(`--${flag}`, known)}`)
      }
    }
  }

  finish(): LoadedConfig {
    const destinations = this.#faults.length > 0 ? [] : this.#destinations()
    this.#refuse()
    const config: Record<string, unknown> = {}
    for (const { path } of KEYS)
      if (!path.startsWith('exporter.')) place(config, path.split('.'), this.#values.get(path))
    config.destinations = destinations
    return {
      config: deepFreeze(config) as unknown as AgentConfig,
      values: this.#values,
      origins: this.#origins,
      isListed: this.#isListed,
      warnings: this.#warnings,
    }
  }

  /** Those of the list, or the one of exporter.*, whichever was said with more authority. */
  #destinations() {
    const listed = this.#values.get('destinations') as readonly Record<string, Value>[]
    const single = KEYS.filter((key) => key.path.startsWith('exporter.'))
    const rank = Math.max(...single.map((key) => this.#ranks.get(key.path)!))
    const endpointRank = this.#ranks.get('exporter.endpoint')!
    const listRank = this.#ranks.get('destinations')!
    this.#isListed = listed.length > 0 && endpointRank <= listRank
    const made = this.#isListed
      ? this.#listed(listed, rank > listRank)
      : [this.#single(single, listed.length > 0)]
    if (listed.length > 0 && rank === listRank)
      this.#faults.push(
        `${this.#origins.get('destinations')}: "destinations" and "exporter" exclude each other: put all into "destinations"`,
      )
    for (const destination of made) {
      const fault = destinationFault(destination)
      if (fault !== '') this.#faults.push(`destination "${destination.name}" ${fault}`)
    }
    return made
  }

  #listed(listed: readonly Record<string, Value>[], ignoresSingle: boolean) {
    if (ignoresSingle)
      this.#warnings.push(
        'exporter.* of the environment or the flags is ignored: there is a list of destinations',
      )
    const seen = new Set<string>()
    return listed.map((record, index) => {
      const name = (record.name as string) || String(index + 1)
      if (seen.has(name) || !/^[A-Za-z0-9._-]{1,63}$/.test(name))
        this.#faults.push(
          `${this.#origins.get('destinations')}: "destinations[${index}].name" must be unique, of 1 to 63 letters, digits, ".", "_" and "-", got "${name.slice(0, 80)}"`,
        )
      seen.add(name)
      return destinationOf(name, new Map(Object.entries(record)), false)
    })
  }

  #single(keys: readonly KeySpec[], replacesList: boolean) {
    const origin = this.#origins.get('exporter.endpoint')!
    if (replacesList) this.#warnings.push(`${origin} replaces the list of destinations`)
    const values = new Map(
      keys.map((key) => [key.path.slice('exporter.'.length), this.#values.get(key.path)!]),
    )
    const destination = destinationOf('default', values, origin === EXACT_ENDPOINT)
    return this.#withoutNeedlessFiles(destination)
  }

  /** OpenTelemetry's variables for TLS are often there for all of a pod, and are only meant for destinations with TLS. */
  #withoutNeedlessFiles(destination: DestinationConfig): DestinationConfig {
    if (destination.endpoint.startsWith('https:')) return destination
    const tls = { ...destination.tls }
    for (const name of ['ca', 'cert', 'key'] as const) {
      const origin = this.#origins.get(`exporter.tls.${name}`)!
      if (tls[name] === '' || !isOtelVariable(origin)) continue
      this.#warnings.push(`${origin} is ignored: ${destination.endpoint} is plaintext`)
      tls[name] = ''
    }
    return { ...destination, tls }
  }

  #refuse(): void {
    const faults = [...new Set(this.#faults)]
    if (faults.length === 0) return
    if (faults.length === 1)
      throw new AgentError('config_invalid', `the configuration is wrong: ${faults[0]}`)
    const more = faults.length > FAULTS_SHOWN ? [`and ${faults.length - FAULTS_SHOWN} more`] : []
    const lines = [...faults.slice(0, FAULTS_SHOWN), ...more].map((line) => `\n  ${line}`).join('')
    throw new AgentError('config_invalid', `the configuration is wrong in ${faults.length} places:${lines}`)
  }
}

/** Text of a variable or a flag; a list of maps is written as JSON there. */
async function asGiven(key: KeySpec, text: string, at: string): Promise<Given> {
  if (key.type.kind !== 'records') return { kind: 'text', text, at }
  const entries = await readYaml(`value: ${text}`, at)
  const given = Array.isArray(entries) ? undefined : (entries as ReadonlyMap<string, Given>).get('value')
  return given === undefined ? { kind: 'text', text: 'no JSON', at } : { ...given, at }
}

/** What a record lacks, as the end of a sentence; '' for nothing. An empty text is as good as none. */
function recordFault({ required, oneOf }: RecordsType, record: Readonly<Record<string, Value>>): string {
  const isThere = (name: string): boolean => record[name] !== undefined && record[name] !== ''
  const missing = required.find((name) => !isThere(name))
  if (missing !== undefined) return `needs ${/^[aeiou]/.test(missing) ? 'an' : 'a'} ${missing}`
  const given = oneOf.filter(isThere)
  if (oneOf.length === 0 || given.length === 1) return ''
  return `needs exactly one of ${oneOf.join(', ')}, got ${given.join(' and ') || 'none'}`
}

function readConfigFile(path: string): string {
  try {
    const descriptor = openSync(path, 'r')
    try {
      // One byte more than allowed tells a large file; /dev/zero ends too.
      const buffer = Buffer.alloc(MAX_CONFIG_BYTES + 1)
      let length = 0
      for (let read = -1; read !== 0 && length < buffer.length; length += read)
        read = readSync(descriptor, buffer, length, buffer.length - length, null)
      if (length > MAX_CONFIG_BYTES) throw new Error(`it is larger than ${MAX_CONFIG_BYTES} bytes`)
      return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length))
    } finally {
      closeSync(descriptor)
    }
  } catch (cause) {
    const reason = cause instanceof TypeError ? 'it is not UTF-8' : (cause as Error).message
    throw new AgentError('config_invalid', `cannot read the configuration ${path}: ${reason}`, { cause })
  }
}

/** The last word decides where a key was put below the wrong one: `maxBytes` for `queue.maxBytes`. */
function nearestKey(path: string, keys: readonly KeySpec[], full: (path: string) => string): string {
  const known = keys.map((key) => key.path)
  const near =
    nearest(path, known, 1)[0] ?? known.find((name) => name.split('.').at(-1) === path.split('.').at(-1))
  return near === undefined ? '' : `; did you mean "${full(near)}"?`
}

function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known, 1)[0]
  return near === undefined ? '' : `; did you mean ${near}?`
}

function place(into: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) into[name!] = value
  else {
    into[name!] ??= {}
    place(into[name!] as Record<string, unknown>, rest, value)
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}

/** The keys whose values differ, in the order of the table. */
export function changedKeys(before: LoadedConfig, after: LoadedConfig): readonly KeySpec[] {
  const text = (loaded: LoadedConfig, path: string): string => JSON.stringify(loaded.values.get(path))
  const changed = KEYS.filter(({ path }) => text(before, path) !== text(after, path))
  const sameDestinations =
    JSON.stringify(before.config.destinations) === JSON.stringify(after.config.destinations)
  // A change of exporter.* that a list hides changes nothing.
  return changed.filter((key) => !(sameDestinations && isDestinationKey(key)))
}

function isDestinationKey({ path }: KeySpec): boolean {
  return path === 'destinations' || path.startsWith('exporter.')
}
