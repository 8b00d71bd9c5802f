import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spareColumns } from '../../../src/view/spare-columns.ts'

const LENGTH = 100_000

test('columns that were made ahead are zeros of the wanted length, each given once', () => {
  spareColumns.expect(LENGTH)
  while (spareColumns.prepare()) {
    // Until none is missing.
  }
  const first = spareColumns.floats(LENGTH - 1)
  assert.equal(first.length, LENGTH - 1)
  first.fill(7)
  const second = spareColumns.floats(LENGTH)
  assert.notEqual(second.buffer, first.buffer)
  assert.ok(second.every((value) => value === 0))
  assert.ok(spareColumns.ints(LENGTH).every((value) => value === 0))
  assert.ok(spareColumns.prepare(), 'what was taken is made again')
})

test('a column much shorter or longer than the spares is made on its own', () => {
  spareColumns.expect(LENGTH)
  while (spareColumns.prepare()) {
    // Until none is missing.
  }
  assert.equal(spareColumns.floats(10).buffer.byteLength, 80)
  assert.equal(spareColumns.ints(LENGTH + 1).buffer.byteLength, 4 * (LENGTH + 1))
})

test('small profiles and enormous ones get no spares', () => {
  for (const length of [99_999, 2_000_001]) {
    spareColumns.expect(length)
    assert.equal(spareColumns.prepare(), false)
  }
})
