import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import fc from 'fast-check'
import { AgentError } from '../../../src/errors.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'
import { check } from '../../../src/otlp/conformance.ts'
import { decodeRequest, parseRequest } from '../../../src/otlp/decode.ts'
import { encodeRequests } from '../../../src/otlp/encode.ts'
import { ReferenceCheck } from '../../../src/otlp/references.ts'
import { toProfiles } from '../../../src/otlp/to-profiles.ts'
import {
  bytes,
  dictionary,
  field,
  fixed64,
  packed,
  profile,
  request,
  SAMPLE,
  TABLES,
  TIME,
  times,
  varint,
} from './messages.ts'
import { anyWindow, SCOPE } from './profiles.ts'

function failure(input: Uint8Array): string {
  try {
    toProfiles(decodeRequest(input))
  } catch (error) {
    assert.ok(error instanceof AgentError, String((error as Error).stack))
    assert.equal(error.code, 'input_invalid')
    return error.message
  }
  return 'no error'
}

const one = (...samples: readonly number[][]) => request([profile(samples)])
const read = (input: Uint8Array) => toProfiles(decodeRequest(input))[0]!.profile

test('reads a minimal message: stack leaf first, attributes, link, times', () => {
  const [entry] = toProfiles(decodeRequest(request()))
  assert.deepEqual(check(decodeRequest(request())), [])
  assert.deepEqual(entry!.resource, { 'service.name': 'cart' })
  assert.equal(entry!.scope.name, 'test')
  const { profile } = entry!
  assert.equal(checkProfile(profile), null)
  assert.deepEqual(profile.stacks, { parent: Int32Array.of(-1, 0), location: Int32Array.of(0, 1) })
  assert.deepEqual(profile.samples.timeNs, Float64Array.of(0, 999))
  assert.deepEqual(profile.samples.values, [Float64Array.of(1, 1)])
  assert.deepEqual(profile.labelSets, [
    [
      { key: 'thread', str: 'worker' },
      { key: 'trace_id', str: '0102030405060708090a0b0c0d0e0f10' },
      { key: 'span_id', str: '0102030405060708' },
    ],
  ])
  assert.equal(profile.locations[1]!.address, 2n ** 64n - 16n)
})

describe('P-01: payloads of older protos are told, not read', () => {
  const cases: Record<string, Uint8Array> = {
    '1.9: attributes where link_index is': one([...field(1, 1), ...packed(2, 5), ...packed(3, 1)]),
    '1.8: profile_id in field 8': request([profile([SAMPLE], field(8, new Array(16).fill(7)))]),
    '1.7: a number in field 7': request([profile([SAMPLE], field(7, 3))]),
    '1.7: attributes with keys as text': request([profile([SAMPLE])], {
      attributes: [[], [...field(1, 'thread.name'), ...field(2, field(1, 'x'))]],
    }),
  }
  for (const [name, input] of Object.entries(cases))
    it(name, () => assert.match(failure(input), /looks like OTLP profiles of proto 1\.9 or older/))
  it('1.9 values without attributes and link are no sample, or are out of range', () => {
    assert.match(failure(one([...field(1, 1), ...packed(2, 1)])), /neither values nor timestamps/)
    assert.match(failure(one([...field(1, 1), ...packed(2, 700_000)])), /attribute_indices\[0\] is 700000/)
  })
})

describe('P-02, P-03, P-05, P-11, P-16, P-17: every broken rule is refused with field and index', () => {
  const path = String.raw`resource_profiles\[0\]\.scope_profiles\[0\]\.profiles\[0\]`
  const entry = <T>(table: readonly T[], ...added: readonly T[]) => [...table, ...added]
  const cases: readonly (readonly [RegExp, Uint8Array])[] = [
    [
      new RegExp(`${path}\\.samples\\[1\\]\\.stack_index is 2, stack_table has 2`),
      one(SAMPLE, [...field(1, 2), ...times(0n)]),
    ],
    [new RegExp(`${path}\\.samples\\[0\\]\\.stack_index is -1,`), one([...field(1, -1), ...times(0n)])],
    [
      new RegExp(`${path}\\.samples\\[0\\]\\.link_index is 9, link_table has 2`),
      one([...field(3, 9), ...times(0n)]),
    ],
    [
      new RegExp(`${path}\\.samples\\[0\\]\\.attribute_indices\\[1\\] is 4`),
      one([...packed(2, 1, 4), ...times(0n)]),
    ],
    [
      new RegExp(`${path}\\.samples\\[0\\]\\.attribute_indices\\[1\\] has the key 'thread.name' again`),
      one([...packed(2, 1, 1), ...times(0n)]),
    ],
    [new RegExp(`${path}\\.samples\\[0\\] has neither`), one(field(1, 1))],
    [
      new RegExp(`${path}\\.samples\\[0\\] has 1 values for 2 timestamps`),
      one([...packed(4, 1), ...times(0n, 1n)]),
    ],
    [new RegExp(`${path}\\.sample_type\\.type_strindex is 70`), request([field(1, field(1, 70))])],
    [new RegExp(`${path}\\.profile_id must be 16 bytes`), request([profile([SAMPLE], field(7, [1, 2]))])],
    [
      new RegExp(`${path}\\.profile_id must be`),
      request([profile([SAMPLE], field(7, new Array(16).fill(0)))]),
    ],
    [new RegExp(`${path}\\.original_payload and`), request([profile([SAMPLE], field(10, [1]))])],
    [new RegExp(`${path}\\.original_payload and`), request([profile([SAMPLE], field(9, 'pprof'))])],
    [
      /dictionary\.location_table\[3\]\.mapping_index is 5/,
      request([profile([SAMPLE])], { locations: entry(TABLES.locations, field(1, 5)) }),
    ],
    [
      /dictionary\.location_table\[3\]\.lines\[0\]\.function_index is 17, function_table has 3/,
      request([profile([SAMPLE])], { locations: entry(TABLES.locations, field(3, field(1, 17))) }),
    ],
    [
      /dictionary\.stack_table\[2\]\.location_indices\[1\] is 3/,
      request([profile([SAMPLE])], { stacks: entry(TABLES.stacks, packed(1, 1, 3)) }),
    ],
    [
      /dictionary\.function_table\[3\]\.filename_strindex is 99/,
      request([profile([SAMPLE])], { functions: entry(TABLES.functions, field(3, 99)) }),
    ],
    [
      /dictionary\.mapping_table\[2\]\.attribute_indices\[0\] is 8/,
      request([profile([SAMPLE])], { mappings: entry(TABLES.mappings, packed(5, 8)) }),
    ],
    [
      /dictionary\.attribute_table\[2\]\.value\.array_value\.values\[0\]\.string_value_strindex is 44/,
      request([profile([SAMPLE])], {
        attributes: entry(TABLES.attributes, [...field(1, 5), ...field(2, field(5, field(1, field(8, 44))))]),
      }),
    ],
    [
      /dictionary\.link_table\[2\] must have ids of 16 and 8 bytes/,
      request([profile([SAMPLE])], { links: entry(TABLES.links, field(1, [1])) }),
    ],
    [
      /dictionary\.string_table\[0\] must be the zero value/,
      request([profile([SAMPLE])], { strings: ['x', ...TABLES.strings] }),
    ],
    [
      /dictionary\.function_table\[0\] must be the zero value/,
      request([profile([SAMPLE])], { functions: TABLES.functions.slice(1) }),
    ],
    [/dictionary\.attribute_table is empty/, request([profile([SAMPLE])], { attributes: [] })],
    [/dictionary is missing/, bytes(field(1, field(2, field(2, profile([])))))],
    [
      /resource\.attributes\[1\] has the key 'a' again/,
      request([profile([SAMPLE])], {}, [...field(1, field(1, 'a')), ...field(1, field(1, 'a'))]),
    ],
    [
      /resource\.attributes\[0\] has both key and key_strindex/,
      request([profile([SAMPLE])], {}, field(1, [...field(1, 'a'), ...field(3, 1)])),
    ],
    [
      /string_table\[7\] is not valid UTF-8/,
      request([profile([SAMPLE])], { strings: [...TABLES.strings, [0xff, 0x66] as unknown as string] }),
    ],
    [/damaged at byte \d+: .*beyond 32 bits/, one([...field(1, 2n ** 40n), ...times(0n)])],
  ]
  for (const [message, input] of cases) it(String(message), () => assert.match(failure(input), message))

  it('one bad profile of three can be told from the others', () => {
    const data = parseRequest(request([profile([SAMPLE]), profile([field(1, 9)]), profile([SAMPLE])]))
    const references = new ReferenceCheck(data)
    const bad = [0, 1, 2].filter((index) => {
      try {
        references.profile(0, 0, index)
        return false
      } catch {
        return true
      }
    })
    assert.deepEqual(bad, [1])
  })
})

describe('P-12, P-14, P-15: what senders may do', () => {
  it('unpacked lists, unknown fields, dictionaries and messages in pieces', () => {
    const unpacked = [
      ...field(1, 1),
      ...field(2, 1),
      ...field(3, 1),
      ...[0n, 999n].flatMap((at) => [...varint((5 << 3) | 1), ...fixed64(TIME + at)]),
      ...field(900, 'new'),
      ...varint((901 << 3) | 5),
      ...[1, 2, 3, 4],
    ]
    assert.deepEqual(read(one(unpacked)), read(request()))
    const half = Object.entries(TABLES).map(([name, table]) => [name, table.slice(0, 1)])
    const rest = Object.entries(TABLES).map(([name, table]) => [name, table.slice(1)])
    const scope = [...field(1, field(1, 'te')), ...field(1, field(1, 'test')), ...field(2, profile([SAMPLE]))]
    const split = bytes(
      field(2, dictionary(Object.fromEntries(half))),
      field(1, field(2, scope)),
      field(2, dictionary(Object.fromEntries(rest))),
    )
    assert.deepEqual(read(split), read(request()))
  })
  it('a request without profiles, with or without a dictionary', () => {
    assert.deepEqual(toProfiles(decodeRequest(new Uint8Array())), [])
    assert.deepEqual(toProfiles(decodeRequest(bytes(field(1, field(2, []))))), [])
  })
  it('a dictionary that no profile uses, whatever its indices are', () => {
    const strays = dictionary({ ...TABLES, locations: [[], [...field(1, 1), ...field(3, field(1, 99))]] })
    assert.deepEqual(toProfiles(decodeRequest(bytes(field(2, strays)))), [])
    assert.deepEqual(toProfiles(decodeRequest(bytes(field(1, field(2, [])), field(2, strays)))), [])
  })
  it('values beyond 2^53 and below zero are exact', () => {
    const values = [9_007_199_254_740_993n, -(2n ** 63n), 2n ** 63n - 1n, -7n]
    const { samples } = read(one([...field(1, 1), ...packed(4, ...values), ...times(0n, 1n, 2n, 3n)]))
    const exact = Array.from(
      samples.stack,
      (_, row) => samples.wideValues?.get(row) ?? BigInt(samples.values[0]![row]!),
    )
    assert.deepEqual(exact, values)
  })
  it('timestamps of 0, of the future and without a start of the profile', () => {
    const early = field(5, [...fixed64(0n), ...fixed64(2n ** 63n)])
    assert.equal(read(one([...field(1, 1), ...early])).samples.timeNs![0], Number(-TIME))
    const untold = [...field(1, field(1, 1)), ...field(2, [...field(1, 1), ...times(5n, 3n)])]
    const { timeNs, samples } = read(request([untold]))
    assert.equal(timeNs, TIME + 3n)
    assert.deepEqual(samples.timeNs, Float64Array.of(2, 0))
  })
  it('texts by reference, in resources and inside lists: the Collector writes them so', () => {
    const strings = [...TABLES.strings, 'k8s.pod.name', 'cart-7']
    const attribute = [...field(3, 7), ...field(2, field(8, 8))]
    const nested = [
      ...field(1, 'list'),
      ...field(2, field(5, [...field(1, field(8, 8)), ...field(1, field(1, 'b'))])),
    ]
    const [entry] = toProfiles(
      decodeRequest(request([profile([SAMPLE])], { strings }, [...field(1, attribute), ...field(1, nested)])),
    )
    assert.deepEqual(entry!.resource, { 'k8s.pod.name': 'cart-7', list: ['cart-7', 'b'] })
  })
  it('on-CPU samples by time get the CPU time that the period makes of them', () => {
    const strings = [...TABLES.strings, 'cpu', 'nanoseconds']
    const period = [...field(5, [...field(1, 7), ...field(2, 8)]), ...field(6, 52_631_579)]
    const { sampleTypes, samples, defaultSampleType } = read(
      request([profile([SAMPLE], period)], { strings }),
    )
    assert.deepEqual(
      sampleTypes.map(({ type }) => type),
      ['samples', 'cpu'],
    )
    assert.deepEqual(samples.values, [Float64Array.of(1, 1), Float64Array.of(52_631_579, 52_631_579)])
    assert.equal(defaultSampleType, 1)
  })
})

test('nested values end at a limit, whoever nests them', () => {
  let value: number[] = field(1, 'deep')
  for (let i = 0; i < 40; i++) value = field(5, field(1, value))
  assert.match(
    failure(request([profile([SAMPLE])], {}, field(1, [...field(1, 'k'), ...field(2, value)]))),
    /our limit is 32/,
  )
})

test('flipped bytes and truncation are errors or profiles, never crashes', () => {
  const whole = request()
  for (let end = 0; end < whole.length; end++) failure(whole.subarray(0, end))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      (flips) => {
        const input = whole.slice()
        for (const [at, byte] of flips) input[at] = byte
        failure(input)
      },
    ),
    { numRuns: 1000 },
  )
})

test('flipped bytes in whole windows neither', () => {
  const windows = fc.sample(anyWindow, { numRuns: 20, seed: 3 })
  const requests = windows.flatMap(({ profile: one, split }) => encodeRequests(one, split, SCOPE, 1 << 22))
  fc.assert(
    fc.property(fc.nat(), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), (pick, flips) => {
      const input = requests[pick % requests.length]!.bytes.slice()
      for (const [at, byte] of flips) input[at % input.length] = byte
      failure(input)
    }),
    { numRuns: 1000 },
  )
})

test('empty messages, a byte or two each, do not become much memory', () => {
  const many = new Uint8Array(8 << 20)
  for (let i = 0; i < many.length; i += 2) many[i] = 0x12
  // As many empty profiles as there are pairs of bytes, in one scope.
  const scope = bytes([...varint((2 << 3) | 2), ...varint(many.length)])
  const resource = bytes([0x0a, ...varint(scope.length + many.length)])
  const input = new Uint8Array(resource.length + scope.length + many.length)
  input.set(resource)
  input.set(scope, resource.length)
  input.set(many, resource.length + scope.length)
  const before = process.memoryUsage().rss
  assert.match(failure(input), /our limit is/)
  assert.ok(process.memoryUsage().rss - before < 400 << 20)
})
