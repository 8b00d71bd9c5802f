/** Labels: which are offered, what their values weigh, what a filter means. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Label, Profile } from '../../../src/model/profile.ts'
import { hasBroken, rowsBroken } from '../../../src/view/broken.ts'
import { labelKeys, labelMatcher, labelValues, rowsOfLabel } from '../../../src/view/labels.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

/** A row for each label set, and a last one without a set. */
function labelled(labelSets: readonly (readonly Label[])[]): Profile {
  const profile = profileOf([...labelSets, []].map(() => ({ frames: ['main'], count: 1 })))
  const labelSet = Int32Array.from([...labelSets.keys(), -1])
  return { ...profile, labelSets, samples: { ...profile.samples, labelSet } }
}

const SETS: readonly (readonly Label[])[] = [
  [
    { key: 'thread', str: 'main' },
    { key: 'k8s.pod.name', str: 'api-1' },
    { key: 'tid', num: 5 },
    { key: 'host', str: 'same' },
  ],
  [
    { key: 'thread', str: 'gc:mark' },
    { key: 'k8s.pod.name', str: 'api-2' },
    { key: 'tid', num: 12345678901234567890n },
    { key: 'host', str: 'same' },
    { key: 'stack_end', str: 'jit' },
  ],
  [
    { key: 'thread', str: 'GC:sweep' },
    { key: 'k8s.pod.name', str: 'api-2' },
    { key: 'file', str: 'a.pb' },
    { key: 'file', str: 'b.pb' },
    { key: 'host', str: 'same' },
    { key: 'stack_end', str: 'no_unwind_rows' },
  ],
]
const profile = labelled(SETS)

test('keys that tell samples apart are offered, the usual ones first, never how a stack ended', () => {
  assert.deepEqual(labelKeys(profile), ['file', 'thread', 'k8s.pod.name', 'tid'])
  assert.deepEqual(labelKeys(labelled([])), [])
})

test('values are heaviest first, rows without the label are one of them, weights below zero count nothing', () => {
  assert.deepEqual(labelValues(profile, Float64Array.of(1, 2, 4, 1), 'k8s.pod.name').values, [
    { value: 'api-2', weight: 6 },
    { value: '', weight: 1 },
    { value: 'api-1', weight: 1 },
  ])
  assert.deepEqual(labelValues(profile, Float64Array.of(-3, 0, Number.NaN, 0), 'thread').values, [])
})

test('no more values than one can choose from; the others are counted, and a part of their name reaches them', () => {
  const many = labelled(Array.from({ length: 500 }, (_, i) => [{ key: 'tid', num: i }]))
  const weights = new Float64Array(500).fill(1)
  const { values, more, total } = labelValues(many, weights, 'tid')
  assert.deepEqual([values.length, more, total], [200, 300, 500])
  const names = labelValues(many, weights, 'tid', '49').values.map(({ value }) => value)
  assert.deepEqual(
    names.toSorted(),
    ['149', '249', '349', '449', '49', ...Array.from({ length: 10 }, (_, i) => `${490 + i}`)].toSorted(),
  )
  assert.deepEqual(labelValues(profile, Float64Array.of(1, 2, 4, 1), 'k8s.pod.name', 'API-1').values, [
    { value: 'api-1', weight: 1 },
  ])
})

/** Rows that a filter takes, as digits. */
function rowsOf(text: string): string {
  const matcher = labelMatcher(text)
  assert.ok(typeof matcher === 'function', text)
  return rowsOfLabel(profile, matcher).join('')
}

test('a filter is a value, a part of one, or all others', () => {
  for (const [text, rows] of [
    ['thread:main', '1000'],
    ['thread:Main', '0000'],
    ['thread:gc:mark', '0100'],
    ['thread:~gc:', '0110'],
    ['-thread:main', '0111'],
    ['-thread:~GC', '1001'],
    ['k8s.pod.name:api-2', '0110'],
    ['tid:5', '1000'],
    ['tid:12345678901234567890', '0100'],
    ['tid:', '0011'],
    ['file:b.pb', '0010'],
    ['nothing:x', '0000'],
    ['-nothing:x', '1111'],
  ] as const)
    assert.equal(rowsOf(text), rows, text)
})

test('what names no label is told', () => {
  for (const text of ['', 'main', ':main', '-', '-:x']) {
    const problem = labelMatcher(text)
    assert.ok(typeof problem !== 'function' && /names no label/.test(problem.problem), text)
  }
})

test('stacks that are not whole are found by their reason', () => {
  assert.deepEqual([...rowsBroken(profile, '')], [0, 1, 1, 0])
  assert.deepEqual([...rowsBroken(profile, 'jit')], [0, 1, 0, 0])
  assert.deepEqual([...rowsBroken(profile, 'unheard_of')], [0, 0, 0, 0])
  assert.equal(hasBroken(profile), true)
  assert.equal(hasBroken(labelled(SETS.slice(0, 1))), false)
})
