import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diffWords, pText } from '../../../src/stats/diff-text.ts'
import { quantityText } from '../../../src/stats/quantity-text.ts'

test('each scale has its words', () => {
  const cpu = { type: 'cpu', unit: 'nanoseconds' }
  const share = diffWords('relative', cpu)
  assert.deepEqual(
    [share.value(0.181), share.change(-0.062), share.amount(0.062), share.amount(-0.01)],
    ['18.1%', '-6.2', '6.2 points', '1.0 point'],
  )
  assert.deepEqual([share.change(0.0001), share.change(0)], ['+<0.1', '+0.0'])
  const rate = diffWords('per-second', cpu)
  assert.deepEqual([rate.value(3.12e8), rate.amount(-4.1e7), rate.unit], ['0.312', '0.041 cores', 'cores'])
  assert.equal(diffWords('per-second', { type: 'cycles', unit: 'count' }).value(1812), '1 812/s')
  assert.equal(diffWords('absolute', cpu).change(3.21e9), '+3.21 s')
})

test('amounts have their unit, whatever their size', () => {
  assert.deepEqual(
    [0, 1.5e9, 2.5e6, 700].map((value) => quantityText(value, 'nanoseconds')),
    ['0.00 s', '1.50 s', '2.50 ms', '0.70 us'],
  )
  assert.deepEqual(
    [0, 12, 3_190_000, 5e12].map((value) => quantityText(value, 'bytes')),
    ['0.00 B', '12.00 B', '3.19 MB', '5000.00 GB'],
  )
  assert.deepEqual([quantityText(1812, 'count'), quantityText(Number.NaN, 'count')], ['1 812', '?'])
  assert.equal(quantityText(7, 'furlongs'), '7 furlongs')
})

test('small p-values are not told to the last digit', () => {
  assert.deepEqual([pText(1e-9), pText(0.0123), pText(1)], ['p < 0.001', 'p = 0.012', 'p = 1.000'])
})
