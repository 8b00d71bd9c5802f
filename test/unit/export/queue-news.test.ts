import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QueueNews } from '../../../src/export/queue-news.ts'
import type { DestinationStats, ExporterStats } from '../../../src/export/stats.ts'
import { keptLog } from '../../helpers/exporting.ts'

/** Only what the news are made of. */
function stats(note: string | null, dropped: Record<string, number> = {}): ExporterStats {
  const destination = { name: 'a', dropped, restoredSamples: 0, queueRequests: 0 }
  return {
    note,
    queue: { tornTails: 0, corruptRecords: 0, corruptBytes: 0 },
    destinations: [destination as unknown as DestinationStats],
  } as unknown as ExporterStats
}

test('that the queue is only in memory is told once, and once that the disk is well again', () => {
  const log = keptLog()
  const news = new QueueNews(log)
  for (const note of ['ENOSPC', 'ENOSPC', null, null]) news.tell(stats(note))
  assert.deepEqual(log.lines, [
    'the export queue is not durable {"error":"ENOSPC"}',
    'the export queue is durable again {}',
  ])
})

test('each loss of the queue is told by how much it grew; what a delivery gave up is told elsewhere', () => {
  const log = keptLog()
  const news = new QueueNews(log)
  news.tell(stats(null, { queue_full: 3, http_400: 9 }))
  news.tell(stats(null, { queue_full: 3, http_400: 10 }))
  news.tell(stats(null, { queue_full: 5, shutdown: 1 }))
  assert.deepEqual(
    log.lines.map((line) => /"reason":"(\w+)","samples":(\d+)/.exec(line)?.slice(1)),
    [
      ['queue_full', '3'],
      ['queue_full', '2'],
      ['shutdown', '1'],
    ],
  )
})
