/** Functions, inverted trees, callers and callees against the slow and plain way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { calleesTree } from '../../../src/view/callees.ts'
import { datasetOf } from '../../../src/view/dataset.ts'
import { FilterChain } from '../../../src/view/filtered.ts'
import { functionWeights } from '../../../src/view/functions.ts'
import { callersTree, invertedTree, outermost } from '../../../src/view/inverted.ts'
import { matchesOf } from '../../../src/view/search.ts'
import { type CallTree, childrenOf, pathTo } from '../../../src/view/tree.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

interface Stack {
  readonly frames: readonly string[]
  readonly count: number
}

const stacks = fc.array(
  fc.record({
    frames: fc.array(fc.constantFrom<string>('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 8 }),
    count: fc.integer({ min: 1, max: 9 }),
  }),
  { minLength: 1, maxLength: 12 },
)

function treeOf(list: readonly Stack[]): CallTree {
  return new FilterChain(datasetOf(profileOf(list))).tree([], 0, null, 'all')
}

/** Totals by path of names, of a tree that may grow while it is walked. */
function totals(tree: CallTree): Record<string, number> {
  const found: Record<string, number> = {}
  const walk = (node: number): void => {
    const path = pathTo(tree, node).slice(1)
    const key = path.map((at) => tree.frames.name[tree.frame[at]!]).join(';')
    if (tree.total[node]! > 0) found[key] = tree.total[node]!
    for (const child of [...childrenOf(tree, node)]) walk(child)
  }
  walk(0)
  return found
}

/** Totals by every prefix of some lists. */
function prefixTotals(list: readonly Stack[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const { frames, count } of list) {
    for (let n = 0; n <= frames.length; n++) {
      const key = frames.slice(0, n).join(';')
      found[key] = (found[key] ?? 0) + count
    }
  }
  return found
}

test('self and total of functions, a recursion counted once', () => {
  fc.assert(
    fc.property(stacks, (list) => {
      const tree = treeOf(list)
      const weights = functionWeights(tree)
      for (let fn = 0; fn < weights.count; fn++) {
        const name = tree.frames.name[tree.frames.functionFrame[fn]!]!
        const sum = (has: (frames: readonly string[]) => boolean): number =>
          list.reduce((all, { frames, count }) => all + (has(frames) ? count : 0), 0)
        assert.equal(
          weights.self[fn],
          sum((frames) => frames.at(-1) === name),
        )
        assert.equal(
          weights.total[fn],
          sum((frames) => frames.includes(name)),
        )
      }
    }),
  )
})

test('the inverted tree, however far it has grown, is the tree of the reversed stacks', () => {
  fc.assert(
    fc.property(stacks, (list) => {
      const reversed = list.map(({ frames, count }) => ({ frames: [...frames].reverse(), count }))
      assert.deepEqual(totals(invertedTree(treeOf(list))), prefixTotals(reversed))
    }),
  )
})

test('callees and callers of a function have its total, each sample once', () => {
  fc.assert(
    fc.property(stacks, (list) => {
      const tree = treeOf(list)
      const weights = functionWeights(tree)
      for (let fn = 0; fn < weights.count; fn++) {
        const name = tree.frames.name[tree.frames.functionFrame[fn]!]!
        const nodes = outermost(tree, fn)
        const through = list.filter(({ frames }) => frames.includes(name))
        const below = through.map(({ frames, count }) => ({
          frames: frames.slice(frames.indexOf(name) + 1),
          count,
        }))
        const above = through.map(({ frames, count }) => ({
          frames: frames.slice(0, frames.indexOf(name)).reverse(),
          count,
        }))
        assert.deepEqual(totals(calleesTree(tree, nodes)), prefixTotals(below))
        assert.deepEqual(totals(callersTree(tree, nodes)), prefixTotals(above))
        assert.equal(calleesTree(tree, nodes).total[0], weights.total[fn])
      }
    }),
  )
})

test('a search weighs each stack once and counts every place', () => {
  fc.assert(
    fc.property(stacks, (list) => {
      const tree = treeOf(list)
      const mask = Uint8Array.from(tree.frames.name, (name) => (name === 'a' || name === 'b' ? 1 : 0))
      const { value, placeCount, below } = matchesOf(tree, mask)
      const hit = list.filter(({ frames }) => frames.some((name) => name === 'a' || name === 'b'))
      assert.equal(
        value,
        hit.reduce((sum, { count }) => sum + count, 0),
      )
      const places = Object.keys(prefixTotals(list)).filter((path) => /(^|;)[ab]$/.test(path))
      assert.equal(placeCount, places.length)
      assert.equal(below[0], placeCount)
    }),
  )
})
