/** The JSON head of a packed profile: row counts and whatever is too small to be a column. Checked field by field. */
import type { CaptureReport, Profile, SourceText, ValueType } from '../model/profile.ts'
import type { PackedReader } from './packed-bytes.ts'

/** Row counts by table, and the small fields of Profile; big integers as decimal text. */
export interface PackedHeader {
  readonly rows: {
    readonly strings: number
    readonly mappings: number
    readonly functions: number
    readonly locations: number
    readonly stacks: number
    readonly samples: number
    readonly labelSets: number
  }
  readonly sampleTypes: readonly ValueType[]
  readonly defaultSampleType: number
  readonly periodType: ValueType | null
  readonly period: string
  readonly timeNs: string
  readonly durationNs: string
  readonly comments: readonly string[]
  readonly dropFrames: string
  readonly keepFrames: string
  readonly docUrl: string
  readonly capture: CaptureReport | null
  readonly sources?: readonly SourceText[]
  readonly hasTimes: boolean
  /** `SampleTable.wideValues` as [key, decimal] pairs. */
  readonly wideValues?: readonly (readonly [number, string])[]
}

/** The header of a profile whose strings are counted. */
export function headerOf(profile: Profile, stringCount: number): PackedHeader {
  const { sampleTypes, defaultSampleType, periodType, comments, dropFrames, keepFrames, docUrl } = profile
  const wide = profile.samples.wideValues
  return {
    rows: {
      strings: stringCount,
      mappings: profile.mappings.length,
      functions: profile.functions.length,
      locations: profile.locations.length,
      stacks: profile.stacks.parent.length,
      samples: profile.samples.stack.length,
      labelSets: profile.labelSets.length,
    },
    ...{ sampleTypes, defaultSampleType, periodType, comments, dropFrames, keepFrames, docUrl },
    period: String(profile.period),
    timeNs: String(profile.timeNs),
    durationNs: String(profile.durationNs),
    capture: profile.capture,
    ...(profile.sources === undefined ? {} : { sources: profile.sources }),
    hasTimes: profile.samples.timeNs !== null,
    ...(wide === undefined
      ? {}
      : { wideValues: [...wide].map(([key, value]) => [key, String(value)] as const) }),
  }
}

/** The header of a text, or the end of the reading. Row counts never exceed the bytes that are left. */
export function parseHeader(reader: PackedReader, text: string): PackedHeader {
  const header = parseObject(reader, text)
  const require = (holds: boolean, field: string): void => {
    if (!holds) reader.damaged(`its header has no usable "${field}"`)
  }
  const rows = header.rows as Record<string, unknown> | undefined
  for (const table of ['strings', 'mappings', 'functions', 'locations', 'stacks', 'samples', 'labelSets']) {
    require(isCount(rows?.[table], reader.left), `rows.${table}`)
  }
  const types = header.sampleTypes
  require(Array.isArray(types) && types.length <= 256 && types.every(isValueType), 'sampleTypes')
  require(isCount(
    header.defaultSampleType,
    Math.max(0, (types as unknown[]).length - 1),
  ), 'defaultSampleType')
  require(header.periodType === null || isValueType(header.periodType), 'periodType')
  for (const field of ['period', 'timeNs', 'durationNs']) require(isDecimal(header[field]), field)
  for (const field of ['dropFrames', 'keepFrames', 'docUrl'])
    require(typeof header[field] === 'string', field)
  require(isArrayOf(header.comments, (comment) => typeof comment === 'string'), 'comments')
  require(typeof header.hasTimes === 'boolean', 'hasTimes')
  require(header.capture === null || isCapture(header.capture), 'capture')
  require(header.sources === undefined || isArrayOf(header.sources, isSourceText), 'sources')
  require(header.wideValues === undefined || isArrayOf(header.wideValues, isWidePair), 'wideValues')
  return header as unknown as PackedHeader
}

function parseObject(reader: PackedReader, text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    reader.damaged(`its header is not JSON (${(cause as Error).message})`)
  }
  if (!isRecord(value)) reader.damaged('its header is not an object')
  return value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isArrayOf(value: unknown, holds: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(holds)
}

function isCount(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
}

function isSourceText(value: unknown): boolean {
  if (!isRecord(value) || typeof value.fileName !== 'string') return false
  return isCount(value.firstLine, 2 ** 31) && isArrayOf(value.lines, (line) => typeof line === 'string')
}

function isValueType(value: unknown): boolean {
  return isRecord(value) && typeof value.type === 'string' && typeof value.unit === 'string'
}

/** At most 20 digits, the longest a 64-bit number has. */
function isDecimal(value: unknown): boolean {
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value)
}

function isWidePair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && isCount(value[0], 2 ** 52) && isDecimal(value[1])
}

function isNumbers(value: unknown, ...fields: string[]): boolean {
  return isRecord(value) && fields.every((field) => typeof value[field] === 'number')
}

function isReasons(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((count) => typeof count === 'number')
}

function isRate(value: unknown): boolean {
  return isRecord(value) && typeof value.target === 'string' && isNumbers(value, 'rateHz', 'samples')
}

/** The page shows all of the report: a field of another type must not reach it. */
function isCapture(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { target, host, samples, stacks, frames } = value
  return (
    isRecord(target) &&
    ['pids', 'command', 'all'].includes(target.kind as string) &&
    typeof target.name === 'string' &&
    isArrayOf(target.pids, (pid) => typeof pid === 'number') &&
    isRecord(host) &&
    ['name', 'kernel', 'arch'].every((field) => typeof host[field] === 'string') &&
    isNumbers(host, 'cpus') &&
    typeof value.event === 'string' &&
    isNumbers(value, 'rateHz', 'durationNs') &&
    (value.rates === undefined || isArrayOf(value.rates, isRate)) &&
    isNumbers(samples, 'captured', 'kept') &&
    isReasons((samples as Record<string, unknown>).dropped) &&
    isNumbers(stacks, 'complete', 'approximate') &&
    isReasons((stacks as Record<string, unknown>).truncated) &&
    isNumbers(frames, 'named') &&
    isReasons((frames as Record<string, unknown>).unnamed) &&
    isNumbers(value.overhead, 'bpfRuns', 'bpfTimeNs', 'cpuNs', 'rssBytes') &&
    isNumbers(value.timing, 'startToFirstSampleNs', 'lastSampleToFilesNs') &&
    isArrayOf(value.notes, (note) => typeof note === 'string')
  )
}
