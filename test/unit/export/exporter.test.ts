import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Exporter } from '../../../src/export/exporter.ts'
import {
  accept,
  destinationOptions,
  exporterOptions,
  imbalance,
  type keptLog,
  numbered,
  numberOf,
  receiver,
  scratch,
  until,
} from '../../helpers/exporting.ts'

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

/** An exporter that is closed when the test ends, whatever became of it. */
async function opened(t: TestContext, options: ConstructorParameters<typeof Exporter>[0]): Promise<Exporter> {
  const exporter = new Exporter(options)
  await exporter.open()
  t.after(() => exporter.close(0))
  return exporter
}

const statsOf = (exporter: Exporter, name: string) => {
  const stats = exporter.stats().destinations.find((one) => one.name === name)
  assert.ok(stats)
  assert.equal(imbalance(stats), 0)
  return stats
}

test('P-30: of two destinations one is dead: the other gets all at once, the dead one all when it comes back', async (t) => {
  const [alive, gone] = [await receiver(), await receiver()]
  await gone.close()
  const destinations = [
    destinationOptions({ name: 'alive', endpoint: alive.url }),
    destinationOptions({ name: 'dead', endpoint: gone.url }),
  ]
  const exporter = await opened(t, exporterOptions(scratch(t), destinations))
  for (const n of range(0, 20)) await exporter.enqueue([numbered(n, 200, 5)])
  await until(() => statsOf(exporter, 'alive').sentRequests === 20)
  await until(() => (statsOf(exporter, 'dead').retried.connection ?? 0) > 2)
  assert.deepEqual(
    [statsOf(exporter, 'alive').queueSamples, statsOf(exporter, 'dead').queueSamples],
    [0, 100],
  )
  assert.match(statsOf(exporter, 'dead').lastError ?? '', /ECONNREFUSED/)
  const arrived = new Set<number | null>()
  const back = await receiver((response, request, body) => {
    arrived.add(numberOf(body))
    accept(response, request, body)
  })
  back.server.close()
  await back.close()
  back.server.listen(gone.port, '127.0.0.1')
  await once(back.server, 'listening')
  await until(() => statsOf(exporter, 'dead').sentRequests === 20)
  assert.deepEqual(
    [...arrived].sort((a, b) => a! - b!),
    range(0, 20),
  )
  await exporter.close(1000)
  await Promise.all([alive.close(), back.close()])
})

test('the conservation holds at every moment, with a receiver that answers anything', async (t) => {
  const statuses = [200, 503, 200, 400, 200, 429, 200, 500]
  let turn = 0
  const to = await receiver((response) => void response.writeHead(statuses[turn++ % statuses.length]!).end())
  const exporter = await opened(
    t,
    exporterOptions(scratch(t), [destinationOptions({ endpoint: to.url })], { maxBytes: 1 << 20 }),
  )
  const checking = setInterval(() => statsOf(exporter, 'default'), 1)
  for (const n of range(0, 60)) await exporter.enqueue([numbered(n, 30_000, 3), numbered(n, 500, 4)])
  await until(() => statsOf(exporter, 'default').queueSamples === 0)
  clearInterval(checking)
  const { dropped, acceptedSamples, sentSamples } = statsOf(exporter, 'default')
  assert.equal(acceptedSamples, 60 * 7)
  assert.ok(sentSamples > 0 && dropped.http_400! > 0 && dropped.http_500! > 0)
  await exporter.close(100)
  await to.close()
})

test('what could not be sent before the deadline stays queued for the next start', async (t) => {
  const directory = scratch(t)
  const silent = await receiver(() => {})
  const first = await opened(t, exporterOptions(directory, [destinationOptions({ endpoint: silent.url })]))
  await first.enqueue(range(0, 5).map((n) => numbered(n)))
  await first.close(50)
  assert.equal(statsOf(first, 'default').queueRequests, 5)
  await silent.close()
  const to = await receiver()
  const second = await opened(t, exporterOptions(directory, [destinationOptions({ endpoint: to.url })]))
  assert.equal(statsOf(second, 'default').restoredSamples, 5)
  await until(() => statsOf(second, 'default').sentRequests === 5)
  await second.close(1000)
  assert.deepEqual(new Set(to.requests.map(({ body }) => numberOf(body))), new Set(range(0, 5)))
  await to.close()
})

test('reload keeps the queue: changed destinations restart where they were, others are left alone', async (t) => {
  const directory = scratch(t)
  const [kept, next] = [await receiver(), await receiver()]
  const dead = destinationOptions({ name: 'moves', endpoint: 'http://127.0.0.1:1' })
  const same = destinationOptions({ name: 'same', endpoint: kept.url })
  const exporter = await opened(t, exporterOptions(directory, [dead, same]))
  await exporter.enqueue(range(0, 8).map((n) => numbered(n)))
  await until(() => statsOf(exporter, 'same').sentRequests === 8)
  await exporter.reload(exporterOptions(directory, [{ ...dead, endpoint: next.url }, same]))
  await until(() => statsOf(exporter, 'moves').sentRequests === 8)
  assert.equal(kept.requests.length, 8)
  await exporter.reload(exporterOptions(directory, [{ ...dead, name: 'other', endpoint: next.url }]))
  await exporter.enqueue([numbered(100)])
  await until(() => next.requests.some(({ body }) => numberOf(body) === 100))
  assert.deepEqual(
    exporter.stats().destinations.map(({ name }) => name),
    ['other'],
  )
  const wrong = exporterOptions(directory, [destinationOptions({ endpoint: 'no url' })])
  await assert.rejects(exporter.reload(wrong), { code: 'usage', message: /destination "default"/ })
  await assert.rejects(exporter.reload(exporterOptions(`${directory}/x`, [dead])), {
    code: 'usage',
    message: /queue.dir/,
  })
  assert.deepEqual(
    exporter.stats().destinations.map(({ name }) => name),
    ['other'],
  )
  await exporter.close(1000)
  await Promise.all([kept.close(), next.close()])
})

test('two destinations of one name are refused; a second exporter on the queue is too', async (t) => {
  const directory = scratch(t)
  const twice = exporterOptions(directory, [destinationOptions(), destinationOptions()])
  await assert.rejects(new Exporter(twice).open(), {
    code: 'usage',
    message: /two destinations are named "default"/,
  })
  await opened(t, exporterOptions(directory, [destinationOptions({ endpoint: 'http://127.0.0.1:1' })]))
  await assert.rejects(new Exporter(exporterOptions(directory, [])).open(), { code: 'already_running' })
})

test('a directory that cannot be written: data goes out from memory, and stats say what is wrong', async (t) => {
  const to = await receiver()
  const exporter = await opened(
    t,
    exporterOptions('/proc/no/queue', [destinationOptions({ endpoint: to.url })]),
  )
  await exporter.enqueue([numbered(1), numbered(2)])
  await until(() => statsOf(exporter, 'default').sentRequests === 2)
  assert.match(exporter.stats().note ?? '', /\/proc\/no\/queue fails/)
  assert.equal(exporter.stats().queue.durable, false)
  await exporter.close(1000)
  await to.close()
})

test('secrets are in no statistic and no line of the log', async (t) => {
  const to = await receiver((response) => void response.writeHead(503).end())
  const endpoint = to.url.replace('://', '://bob:hunter22@')
  const headers = { authorization: 'Bearer s3cr3t-t0ken' }
  const options = exporterOptions(scratch(t), [destinationOptions({ endpoint, headers })])
  const exporter = await opened(t, options)
  await exporter.enqueue([numbered(1)])
  await until(() => (statsOf(exporter, 'default').retried.http_503 ?? 0) > 0)
  const said =
    JSON.stringify(exporter.stats()) + JSON.stringify((options.log as unknown as { lines: string[] }).lines)
  assert.doesNotMatch(said, /hunter22|s3cr3t/)
  await exporter.close(0)
  await to.close()
})

test('what the queue loses, and what it finds damaged, is told in the log with its reason', async (t) => {
  const directory = scratch(t)
  const away = await receiver()
  await away.close()
  const options = exporterOptions(directory, [destinationOptions({ endpoint: away.url })], {
    maxBytes: 1 << 20,
  })
  const { lines } = options.log as ReturnType<typeof keptLog>
  const first = await opened(t, options)
  for (const n of range(0, 20)) await first.enqueue([numbered(n, 100_000, 3)])
  assert.match(
    lines.find((line) => line.startsWith('the queue gave profiles up')) ?? '',
    /"queue_full","samples":3/,
  )
  await first.close(0)
  const segment = readdirSync(directory)
    .filter((name) => name.endsWith('.seg'))
    .sort()
    .at(-1)!
  truncateSync(join(directory, segment), 50)
  lines.length = 0
  await opened(t, options)
  assert.match(lines.find((line) => /is damaged/.test(line)) ?? '', /"torn_tails":1/)
  assert.match(lines.find((line) => /of an earlier run are/.test(line)) ?? '', /"samples":\d+,"requests":\d+/)
})
