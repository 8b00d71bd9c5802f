import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Backoff, retryAfterMs } from '../../../src/export/backoff.ts'
import type { DeliveryWorld } from '../../../src/export/delivery-world.ts'
import { DeliveryCounts, Destination } from '../../../src/export/destination.ts'
import { DiskQueue } from '../../../src/export/disk-queue.ts'
import { type DestinationOptions, RETRY_DEFAULTS } from '../../../src/export/options.ts'
import type { Outcome, Sender } from '../../../src/export/sender.ts'
import {
  destinationOptions,
  imbalance,
  keptLog,
  numbered,
  numberOf,
  queueOptions,
} from '../../helpers/exporting.ts'

const SENT: Outcome = { kind: 'sent', rejected: 0, message: '', isUnreadable: false }
const failed = (delayMs: number | null = null): Outcome => ({
  kind: 'failed',
  reason: 'http_503',
  message: 'busy',
  delayMs,
})

/** Time that passes only by `pass`; `waits` are the timers that run. */
function fakeWorld() {
  const timers = new Set<{ atMs: number; call: () => void }>()
  const state = { nowMs: 1_000_000, wallMs: 5_000_000 }
  const world: DeliveryWorld = {
    nowMs: () => state.wallMs,
    monotonicMs: () => state.nowMs,
    random: () => 0.5,
    setTimer: (call, ms) => {
      const timer = { atMs: state.nowMs + ms, call }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
  }
  /** Lets what is ready run. */
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  const pass = async (ms: number) => {
    state.nowMs += ms
    for (const timer of [...timers]) {
      if (timer.atMs > state.nowMs) continue
      timers.delete(timer)
      timer.call()
    }
    await settle()
  }
  const waits = () => [...timers].map(({ atMs }) => atMs - state.nowMs).sort((a, b) => a - b)
  return { world, state, settle, pass, waits }
}

/** A destination over a queue, with a sender that gives the outcomes of `script`, then successes. */
async function setUp(t: TestContext, script: Outcome[], changes: Partial<DestinationOptions> = {}) {
  const queue = await DiskQueue.open(queueOptions('/proc/no/queue'), ['a']) // in memory: no wait for a disk
  const clock = fakeWorld()
  const sent: (number | null)[] = []
  const sender: Sender = {
    endpoint: 'test',
    prepare: (payload) => Promise.resolve(payload),
    send: (bytes) => {
      const outcome = script.shift() ?? SENT
      sent.push(numberOf(bytes))
      return Promise.resolve(outcome)
    },
    close: () => {},
  }
  const options = destinationOptions({ name: 'a', concurrency: 1, retry: RETRY_DEFAULTS, ...changes })
  const parts = {
    reader: queue.reader('a'),
    sender,
    world: clock.world,
    log: keptLog(),
    counts: new DeliveryCounts(),
  }
  const destination = new Destination(options, parts)
  destination.start()
  const add = async (...numbers: number[]) => {
    await queue.append(
      numbers.map((n) => numbered(n, 100, 10)),
      clock.state.wallMs,
    )
    await clock.settle()
  }
  t.after(() => queue.close())
  return { ...clock, queue, destination, sent, add, log: parts.log, stats: () => destination.stats() }
}

test('E-03: delays grow by the multiplier to the maximum, spread by the randomization factor', () => {
  const options = { ...RETRY_DEFAULTS, initialIntervalMs: 1000, maxIntervalMs: 3000 }
  const middle = new Backoff(options, () => 0.5)
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => middle.nextMs()),
    [1000, 1500, 2250, 3000, 3000],
  )
  assert.equal(new Backoff(options, () => 0).nextMs(), 500)
  assert.equal(new Backoff(options, () => 0.999999).nextMs() > 1499, true)
})

test('Retry-After without a Date header goes by our clock; all three forms of a date are read', () => {
  const now = Date.parse('2030-01-01T10:00:00Z')
  assert.equal(retryAfterMs('Tue, 01 Jan 2030 10:00:05 GMT', undefined, now), 5000)
  assert.equal(retryAfterMs('Tuesday, 01-Jan-30 10:00:05 GMT', undefined, now), 5000)
  assert.equal(retryAfterMs('Tue Jan  1 10:00:05 2030', undefined, now), 5000)
  assert.equal(retryAfterMs(undefined, undefined, now), null)
})

test('E-05: a failed request waits for its backoff, then is sent again and counted', async (t) => {
  const { add, sent, waits, pass, stats } = await setUp(t, [failed(), failed()])
  await add(1)
  assert.deepEqual([sent.length, waits()], [1, [1000]])
  assert.equal(imbalance(stats()), 0)
  await pass(999)
  assert.equal(sent.length, 1)
  await pass(1)
  assert.deepEqual([sent.length, waits()], [2, [1500]])
  await pass(1500)
  assert.deepEqual(sent, [1, 1, 1])
  assert.deepEqual(stats().retried, { http_503: 2 })
  assert.deepEqual([stats().sentSamples, stats().queueSamples, imbalance(stats())], [10, 0, 0])
})

test('P-29: a delay of the receiver is a minimum, for every request to it', async (t) => {
  const { add, sent, pass, waits } = await setUp(t, [failed(2000)], { concurrency: 2 })
  await add(1)
  await add(2)
  assert.deepEqual(sent, [1], 'the second is not sent into the silence')
  await pass(1999)
  assert.deepEqual(sent, [1])
  assert.deepEqual(waits(), [1, 1])
  await pass(1)
  assert.deepEqual([...sent].sort(), [1, 1, 2])
})

test('E-04: max_elapsed_time drops and counts; by default nothing is ever given up', async (t) => {
  const always = () => Array.from({ length: 2000 }, () => failed())
  const limited = await setUp(t, always(), { retry: { ...RETRY_DEFAULTS, maxElapsedMs: 4000 } })
  await limited.add(1)
  for (let n = 0; n < 10; n++) await limited.pass(1000)
  assert.deepEqual(limited.stats().dropped, { max_elapsed: 10 })
  assert.equal(limited.sent.length, 3, '1 s + 1.5 s, and 2.25 s more would be too long')
  assert.equal(imbalance(limited.stats()), 0)
  const patient = await setUp(t, always())
  await patient.add(1)
  for (let n = 0; n < 30; n++) await patient.pass(3_600_000)
  assert.deepEqual([patient.stats().dropped, patient.stats().queueSamples], [{}, 10])
  await Promise.all([limited, patient].map((one) => one.destination.end({ drain: false, deadlineMs: 0 })))
})

test('E-02, E-06: refused and, without retrying, failed requests are dropped by reason', async (t) => {
  const refused: Outcome = { kind: 'refused', reason: 'http_400', message: 'no' }
  const { add, stats, log } = await setUp(t, [refused, failed()], {
    retry: { ...RETRY_DEFAULTS, enabled: false },
  })
  await add(1, 2, 3)
  assert.deepEqual(stats().dropped, { http_400: 10, retry_disabled: 10 })
  assert.deepEqual(stats().droppedRequests, { http_400: 1, retry_disabled: 1 })
  assert.deepEqual([stats().sentSamples, imbalance(stats())], [10, 0])
  assert.equal(log.lines.filter((line) => line.startsWith('profiles dropped')).length, 2)
})

test('P-25, E-27: a partial success is logged and counted, and never sent again', async (t) => {
  const partial: Outcome = { kind: 'sent', rejected: 4, message: 'bad', isUnreadable: false }
  const { add, sent, stats, log } = await setUp(t, [partial])
  await add(1)
  assert.deepEqual(sent, [1])
  assert.deepEqual([stats().partialAnswers, stats().partialRejectedProfiles, stats().sentSamples], [1, 4, 10])
  assert.match(log.lines[0] ?? '', /rejects some profiles .*"error":"bad".*"rejected":4/)
})

test('a success ends the long waits of others, but no wait shorter than the first interval', async (t) => {
  const { add, sent, pass, waits } = await setUp(t, [failed(), failed(), failed(), failed(), failed()], {
    concurrency: 2,
  })
  await add(1, 2)
  await pass(1000)
  await pass(1500) // four failures; the third interval is 2 250 ms
  assert.equal(sent.length, 6)
  assert.deepEqual(waits(), [2250], 'one failed again, the other was sent just now')
  await add(3)
  assert.deepEqual([sent.length, waits()], [7, [2250]])
  await pass(1000)
  await add(4)
  assert.deepEqual([sent.length, waits()], [9, []])
})

test('E-07: draining sends what there is; at the first failure the rest stays queued', async (t) => {
  const { add, destination, stats, sent, settle, waits } = await setUp(t, [failed()])
  await add(1, 2, 3)
  assert.equal(waits().length, 1)
  await destination.end({ drain: true, deadlineMs: 1000 })
  assert.deepEqual(sent, [1, 1, 2, 3], 'the wait was interrupted, and it worked')
  assert.equal(stats().queueSamples, 0)
  const dead = await setUp(
    t,
    Array.from({ length: 9 }, () => failed()),
  )
  await dead.add(1, 2, 3)
  await dead.destination.end({ drain: true, deadlineMs: 1000 })
  await settle()
  assert.deepEqual([dead.sent, dead.stats().queueSamples, imbalance(dead.stats())], [[1, 1], 30, 0])
})

test('a clock that steps back gives no negative ages and moves no wait', async (t) => {
  const { add, stats, state, pass, sent } = await setUp(t, [failed()])
  await add(1)
  state.wallMs += 7000
  assert.equal(stats().oldestAgeMs, 7000)
  state.wallMs -= 86_400_000
  assert.equal(stats().oldestAgeMs, 0)
  await pass(1000)
  assert.deepEqual([sent.length, stats().lagMs], [2, 0])
})

test('that it works again is told once, with how long it did not', async (t) => {
  const { add, pass, log } = await setUp(t, [failed(), failed(), SENT, SENT])
  const told = () => log.lines.filter((line) => line.startsWith('profiles are sent again'))
  await add(1)
  await pass(5000)
  assert.deepEqual(told(), [])
  await pass(7500)
  await add(2)
  assert.equal(told().length, 1)
  assert.match(told()[0]!, /"destination":"a".*"after_s":13/)
})
