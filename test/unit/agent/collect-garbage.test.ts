import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectGarbage } from '../../../src/agent/collect-garbage.ts'

test('what nobody holds is given back when all is wanted, and is left alone when a little is', () => {
  const used = () => process.memoryUsage().heapUsed
  let held: object[] | null = Array.from({ length: 400_000 }, (_, n) => ({ n }))
  const full = used()
  assert.equal(collectGarbage(1_000_000), 0)
  assert.ok(held.length > 0)
  held = null
  assert.ok(collectGarbage(Number.POSITIVE_INFINITY) >= 0)
  assert.ok(used() < full - 8_000_000, `${full} -> ${used()}`)
})
