import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EndConditions, watchForEnd } from '../../../src/pipeline/watch-end.ts'

/** Conditions under which a capture never ends. */
function endless(parts: Partial<EndConditions> = {}): EndConditions {
  return {
    target: { kind: 'pids', pids: [process.pid] },
    durationMs: null,
    stop: new AbortController().signal,
    ended: new Promise(() => {}),
    ...parts,
  }
}

describe('a capture', () => {
  it('goes on while its target lives and nobody stops it', async () => {
    const end = watchForEnd(endless())
    await end.orAfter(5)
    assert.equal(end.value, false)
  })

  it('ends when its time is up, and sleeps no longer than that', async () => {
    const end = watchForEnd(endless({ durationMs: 20 }))
    assert.equal(end.value, false)
    await end.orAfter(600_000)
    await sleep(2)
    assert.equal(end.value, true)
  })

  it('ends at once when it is stopped, asleep or before it began', async () => {
    const controller = new AbortController()
    const end = watchForEnd(endless({ stop: controller.signal }))
    const slept = end.orAfter(600_000)
    controller.abort()
    await slept
    assert.equal(end.value, true)
    assert.equal(watchForEnd(endless({ stop: AbortSignal.abort() })).value, true)
  })

  it('ends with its command, also when that failed', async () => {
    for (const ended of [Promise.resolve(0), Promise.reject(new Error('not found'))]) {
      const end = watchForEnd(endless({ target: { kind: 'command', pids: [] }, ended }))
      await end.orAfter(600_000)
      assert.equal(end.value, true)
    }
  })

  it('of processes ends when the last of them is gone; of a command or of all it does not', async () => {
    const child = spawn('true')
    await once(child, 'exit')
    const gone = child.pid!
    assert.equal(watchForEnd(endless({ target: { kind: 'pids', pids: [gone] } })).value, true)
    assert.equal(watchForEnd(endless({ target: { kind: 'pids', pids: [gone, process.pid] } })).value, false)
    assert.equal(watchForEnd(endless({ target: { kind: 'command', pids: [gone] } })).value, false)
    assert.equal(watchForEnd(endless({ target: { kind: 'all', pids: [] } })).value, false)
  })
})
