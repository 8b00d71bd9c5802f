import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBudget } from '../../../src/agent/memory-budget.ts'

const MIB = 2 ** 20

/** A budget of 100 MiB with two stages that record what they were asked for. */
function budgetOf(freed: { cache: number; recorder: number }) {
  const budget = new MemoryBudget(100 * MIB)
  const asked: [string, number][] = []
  for (const name of ['cache', 'recorder'] as const)
    budget.add(name, (bytes) => {
      asked.push([name, bytes / MIB])
      return freed[name] * MIB
    })
  return { budget, asked }
}

test('below the soft limit nobody is asked for anything', () => {
  const { budget, asked } = budgetOf({ cache: 1, recorder: 1 })
  assert.equal(budget.observe(0, 80 * MIB), null)
  assert.deepEqual(asked, [])
  assert.equal(budget.admits(), true)
})

test('above it stages are asked in their order, for what is missing to 75 %, until it is there', () => {
  const { budget, asked } = budgetOf({ cache: 4, recorder: 100 })
  assert.equal(budget.observe(0, 85 * MIB), 'soft')
  assert.deepEqual(asked, [
    ['cache', 10],
    ['recorder', 6],
  ])
  assert.deepEqual(budget.stats().shed, { cache: 1, recorder: 1 })
  assert.equal(budget.admits(), true, 'the soft limit refuses nothing')
})

test('they are not asked again for ten seconds, and a stage that gives nothing is not counted', () => {
  const { budget, asked } = budgetOf({ cache: 0, recorder: 0 })
  for (let second = 0; second <= 20; second++) budget.observe(second * 1000, 85 * MIB)
  assert.equal(asked.length, 3 * 2)
  assert.deepEqual(budget.stats().shed, { cache: 0, recorder: 0 })
})

test('above the hard limit everything is asked for at once, and windows are refused and counted', () => {
  const { budget, asked } = budgetOf({ cache: 1, recorder: 1 })
  budget.observe(0, 85 * MIB)
  asked.length = 0
  assert.equal(budget.observe(1000, 101 * MIB), 'hard')
  assert.deepEqual(asked, [
    ['cache', Number.POSITIVE_INFINITY],
    ['recorder', Number.POSITIVE_INFINITY],
  ])
  assert.deepEqual([budget.admits(), budget.admits()], [false, false])
  assert.equal(budget.stats().refused, 2)
})

test('pressure ends 5 % below where it began: it does not flicker', () => {
  const { budget } = budgetOf({ cache: 0, recorder: 0 })
  const seen = [101, 99, 96, 94, 79, 76, 74, 79, 81].map((mib, i) => budget.observe(i * 1000, mib * MIB))
  assert.deepEqual(seen, ['hard', null, null, 'soft', null, null, 'none', null, 'soft'])
})

test('a reload moves the limit', () => {
  const { budget } = budgetOf({ cache: 0, recorder: 0 })
  budget.observe(0, 101 * MIB)
  budget.configure(200 * MIB)
  assert.equal(budget.observe(1000, 101 * MIB), 'none')
  assert.equal(budget.stats().hardBytes, 200 * MIB)
})
