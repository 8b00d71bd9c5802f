/**
 * The variables of OpenTelemetry that we honour, by its rules: an empty one is unset, a bad one is told and ignored.
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/ ; OTEL_EXPORTER_OTLP_PROFILES_* is by analogy with the
 * other signals, since no specification names it yet.
 */
import { resolve } from 'node:path'
import { TELEMETRY_SIGNALS } from './config.ts'
import { headerFault } from './destinations.ts'
import { type Given, parsePairs, readValue, type Value, WrongValue } from './key-type.ts'
import { KEYS } from './schema.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A value that is already read, and the variable it came from. */
export interface Taken {
  readonly value: Value
  readonly origin: string
}

const BASE = 'OTEL_EXPORTER_OTLP_'
/** The one whose URL is used as it is. */
export const EXACT_ENDPOINT = `${BASE}PROFILES_ENDPOINT`

/** Suffix -> key, and how its text is to be read where that is not as ours. */
const EXPORTER: Readonly<Record<string, readonly [key: string, rewrite?: (text: string) => string]>> = {
  PROTOCOL: ['exporter.protocol'],
  HEADERS: ['exporter.headers'],
  COMPRESSION: ['exporter.compression'],
  TIMEOUT: ['exporter.timeout', milliseconds],
  CERTIFICATE: ['exporter.tls.ca', absolute],
  CLIENT_CERTIFICATE: ['exporter.tls.cert', absolute],
  CLIENT_KEY: ['exporter.tls.key', absolute],
}

/** Every variable this file reads. */
export const OTEL_VARIABLES: readonly string[] = [
  ...[...Object.keys(EXPORTER), 'ENDPOINT', 'INSECURE'].flatMap((s) => [BASE + s, `${BASE}PROFILES_${s}`]),
  'OTEL_SERVICE_NAME',
  'OTEL_RESOURCE_ATTRIBUTES',
  'OTEL_SDK_DISABLED',
  'OTEL_METRICS_EXPORTER',
  'OTEL_LOGS_EXPORTER',
  'OTEL_TRACES_EXPORTER',
  'OTEL_METRIC_EXPORT_INTERVAL',
]

/** Whether an origin of a key is one of them. */
export function isOtelVariable(origin: string): boolean {
  return OTEL_VARIABLES.includes(origin)
}

/** What other sources set exporter.protocol to: those that win over these variables, and those that do not. */
export interface OtherProtocols {
  readonly over: Value | undefined
  readonly under: Value | undefined
}

/** Key -> what the environment says; `warnings` are sentences about what it says wrongly. */
export function readOtelEnvironment(
  env: Environment,
  protocols: OtherProtocols,
): { readonly taken: ReadonlyMap<string, Taken>; readonly warnings: readonly string[] } {
  const reading = new Reading(env)
  for (const [suffix, [key, rewrite]] of Object.entries(EXPORTER)) {
    reading.take(key, BASE + suffix, rewrite)
    reading.take(key, `${BASE}PROFILES_${suffix}`, rewrite)
  }
  readEndpoint(reading, protocols)
  readOwn(reading)
  return reading
}

class Reading {
  readonly taken = new Map<string, Taken>()
  readonly warnings: string[] = []
  readonly #env: Environment

  constructor(env: Environment) {
    this.#env = env
  }

  text(variable: string): string {
    return (this.#env[variable] ?? '').trim()
  }

  take(key: string, variable: string, rewrite = (text: string): string => text): void {
    const text = this.text(variable)
    if (text === '') return
    const { type } = KEYS.find((known) => known.path === key)!
    this.attempt(variable, () => {
      const given: Given = { kind: 'text', text: rewrite(text), at: variable }
      const value = readValue(type, given)
      const fault = suffixOf(variable) === 'HEADERS' ? headerFault(value as Record<string, string>) : ''
      if (fault !== '') throw new WrongValue(fault)
      this.taken.set(key, { value, origin: variable })
    })
  }

  attempt(variable: string, read: () => void): void {
    try {
      read()
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error
      // The value itself is not repeated: headers hold keys, and endpoints may hold passwords.
      const reason = error.message.replace(/, got .*$/s, '')
      this.warnings.push(`${variable} is ignored: it ${reason}`)
    }
  }
}

/** gRPC allows HOST:PORT without a scheme; whether that is TLS is then a question of its own. */
function readEndpoint(reading: Reading, { over, under }: OtherProtocols): void {
  const isGrpc = (over ?? reading.taken.get('exporter.protocol')?.value ?? under) === 'grpc'
  const insecure = reading.text(`${BASE}PROFILES_INSECURE`) || reading.text(`${BASE}INSECURE`)
  const scheme = insecure.toLowerCase() === 'true' ? 'http' : 'https'
  const withScheme = (text: string): string => {
    if (!/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):\d+$/.test(text)) return text
    if (isGrpc) return `${scheme}://${text}`
    throw new WrongValue('must begin with http:// or https:// (HOST:PORT alone is for the protocol grpc)')
  }
  reading.take('exporter.endpoint', `${BASE}ENDPOINT`, withScheme)
  reading.take('exporter.endpoint', EXACT_ENDPOINT, withScheme)
}

/** What OpenTelemetry says of the program itself. */
function readOwn(reading: Reading): void {
  reading.take('telemetry.interval', 'OTEL_METRIC_EXPORT_INTERVAL', milliseconds)
  readSignals(reading)
  const text = reading.text('OTEL_RESOURCE_ATTRIBUTES')
  if (text !== '') {
    reading.attempt('OTEL_RESOURCE_ATTRIBUTES', () => {
      const { 'service.name': service, ...attributes } = parsePairs(text)
      reading.taken.set('resource.attributes', { value: attributes, origin: 'OTEL_RESOURCE_ATTRIBUTES' })
      if (service)
        reading.taken.set('telemetry.serviceName', { value: service, origin: 'OTEL_RESOURCE_ATTRIBUTES' })
    })
  }
  reading.take('telemetry.serviceName', 'OTEL_SERVICE_NAME')
}

/** OTEL_METRICS_EXPORTER=otlp and its like; other exporters are not ours, and mean no OTLP. */
function readSignals(reading: Reading): void {
  const given = TELEMETRY_SIGNALS.filter((signal) => reading.text(exporterOf(signal)) !== '')
  const wanted = given.filter((signal) => /(^|,)\s*otlp\s*(,|$)/.test(reading.text(exporterOf(signal))))
  if (given.length > 0)
    reading.taken.set('telemetry.signals', { value: wanted, origin: given.map(exporterOf).join(' ') })
  if (reading.text('OTEL_SDK_DISABLED').toLowerCase() === 'true')
    reading.taken.set('telemetry.signals', { value: [], origin: 'OTEL_SDK_DISABLED' })
}

function exporterOf(signal: string): string {
  return `OTEL_${signal.toUpperCase()}_EXPORTER`
}

function suffixOf(variable: string): string {
  return variable.slice(variable.lastIndexOf('_') + 1)
}

function milliseconds(text: string): string {
  if (!/^\d+$/.test(text)) throw new WrongValue('must be a number of milliseconds')
  return `${text}ms`
}

function absolute(path: string): string {
  return resolve(path)
}
