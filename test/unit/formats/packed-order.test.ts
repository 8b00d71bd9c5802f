import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { inDrawingOrder } from '../../../src/formats/packed-order.ts'
import type { Profile } from '../../../src/model/profile.ts'
import { anyProfile } from '../../helpers/any-profile.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

/** Locations of a stack, leaf first. */
function pathOf({ stacks }: Profile, leaf: number): string {
  const path: number[] = []
  for (let i = leaf; i >= 0; i = stacks.parent[i]!) path.push(stacks.location[i]!)
  return path.join(';')
}

/** Every row with all it says, without the ids of stacks and rows. */
function rowsOf(profile: Profile): string[] {
  const { stack, labelSet, timeNs, values, wideValues } = profile.samples
  return Array.from(stack, (leaf, row) => {
    const cells = values.map((column, c) => wideValues?.get(row * values.length + c) ?? column[row]!)
    return [pathOf(profile, leaf), labelSet[row], timeNs?.[row], ...cells.map(String)].join(' ')
  })
}

test('keeps what every stack and every sample says; the order of the samples too where they have times', () => {
  fc.assert(
    fc.property(anyProfile, (profile) => {
      const ordered = inDrawingOrder(profile)
      const paths = (of: Profile): string[] => Array.from(of.stacks.parent, (_, i) => pathOf(of, i)).sort()
      assert.deepEqual(paths(ordered), paths(profile))
      ordered.stacks.parent.forEach((parent, i) => {
        assert.ok(parent < i)
      })
      if (profile.samples.timeNs !== null) assert.deepEqual(rowsOf(ordered), rowsOf(profile))
      else assert.deepEqual(rowsOf(ordered).sort(), rowsOf(profile).sort())
    }),
  )
})

test('is the same when done twice', () => {
  fc.assert(
    fc.property(anyProfile, (profile) => {
      const once = inDrawingOrder(profile)
      assert.deepEqual(inDrawingOrder(once), once)
    }),
  )
})

test('puts callees under their callers and siblings by the first use of their frame', () => {
  const profile = profileOf([
    { frames: ['a', 'b'], count: 1 },
    { frames: ['c'], count: 2 },
    { frames: ['a', 'c'], count: 3 },
    { frames: ['c', 'a'], count: 4 },
    { frames: ['a', 'b', 'c'], count: 5 },
  ])
  const ordered = inDrawingOrder({ ...profile, samples: { ...profile.samples, timeNs: null } })
  const names = Array.from(
    ordered.stacks.location,
    (l) => ordered.functions[ordered.locations[l]!.lines[0]!.function]!.name,
  )
  assert.deepEqual(names, ['a', 'b', 'c', 'c', 'c', 'a'])
  assert.deepEqual([...ordered.stacks.parent], [-1, 0, 1, 0, -1, 4])
  assert.deepEqual([...ordered.samples.values[0]!], [1, 5, 3, 2, 4])
})

test('moves values too wide for a double with their rows', () => {
  const profile = profileOf([
    { frames: ['a'], count: 1 },
    { frames: ['b'], count: 2 },
    { frames: ['a'], count: 3 },
  ])
  const columns = profile.samples.values.length
  const wideValues = new Map([[2 * columns, 2n ** 60n + 1n]])
  const ordered = inDrawingOrder({ ...profile, samples: { ...profile.samples, timeNs: null, wideValues } })
  assert.deepEqual([...ordered.samples.values[0]!], [1, 3, 2])
  assert.deepEqual(ordered.samples.wideValues, new Map([[columns, 2n ** 60n + 1n]]))
})
