import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeFolded } from '../../../src/formats/folded.ts'
import { readJson } from '../../../src/formats/read-json.ts'
import { writeSpeedscope } from '../../../src/formats/speedscope.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'
import { topFunctions } from '../../../src/model/top.ts'
import { profileOf } from '../../helpers/sample-profile.ts'
import { capturedProfile } from './sample-profile.ts'

const SCHEMA = 'https://www.speedscope.app/file-format-schema.json'
const FRAMES = [
  { name: 'main' },
  { name: 'work', file: '/src/a.py', line: 10, col: 3 },
  { name: 'work', file: '/src/a.py', line: 12 },
]

function read(profiles: readonly unknown[], rest: object = {}) {
  const profile = readJson(JSON.stringify({ $schema: SCHEMA, shared: { frames: FRAMES }, profiles, ...rest }))
  assert.equal(checkProfile(profile), null)
  return profile
}

const sampled = (unit: string, samples: number[][], weights: number[], name = 't') => ({
  type: 'sampled', name, unit, startValue: 0, endValue: 1, samples, weights,
}) // biome-ignore format: one value

const evented = (unit: string, events: [string, number, number][], endValue = 0) => ({
  type: 'evented',
  name: 'e',
  unit,
  startValue: 0,
  endValue,
  events: events.map(([type, frame, at]) => ({ type, frame, at })),
})

const weights = (profile: ReturnType<typeof read>) => [...profile.samples.values[0]!]
const folded = (profile: ReturnType<typeof read>) => [...writeFolded(profile)].join('')

test('our own file comes back with equal weights, by function and by thread', () => {
  for (const column of [0, 1]) {
    const profile = capturedProfile()
    const back = readJson([...writeSpeedscope(profile, { column })].join(''))
    const named = (p: typeof profile, c: number) =>
      topFunctions(p, c).map(({ name, self, total }) => ({ name, self, total }))
    assert.deepEqual(named(back, 0), named(profile, column))
    assert.deepEqual(back.labelSets.map((labels) => labels[0]?.str).toSorted(), [
      'demo (42/42)',
      'worker (42/43)',
    ])
  }
  const plain = profileOf([
    { frames: ['main', 'a'], count: 5 },
    { frames: ['main'], count: 2 },
  ])
  assert.equal(folded(readJson([...writeSpeedscope(plain, { column: 0 })].join(''))), folded(plain))
})

test('every unit of time becomes nanoseconds; other units stay', () => {
  const cases: [string, number, string][] = [
    ['seconds', 1.5e9, 'nanoseconds'], ['milliseconds', 1.5e6, 'nanoseconds'], ['microseconds', 1500, 'nanoseconds'],
    ['nanoseconds', 2, 'nanoseconds'], ['bytes', 1.5, 'bytes'], ['none', 1.5, 'count'],
  ] // biome-ignore format: a table
  for (const [unit, value, as] of cases) {
    const profile = read([sampled(unit, [[0, 1]], [1.5])])
    assert.deepEqual(weights(profile), [value], unit)
    assert.equal(profile.sampleTypes[0]?.unit, as, unit)
  }
})

test('lines of one function are one function', () => {
  const profile = read([sampled('none', [[0, 1], [0, 2]], [1, 1])]) // biome-ignore format: short
  assert.equal(profile.functions.length, 2)
  assert.deepEqual(
    topFunctions(profile, 0).map(({ name, file, self }) => [name, file, self]),
    [
      ['work', '/src/a.py', 2],
      ['main', '', 0],
    ],
  )
  assert.deepEqual(profile.locations[1]?.lines, [{ function: 1, line: 10, column: 3 }])
})

test('events give the time between them to the open stack', () => {
  const profile = read([
    evented('milliseconds', [['O', 0, 100], ['O', 1, 101], ['C', 1, 104], ['C', 0, 105], ['O', 0, 200]], 201),
  ]) // biome-ignore format: one value
  assert.deepEqual(weights(profile), [1e6, 3e6, 1e6, 1e6])
  assert.deepEqual([...profile.samples.timeNs!], [0, 1e6, 4e6, 100e6])
  assert.equal(folded(profile), 'main 3000000\nmain;work 3000000\n')
})

test('profiles of one kind are one profile with a label a thread; others are told of', () => {
  const profile = read(
    [sampled('seconds', [[0]], [1], 'A'), sampled('milliseconds', [[1]], [2], 'B'), sampled('bytes', [[1]], [9], 'C')],
    { activeProfileIndex: 1 },
  ) // biome-ignore format: one call
  assert.deepEqual(weights(profile), [1e9, 2e6])
  assert.deepEqual(profile.labelSets.flat(), [
    { key: 'thread', str: 'A' },
    { key: 'thread', str: 'B' },
  ])
  assert.deepEqual(profile.comments, ['not shown: 1 profiles in bytes in this file'])
})

test('no samples and negative weights are no reason to refuse', () => {
  assert.deepEqual(weights(read([sampled('seconds', [], [])])), [])
  const negative = read([sampled('seconds', [[0], [1]], [-1, 2])])
  assert.deepEqual(weights(negative), [-1e9, 2e9])
  assert.equal(negative.samples.timeNs, null)
})

test('what is damaged is named by its path', () => {
  const damage: [unknown[], RegExp][] = [
    [[sampled('none', [[0, 3]], [1])], /"profiles\[0\]\.samples\[0\]\[1\]" must be from 0 to 2$/],
    [[sampled('none', [[-1]], [1])], /samples\[0\]\[0\]" must be from 0 to 2$/],
    [[sampled('none', [[0.5]], [1])], /must be an integer$/],
    [[sampled('none', [[0]], [])], /a profile has 1 samples and 0 weights$/],
    [[{ ...sampled('none', [], []), type: 'x' }], /"profiles\[0\]\.type" must be one of sampled, evented$/],
    [[evented('none', [['C', 0, 1]])], /event 0 closes frame 0, open is none$/],
    [[evented('none', [['O', 0, 1], ['C', 1, 2]])], /event 1 closes frame 1, open is 0$/],
    [[evented('none', [['O', 0, 5], ['C', 0, 2]])], /event 1 is at 2, the one before at 5$/],
    [[], /it holds no profile$/],
    [[null], /"profiles\[0\]" must be an object$/],
  ] // biome-ignore format: a table
  for (const [profiles, message] of damage) {
    assert.throws(() => read(profiles), message)
    assert.throws(() => read(profiles), /^AgentError: the speedscope file is damaged: /)
  }
  const infinite = JSON.stringify({
    $schema: SCHEMA,
    shared: { frames: FRAMES },
    profiles: [sampled('none', [[0]], [7])],
  })
  assert.throws(
    () => readJson(infinite.replace('"weights":[7]', '"weights":[1e999]')),
    /must be a finite number$/,
  )
})
