import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Health } from '../../../src/metrics/health.ts'

const WINDOW_MS = 10_000

function healthAt0() {
  const clock = { ms: 0 }
  const health = new Health(WINDOW_MS, () => clock.ms)
  const failing = () =>
    health
      .report()
      .checks.filter(({ ok }) => !ok)
      .map(({ name }) => name)
  return { health, clock, failing }
}

test('at the start it is alive and not ready, and says what it waits for', () => {
  const { health, failing } = healthAt0()
  assert.deepEqual([health.report().alive, health.report().ready], [true, false])
  assert.deepEqual(failing(), ['sampling', 'first_window'])
})

test('sampling and a first window make it ready', () => {
  const { health, failing } = healthAt0()
  health.sampling('')
  health.windowClosed()
  assert.deepEqual(failing(), [])
  assert.deepEqual([health.report().alive, health.report().ready], [true, true])
})

test('a loop that stood still, and windows that stay away, are not alive', () => {
  const { health, clock, failing } = healthAt0()
  health.sampling('')
  health.windowClosed()
  clock.ms = 51_000
  assert.deepEqual(failing(), ['event_loop', 'sampler_drained'])
  health.beat()
  assert.deepEqual(failing(), ['sampler_drained'])
  assert.deepEqual([health.report().alive, health.report().ready], [false, false])
  assert.match(health.report().checks[1]!.reason, /no window was closed for 51 s, and they take 10 s/)
  health.windowClosed()
  assert.equal(health.report().ready, true)
})

test('a window of ten minutes is not late after five', () => {
  const { health, clock } = healthAt0()
  health.sampling('', 600_000)
  clock.ms = 300_000
  health.beat()
  assert.equal(health.report().alive, true)
})

test('a sampler that fails, or a refused configuration, is not ready but alive', () => {
  const { health, failing } = healthAt0()
  health.sampling('')
  health.windowClosed()
  health.configuration('"rate" must be an integer from 1 to 999, got 0')
  assert.deepEqual(failing(), ['configuration'])
  health.sampling('cannot load the BPF programs: EPERM')
  assert.deepEqual(failing(), ['sampling', 'configuration'])
  const { alive, ready, checks } = health.report()
  assert.deepEqual([alive, ready], [true, false])
  assert.match(checks[4]!.reason, /the former one goes on: "rate" must be/)
})
