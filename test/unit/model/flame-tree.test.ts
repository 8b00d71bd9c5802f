import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type FlameTree, flameTree } from '../../../src/model/flame-tree.ts'
import { frameName } from '../../../src/model/frame-name.ts'
import type { Profile } from '../../../src/model/profile.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

/** The tree as text: `path self total` a line, sorted. */
function asLines(tree: FlameTree): string[] {
  const names: string[] = ['all']
  for (let node = 1; node < tree.count; node++) {
    const frame = tree.frame[node]!
    const mark = tree.frames.inlined[frame] === 1 ? '~' : ''
    const name = frameName(tree.profile, tree.frames.location[frame]!, tree.frames.line[frame]!)
    names[node] = `${names[tree.parent[node]!]};${mark}${name}`
  }
  return names.map((name, node) => `${name} ${tree.self[node]} ${tree.total[node]}`).sort()
}

test('merges stacks that show the same functions, whatever their locations', () => {
  const profile = profileOf([
    { frames: ['main', 'work'], count: 3 },
    { frames: ['main', 'work', 'leaf'], count: 4 },
    { frames: ['main', 'rest'], count: 1 },
  ])
  const twice: Profile = {
    ...profile,
    locations: profile.locations.map((l) => ({ ...l, lines: profile.locations[0]!.lines })),
  }
  assert.deepEqual(asLines(flameTree(profile, 0)), [
    'all 0 8',
    'all;main 0 8',
    'all;main;rest 1 1',
    'all;main;work 3 7',
    'all;main;work;leaf 4 4',
  ])
  assert.deepEqual(asLines(flameTree(twice, 0)), [
    'all 0 8',
    'all;main 0 8',
    'all;main;main 4 8',
    'all;main;main;main 4 4',
  ])
})

test('expands inlined functions outermost first and keeps them apart from called ones', () => {
  const profile = profileOf([
    { frames: ['main', '+outer', '+inner', 'leaf'], count: 2 },
    { frames: ['main', 'outer'], count: 1 },
  ])
  const expected = [
    'all 0 3',
    'all;main 0 3',
    'all;main;outer 1 1',
    'all;main;~outer 0 2',
    'all;main;~outer;~inner 0 2',
    'all;main;~outer;~inner;leaf 2 2',
  ]
  assert.deepEqual(asLines(flameTree(profile, 0)), expected.sort())
})

test('keys unnamed frames by module and offset', () => {
  const profile = profileOf([
    { frames: ['main|/bin/a', '|/lib/b.so'], count: 1 },
    { frames: ['main|/bin/a', '|/lib/b.so', 'x'], count: 1 },
  ])
  const offset = profile.locations.find((l) => l.lines.length === 0)!.address - profile.mappings[1]!.start
  assert.ok(asLines(flameTree(profile, 0)).includes(`all;main;b.so+0x${offset.toString(16)} 1 2`))
})

test('leaves out stacks without samples, counts negative rows, books empty stacks on the root', () => {
  const profile = profileOf([
    { frames: ['a'], count: 0 },
    { frames: ['b'], count: -2 },
    { frames: ['c'], count: 5 },
    { frames: [], count: 7 },
  ])
  const tree = flameTree(profile, 0)
  assert.deepEqual(asLines(tree), ['all 7 12', 'all;c 5 5'])
  assert.equal(tree.negativeRows, 1)
})

test('gives an empty profile a root alone', () => {
  const tree = flameTree(profileOf([]), 0)
  assert.equal(tree.count, 1)
  assert.equal(tree.total[0], 0)
})

test('equals a plain merge of every stack on any profile', () => {
  const frame = fc.constantFrom('a', 'b', 'c', '+d', '+a', 'e')
  const stacks = fc.array(fc.record({ frames: fc.array(frame, { maxLength: 8 }), count: fc.nat(9) }), {
    maxLength: 40,
  })
  fc.assert(
    fc.property(stacks, (rows) => {
      // A stack can't begin with an inlined frame: something must have inlined it.
      const usable = rows.map((row) => ({
        ...row,
        frames: row.frames.map((f, i) => (i === 0 ? f.replace('+', '') : f)),
      }))
      const tree = flameTree(profileOf(usable), 0)
      assert.deepEqual(asLines(tree), plainMerge(usable))
      for (let node = 1; node < tree.count; node++) assert.ok(tree.parent[node]! < node)
    }),
  )
})

function plainMerge(rows: readonly { frames: readonly string[]; count: number }[]): string[] {
  const totals = new Map<string, { self: number; total: number }>([['all', { self: 0, total: 0 }]])
  for (const { frames, count } of rows) {
    if (count === 0) continue
    let path = 'all'
    const add = (self: number): void => {
      const at = totals.get(path) ?? { self: 0, total: 0 }
      totals.set(path, { self: at.self + self, total: at.total + count })
    }
    add(frames.length === 0 ? count : 0)
    frames.forEach((frame, i) => {
      path += `;${frame.replace('+', '~')}`
      add(i === frames.length - 1 ? count : 0)
    })
  }
  return [...totals].map(([path, { self, total }]) => `${path} ${self} ${total}`).sort()
}

test('links every node once as a child of its parent', () => {
  const tree = flameTree(
    profileOf([
      { frames: ['a', 'b'], count: 1 },
      { frames: ['a', 'c'], count: 1 },
      { frames: ['d'], count: 1 },
    ]),
    0,
  )
  const seen: number[] = []
  for (let node = 0; node < tree.count; node++) {
    for (let c = tree.firstChild[node]!; c >= 0; c = tree.nextSibling[c]!) {
      assert.equal(tree.parent[c], node)
      seen.push(c)
    }
  }
  assert.deepEqual(seen.sort(), [1, 2, 3, 4])
})
