import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AgentError } from '../../../src/errors.ts'
import { decodeRequest } from '../../../src/otlp/decode.ts'
import { encodeProfilesData, encodeRequests } from '../../../src/otlp/encode.ts'
import { fromJson, toJson } from '../../../src/otlp/json.ts'
import { toProfiles } from '../../../src/otlp/to-profiles.ts'
import { field, packed, profile, request, SAMPLE, TABLES, times } from './messages.ts'
import { anyForeign, anyWindow, rowTexts, SCOPE } from './profiles.ts'

type Tree = { [key: string]: Tree } & Tree[]

test('P-40…P-44: any message is the same after a trip through JSON', () => {
  fc.assert(
    fc.property(anyWindow, anyForeign, fc.constantFrom('hex', 'base64'), (window, foreign, profileId) => {
      const requests = encodeRequests(window.profile, window.split, SCOPE, 1 << 22)
      for (const bytes of [...requests.map((one) => one.bytes), encodeProfilesData(foreign, SCOPE)]) {
        const data = decodeRequest(bytes)
        assert.deepEqual(fromJson(toJson(data, { profileId })), data)
      }
    }),
    { numRuns: 100 },
  )
})

test('P-41…P-43: ids, 64-bit numbers and bytes are written as the spec has them', () => {
  const id = Array.from({ length: 16 }, (_, i) => i + 1)
  const more = [...field(7, id), ...field(9, 'pprof'), ...field(10, [1, 2, 255])]
  const sample = [...field(1, 1), ...field(3, 1), ...packed(4, 9_007_199_254_740_993n, -1), ...times(0n, 1n)]
  const data = decodeRequest(request([profile([sample], more)]))
  const tree = JSON.parse(toJson(data)) as Tree
  const written = tree.resourceProfiles![0]!.scopeProfiles![0]!.profiles![0]!
  assert.equal(written.profileId, 'AQIDBAUGBwgJCgsMDQ4PEA==')
  assert.equal(written.originalPayload, 'AQL/')
  assert.equal(written.timeUnixNano, '1790000000000000000')
  assert.deepEqual(written.samples![0]!.values, ['9007199254740993', '-1'])
  assert.equal(tree.dictionary!.linkTable![1]!.traceId, '0102030405060708090a0b0c0d0e0f10')
  assert.equal(tree.dictionary!.locationTable![2]!.address, String(2n ** 64n - 16n))
  const hex = JSON.parse(toJson(data, { profileId: 'hex' })) as Tree
  assert.equal(
    hex.resourceProfiles![0]!.scopeProfiles![0]!.profiles![0]!.profileId,
    '0102030405060708090a0b0c0d0e0f10',
  )
})

test('P-40, P-42, P-43: numbers as such, snake_case, unknown keys, ids in upper case or base64', () => {
  const data = decodeRequest(request())
  const snake = toJson(data).replace(/"([a-z]+[A-Z][A-Za-z]*)":/g, (_, key: string) => {
    return `"${key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}":`
  })
  assert.match(snake, /"resource_profiles"/)
  assert.deepEqual(fromJson(snake), data)
  assert.deepEqual(
    fromJson(toJson(data).replace(/"durationNano":"1000"/, '"durationNano":1000,"new":{"a":[1]}')),
    data,
  )
  assert.deepEqual(
    fromJson(toJson(data).replace('0102030405060708090a0b0c0d0e0f10', '0102030405060708090A0B0C0D0E0F10')),
    data,
  )
  assert.deepEqual(
    fromJson(toJson(data).replace('0102030405060708090a0b0c0d0e0f10', 'AQIDBAUGBwgJCgsMDQ4PEA==')),
    data,
  )
})

test('P-44: every kind of value, numbers that are none included', () => {
  const value = (text: string) =>
    `{"resourceProfiles":[{"resource":{"attributes":[{"key":"a","value":${text}}]}}]}`
  const read = (text: string) => fromJson(value(text)).resourceProfiles[0]!.resource!.attributes[0]!.value
  assert.deepEqual(read('{"intValue":"-5"}'), { kind: 'int', value: -5n })
  assert.deepEqual(read('{"intValue":7}'), { kind: 'int', value: 7n })
  assert.deepEqual(read('{"doubleValue":"NaN"}'), { kind: 'double', value: Number.NaN })
  assert.deepEqual(read('{"doubleValue":"-Infinity"}'), { kind: 'double', value: -Infinity })
  assert.deepEqual(read('{"doubleValue":1.5}'), { kind: 'double', value: 1.5 })
  assert.deepEqual(read('{"boolValue":false}'), { kind: 'bool', value: false })
  assert.deepEqual(read('{"bytesValue":"/w=="}'), { kind: 'bytes', value: Uint8Array.of(255) })
  assert.deepEqual(read('{}'), { kind: 'empty' })
  assert.deepEqual(read('{"kvlistValue":{"values":[{"key":"b","value":{"arrayValue":{}}}]}}'), {
    kind: 'kvlist',
    values: [{ key: 'b', keyStrindex: 0, value: { kind: 'array', values: [] } }],
  })
})

test('what is wrong is told with its place, whatever it is', () => {
  const cases: Record<string, RegExp> = {
    '{"resourceProfiles":{}}': /resourceProfiles must be a list/,
    '{"resourceProfiles":[{"scopeProfiles":[{"profiles":[{"timeUnixNano":"x"}]}]}]}':
      /resourceProfiles\[0\]\.scopeProfiles\[0\]\.profiles\[0\]\.timeUnixNano must be an integer/,
    '{"resourceProfiles":[{"scopeProfiles":[{"profiles":[{"timeUnixNano":"-1"}]}]}]}': /must be a uint64/,
    '{"resourceProfiles":[{"scopeProfiles":[{"profiles":[{}]}]}]}': /dictionary is missing/,
    '[]': /the document must be an object/,
    '{"a"': /the OTLP JSON is damaged/,
    '{"dictionary":{"stringTable":[1]}}': /dictionary\.stringTable\[0\] must be a text/,
    '{"resourceProfiles":[{"resource":{"attributes":[{"value":{"intValue":1.5}}]}}]}':
      /intValue must be an integer/,
  }
  for (const [text, message] of Object.entries(cases)) {
    assert.throws(
      () => fromJson(text),
      (error: unknown) => error instanceof AgentError && message.test(error.message),
      text,
    )
  }
})

/** Which table the numbers under a key point into. */
const POINTERS: Record<string, string> = {
  mappingIndex: 'mappingTable',
  functionIndex: 'functionTable',
  stackIndex: 'stackTable',
  linkIndex: 'linkTable',
  locationIndices: 'locationTable',
  attributeIndices: 'attributeTable',
}

/** The same message with the entries of every table in another order, and some twice. */
function shuffled(text: string, random: () => number): string {
  const tree = JSON.parse(text) as Tree
  const places = new Map<string, number[][]>()
  for (const [name, table] of Object.entries(tree.dictionary!) as [string, Tree[]][]) {
    const order = table.map((_, i) => i).slice(1)
    for (let i = table.length - 1; i > 0; i -= 3) order.push(1 + Math.floor(random() * (table.length - 1)))
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1))
      ;[order[i], order[j]] = [order[j]!, order[i]!]
    }
    const place: number[][] = table.map(() => [])
    for (const [at, old] of order.entries()) place[old]!.push(at + 1)
    place[0] = [0]
    places.set(name, place)
    tree.dictionary![name] = [0, ...order].map((old) => table[old]!) as Tree
  }
  const move = (name: string, index: number) => {
    const found = places.get(name)![index]!
    return found[Math.floor(random() * found.length)]!
  }
  return JSON.stringify(tree, (key, value) => {
    const table = POINTERS[key] ?? (key.endsWith('Strindex') ? 'stringTable' : undefined)
    if (table === undefined) return value
    return Array.isArray(value) ? value.map((index) => move(table, index)) : move(table, value)
  })
}

test('P-04: order and duplicates in the tables mean nothing', () => {
  fc.assert(
    fc.property(
      anyWindow,
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (window, numbers) => {
        for (const { bytes } of encodeRequests(window.profile, window.split, SCOPE, 1 << 22)) {
          const data = decodeRequest(bytes)
          const again = fromJson(shuffled(toJson(data), () => numbers.next().value as number))
          const rows = (from: typeof data) =>
            toProfiles(from).map((one) => [one.resource, rowTexts(one.profile)])
          assert.deepEqual(rows(again), rows(data))
        }
      },
    ),
    { numRuns: 100 },
  )
})

test('the tables of a minimal message survive too', () => {
  const data = decodeRequest(request([profile([SAMPLE])], TABLES))
  assert.deepEqual(fromJson(toJson(data)), data)
})
