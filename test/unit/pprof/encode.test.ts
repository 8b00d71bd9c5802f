import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { kindOfMappingName, mappingNameOfKind } from '../../../src/model/frame-kind.ts'
import type { FrameKind, Label, Profile } from '../../../src/model/profile.ts'
import { FRAME_KINDS } from '../../../src/model/profile.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'
import { decodePprof } from '../../../src/pprof/decode.ts'
import { encodePprof } from '../../../src/pprof/encode.ts'
import { capturedProfile } from '../formats/sample-profile.ts'

test('rows that only their times told apart become one', () => {
  const profile = decodePprof(encodePprof(capturedProfile()))
  assert.deepEqual(profile.samples.stack.length, 6)
  assert.deepEqual([...profile.samples.values[0]!], [2, 1, 1, 1, 1, 1])
  assert.deepEqual([...profile.samples.values[1]!], [20_202_020, ...Array(5).fill(10_101_010)])
  assert.equal(profile.samples.timeNs, null)
})

test('rows without times stay as they are', () => {
  const captured = capturedProfile()
  const timeless = { ...captured, samples: { ...captured.samples, timeNs: null } }
  assert.equal(decodePprof(encodePprof(timeless)).samples.stack.length, 7)
})

test('keeps everything that pprof can say of a captured profile', () => {
  const before = capturedProfile()
  const after = decodePprof(encodePprof(before))
  assert.equal(checkProfile(after), null)
  for (const key of [
    'sampleTypes',
    'defaultSampleType',
    'periodType',
    'period',
    'timeNs',
    'durationNs',
  ] as const) {
    assert.deepEqual(after[key], before[key], key)
  }
  for (const key of ['functions', 'labelSets', 'comments', 'dropFrames', 'keepFrames', 'docUrl'] as const) {
    assert.deepEqual(after[key], before[key], key)
  }
  assert.deepEqual(after.mappings.slice(0, 3), before.mappings)
  const essence = ({ locations }: Profile) =>
    locations.map(({ address, lines, kind }) => ({ address, lines, kind }))
  assert.deepEqual(essence(after), essence(before))
})

test('a kind that the mapping does not say gets a copy of the mapping that does', () => {
  const after = decodePprof(encodePprof(capturedProfile()))
  assert.deepEqual(
    after.mappings.map(({ fileName }) => fileName),
    ['/usr/bin/demo', '[kernel.kallsyms]', '', '[jit]', '/usr/bin/demo [interpreted]'],
  )
})

test('every kind survives every name', () => {
  const names = [
    '',
    '/bin/x',
    '[kernel.kallsyms]',
    '//anon',
    '[jit]',
    '/lib/m/nf.ko.xz',
    '/tmp/perf-7.map',
    'x [jit]',
  ]
  for (const name of names) {
    for (const kind of FRAME_KINDS) assert.equal(kindOfMappingName(mappingNameOfKind(name, kind)), kind, name)
    assert.equal(mappingNameOfKind(name, kindOfMappingName(name)), name)
  }
})

test('kernel addresses, given as negative numbers, become unsigned', () => {
  const before = capturedProfile()
  const locations = before.locations.map((location) => ({ ...location, address: -1n }))
  assert.equal(decodePprof(encodePprof({ ...before, locations })).locations[0]!.address, 2n ** 64n - 1n)
})

test('sums beyond 2^53 stay exact, and stop at the ends of int64', () => {
  const before = capturedProfile()
  const column = new Float64Array(7).fill(2 ** 53 - 1)
  const wide = { ...before, samples: { ...before.samples, values: [column, column] } }
  const after = decodePprof(encodePprof(wide))
  assert.equal(after.samples.wideValues?.get(0), 2n ** 54n - 2n)
  const most = new Map([[0, 2n ** 63n - 1n]])
  const full = decodePprof(encodePprof({ ...wide, samples: { ...wide.samples, wideValues: most } }))
  assert.equal(full.samples.wideValues?.get(0), 2n ** 63n - 1n)
})

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const text = fc.string({ unit: 'grapheme', maxLength: 8 })
const labels: fc.Arbitrary<Label> = fc
  .oneof(
    fc.record({ key: text, str: fc.string({ minLength: 1, maxLength: 4 }) }),
    fc.record({ key: fc.string({ minLength: 1 }), num: fc.maxSafeInteger() }),
    fc.record({
      key: fc.string({ minLength: 1 }),
      num: fc.maxSafeInteger(),
      unit: fc.constantFrom('bytes', 'ns'),
    }),
  )
  // fast-check's records have no prototype, ours do.
  .map((label) => ({ ...label }))

/** Profiles as pprof can hold them: kinds follow the mapping's name, label sets are distinct and all used. */
const pprofProfile = fc
  .record({
    names: fc.array(text, { minLength: 1, maxLength: 5 }),
    files: fc.array(fc.constantFrom('', '/bin/a', '[kernel.kallsyms]', '//anon'), { maxLength: 3 }),
    places: fc.array(
      fc.record({ mapping: fc.nat(2), address: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
      {
        minLength: 1,
        maxLength: 5,
      },
    ),
    rows: fc.array(
      fc.record({ stack: fc.array(fc.nat(4), { maxLength: 6 }), values: fc.tuple(int64, int64) }),
    ),
    labels: fc.array(labels, { maxLength: 3 }),
    times: fc.tuple(int64, int64, int64),
    flags: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  })
  .map(buildProfile)

function buildProfile(parts: {
  names: string[]
  files: string[]
  places: { mapping: number; address: bigint }[]
  rows: { stack: number[]; values: [bigint, bigint] }[]
  labels: Label[]
  times: [bigint, bigint, bigint]
  flags: boolean[]
}): Profile {
  const parent: number[] = []
  const location: number[] = []
  const stack = parts.rows.map((row) => {
    let node = -1
    for (const at of row.stack) {
      parent.push(node)
      node = location.push(at % parts.places.length) - 1
    }
    return node
  })
  const [hasFunctions, hasFilenames, hasLineNumbers, hasInlineFrames, isFolded] = parts.flags as [
    boolean,
    boolean,
    boolean,
    boolean,
    boolean,
  ]
  const flags = { hasFunctions, hasFilenames, hasLineNumbers, hasInlineFrames }
  return {
    ...capturedProfile(),
    capture: null,
    period: parts.times[0],
    timeNs: parts.times[1],
    durationNs: parts.times[2],
    mappings: parts.files.map((fileName, at) => ({
      ...flags,
      start: BigInt(at),
      limit: 2n ** 64n - 1n,
      fileOffset: 7n,
      fileName,
      buildId: 'ab',
    })),
    functions: parts.names.map((name, at) => ({
      name,
      systemName: `${name}@`,
      fileName: '',
      startLine: at - 2,
    })),
    locations: parts.places.map(({ mapping, address }, at) => {
      const index = mapping < parts.files.length ? mapping : -1
      const kind: FrameKind = kindOfMappingName(parts.files[index] ?? '')
      const lines = parts.names.slice(at % 2).map((_, fn) => ({ function: fn, line: fn, column: at }))
      return { mapping: index, address, lines, isFolded, kind, unnamedReason: '' }
    }),
    stacks: { parent: Int32Array.from(parent), location: Int32Array.from(location) },
    samples: {
      stack: Int32Array.from(stack),
      labelSet: new Int32Array(stack.length),
      timeNs: null,
      values: [0, 1].map((column) => Float64Array.from(parts.rows, (row) => Number(row.values[column]))),
      wideValues: new Map(
        parts.rows.flatMap((row, at) => row.values.map((value, column) => [at * 2 + column, value])),
      ),
    },
    labelSets: [parts.labels],
  }
}

test('decode(encode(x)) keeps every sample of any profile, and a second trip changes nothing', () => {
  fc.assert(
    fc.property(pprofProfile, (before) => {
      const after = decodePprof(encodePprof(before))
      assert.equal(checkProfile(after), null)
      assert.deepEqual(dump(after), dump(before))
      assert.deepEqual(after.mappings, before.mappings)
      assert.deepEqual(after.locations, before.locations)
      assert.deepEqual(after.functions, before.functions)
      assert.deepEqual(decodePprof(encodePprof(after)), after)
    }),
    { numRuns: 300 },
  )
})

/** Each row as root-first locations, exact values and labels: what must not change, whatever the tree's layout. */
function dump({ stacks, samples, labelSets }: Profile): unknown[] {
  return Array.from(samples.stack, (leaf, row) => {
    const path: number[] = []
    for (let node = leaf; node >= 0; node = stacks.parent[node]!) path.unshift(stacks.location[node]!)
    const values = samples.values.map((column, at) => {
      return samples.wideValues?.get(row * samples.values.length + at) ?? BigInt(column[row]!)
    })
    return { path, values, labels: labelSets[samples.labelSet[row]!] }
  })
}
