import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PAUSE_MS_MAX, Pace, type TurnFindings } from '../../../src/pipeline/pace.ts'

const QUIET: TurnFindings = { waiting: 0, events: 0, ringUse: 0 }

/** The pause after that many turns of the same findings. */
function settled(pace: Pace, findings: TurnFindings, turns = 30): number {
  let pauseMs = 0
  for (let i = 0; i < turns; i++) pauseMs = pace.after(findings)
  return pauseMs
}

describe('the pace of the pump', () => {
  it('is quick at the start, for the first sample, and slows down to a second where nothing happens', () => {
    const pace = new Pace()
    assert.ok(pace.after(QUIET) <= 20)
    assert.equal(settled(pace, QUIET), PAUSE_MS_MAX)
  })

  it('looks oftener while processes come and go', () => {
    const pace = new Pace()
    settled(pace, QUIET)
    assert.equal(pace.after({ ...QUIET, events: 1 }), 200)
    assert.equal(settled(pace, { ...QUIET, events: 20 }), 200)
  })

  it('halves its rest while a ring or the events are much, down to 10 ms', () => {
    for (const much of [
      { ...QUIET, ringUse: 0.3 },
      { ...QUIET, events: 501 },
    ]) {
      const pace = new Pace()
      settled(pace, QUIET)
      assert.equal(pace.after(much), 500)
      assert.equal(pace.after(much), 250)
      assert.equal(settled(pace, much), 10)
    }
  })

  it('comes back soon for a stack that waits, and later for one that waits long', () => {
    const pace = new Pace()
    settled(pace, QUIET)
    const waiting = { ...QUIET, waiting: 1 }
    assert.deepEqual(
      Array.from({ length: 6 }, () => pace.after(waiting)),
      [20, 40, 80, 160, 160, 160],
    )
    assert.equal(pace.after(QUIET), PAUSE_MS_MAX, 'the rest goes on where it was')
    assert.equal(pace.after(waiting), 20)
  })
})
