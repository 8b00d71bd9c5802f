import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { loadAddon } from '../../src/native/addon.ts'

const { startPauseMeter, longestPauseMs } = loadAddon()

function burn(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

it('tells the longest round of callbacks, timers and others, and not the time that the loop waited', async () => {
  startPauseMeter()
  await sleep(300)
  assert.ok(longestPauseMs() < 200, `waiting is no pause: ${longestPauseMs()} ms`)
  await new Promise<void>((resolve) => setTimeout(() => resolve(burn(250)), 1))
  await sleep(5)
  const afterTimer = longestPauseMs()
  assert.ok(afterTimer >= 250, `${afterTimer} ms`)
  await new Promise<void>((resolve) => setImmediate(() => resolve(burn(400))))
  await sleep(5)
  assert.ok(longestPauseMs() >= 400, `${longestPauseMs()} ms`)
})

it('forgets what was before the start', async () => {
  burn(300)
  await sleep(5)
  startPauseMeter()
  assert.equal(longestPauseMs(), 0)
  await sleep(20)
  assert.ok(longestPauseMs() < 300, `${longestPauseMs()} ms`)
})

it('wakes nobody up: an idle loop sleeps through', async () => {
  startPauseMeter()
  const switches = () =>
    Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync('/proc/thread-self/status', 'utf8'))![1])
  const before = switches()
  await sleep(500)
  assert.ok(switches() - before < 50, `${switches() - before} wakeups in half a second`)
})

it('ends with its thread', async () => {
  const url = new URL('../../src/native/addon.js', import.meta.url)
  const script = `import(${JSON.stringify(url.href)}).then(({ loadAddon }) => loadAddon().startPauseMeter())`
  const worker = new Worker(script, { eval: true })
  const code = await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject))
  assert.equal(code, 0)
})
