import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clipped } from '../../../../src/viewer/data/shares.ts'

test('a long name loses its middle, at exactly the length that was asked for', () => {
  assert.equal(clipped('abcdefghij', 10), 'abcdefghij')
  assert.equal(clipped('abcdefghijk', 9), 'abcd…hijk')
  assert.equal(clipped('x'.repeat(3_000_000)).length, 399)
})

test('what turns the direction of text is seen, and a name of blanks is one', () => {
  assert.equal(clipped('a\u202elive\u202c'), 'a\ufffdlive\ufffd')
  assert.equal(clipped('\u05e9\u05dc\u05d5\u05dd'), '\u05e9\u05dc\u05d5\u05dd')
  assert.deepEqual([clipped('   '), clipped('')], ['"   "', ''])
})
