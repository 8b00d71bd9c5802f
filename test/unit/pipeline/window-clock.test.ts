import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WindowClock } from '../../../src/pipeline/window-clock.ts'

/** Clocks that stand until they are set. */
function fakeClocks(random: () => number = () => 0.5) {
  const clocks = { boot: 5e9, unix: 1_700_000_000_000 }
  return { clocks, sources: { bootNs: () => clocks.boot, unixMs: () => clocks.unix, random } }
}

function advance(clocks: { boot: number; unix: number }, ms: number): void {
  clocks.boot += ms * 1e6
  clocks.unix += ms
}

describe('the clock of windows', () => {
  it('begins a window at once, in both clocks', () => {
    const { sources } = fakeClocks()
    const clock = new WindowClock({ windowMs: 10_000, jitter: 0.2 }, sources)
    assert.equal(clock.startNs, 5e9)
    assert.equal(clock.unixNs, 1_700_000_000_000_000_000n)
    assert.equal(clock.leftMs, 10_000)
  })

  it('varies the length uniformly, by the jitter to both sides', () => {
    const lengthAt = (random: number) =>
      new WindowClock({ windowMs: 10_000, jitter: 0.2 }, fakeClocks(() => random).sources).leftMs
    assert.deepEqual([0, 0.5, 0.75].map(lengthAt), [8000, 10_000, 11_000])
    assert.ok(lengthAt(0.999) < 12_000)
  })

  it('has windows of some length with the whole jitter, and of the same without any', () => {
    const full = new WindowClock({ windowMs: 10_000, jitter: 1 }, fakeClocks(() => 0).sources)
    assert.equal(full.leftMs, 1)
    const none = new WindowClock({ windowMs: 10_000, jitter: 0 }, fakeClocks(() => 0.9).sources)
    assert.equal(none.leftMs, 10_000)
  })

  it('lets windows touch to the nanosecond, whatever the wall clock drifts meanwhile', () => {
    const { clocks, sources } = fakeClocks()
    const clock = new WindowClock({ windowMs: 1000, jitter: 0 }, sources)
    let endNs = clock.unixNs
    for (let i = 0; i < 100; i++) {
      assert.equal(clock.unixNs, endNs)
      advance(clocks, 1000)
      clocks.unix += i % 2 === 0 ? 3 : -3
      const bootEndNs = clocks.boot + i // a sample may have been newer than the boundary
      endNs = clock.unixNs + BigInt(bootEndNs - clock.startNs)
      clock.begin(bootEndNs)
    }
  })

  it('follows a wall clock that was set, from the next window on', () => {
    const { clocks, sources } = fakeClocks()
    const clock = new WindowClock({ windowMs: 1000, jitter: 0 }, sources)
    advance(clocks, 1000)
    clocks.unix -= 3_600_000
    assert.equal(clock.unixNs, 1_700_000_000_000_000_000n)
    clock.begin(clocks.boot)
    assert.equal(clock.unixNs, BigInt(clocks.unix) * 1_000_000n)
    assert.equal(clock.leftMs, 1000)
  })

  it('is over when its time is, and stays so', () => {
    const { clocks, sources } = fakeClocks()
    const clock = new WindowClock({ windowMs: 1000, jitter: 0 }, sources)
    advance(clocks, 999)
    assert.equal(clock.leftMs, 1)
    advance(clocks, 5000) // the host slept
    assert.ok(clock.leftMs < 0)
  })
})
