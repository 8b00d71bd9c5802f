/** Which destinations are in force: those of the list, or the one of exporter.*, whichever was said with more authority. */
import type { DestinationConfig } from './config.ts'
import { destinationFault, destinationOf } from './destinations.ts'
import type { Value } from './key-type.ts'
import { EXACT_ENDPOINT, isOtelVariable } from './otel-environment.ts'
import { KEYS, type KeySpec } from './schema.ts'
import type { Settings } from './settings.ts'

export interface ChosenDestinations {
  readonly destinations: readonly DestinationConfig[]
  /** Whether the list is in force. */
  readonly isListed: boolean
}

export class DestinationChoice {
  readonly #settings: Settings
  readonly #faults: string[]
  readonly #warnings: string[]

  /** `faults` and `warnings` are added to. */
  constructor(settings: Settings, faults: string[], warnings: string[]) {
    this.#settings = settings
    this.#faults = faults
    this.#warnings = warnings
  }

  /** Errors: none; what is wrong becomes a fault, and the answer is then not to be used. */
  made(): ChosenDestinations {
    const listed = this.#settings.values.get('destinations') as readonly Record<string, Value>[]
    const single = KEYS.filter((key) => key.path.startsWith('exporter.'))
    const rank = Math.max(...single.map((key) => this.#settings.rank(key.path)))
    const endpointRank = this.#settings.rank('exporter.endpoint')
    const listRank = this.#settings.rank('destinations')
    const isListed = listed.length > 0 && endpointRank <= listRank
    const destinations = isListed
      ? this.#listed(listed, rank > listRank)
      : [this.#single(single, listed.length > 0)]
    if (listed.length > 0 && rank === listRank)
      this.#faults.push(
        `${this.#settings.origins.get('destinations')}: "destinations" and "exporter" exclude each other: put all into "destinations"`,
      )
    for (const destination of destinations) {
      const fault = destinationFault(destination)
      if (fault !== '') this.#faults.push(`destination "${destination.name}" ${fault}`)
    }
    return { destinations, isListed }
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
          `${this.#settings.origins.get('destinations')}: "destinations[${index}].name" must be unique, of 1 to 63 letters, digits, ".", "_" and "-", got "${name.slice(0, 80)}"`,
        )
      seen.add(name)
      return destinationOf(name, new Map(Object.entries(record)), false)
    })
  }

  #single(keys: readonly KeySpec[], replacesList: boolean) {
    const origin = this.#settings.origins.get('exporter.endpoint')!
    if (replacesList) this.#warnings.push(`${origin} replaces the list of destinations`)
    const values = new Map(
      keys.map((key) => [key.path.slice('exporter.'.length), this.#settings.values.get(key.path)!]),
    )
    const destination = destinationOf('default', values, origin === EXACT_ENDPOINT)
    return this.#withoutNeedlessFiles(destination)
  }

  /** OpenTelemetry's variables for TLS are often there for all of a pod, and are only meant for destinations with TLS. */
  #withoutNeedlessFiles(destination: DestinationConfig): DestinationConfig {
    if (destination.endpoint.startsWith('https:')) return destination
    const tls = { ...destination.tls }
    for (const name of ['ca', 'cert', 'key'] as const) {
      const origin = this.#settings.origins.get(`exporter.tls.${name}`)!
      if (tls[name] === '' || !isOtelVariable(origin)) continue
      this.#warnings.push(`${origin} is ignored: ${destination.endpoint} is plaintext`)
      tls[name] = ''
    }
    return { ...destination, tls }
  }
}
