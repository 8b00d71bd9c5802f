/** What the header says of a profile, and the source lines of the drawer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Profile } from '../../../src/model/profile.ts'
import { openedOf } from '../../../src/view/opened.ts'
import type { Opened } from '../../../src/view/protocol.ts'
import { sourceOf } from '../../../src/view/source-lines.ts'
import { HEALTHY_CAPTURE, profileOf } from '../../helpers/sample-profile.ts'

function opened(profile: Profile, name = 'cpu.pb.gz'): Opened {
  return openedOf(profile, { name, baselineName: null }, () => 1)
}

const ROWS = [
  { frames: ['main|/usr/bin/app'], count: 1500 },
  { frames: ['main|/usr/bin/app', 'f|/usr/bin/app'], count: 312 },
]

test('a capture tells its process, length, rate, cores and samples', () => {
  const { name, facts, notes } = opened(profileOf(ROWS, HEALTHY_CAPTURE))
  assert.equal(name, 'node')
  assert.deepEqual(facts, ['pid 4242', '10.0\u202fs', '99\u202fHz', '1.83\u202fcores', '1\u202f812 samples'])
  assert.equal(notes.length, 1)
})

test('a capture of a host is named after it, and a profile that names nothing after its file', () => {
  const target = { kind: 'all' as const, name: 'all', pids: [1, 2] }
  const host = opened(profileOf(ROWS, { ...HEALTHY_CAPTURE, target }))
  assert.deepEqual([host.name, host.facts[0]], ['build-7', '2 processes'])
  assert.equal(opened(profileOf(ROWS)).name, 'app')
  const nameless = profileOf([{ frames: ['main'], count: 1 }])
  assert.equal(opened(nameless).name, 'cpu.pb.gz')
  assert.equal(opened(nameless, '').name, 'profile')
})

/** A profile with these columns. */
function withColumns(columns: Readonly<Record<string, readonly number[]>>, defaultSampleType = 0): Profile {
  const names = Object.keys(columns)
  const rows = columns[names[0]!]!.map(() => ({ frames: ['main'], count: 1 }))
  const profile = profileOf(rows)
  const values = Object.values(columns).map((column) => Float64Array.from(column))
  return {
    ...profile,
    defaultSampleType,
    sampleTypes: names.map((type) => ({ type, unit: 'count' })),
    samples: { ...profile.samples, values },
  }
}

test('of columns that draw the same graph one is offered, the default where it is among them', () => {
  const kept = (profile: Profile): number[] => opened(profile).columns.map(({ index }) => index)
  assert.deepEqual(kept(withColumns({ samples: [1, 2, 3], cpu: [10, 20, 30] }, 1)), [1])
  assert.deepEqual(kept(withColumns({ a: [1, 2, 3], b: [1, 2, 4], c: [2, 4, 6] }, 2)), [2, 1])
  assert.deepEqual(kept(withColumns({ a: [0, 0, 0], b: [1, 2, 3], c: [-1, -2, -3] })), [0, 1, 2])
  // A third of a unit is not exact in a double.
  assert.deepEqual(kept(withColumns({ a: [3, 1, 7], b: [1, 1 / 3, 7 / 3] })), [0])
  assert.deepEqual(kept(withColumns({ a: [] as number[] })), [0])
})

test('labels of columns are words, and times are told only where samples have them', () => {
  const profile = withColumns({ alloc_space: [1, 2] })
  const { columns, durationNs, startMs, hasSources } = opened(profile)
  assert.equal(columns[0]!.label, 'alloc space (count)')
  assert.deepEqual([durationNs, startMs, hasSources], [null, 1_790_000_000_000, false])
  const timed = { ...profile, samples: { ...profile.samples, timeNs: new Float64Array(2) }, timeNs: 0n }
  assert.deepEqual([opened(timed).durationNs, opened(timed).startMs], [10_000_000_000, null])
})

test('lines of a file are each there once, in their order, with their weights', () => {
  const sources = [
    { fileName: 'a.c', firstLine: 20, lines: ['twenty', 'twenty-one'] },
    { fileName: 'b.c', firstLine: 1, lines: ['other'] },
    { fileName: 'a.c', firstLine: 10, lines: ['ten'] },
    { fileName: 'a.c', firstLine: 21, lines: ['twenty-one', 'twenty-two'] },
  ]
  const profile = { ...profileOf([]), sources }
  const source = sourceOf(profile, 'a.c', (line) => ({ self: line, total: 2 * line }))!
  assert.deepEqual(
    source.lines.map(({ number, text, self, total }) => [number, text, self, total]),
    [
      [10, 'ten', 10, 20],
      [20, 'twenty', 20, 40],
      [21, 'twenty-one', 21, 42],
      [22, 'twenty-two', 22, 44],
    ],
  )
  assert.equal(
    sourceOf(profile, 'c.c', () => ({ self: 0, total: 0 })),
    null,
  )
  assert.equal(
    sourceOf(profileOf([]), 'a.c', () => ({ self: 0, total: 0 })),
    null,
  )
})
