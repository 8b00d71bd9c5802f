import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PairTable } from '../../../src/model/pair-table.ts'

test('numbers pairs in the order of first sight, through growth', () => {
  const table = new PairTable()
  for (let round = 0; round < 2; round++) {
    for (let id = 0; id < 5000; id++) assert.equal(table.intern(id % 70, Math.floor(id / 70)), id)
  }
  assert.equal(table.size, 5000)
  assert.equal(table.firstOf(4999), 4999 % 70)
  assert.equal(table.secondOf(4999), Math.floor(4999 / 70))
  assert.equal(table.columns().first.length, 5000)
})

test('tells (a, b) from (b, a) and takes negative numbers', () => {
  const table = new PairTable()
  assert.deepEqual(
    [table.intern(1, 2), table.intern(2, 1), table.intern(-1, 2), table.intern(1, 2)],
    [0, 1, 2, 0],
  )
})
