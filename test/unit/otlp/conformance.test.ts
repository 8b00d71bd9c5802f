import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { check } from '../../../src/otlp/conformance.ts'
import { parseRequest } from '../../../src/otlp/decode.ts'
import { bytes, dictionary, field, packed, profile, request, SAMPLE, TABLES, times } from './messages.ts'

const faults = (input: Uint8Array) => check(parseRequest(input))
const one = (...samples: readonly number[][]) => request([profile(samples)])
/** A sample without link and attributes leaves those entries orphans. */
const bare = (...more: readonly number[]) => [...field(1, 1), ...more]
const add = (table: keyof typeof TABLES, ...entries: readonly (readonly number[] | string)[]) =>
  request([profile([SAMPLE])], { [table]: [...TABLES[table], ...entries] })

describe('the rules of profcheck, each', () => {
  const cases: Record<string, readonly [Uint8Array, readonly RegExp[]]> = {
    'a minimal message': [request(), []],
    'no profiles at all': [new Uint8Array(), [/resource_profiles is empty/, /dictionary is missing/]],
    'no scope profiles': [
      bytes(field(1, field(1, [])), field(2, dictionary())),
      [/scope_profiles is empty/, /is never used/],
    ],
    'no profiles in a scope': [
      bytes(field(1, [...field(1, []), ...field(2, [])]), field(2, dictionary())),
      [/profiles is empty/, /is never used/],
    ],
    'a timestamp at the start': [one([...SAMPLE.slice(0, 7), ...times(0n)]), []],
    'a timestamp before it': [
      one(SAMPLE, [...SAMPLE.slice(0, 5), ...times(-1n)]),
      [/within the profile's time/],
    ],
    'a timestamp at the end': [
      one(SAMPLE, [...SAMPLE.slice(0, 5), ...times(1000n)]),
      [/within the profile's time/],
    ],
    'neither values nor timestamps': [one(bare()), [/neither values nor timestamps/]],
    'two values without timestamps': [
      one(SAMPLE, bare(...packed(4, 1, 2))),
      [/has 2 values and no timestamps/, /different shapes/],
    ],
    'values and timestamps in number': [one([...SAMPLE.slice(0, 7), ...packed(4, 7), ...times(1n)]), []],
    'samples of two shapes': [one(SAMPLE, bare(...packed(4, 1))), [/different shapes/]],
    'the same identity twice': [one(SAMPLE, SAMPLE), [/stack, attributes and link of one before/]],
    'a mapping that ends before it starts': [
      request([profile([SAMPLE])], { mappings: [[], [...field(1, 9), ...field(2, 9), ...field(4, 6)]] }),
      [/mapping_table\[1\]\.memory_start is not below/],
    ],
    'a negative line': [
      request([profile([SAMPLE])], {
        locations: [
          ...TABLES.locations.slice(0, 2),
          [...field(1, 1), ...field(3, [...field(1, 2), ...field(2, -1)])],
        ],
      }),
      [/negative line or column/],
    ],
    'a link 0 of zeros': [
      request([profile([SAMPLE])], {
        links: [
          [...field(1, new Array(16).fill(0)), ...field(2, new Array(8).fill(0))],
          ...TABLES.links.slice(1),
        ],
      }),
      [/link_table\[0\] has ids/],
    ],
    'an attribute without a key': [
      add('attributes', field(2, field(1, 'x'))),
      [/key_strindex is 0/, /never used/],
    ],
    'a string twice': [
      add('strings', 'leaf'),
      [/string_table\[7\] repeats entry 4/, /string_table\[7\] is never used/],
    ],
    'a mapping twice': [
      add('mappings', TABLES.mappings[1]!),
      [/mapping_table\[2\] repeats entry 1/, /never used/],
    ],
    'a stack that no sample has': [add('stacks', packed(1, 1)), [/stack_table\[2\] is never used/]],
    'a link that no sample has': [
      add('links', [...field(1, new Array(16).fill(9)), ...field(2, new Array(8).fill(9))]),
      [/link_table\[2\] is never used/],
    ],
    'an index out of range': [one([...field(1, 9), ...times(0n)]), [/stack_index is 9/]],
  }
  for (const [name, [input, expected]] of Object.entries(cases)) {
    it(name, () => {
      const found = faults(input)
      const unexpected = found.filter((text) => !expected.some((message) => message.test(text)))
      for (const message of expected)
        assert.ok(
          found.some((text) => message.test(text)),
          `${message}: ${found}`,
        )
      assert.deepEqual(unexpected, [])
    })
  }
})
