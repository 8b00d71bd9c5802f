/**
 * Typed tables -> profiles of the model: one for each resource, scope and profile.
 *
 * pprof's profiles with several sample types come as several OTLP profiles with the same samples (P-60): those become
 * one again. On-CPU samples by timestamps get a second column, the CPU time that the period makes of them.
 */
import type { Attributes } from '../model/attributes.ts'
import type { Profile, ValueType } from '../model/profile.ts'
import { PPROF } from './keys.ts'
import type {
  Dictionary,
  OtlpProfile,
  ProfilesData,
  SampleColumns,
  Scope,
  ScopeProfiles,
  ValueTypeIndices,
} from './model.ts'
import { type ProfileTables, profileTables } from './profile-tables.ts'
import { hasProfiles } from './references.ts'
import { resolveAttributes, textAt } from './resolve.ts'
import { LabelSets, readColumns, readRows, startOf } from './sample-table.ts'

/** A profile and whose it is. */
export interface DecodedProfile {
  readonly resource: Attributes
  readonly scope: { readonly name: string; readonly version: string; readonly attributes: Attributes }
  readonly profile: Profile
}

/** In the order of the message. `data` must have passed checkReferences, as what `decodeRequest` gives has. */
export function toProfiles(data: ProfilesData): DecodedProfile[] {
  const { dictionary, resourceProfiles } = data
  // The tables are only checked where a profile uses them.
  if (dictionary === null || !hasProfiles(data)) return []
  const tables = profileTables(dictionary)
  return resourceProfiles.flatMap(({ resource, scopeProfiles }) => {
    const attributes = resolveAttributes(resource?.attributes ?? [], dictionary)
    return scopeProfiles.flatMap((entry) => {
      const scope = readScope(entry.scope, dictionary)
      return profilesOf(entry, scope.attributes, tables, dictionary).map((profile) => ({
        resource: attributes,
        scope,
        profile,
      }))
    })
  })
}

function readScope(scope: Scope | null, dictionary: Dictionary): DecodedProfile['scope'] {
  return {
    name: scope?.name ?? '',
    version: scope?.version ?? '',
    attributes: resolveAttributes(scope?.attributes ?? [], dictionary),
  }
}

function profilesOf(
  { profiles }: ScopeProfiles,
  scope: Attributes,
  tables: ProfileTables,
  dictionary: Dictionary,
): Profile[] {
  const isPprof = PPROF.defaultSampleType in scope || PPROF.sampleTypeOrder in scope
  const groups: OtlpProfile[][] = []
  const types = new Set<string>()
  for (const profile of profiles) {
    const group = groups.at(-1)
    const isNew = !types.has(typeKey(profile))
    if (group && (isPprof || isNew) && isOneMoreColumn(profile, group[0]!)) group.push(profile)
    else {
      groups.push([profile])
      types.clear()
    }
    types.add(typeKey(profile))
  }
  return groups.map((group) => readProfile(group, scope, isPprof, tables, dictionary))
}

function typeKey({ sampleType }: OtlpProfile): string {
  return `${sampleType?.typeStrindex} ${sampleType?.unitStrindex}`
}

function isOneMoreColumn(profile: OtlpProfile, first: OtlpProfile): boolean {
  const isSameTime =
    profile.timeUnixNano === first.timeUnixNano && profile.durationNano === first.durationNano
  return isSameTime && profile.period === first.period && haveSameRows(profile.samples, first.samples)
}

function haveSameRows(one: SampleColumns, other: SampleColumns): boolean {
  if (one.timestamps.length === 0 && one.valueStart.length !== other.valueStart.length) return false
  return (
    isEqual(one.stackIndex, other.stackIndex) &&
    isEqual(one.linkIndex, other.linkIndex) &&
    isEqual(one.attributeIndices.start, other.attributeIndices.start) &&
    isEqual(one.attributeIndices.values, other.attributeIndices.values) &&
    isEqual(one.timestampStart, other.timestampStart) &&
    isEqual(one.timestamps, other.timestamps)
  )
}

function isEqual<T extends Int32Array | BigUint64Array>(one: T, other: T): boolean {
  return one.length === other.length && one.every((value: number | bigint, i: number) => value === other[i])
}

function readProfile(
  group: readonly OtlpProfile[],
  scope: Attributes,
  isPprof: boolean,
  tables: ProfileTables,
  dictionary: Dictionary,
): Profile {
  const [first] = group as [OtlpProfile]
  const labels = new LabelSets(dictionary, !isPprof)
  const timeNs = startOf(first)
  const { count, ...rows } = readRows(first, tables.nodeOf, labels, timeNs)
  const columns = readColumns(group, count)
  const periodType = valueType(first.periodType, dictionary)
  const types = group.map(({ sampleType }) => valueType(sampleType, dictionary) ?? { type: '', unit: '' })
  const { nodeOf: _, ...shared } = tables
  const base = {
    ...shared,
    samples: { ...rows, ...columns },
    labelSets: labels.sets,
    periodType,
    period: first.period,
    timeNs,
    durationNs: first.durationNano,
    capture: null,
    ...profileTexts(first, dictionary),
  }
  if (isPprof) return { ...base, sampleTypes: types, ...defaultType(types, scope) }
  const isOneEach = group.length === 1 && first.samples.values.length === 0
  const isCpu = periodType?.type === 'cpu' && periodType.unit === 'nanoseconds' && first.period > 0n
  if (!isOneEach || !isCpu || types[0]!.type !== 'samples') {
    return { ...base, sampleTypes: types, defaultSampleType: 0 }
  }
  const cpu = new Float64Array(count).fill(Number(first.period))
  return {
    ...base,
    sampleTypes: [types[0]!, periodType],
    defaultSampleType: 1,
    samples: { ...rows, values: [columns.values[0]!, cpu] },
  }
}

/** Null where it says nothing. */
function valueType(type: ValueTypeIndices | null, dictionary: Dictionary): ValueType | null {
  const name = textAt(dictionary, type?.typeStrindex ?? 0)
  const unit = textAt(dictionary, type?.unitStrindex ?? 0)
  return name === '' && unit === '' ? null : { type: name, unit }
}

/** The column that pprof's default names, the last one when it names none. */
function defaultType(
  types: readonly ValueType[],
  scope: Attributes,
): Pick<Profile, 'defaultSampleType' | 'declaredDefaultType'> {
  const name = String(scope[PPROF.defaultSampleType] ?? '')
  const found = types.findIndex(({ type }) => type === name)
  const index = found >= 0 ? found : Math.max(0, types.length - 1)
  const agrees = name === (types[index]?.type ?? '')
  return { defaultSampleType: index, ...(agrees ? {} : { declaredDefaultType: name }) }
}

/** pprof's texts, which are attributes of the profile. Some writers number the comments. */
function profileTexts(
  { attributeIndices }: OtlpProfile,
  dictionary: Dictionary,
): Pick<Profile, 'comments' | 'dropFrames' | 'keepFrames' | 'docUrl'> {
  const attributes = resolveAttributes(
    attributeIndices.map((index) => ({ key: '', ...dictionary.attributeTable[index]! })),
    dictionary,
  )
  const text = (key: string) => String(attributes[key] ?? '')
  const comments = Object.keys(attributes)
    .filter((key) => key === PPROF.comment || /^pprof\.profile\.comment\.\d+$/.test(key))
    .flatMap((key) => attributes[key] as string | readonly string[])
  return {
    comments,
    dropFrames: text(PPROF.dropFrames),
    keepFrames: text(PPROF.keepFrames),
    docUrl: text(PPROF.docUrl),
  }
}
