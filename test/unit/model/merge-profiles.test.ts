import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { frameName } from '../../../src/model/frame-name.ts'
import { mergeProfiles, ProfileMerger } from '../../../src/model/merge-profiles.ts'
import { sampledSeconds } from '../../../src/model/merge-reports.ts'
import type { Label, Profile } from '../../../src/model/profile.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'
import type { SampledProcess } from '../../../src/model/sampled-process.ts'
import { anyProfile } from '../../helpers/any-profile.ts'
import { FAKE_REPORT } from '../../helpers/fake-world.ts'
import { nodeServerProfile, profileOf } from '../../helpers/sample-profile.ts'

const json = (value: unknown): string =>
  JSON.stringify(value, (_key, v) =>
    typeof v === 'bigint' ? `${v}n` : Object.is(v, -0) ? '-0' : Number.isNaN(v) ? 'NaN' : v,
  )

/** Every sample in full, whatever the ids: stack with files and lines, labels, absolute time, values. */
function rowsOf(profile: Profile): string[] {
  const { samples, stacks, locations, functions, mappings, labelSets } = profile
  const frame = (at: number): unknown => {
    const location = locations[at]!
    const mapping = mappings[location.mapping]
    return {
      ...location,
      mapping: mapping && [
        mapping.start,
        mapping.limit,
        mapping.fileOffset,
        mapping.fileName,
        mapping.buildId,
      ],
      lines: location.lines.map((line) => [
        { ...functions[line.function], startLine: 0 },
        line.line,
        line.column,
      ]),
    }
  }
  return Array.from(samples.stack, (leaf, row) => {
    const frames: unknown[] = []
    for (let node = leaf; node >= 0; node = stacks.parent[node]!) frames.push(frame(stacks.location[node]!))
    const timeNs = samples.timeNs === null ? null : Number(profile.timeNs) + samples.timeNs[row]!
    const values = samples.values.map((column) => column[row])
    return json([frames, labelSets[samples.labelSet[row]!] ?? null, timeNs, values])
  }).sort()
}

const at = (profile: Profile, timeNs: bigint): Profile => ({
  ...profile,
  timeNs,
  durationNs: 10_000_000_000n,
})

test('keeps one copy of what windows share, and all their samples', () => {
  const window = nodeServerProfile()
  const merged = mergeProfiles([at(window, 10n), at(window, 10_000_000_010n)])!
  assert.equal(checkProfile(merged), null)
  assert.deepEqual(
    [merged.functions.length, merged.locations.length, merged.stacks.parent.length, merged.labelSets.length],
    [window.functions.length, window.locations.length, window.stacks.parent.length, window.labelSets.length],
  )
  assert.equal(merged.samples.stack.length, 2 * window.samples.stack.length)
  assert.deepEqual([merged.timeNs, merged.durationNs], [10n, 20_000_000_000n])
})

test('keeps the source text of all, once where it is the same', () => {
  const text = (firstLine: number) => ({ fileName: '/src/a.c', firstLine, lines: ['a', 'b'] })
  const [one, two] = [
    [text(1), text(9)],
    [text(9), text(20)],
  ] as const
  const window = nodeServerProfile()
  const merged = mergeProfiles([window, { ...window, sources: one }, { ...window, sources: two }])!
  assert.deepEqual(merged.sources, [text(1), text(9), text(20)])
  assert.equal('sources' in mergeProfiles([window])!, false)
})

test('gives one profile back as it was, whatever it is', () => {
  fc.assert(
    fc.property(anyProfile, (profile) => {
      const merged = mergeProfiles([profile])!
      assert.equal(checkProfile(merged) === null, checkProfile(profile) === null)
      assert.deepEqual(rowsOf(merged), rowsOf(profile))
    }),
  )
})

test('gives the samples of any two profiles of the same types, in either order', () => {
  const types = [{ type: 'samples', unit: 'count' }]
  const alike = anyProfile.map((profile): Profile => {
    const timeNs = profile.timeNs % 1_000_000n
    const values = [new Float64Array(profile.samples.stack.length).fill(1)]
    const times = new Float64Array(profile.samples.stack.length).map((_, i) => i)
    const samples = { ...profile.samples, values, timeNs: times }
    return { ...profile, timeNs, sampleTypes: types, defaultSampleType: 0, samples }
  })
  fc.assert(
    fc.property(alike, alike, (one, other) => {
      const both = [...rowsOf(one), ...rowsOf(other)].sort()
      for (const merged of [mergeProfiles([one, other])!, mergeProfiles([other, one])!]) {
        assert.deepEqual(rowsOf(merged), both)
        assert.ok(merged.timeNs <= one.timeNs && merged.timeNs <= other.timeNs)
      }
    }),
  )
})

test('shifts sample times to the earliest window, even one that is added last', () => {
  const timed = (timeNs: bigint, offset: number): Profile => {
    const window = profileOf([{ frames: ['main'], count: 1 }])
    return { ...at(window, timeNs), samples: { ...window.samples, timeNs: Float64Array.of(offset) } }
  }
  const merged = mergeProfiles([timed(2_000n, 7), timed(500n, 3)])!
  assert.equal(merged.timeNs, 500n)
  assert.deepEqual([...merged.samples.timeNs!], [1_507, 3])
})

test('does not take an unnamed location for one whose lines have the same numbers', () => {
  const stacks = [
    { frames: ['a|/bin/x', '|/bin/x', 'b|/bin/x'], count: 1 },
    { frames: ['|/bin/x', 'a|/bin/x', '+b|/bin/x'], count: 2 },
  ]
  const [one, other] = stacks.map((stack) => profileOf([stack]))
  const merged = mergeProfiles([one!, other!])!
  assert.deepEqual(rowsOf(merged), [...rowsOf(one!), ...rowsOf(other!)].sort())
})

test('tells a line that was not known from a second function of that name', () => {
  const withLine = (startLine: number): Profile => {
    const profile = profileOf([{ frames: ['main'], count: 1 }])
    return { ...profile, functions: [{ ...profile.functions[0]!, startLine }] }
  }
  const known = mergeProfiles([withLine(0), withLine(7), withLine(0)])!
  assert.deepEqual(
    known.functions.map((f) => f.startLine),
    [7],
  )
  const two = mergeProfiles([withLine(7), withLine(9), withLine(7)])!
  assert.deepEqual(
    two.functions.map((f) => f.startLine),
    [7, 9],
  )
})

test('keeps two processes of one reused pid apart', () => {
  const labels: Label[] = [{ key: 'pid', num: 42 }]
  const process = (startNs: number): SampledProcess => ({
    pid: 42,
    parentPid: 1,
    comm: 'sh',
    cgroupId: 5n,
    startNs,
  })
  const window = (startNs: number): Profile => ({
    ...profileOf([{ frames: ['main'], count: 1 }]),
    labelSets: [labels],
    origins: { processes: [process(startNs)], ofLabelSet: Int32Array.of(0) },
  })
  const merged = mergeProfiles([window(100), window(200), window(100)])!
  assert.deepEqual(merged.labelSets, [labels, labels])
  assert.deepEqual(
    merged.origins!.processes.map((p) => p.startNs),
    [100, 200],
  )
  assert.deepEqual([...merged.samples.labelSet], [0, 1, 0])
  assert.deepEqual([...merged.origins!.ofLabelSet], [0, 1])
  const without = mergeProfiles([window(100), profileOf([{ frames: ['main'], count: 1 }])])!
  assert.equal(without.origins!.processes[without.origins!.ofLabelSet[1]!]!.pid, 0)
})

test('sums what was sampled at rates of its own by target, and keeps the CPU time where they changed', () => {
  const rated = (base: number, db: number, kept: number, keptDb: number): Profile => ({
    ...at(nodeServerProfile(), 0n),
    capture: {
      ...FAKE_REPORT,
      rateHz: base,
      samples: { captured: kept + keptDb, kept: kept + keptDb, dropped: {} },
      rates: [
        { target: 'comm db', rateHz: db, samples: keptDb },
        { target: '', rateHz: base, samples: kept },
      ],
    },
  })
  const { capture } = mergeProfiles([rated(20, 100, 20, 100), rated(10, 50, 10, 50)])!
  assert.deepEqual(capture!.rates, [
    { target: 'comm db', rateHz: 75, samples: 150 },
    { target: '', rateHz: 15, samples: 30 },
  ])
  assert.equal(capture!.rateHz, 15)
  assert.equal(sampledSeconds(capture!), 4)
  assert.equal(
    sampledSeconds({ ...FAKE_REPORT, rateHz: 20, samples: { captured: 10, kept: 9, dropped: {} } }),
    0.5,
  )
})

test('sums the reports, and gives the rate that keeps the CPU time when the governor changed it', () => {
  const base = profileOf([{ frames: ['main'], count: 1 }], {
    ...FAKE_REPORT,
    rateHz: 97,
    notes: ['a', '5.0% x'],
  })
  const slow = { ...base, capture: { ...FAKE_REPORT, rateHz: 19, notes: ['a', 'b', '7.1% x'] } }
  const { capture } = mergeProfiles([base, slow])!
  assert.deepEqual(capture!.samples, { captured: 2000, kept: 1980, dropped: { ring_full: 20, malformed: 0 } })
  assert.equal(capture!.durationNs, 20e9)
  assert.equal(capture!.rateHz, Math.round(2000 / (1000 / 97 + 1000 / 19)))
  assert.equal(capture!.overhead.cpuNs, 84_000_000)
  assert.equal(capture!.overhead.rssBytes, 50 * 1024 * 1024)
  assert.deepEqual(capture!.notes, ['a', '7.1% x (the latest of 2 windows that say so)', 'b'])
})

test('keeps values that no double holds at their rows', () => {
  const profile = profileOf([{ frames: ['a'], count: 1 }])
  const wide = { ...profile, samples: { ...profile.samples, wideValues: new Map([[1, 2n ** 60n]]) } }
  assert.deepEqual(mergeProfiles([profile, wide])!.samples.wideValues, new Map([[3, 2n ** 60n]]))
})

test('gives nothing for nothing, and refuses profiles that count other things', () => {
  assert.equal(new ProfileMerger().finish(), null)
  const profile = profileOf([])
  const heap = { ...profile, sampleTypes: [{ type: 'inuse_space', unit: 'bytes' }] }
  assert.throws(() => mergeProfiles([profile, heap]), {
    code: 'input_invalid',
    message: /inuse_space\/bytes/,
  })
})

test('names frames as the windows did', () => {
  const window = nodeServerProfile()
  const merged = mergeProfiles([window])!
  const names = (profile: Profile): string[] => profile.locations.map((_, i) => frameName(profile, i, 0))
  assert.deepEqual(names(merged), names(window))
})
