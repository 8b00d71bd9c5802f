/**
 * The file, over it the environment, over that the flags: one frozen AgentConfig, and for every key who set it.
 * Everything wrong in any of them is told at once. Reading the file is the only thing done to the host.
 */
import { AgentError } from '../errors.ts'
import { nearest } from '../model/nearest.ts'
import type { AgentConfig } from './config.ts'
import { readConfigFile } from './config-text.ts'
import { DestinationChoice } from './destination-choice.ts'
import { KeyReader } from './key-reader.ts'
import type { Given, Value } from './key-type.ts'
import { type Environment, readOtelEnvironment } from './otel-environment.ts'
import { flagOf, KEYS, type KeySpec, keyOfFlag, variableOf } from './schema.ts'
import { RANK, type Rank, Settings } from './settings.ts'
import { readYaml } from './yaml-file.ts'

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

/** Errors: AgentError `config_invalid` that lists all that is wrong, with places. */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const loading = new Loading()
  for (const key of KEYS) loading.give(key, { kind: 'text', text: key.fallback, at: 'default' }, RANK.default)
  if (sources.file !== '') await loading.file(sources.file)
  loading.environment(sources)
  await loading.ownVariables(sources.env)
  await loading.flags(sources.flags)
  return loading.finish()
}

class Loading {
  readonly #settings = new Settings()
  readonly #faults: string[] = []
  readonly #warnings: string[] = []
  readonly #reader = new KeyReader(this.#faults)

  /** Reads a value of a key; the last one that is right stays. */
  give(key: KeySpec, given: Given, rank: Rank): void {
    const value = this.#reader.read(key, given, key.path)
    if (value !== undefined) this.#settings.set(key.path, { value, origin: given.at }, rank)
  }

  async file(path: string): Promise<void> {
    const entries = await readYaml(readConfigFile(path), path)
    if (Array.isArray(entries)) this.#faults.push(...entries)
    else
      this.#reader.map(
        { kind: 'map', entries: entries as ReadonlyMap<string, Given>, at: path },
        KEYS,
        '',
        (key, value) => this.give(key, value, RANK.file),
      )
  }

  /** OpenTelemetry's. */
  environment({ env, flags }: ConfigSources): void {
    const protocol = KEYS.find(({ path }) => path === 'exporter.protocol')!
    const flag = flags.findLast(([name]) => keyOfFlag(name) === protocol)?.[1]
    const over = flag ?? (env[variableOf(protocol.path)] || undefined)
    const under = this.#settings.values.get(protocol.path)
    const { taken, warnings } = readOtelEnvironment(env, { over, under })
    this.#warnings.push(...warnings)
    for (const [path, value] of taken) this.#settings.set(path, value, RANK.environment)
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
    this.#refuse()
    const choice = new DestinationChoice(this.#settings, this.#faults, this.#warnings)
    const { destinations, isListed } = choice.made()
    this.#refuse()
    const { values, origins } = this.#settings
    const config: Record<string, unknown> = {}
    for (const { path } of KEYS)
      if (!path.startsWith('exporter.')) place(config, path.split('.'), values.get(path))
    config.destinations = destinations
    return {
      config: deepFreeze(config) as unknown as AgentConfig,
      values,
      origins,
      isListed,
      warnings: this.#warnings,
    }
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
