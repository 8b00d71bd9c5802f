import assert from 'node:assert/strict'
import { getPriority, setPriority } from 'node:os'
import { describe, it } from 'node:test'
import { raisePriority } from '../../../src/pipeline/priority.ts'

describe('raisePriority', () => {
  it('goes up ten levels from where it was, and back', (t) => {
    if (process.getuid?.() !== 0) return t.skip('only root may raise a priority')
    const before = getPriority()
    setPriority(5)
    const restore = raisePriority()
    assert.equal(getPriority(), -5)
    restore()
    assert.equal(getPriority(), 5)
    setPriority(before)
  })
})
