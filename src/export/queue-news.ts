/** What a human should hear of the queue, by comparing its counts with those told before. */
import type { Log } from '../log/log.ts'
import { type DestinationStats, DROP_REASONS, type ExporterStats } from './stats.ts'

/** What is lost between a window and its delivery; what a delivery itself gives up it tells request by request. */
const QUEUE_REASONS = [
  'queue_full',
  'disk_full',
  'disk_unwritable',
  'disk_stalled',
  'corrupt',
  'too_large',
  'shutdown',
] as const

export class QueueNews {
  readonly #log: Log
  readonly #lost = new Map<string, number>()
  #note: string | null = null

  constructor(log: Log) {
    this.#log = log
  }

  /** What an earlier run left. */
  opened(stats: ExporterStats): void {
    const { tornTails, corruptRecords, corruptBytes } = stats.queue
    if (tornTails + corruptRecords > 0)
      this.#log.warn('the queue that an earlier run left is damaged; what is whole of it is sent', {
        torn_tails: tornTails,
        corrupt_records: corruptRecords,
        corrupt_bytes: corruptBytes,
      })
    for (const { name: destination, restoredSamples: samples, queueRequests: requests } of stats.destinations)
      if (samples > 0)
        this.#log.info('profiles of an earlier run are in the queue', { destination, samples, requests })
    this.tell(stats)
  }

  /** What changed since the last call. */
  tell(stats: ExporterStats): void {
    const { note } = stats
    if (note !== null && note !== this.#note)
      this.#log.warn('the export queue is not durable', { error: note })
    if (note === null && this.#note !== null) this.#log.info('the export queue is durable again')
    this.#note = note
    for (const destination of stats.destinations) this.#tellLosses(destination)
  }

  #tellLosses({ name: destination, dropped }: DestinationStats): void {
    for (const reason of QUEUE_REASONS) {
      const key = `${destination} ${reason}`
      const [before, now] = [this.#lost.get(key) ?? 0, dropped[reason] ?? 0]
      if (now === before) continue
      this.#lost.set(key, now)
      const fields = { destination, reason, samples: now - before, meaning: DROP_REASONS[reason] }
      this.#log.error('the queue gave profiles up', fields)
    }
  }
}
