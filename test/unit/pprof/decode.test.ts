import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AgentError } from '../../../src/errors.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'
import { decodePprof } from '../../../src/pprof/decode.ts'
import { looksLikePprof } from '../../../src/pprof/decode-tables.ts'
import { encodePprof } from '../../../src/pprof/encode.ts'
import { capturedProfile } from '../formats/sample-profile.ts'
import { bytes, field, strings, varint } from './wire.ts'

const TYPES = field(1, [...field(1, 1), ...field(2, 2)])
const TEXTS = strings('samples', 'count', 'main', 'leaf', 'key')

/** A file with two functions of odd ids, and the samples given. */
function file(...samples: readonly number[][]): Uint8Array {
  const big = 2n ** 64n - 1n
  return bytes(
    TYPES,
    ...samples.map((sample) => field(2, sample)),
    field(4, [...field(1, 77), ...field(3, 0x10), ...field(4, field(1, 9))]),
    field(4, [...field(1, big), ...field(3, big), ...field(4, [...field(1, 5), ...field(2, -3)])]),
    field(5, [...field(1, 5), ...field(2, 3)]),
    field(5, [...field(1, 9), ...field(2, 4)]),
    TEXTS,
  )
}

function failure(input: Uint8Array): string {
  try {
    decodePprof(input)
  } catch (error) {
    assert.ok(error instanceof AgentError, String(error))
    assert.equal(error.code, 'input_invalid')
    return error.message
  }
  return 'no error'
}

test('turns leaf-first stacks of odd ids into a root-first tree, each prefix once', () => {
  const big = 2n ** 64n - 1n
  const sample = [...field(1, [...varint(77), ...varint(big)]), ...field(2, [1])]
  const profile = decodePprof(file(sample, [...field(1, big), ...field(2, 4)], sample))
  assert.deepEqual(profile.stacks, { parent: Int32Array.of(-1, 0), location: Int32Array.of(1, 0) })
  assert.deepEqual(profile.samples.stack, Int32Array.of(1, 0, 1))
  assert.deepEqual(profile.samples.values, [Float64Array.of(1, 4, 1)])
  assert.equal(profile.locations[1]!.address, big)
  assert.deepEqual(profile.locations[1]!.lines, [{ function: 0, line: -3, column: 0 }])
  assert.deepEqual(
    profile.functions.map(({ name }) => name),
    ['main', 'leaf'],
  )
  assert.equal(checkProfile(profile), null)
})

test('reads packed and unpacked numbers alike, and an empty stack', () => {
  const packed = decodePprof(file([...field(1, [77, 77]), ...field(2, [7])], field(2, [2])))
  const unpacked = decodePprof(file([...field(1, 77), ...field(1, 77), ...field(2, 7)], field(2, 2)))
  assert.deepEqual(packed, unpacked)
  assert.deepEqual(packed.samples.stack, Int32Array.of(1, -1))
})

test('skips unknown fields of every wire type, also beyond number 15', () => {
  const unknown = [
    ...field(99, 1),
    ...varint((20 << 3) | 1),
    ...Array(8).fill(7),
    ...varint((21 << 3) | 5),
    1,
    2,
    3,
    4,
  ]
  const plain = file(field(2, 3))
  const more = Uint8Array.from([...plain, ...unknown, ...field(2000, 'text')])
  assert.deepEqual(decodePprof(more), decodePprof(plain))
})

test('keeps int64 exactly, to both ends', () => {
  const extremes = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, -(2n ** 53n), 2n ** 53n - 1n, -1n, 0n]
  const profile = decodePprof(file(...extremes.map((value) => field(2, value))))
  assert.deepEqual([...profile.samples.values[0]!], extremes.map(Number))
  assert.deepEqual(
    profile.samples.wideValues,
    new Map(extremes.slice(0, 4).map((value, row) => [row, value])),
  )
  assert.deepEqual(decodePprof(encodePprof(profile)), profile)
})

test('keeps labels: text, number, unit, wide, repeated keys; equal sets are one', () => {
  const label = (...parts: number[][]) => field(3, [...field(1, 5), ...parts.flat()])
  const set = [...label(field(2, 3)), ...label(field(3, -(2n ** 60n)), field(4, 2)), ...label()]
  const profile = decodePprof(file([...field(2, 1), ...set], [...field(2, 1), ...set], field(2, 1)))
  assert.deepEqual(profile.labelSets, [
    [
      { key: 'key', str: 'main' },
      { key: 'key', num: -(2n ** 60n), unit: 'count' },
      { key: 'key', num: 0 },
    ],
    [],
  ])
  assert.deepEqual(profile.samples.labelSet, Int32Array.of(0, 0, 1))
  assert.deepEqual(decodePprof(encodePprof(profile)), profile)
})

test('an unset default is the last column; an odd one is kept for the round trip', () => {
  const unset = decodePprof(file())
  assert.deepEqual([unset.defaultSampleType, unset.declaredDefaultType], [0, ''])
  const set = decodePprof(Uint8Array.from([...file(), ...field(14, 1)]))
  assert.deepEqual([set.defaultSampleType, 'declaredDefaultType' in set], [0, false])
  const odd = decodePprof(Uint8Array.from([...file(), ...field(14, 3)]))
  assert.deepEqual([odd.defaultSampleType, odd.declaredDefaultType], [0, 'main'])
  for (const profile of [unset, set, odd]) assert.deepEqual(decodePprof(encodePprof(profile)), profile)
})

test('a nameless type and period survive (pprof-format miscounts them)', () => {
  const profile = decodePprof(bytes(field(1, []), field(11, []), field(2, field(2, 5)), strings()))
  assert.deepEqual(
    [profile.sampleTypes, profile.periodType],
    [[{ type: '', unit: '' }], { type: '', unit: '' }],
  )
  assert.deepEqual(decodePprof(encodePprof(profile)), profile)
})

test('other formats are told from damaged ones', () => {
  assert.equal(failure(new Uint8Array(0)), 'not a pprof profile: it is empty')
  assert.equal(failure(Uint8Array.of(0x1f, 0x8b, 8)), 'not a pprof profile: it is gzip data; unpack it first')
  for (const text of [
    'main;a;b 12\n',
    '{"schema":1}',
    '<!doctype html>',
    'python;a 1',
    'heap profile: 1',
    '\x7fELF',
  ]) {
    const input = new TextEncoder().encode(text)
    assert.equal(looksLikePprof(input), false, text)
    assert.match(failure(input), /^not a pprof profile: /)
  }
})

/** Two fields, 8 bytes: enough to be taken for pprof. */
const START = [...TYPES, ...field(12, 1)]

const DAMAGED: readonly (readonly [string, Uint8Array])[] = [
  ['damaged at byte 9: string of 9 bytes, 1 are left', bytes(START, [0x32, 9, 1])],
  ['damaged at byte 8: a field tag is cut short', bytes(START, [0x80])],
  ['damaged at byte 9: period is cut short', bytes(START, [0x60, 0x80])],
  ['damaged at byte 8: sample has wire type 0', bytes(START, field(2, 1))],
  ['damaged at byte 8: field 99 has wire type 3', bytes(START, varint((99 << 3) | 3))],
  [
    'damaged at byte 9: period is a number of more than 64 bits',
    bytes(START, [0x60, ...Array(9).fill(255), 2]),
  ],
  ["damaged: string 0 must be empty, it is 'x'", bytes(TYPES, field(6, 'x'))],
  ['damaged: the type of a value is string 1, the table has 0', bytes(TYPES)],
  ['damaged: sample 1 has 0 values for 1 sample types', file([])],
  ['damaged: sample 1 has more values than sample types', file(field(2, [1, 2]))],
  ['damaged: 1 samples, but no sample types', bytes(field(2, field(2, 1)), TEXTS)],
  ['damaged: sample 1 refers to location 3, which is missing', file([...field(1, 3), ...field(2, 1)])],
  ['damaged: location id 4 occurs twice', bytes(TYPES, field(4, field(1, 4)), field(4, field(1, 4)), TEXTS)],
  ['damaged: mapping 1 of the file has id 0', bytes(TYPES, field(3, field(2, 4)), TEXTS)],
  [
    'damaged: location 4 is in mapping 8, which is missing',
    bytes(TYPES, field(4, [...field(1, 4), ...field(2, 8)]), TEXTS),
  ],
  [
    'damaged: location 4 names function 6, which is missing',
    bytes(TYPES, field(4, [...field(1, 4), ...field(4, field(1, 6))]), TEXTS),
  ],
  [
    'damaged: the name of function 2 is string 50, the table has 6',
    bytes(TYPES, field(5, [...field(1, 2), ...field(2, 50)]), TEXTS),
  ],
]

for (const [message, input] of DAMAGED) {
  test(`says: ${message}`, () => assert.equal(failure(input), `the pprof profile is ${message}`))
}

test('small bytes that ask for much are refused by the limit they pass', () => {
  const many = (count: number, part: readonly number[]) => Array.from({ length: count }, () => part).flat()
  const frames = field(1, Array(2 ** 20 + 1).fill(77))
  assert.match(failure(file([...frames, ...field(2, 1)])), /a stack of more frames, our limit is 1048576$/)
  const labels = many(1001, field(3, field(1, 5)))
  assert.match(failure(file([...labels, ...field(2, 1)])), /a sample of more labels, our limit is 1000$/)
  const lines = field(4, [...field(1, 1), ...many(1001, field(4, []))])
  assert.match(failure(bytes(START, lines)), /a location of more lines, our limit is 1000$/)
  const empty = new Uint8Array(2 ** 23 + 16)
  for (let at = 0; at < empty.length; at += 2) empty[at] = 0x2a
  assert.match(
    failure(Uint8Array.from([...START, ...empty])),
    /too many table entries, our limit is 4194304$/,
  )
})

test('a cut at any byte gives a profile or one of our errors', () => {
  const whole = encodePprof(capturedProfile())
  let profiles = 0
  for (let length = 0; length < whole.length; length++) {
    const message = failure(whole.subarray(0, length))
    if (message === 'no error') profiles++
    else assert.match(message, /^(not a pprof profile|the pprof profile is damaged)/)
  }
  // Cuts between fields at the end are valid files: protobuf has no end mark.
  assert.ok(profiles < 30, `${profiles} cuts were not noticed`)
})

test('flipped bytes give a sound profile or one of our errors, never anything else', () => {
  const whole = encodePprof(capturedProfile())
  const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
  })
  fc.assert(
    fc.property(flips, (changes) => {
      const input = whole.slice()
      for (const [at, bits] of changes) input[at]! ^= bits
      try {
        assert.equal(checkProfile(decodePprof(input)), null)
      } catch (error) {
        assert.ok(error instanceof AgentError && error.code === 'input_invalid', String(error))
      }
    }),
    { numRuns: 2000 },
  )
})
