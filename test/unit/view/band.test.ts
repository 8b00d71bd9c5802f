/** CPU over time and by offset in the second, of profiles small enough to count by hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Label, Profile } from '../../../src/model/profile.ts'
import { bandOf } from '../../../src/view/band.ts'
import { heatOf } from '../../../src/view/heat.ts'
import { profileOf, randomNumbers } from '../../helpers/sample-profile.ts'

const SECOND = 1e9
const PERIOD = 10_101_010

/** A sample at a time, with labels. */
interface Timed {
  readonly at: number
  readonly labels: readonly Label[]
}

function profileWith(rows: readonly Timed[], seconds = 10): Profile {
  const profile = profileOf(rows.map(() => ({ frames: ['main'], count: 1 })))
  const timeNs = Float64Array.from(rows, ({ at }) => at * SECOND)
  return {
    ...profile,
    durationNs: BigInt(seconds * SECOND),
    labelSets: rows.map(({ labels }) => labels),
    samples: { ...profile.samples, timeNs, labelSet: Int32Array.from(rows, (_, row) => row) },
  }
}

function threads(counts: Readonly<Record<string, number>>): Profile {
  const rows = Object.entries(counts).flatMap(([name, count]) =>
    Array.from({ length: count }, (_, i) => ({
      at: (i / count) * 10,
      labels: [{ key: 'thread', str: name }],
    })),
  )
  return profileWith(rows)
}

function band(profile: Profile, key: string, column = 0, bins = 10): ReturnType<typeof bandOf> {
  const rows = { column, weights: profile.samples.values[column]!, leafName: () => 'main' }
  return bandOf(profile, rows, key, bins)
}

const sums = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0)

test('each sample is in the bin of its time and the series of its label', () => {
  const labels = [{ key: 'pid', num: 7 }]
  const profile = profileWith([
    { at: 0, labels },
    { at: 0.99, labels },
    { at: 1, labels: [{ key: 'pid', num: 8n }] },
    { at: 9.99, labels: [] },
    { at: 12, labels },
  ])
  const { series, fromNs, toNs } = band(profile, 'pid')
  assert.deepEqual([fromNs, toNs], [0, 10 * SECOND])
  const byName = Object.fromEntries(series.map(({ name, values }) => [name, [...values]]))
  assert.deepEqual(byName, {
    7: [2, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    8: [0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    'no pid': [0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  })
})

test('six series at most, heaviest first, and the rest is one that is last; no weight is lost', () => {
  const profile = threads({ a: 5, b: 9, c: 8, d: 7, e: 6, f: 20, g: 30, h: 4 })
  const { series } = band(profile, 'thread')
  assert.deepEqual(
    series.map(({ name, values }) => [name, sums(values)]),
    [
      ['g', 30],
      ['f', 20],
      ['b', 9],
      ['c', 8],
      ['d', 7],
      ['e', 6],
      ['others', 9],
    ],
  )
})

test('every series has a hue of its own, which a change of weights does not change', () => {
  const random = randomNumbers(5)
  for (let run = 0; run < 50; run++) {
    const names = Array.from({ length: 8 }, () => `thread-${Math.floor(random() * 1e6)}`)
    const heavy = (order: readonly string[]) =>
      Object.fromEntries(order.map((name, i) => [name, 2 + 3 * (i + 1)]))
    const { series } = band(threads(heavy(names)), 'thread')
    assert.equal(new Set(series.map(({ hue }) => hue)).size, series.length)
    const kept = names.slice(2)
    const again = band(threads(heavy([...names.slice(0, 2), ...kept.reverse()])), 'thread').series
    const hues = new Map(again.map(({ name, hue }) => [name, hue]))
    for (const { name, hue } of series) assert.equal(hues.get(name), hue)
  }
})

test('without a key there is one series; filtered rows and weights below zero count nothing', () => {
  const profile = threads({ a: 3, b: 2 })
  const weights = Float64Array.of(1, 0, -5, Number.NaN, 2)
  const { series } = bandOf(profile, { column: 0, weights, leafName: () => '' }, '', 4)
  assert.deepEqual(
    series.map(({ name, values }) => [name, sums(values)]),
    [['all', 3]],
  )
})

test('a busy core is what fits in a bin: nanoseconds of it, or samples of the period', () => {
  const profile = threads({ a: 3 })
  const core = (type: string, unit: string): number => {
    const sampleTypes = [{ type, unit }]
    const values = [profile.samples.values[0]!]
    return band({ ...profile, sampleTypes, samples: { ...profile.samples, values } }, '').corePerBin
  }
  assert.equal(Math.round(core('cpu', 'nanoseconds')), SECOND)
  assert.equal(Math.round(core('cpu', 'milliseconds')), 1000)
  assert.equal(core('samples', 'count').toFixed(3), (SECOND / PERIOD).toFixed(3))
  assert.equal(core('space', 'bytes'), 0)
})

test('samples without times, a profile without a length and no samples make no band', () => {
  const untimed = profileOf([{ frames: ['main'], count: 5 }])
  for (const profile of [untimed, profileWith([{ at: 0, labels: [] }], 0)]) {
    const { series, corePerBin, unusual } = band(profile, '')
    assert.deepEqual([series, corePerBin, unusual], [[], 0, null])
  }
  assert.deepEqual(band(profileWith([]), 'thread').series, [])
})

test('the heatmap puts a sample into its second and its fiftieth of it', () => {
  const at = [0, 0.019, 0.02, 1.99, 9.5, 30]
  const profile = profileWith(at.map((time) => ({ at: time, labels: [] })))
  const heat = heatOf(profile, profile.samples.values[0]!, 60)
  assert.deepEqual([heat.columns, heat.rows, heat.columnNs], [10, 50, SECOND])
  const cells = [...heat.values.entries()].filter(([, value]) => value > 0)
  assert.deepEqual(cells, [
    [0, 2],
    [1, 1],
    [99, 1],
    [9 * 50 + 25, 1],
    [10 * 50 - 1, 1],
  ])
})

test('columns of the heatmap double until they fit', () => {
  const profile = profileWith([{ at: 100, labels: [] }], 3600)
  for (const [most, columnSeconds, columns] of [
    [4000, 1, 3600],
    [1000, 4, 900],
    [1, 4096, 1],
    [0, 4096, 1],
  ] as const) {
    const heat = heatOf(profile, profile.samples.values[0]!, most)
    assert.deepEqual([heat.columnNs / SECOND, heat.columns], [columnSeconds, columns])
    assert.equal(sums(heat.values), 1)
  }
})

test('without times the heatmap is empty', () => {
  const profile = profileOf([{ frames: ['main'], count: 5 }])
  const { columns, values } = heatOf(profile, profile.samples.values[0]!, 60)
  assert.deepEqual([columns, values.length], [0, 0])
})
