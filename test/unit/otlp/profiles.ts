/** Profiles for the tests of OTLP, and what two of them are compared by: rows with all that they mean, in any order. */
import fc from 'fast-check'
import type { Attributes } from '../../../src/model/attributes.ts'
import type { Label, Profile } from '../../../src/model/profile.ts'
import { clampInt64, exactValue } from '../../../src/model/sample-rows.ts'
import type { ResourceSplit } from '../../../src/otlp/encode.ts'
import { anyProfile } from '../../helpers/any-profile.ts'

export const SCOPE = { name: 'emberscope', version: '0.1.0' }

/** What a row is of, as text: frames with everything that is known of them, leaf first. */
export function stackText(profile: Profile, leaf: number): string {
  const frames: string[] = []
  for (let node = leaf; node >= 0; node = profile.stacks.parent[node]!) {
    const location = profile.locations[profile.stacks.location[node]!]!
    const mapping = profile.mappings[location.mapping]
    const lines = location.lines.map(({ function: fn, line, column }) => [
      profile.functions[fn],
      line,
      column,
    ])
    frames.push(
      json([BigInt.asUintN(64, location.address), location.kind, lines, mapping && bounds(mapping)]),
    )
  }
  return frames.join('\n')
}

function bounds({ start, limit, fileOffset, fileName, buildId }: Profile['mappings'][number]): unknown {
  const unsigned = [start, limit, fileOffset].map((value) => BigInt.asUintN(64, value))
  return [...unsigned, fileName, buildId]
}

/** Any profile of another producer. */
export const anyForeign: fc.Arbitrary<Profile> = anyProfile.map((profile) => ({
  ...profile,
  labelSets: [...profile.labelSets, []],
  samples: {
    ...profile.samples,
    labelSet: profile.samples.labelSet.map((set) => (set < 0 ? profile.labelSets.length : set)),
  },
}))

/** Sums by stack and labels, where samples of one identity are one; single rows where they have times. */
export function sumTexts(profile: Profile): string[] {
  const { samples, labelSets } = profile
  const sums = new Map<string, bigint[]>()
  for (const [row, leaf] of samples.stack.entries()) {
    const labels = labelSets[samples.labelSet[row]!]!.map(asWritten)
    const key = json([stackText(profile, leaf), labelText(labels), samples.timeNs ? row : ''])
    const sum = sums.get(key) ?? samples.values.map(() => 0n)
    sums.set(
      key,
      sum.map((value, column) => value + BigInt(exactValue(samples, row, column))),
    )
  }
  const clamped = (value: bigint) => String(clampInt64(value))
  return [...sums].map(([key, sum]) => json([samples.timeNs ? dropRow(key) : key, sum.map(clamped)])).sort()
}

const dropRow = (key: string) => json((JSON.parse(key) as unknown[]).slice(0, 2))

/** A key is never empty, integers are int64. */
function asWritten({ key, str, num, unit }: Label): Label {
  const wide = typeof num === 'bigint' ? BigInt.asIntN(64, num) : num
  const narrow = typeof wide === 'bigint' && Number.isSafeInteger(Number(wide)) ? Number(wide) : wide
  return {
    key: key || '_',
    ...(str === undefined ? {} : { str }),
    ...(narrow === undefined ? {} : { num: narrow }),
    ...(unit ? { unit } : {}),
  }
}

export function labelText(labels: readonly Label[]): string {
  const texts = labels.map(({ key, str, num, unit }) => json([key, str ?? '', num ?? '', unit ?? '']))
  return texts.sort().join(' ')
}

/** One text a row: owner, stack, labels, values, absolute time. Sorted. */
export function rowTexts(profile: Profile, owner: (labelSet: number) => string = () => ''): string[] {
  const { samples, labelSets, timeNs } = profile
  return Array.from(samples.stack, (leaf, row) => {
    const set = samples.labelSet[row]!
    const values = samples.values.map((_, column) => String(exactValue(samples, row, column)))
    const time = samples.timeNs ? timeNs + BigInt(Math.round(samples.timeNs[row]!)) : null
    return json([owner(set), stackText(profile, leaf), labelText(labelSets[set]!), values, time])
  }).sort()
}

export function json(value: unknown): string {
  return JSON.stringify(value, (_, entry) => (typeof entry === 'bigint' ? `${entry}n` : entry))
}

const RESOURCES: readonly Attributes[] = [
  { 'container.id': 'a'.repeat(64), 'k8s.pod.name': 'cart-7', 'service.name': 'cart' },
  { 'process.pid': 42, 'process.executable.name': 'node', 'service.name': 'unknown_service:node' },
  {
    'host.name': 'näme',
    'host.ip': ['10.0.0.1', 'fe80::1'],
    'process.owner.id': 2n ** 60n,
    'x.y': 0.5,
    'x.z': true,
  },
]

export interface Window {
  readonly profile: Profile
  readonly split: ResourceSplit
}

/** Periods of targets with rates of their own, in nanoseconds: 19, 97 and 3 Hz. */
const PERIODS = [52_631_579, 10_309_278, 333_333_333]

/** A window of an agent: on-CPU samples with times, labels of ours, several resources, often several periods. */
export const anyWindow: fc.Arbitrary<Window> = fc
  .tuple(
    anyProfile,
    fc.nat(60),
    fc.infiniteStream(fc.nat(1000)),
    fc.bigInt({ min: 0n, max: 2n ** 62n }),
    fc.integer({ min: 1, max: PERIODS.length }),
  )
  .map(([profile, rows, numbers, timeNs, periods]) => {
    const next = (below: number) => (numbers.next().value as number) % below
    const labelSets = Array.from({ length: 4 }, (_, i): Label[] => [
      { key: 'pid', num: 40 + (i >> 1) },
      { key: 'tid', num: 50 + i },
      { key: 'comm', str: 'node' },
      { key: 'thread', str: `worker ${i & 1}` },
      ...(i === 3 ? [{ key: 'stack_end', str: 'jit' }] : []),
    ])
    const nodes = profile.stacks.parent.length
    const ints = (length: number, below: number) => Int32Array.from({ length }, () => next(below))
    return {
      profile: {
        ...profile,
        sampleTypes: [
          { type: 'samples', unit: 'count' },
          { type: 'cpu', unit: 'nanoseconds' },
        ],
        defaultSampleType: 1,
        periodType: { type: 'cpu', unit: 'nanoseconds' },
        period: 52_631_579n,
        timeNs,
        durationNs: 1000n,
        mappings: profile.mappings.map((mapping) => ({
          ...mapping,
          start: 0x1000n,
          limit: 0x9000n,
          buildId: mapping.hasFunctions ? 'deadbeef01' : '',
        })),
        samples: {
          stack: nodes === 0 ? new Int32Array(rows).fill(-1) : ints(rows, nodes + 1).map((node) => node - 1),
          labelSet: ints(rows, labelSets.length),
          timeNs: Float64Array.from({ length: rows }, () => next(1000)),
          values: [
            new Float64Array(rows).fill(1),
            Float64Array.from({ length: rows }, () => PERIODS[next(periods)]!),
          ],
        },
        labelSets,
        comments: [],
        dropFrames: '',
        keepFrames: '',
        docUrl: '',
        origins: { processes: [], ofLabelSet: new Int32Array(labelSets.length) },
      },
      split: { resources: RESOURCES, ofLabelSet: Int32Array.of(0, 0, next(2) + 1, next(2) + 1) },
    }
  })
