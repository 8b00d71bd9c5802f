import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTimeRange } from '../../../src/server/time-range.ts'

const NOW = 1_790_000_000_000_000_000n
const range = (query: string) => parseTimeRange(new URLSearchParams(query), NOW)

test('reads a length back from now, and moments in two spellings', () => {
  assert.equal(range('last=5m').fromNs, NOW - 300_000_000_000n)
  assert.equal(range('last=1.5h').fromNs, NOW - 5_400_000_000_000n)
  assert.deepEqual(range('from=1790000000.25&to=1790000001'), {
    fromNs: 1_790_000_000_250_000_000n,
    toNs: 1_790_000_001_000_000_000n,
  })
  const { fromNs } = range('from=2026-11-24T15:05:00.5%2B01:00')
  assert.equal(fromNs, BigInt(Date.UTC(2026, 10, 24, 14, 5, 0, 500)) * 1_000_000n)
  assert.equal(range('').fromNs, 0n)
  assert.ok(range('').toNs > NOW * 2n)
})

test('refuses what is no time, and says which', () => {
  for (const [query, says] of [
    ['last=5', /"last" must be/],
    ['last=-5m', /"last" must be/],
    ['last=0s', /"last" must be/],
    ['last=5m&from=1', /exclude each other/],
    ['from=yesterday', /"from" must be/],
    ['to=1e9', /"to" must be/],
    ['to=999999999999', /"to" must be/],
    ['from=2026-13-99T99:99Z', /"from" must be/],
    ['from=20&to=10', /must be before/],
    [`from=${'9'.repeat(5000)}`, /^.{0,200}$/],
  ] as const)
    assert.throws(() => range(query), { code: 'usage', message: says }, query)
})
