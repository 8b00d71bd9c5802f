import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FoldedReader } from '../../../src/formats/folded-reader.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'
import { shareColumn } from '../../../src/model/sample-count.ts'
import { topFunctions } from '../../../src/model/top.ts'
import { capturedProfile } from '../formats/sample-profile.ts'

function top(...lines: string[]): unknown[] {
  const reader = new FoldedReader()
  reader.push(lines.join('\n'))
  return topFunctions(reader.finish(), 0).map(({ name, self, total }) => [name, self, total])
}

test('gives self to the leaf and total to every function of the stack', () => {
  assert.deepEqual(top('main;a;b 3', 'main;a 2', 'main;c 1'), [
    ['b', 3, 3],
    ['a', 2, 5],
    ['c', 1, 1],
    ['main', 0, 6],
  ])
})

test('counts a recursion once a sample, direct or through others', () => {
  assert.deepEqual(top('f;f;f 5', 'f;g;f 2', 'g;f;g 1'), [
    ['f', 7, 8],
    ['g', 1, 3],
  ])
})

test('counts inlined functions, and gives self to the innermost', () => {
  assert.deepEqual(top('main;a;b_[i];c_[i] 4', 'main;a;b_[i];b_[i];x 1'), [
    ['c', 4, 4],
    ['x', 1, 1],
    ['a', 0, 5],
    ['b', 0, 5],
    ['main', 0, 5],
  ])
})

test('names what has no symbol by file and offset, and gives its binary as file', () => {
  const profile = capturedProfile()
  assert.equal(checkProfile(profile), null)
  assert.deepEqual(shareColumn(profile), { column: 0, weight: 1 })
  const rows = topFunctions(profile, 0).map(({ name, file, self, total }) =>
    [name, file, self, total].join(' '),
  )
  assert.deepEqual(rows, [
    'inlined /src/demo.c 2 3',
    'main /src/demo.c 1 6',
    'demo+0x3fff /usr/bin/demo 1 2',
    'hot;js  1 1',
    'sys_read [kernel.kallsyms] 1 1',
    'outer /src/demo.c 0 3',
  ])
})

test('a profile without samples has no top', () => {
  const empty = { ...capturedProfile(), stacks: { parent: new Int32Array(0), location: new Int32Array(0) } }
  const none = { stack: new Int32Array(0), labelSet: new Int32Array(0), timeNs: null, values: [] }
  assert.deepEqual(topFunctions({ ...empty, samples: none }, 0), [])
})

test('walks a chain of 200 000 calls without a stack overflow', () => {
  const depth = 200_000
  const parent = Int32Array.from({ length: depth }, (_, node) => node - 1)
  const location = new Int32Array(depth)
  const samples = {
    stack: Int32Array.of(depth - 1),
    labelSet: Int32Array.of(0),
    timeNs: null,
    values: [Float64Array.of(1), Float64Array.of(1)],
  }
  const [only] = topFunctions({ ...capturedProfile(), stacks: { parent, location }, samples }, 0)
  assert.deepEqual([only?.name, only?.self, only?.total], ['main', 1, 1])
})
