import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inSlices } from '../../../src/agent/slices.ts'
import { atOnce, type Steps } from '../../../src/model/steps.ts'

function* counting(steps: number, onStep: () => void = () => {}): Steps<number> {
  for (let i = 0; i < steps; i++) {
    onStep()
    yield
  }
  return steps
}

describe('work in steps', () => {
  it('gives the same at once and in slices', async () => {
    assert.equal(atOnce(counting(1000)), 1000)
    assert.equal(await inSlices(counting(1000)), 1000)
    assert.equal(await inSlices(counting(0)), 0)
  })

  it('lets others of the loop in between, and tells what each slice took', async () => {
    let others = 0
    const other = () => {
      others++
      if (others < 1000) setImmediate(other)
    }
    setImmediate(other)
    const slices: number[] = []
    const wait = () => {
      const before = process.cpuUsage()
      while (process.cpuUsage(before).user < 2000);
    }
    await inSlices(counting(20, wait), (ms) => slices.push(ms))
    assert.ok(others >= slices.length - 1, `${others} turns of others, ${slices.length} slices`)
    assert.ok(slices.length > 5, `${slices.length} slices of 40 ms in all`)
    const sum = slices.reduce((a, b) => a + b, 0)
    assert.ok(sum >= 39, `${sum} ms were told`)
  })

  it('rejects with what a step throws, at once or later', async () => {
    function* failing(after: number): Steps<void> {
      yield* counting(after)
      throw new Error('no room')
    }
    for (const after of [0, 5]) {
      await assert.rejects(inSlices(failing(after)), /no room/)
      assert.throws(() => atOnce(failing(after)), /no room/)
    }
  })
})
