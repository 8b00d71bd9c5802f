/**
 * Profile -> OTLP profiles, proto 1.11 (otlp.md's rules P-01…P-61 are quoted where they decide something).
 *
 * Two ways out: requests for receivers, of limited size and by resource, and one message for a file. Both hold what
 * every known receiver accepts (P-51): keys inline, resource, scope and period type always there, timestamps alone or
 * one value.
 */
import type { Attributes } from '../model/attributes.ts'
import type { Profile } from '../model/profile.ts'
import { atOnce, type Steps } from '../model/steps.ts'
import { WireWriter } from '../protobuf/writer.ts'
import { ContentTables, type Fidelity } from './content.ts'
import { labelColumns, profileAttributes, scopeAttributes } from './label-attributes.ts'
import { type ProfileHead, RequestWriter } from './request-writer.ts'
import { groupSamples } from './sample-groups.ts'
import { onePeriod, type SamplePeriods, samplePeriods } from './sample-periods.ts'
import { SampleValues, timeRange } from './sample-values.ts'
import { type KeyedValues, writeAttributes } from './write-value.ts'

const GROUPS_A_STEP = 16

/** Which resource the samples of each label set belong to. */
export interface ResourceSplit {
  readonly resources: readonly Attributes[]
  /** Index into `resources`, by label set. */
  readonly ofLabelSet: Int32Array
}

/** An ExportProfilesServiceRequest, protobuf, not compressed. */
export interface EncodedRequest {
  readonly bytes: Uint8Array
  /** Samples as the profile counts them: its rows. */
  readonly samples: number
}

/** Name and version of who made the profiles: the instrumentation scope. */
export interface ProducerScope {
  readonly name: string
  readonly version: string
}

/**
 * Requests with all samples of the profile, each valid alone and at most `maxBytes` long: cut between resources where
 * possible, else between samples. None for a profile without samples.
 *
 * `onTooLarge` gets the number of samples that no request can hold, as their stack or resource alone passes the limit.
 */
export function encodeRequests(
  profile: Profile,
  split: ResourceSplit,
  scope: ProducerScope,
  maxBytes: number,
  onTooLarge?: (samples: number) => void,
): EncodedRequest[] {
  return atOnce(encodeRequestSteps(profile, split, scope, maxBytes, onTooLarge))
}

/** The same in steps of a fraction of a millisecond. */
export function* encodeRequestSteps(
  profile: Profile,
  split: ResourceSplit,
  scope: ProducerScope,
  maxBytes: number,
  onTooLarge: (samples: number) => void = () => {},
): Steps<EncodedRequest[]> {
  if (profile.samples.stack.length === 0 || profile.sampleTypes.length === 0) return []
  const { writer, order, rowsOf } = yield* requestWriter(
    profile,
    samplePeriods(profile),
    split,
    scope,
    maxBytes,
    'conventions',
  )
  const requests: EncodedRequest[] = []
  const close = () => {
    const samples = writer.rows
    const bytes = writer.finish()
    if (samples > 0) requests.push({ bytes, samples })
  }
  for (const [index, group] of order.entries()) {
    if (index % GROUPS_A_STEP === 0) yield
    const rows = rowsOf(group)
    for (let from = 0; from < rows; ) {
      const isFirst = writer.rows === 0
      const taken = writer.add(group, from)
      from += taken
      if (taken > 0) continue
      close()
      if (!isFirst) continue
      onTooLarge(rows - from)
      break
    }
  }
  yield
  if (writer.rows > 0) close()
  return requests
}

/** A ProfilesData message with the whole profile, for a file. Profiles of other producers lose nothing (P-61). */
export function encodeProfilesData(profile: Profile, scope: ProducerScope): Uint8Array {
  const isOwn = profile.capture !== null || profile.origins !== undefined
  const split = { resources: [fileResource(profile)], ofLabelSet: new Int32Array(profile.labelSets.length) }
  const fidelity = isOwn ? 'conventions' : 'pprof'
  const periods = isOwn ? filePeriods(profile) : onePeriod(profile, profile.period)
  const { writer, order } = atOnce(
    requestWriter(profile, periods, split, scope, Number.POSITIVE_INFINITY, fidelity),
  )
  writer.openSegment(0, 0)
  for (const group of order) writer.add(group, 0)
  return writer.finish()
}

/** One message of all samples: with several weights among them the values say those, and no period is true of all. */
function filePeriods(profile: Profile): SamplePeriods {
  const own = samplePeriods(profile)
  return own.periods.length > 1 ? onePeriod(profile, 0n) : own
}

function fileResource({ capture }: Profile): Attributes {
  if (!capture) return {}
  const { name, arch } = capture.host
  return { 'host.name': name, 'host.arch': ARCHITECTURES[arch] ?? arch, 'os.type': 'linux' }
}

/** `host.arch` by the semantic conventions. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'amd64', x64: 'amd64', aarch64: 'arm64' }

function* requestWriter(
  profile: Profile,
  periods: SamplePeriods,
  split: ResourceSplit,
  scope: ProducerScope,
  maxBytes: number,
  fidelity: Fidelity,
) {
  const tables = new ContentTables(profile, fidelity)
  yield* tables.fill()
  const labels = yield* labelColumns(tables, (labelSet) => split.resources[split.ofLabelSet[labelSet]!]!)
  yield
  const groups = groupSamples(tables, labels, split.ofLabelSet, periods)
  yield
  const values = new SampleValues(profile, periods.areAll)
  const extra = fidelity === 'pprof' ? scopeAttributes(profile) : {}
  const envelope = {
    resources: split.resources.map((attributes) =>
      encodeMessage((writer) => writeAttributes(writer, 1, attributes)),
    ),
    scope: encodeMessage((writer) => writeScope(writer, scope, extra)),
  }
  const head = profileHead(tables, values.columns, periods.periods)
  return {
    writer: new RequestWriter({ tables, groups, values, head, envelope }, maxBytes),
    order: groups.order,
    rowsOf: (group: number) => groups.start[group + 1]! - groups.start[group]!,
  }
}

function profileHead(tables: ContentTables, columns: number, periods: readonly bigint[]): ProfileHead {
  const { profile, attributes } = tables
  const { texts } = attributes
  const ids = ({ type, unit }: { type: string; unit: string }) => ({
    type: texts.id(type),
    unit: texts.id(unit),
  })
  return {
    columns: profile.sampleTypes.slice(0, columns).map(ids),
    periodType: ids(profile.periodType ?? { type: '', unit: '' }),
    periods,
    ...timeRange(profile),
    attributes: profileAttributes(tables),
  }
}

function writeScope(writer: WireWriter, { name, version }: ProducerScope, attributes: KeyedValues): void {
  writer.text(1, name)
  writer.text(2, version)
  writeAttributes(writer, 3, attributes)
}

function encodeMessage(write: (writer: WireWriter) => void): Uint8Array {
  const writer = new WireWriter(1024)
  write(writer)
  return writer.finish()
}
