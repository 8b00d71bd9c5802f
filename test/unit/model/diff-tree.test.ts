import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DiffTree, type DiffWeights, diffTree, wholeSide } from '../../../src/model/diff-tree.ts'
import { functionWeights } from '../../../src/model/function-weights.ts'
import type { Profile } from '../../../src/model/profile.ts'
import { topFunctions } from '../../../src/model/top.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

function treeOf(before: Profile, after: Profile): DiffTree {
  return diffTree(wholeSide(before, 0), wholeSide(after, 0))
}

/** `path before-self/total after-self/total` a line, in drawing order. */
function asLines(tree: DiffTree): string[] {
  const lines: string[] = []
  const visit = (node: number, above: string): void => {
    const path = node === 0 ? 'all' : `${above};${tree.functions.name[tree.frame[node]!]}`
    const { before, after } = tree
    lines.push(`${path} ${before.self[node]}/${before.total[node]} ${after.self[node]}/${after.total[node]}`)
    for (let child = tree.firstChild[node]!; child >= 0; child = tree.nextSibling[child]!) visit(child, path)
  }
  visit(0, '')
  return lines
}

test('holds both weights of what is on both sides, and 0 for what is on one', () => {
  const before = profileOf([
    { frames: ['main', 'parse'], count: 6 },
    { frames: ['main', 'gone'], count: 1 },
  ])
  const after = profileOf([
    { frames: ['main', 'appeared', 'parse'], count: 2 },
    { frames: ['main', 'parse'], count: 9 },
  ])
  assert.deepEqual(asLines(treeOf(before, after)), [
    'all 0/7 0/11',
    'all;main 0/7 0/11',
    'all;main;appeared 0/0 0/2',
    'all;main;appeared;parse 0/0 2/2',
    'all;main;gone 1/1 0/0',
    'all;main;parse 6/6 9/9',
  ])
})

test('two selections of rows of one profile are two sides', () => {
  const profile = profileOf([
    { frames: ['main', 'a'], count: 3 },
    { frames: ['main', 'b'], count: 5 },
    { frames: ['main', 'a'], count: 4 },
  ])
  const side = (...rows: number[]) => ({ ...wholeSide(profile, 0), rows: Uint8Array.from(rows) })
  assert.deepEqual(asLines(diffTree(side(1, 1, 0), side(0, 0, 1))), [
    'all 0/8 0/4',
    'all;main 0/8 0/4',
    'all;main;a 3/3 4/4',
    'all;main;b 5/5 0/0',
  ])
})

test('a profile against itself has every node on both sides', () => {
  const stacks = fc.array(
    fc.record({
      frames: fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 6 }),
      count: fc.integer({ min: 1, max: 9 }),
    }),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(stacks, (list) => {
      const forward = profileOf(list)
      const tree = treeOf(forward, profileOf(list.toReversed()))
      assert.deepEqual(tree.before, tree.after)
      for (let node = 1; node < tree.count; node++) assert.ok(tree.parent[node]! < node)
      const names = Array.from(tree.frame.subarray(1), (frame) => tree.functions.name[frame])
      for (let node = 1; node < tree.count; node++) {
        const next = tree.nextSibling[node]!
        if (next >= 0) assert.ok(names[node - 1]! < names[next - 1]!, 'siblings by name')
      }
    }),
  )
})

test('weights of functions are those of the list of each profile', () => {
  const stacks = fc.array(
    fc.record({
      frames: fc.array(fc.constantFrom('a', 'b', 'c', '+d', 'e|/x.so'), { minLength: 1, maxLength: 8 }),
      count: fc.integer({ min: 1, max: 9 }),
    }),
    { maxLength: 30 },
  )
  const listed = (names: readonly string[], { self, total }: DiffWeights): string[] =>
    names.flatMap((name, fn) => (total[fn] === 0 ? [] : [`${name} ${self[fn]} ${total[fn]}`])).sort()
  fc.assert(
    fc.property(stacks, stacks, (one, other) => {
      const [before, after] = [profileOf(one), profileOf(other)]
      const tree = treeOf(before, after)
      const weights = functionWeights(tree)
      for (const [profile, side] of [
        [before, weights.before],
        [after, weights.after],
      ] as const) {
        const top = topFunctions(profile, 0).map(({ name, self, total }) => `${name} ${self} ${total}`)
        assert.deepEqual(listed(tree.functions.name, side), top.sort())
      }
    }),
  )
})

test('nothing against nothing is a root', () => {
  assert.deepEqual(asLines(treeOf(profileOf([]), profileOf([]))), ['all 0/0 0/0'])
})

test('rows below zero are left out and counted', () => {
  const profile = profileOf([
    { frames: ['a'], count: 3 },
    { frames: ['b'], count: -2 },
  ])
  const tree = treeOf(profile, profile)
  assert.equal(tree.negativeRows, 2)
  assert.deepEqual(asLines(tree), ['all 0/3 0/3', 'all;a 3/3 3/3'])
})
