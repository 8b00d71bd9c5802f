import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unwindingReport, unwindNotes } from '../../../src/pipeline/unwind-report.ts'
import { UNWIND_STATS } from './unwind-stats.ts'

describe('the report of unwinding', () => {
  it('has the variant and the figures', () => {
    assert.deepEqual(unwindingReport('tail-calls', UNWIND_STATS), {
      variant: 'tail-calls',
      rawStacks: 12,
      processes: 2,
      files: 5,
      pages: 9,
      parsedPages: 7,
      cachedPages: 2,
      evictedPages: 0,
      tableBytesMax: 60_000,
      shardBytes: 1_048_576,
    })
  })

  it('has no note when nothing was lost', () => {
    assert.deepEqual(unwindNotes({ jit: 5, depth_limit: 1 }, UNWIND_STATS), [])
  })

  it('has a sentence for each kind of loss', () => {
    const { tables, raw } = UNWIND_STATS
    const lossy = {
      ...UNWIND_STATS,
      tables: { ...tables, refused: 3 },
      raw: { ...raw, overflowed: 4 },
      note: 'no cache',
    }
    const notes = unwindNotes({ raw_stack_budget: 20, raw_ring_full: 1 }, lossy)
    assert.equal(notes.length, 4)
    assert.match(notes[0]!, /^21 stacks are cut short/)
    assert.match(notes[1]!, /^4 stacks are cut short/)
    assert.match(notes[2]!, /^3 unwind tables found no room/)
    assert.equal(notes[3], 'no cache')
  })
})
