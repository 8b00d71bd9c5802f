/**
 * The delivery to one destination: takes requests from its reader, sends several at once, tries again what may be tried
 * again (P-27, P-28), and counts what became of each. It knows nothing of other destinations, so none can hold up another.
 */
import type { Log } from '../log/log.ts'
import { Backoff } from './backoff.ts'
import type { DeliveryWorld } from './delivery-world.ts'
import type { DestinationOptions } from './options.ts'
import type { QueuedRequest, QueueReader } from './queue-reader.ts'
import type { Outcome, Sender } from './sender.ts'
import type { DestinationStats, DropReason } from './stats.ts'

/** Counts that outlive a restart of the destination by a reload. */
export class DeliveryCounts {
  sentSamples = 0
  sentRequests = 0
  partialRejectedProfiles = 0
  partialAnswers = 0
  unreadableAnswers = 0
  lagMs = 0
  lastError: string | null = null
  lastErrorAtMs = 0
  lastSuccessAtMs = 0
  readonly retried: Record<string, number> = {}
}

/** Another read of the queue after one that failed for want of memory or descriptors. */
const READ_AGAIN_MS = 1000

type Phase = 'running' | 'draining' | 'ending'

export class Destination {
  readonly options: DestinationOptions
  readonly counts: DeliveryCounts
  readonly #reader: QueueReader
  readonly #sender: Sender
  readonly #world: DeliveryWorld
  readonly #log: Log
  readonly #abort = new AbortController()
  readonly #sleepers = new Set<{ readonly sinceMs: number; readonly wake: () => void }>()
  #phase: Phase = 'running'
  #workers: Promise<void>[] = []
  #inFlight = 0
  /** The receiver asked for silence until then, on the monotonic clock. */
  #silentUntilMs = 0
  /** On the monotonic clock, while nothing gets through. */
  #failingSinceMs: number | null = null

  constructor(
    options: DestinationOptions,
    parts: { reader: QueueReader; sender: Sender; world: DeliveryWorld; log: Log; counts: DeliveryCounts },
  ) {
    this.options = options
    this.counts = parts.counts
    this.#reader = parts.reader
    this.#sender = parts.sender
    this.#world = parts.world
    this.#log = parts.log
  }

  start(): void {
    for (let worker = 0; worker < this.options.concurrency; worker++) this.#workers.push(this.#work())
  }

  /**
   * Ends: with `drain` after sending what there is (until the first failure: what is left stays queued), else after what
   * is in flight; in any case when `deadlineMs` has passed.
   */
  async end({ drain, deadlineMs }: { drain: boolean; deadlineMs: number }): Promise<void> {
    this.#phase = drain ? 'draining' : 'ending'
    this.#wakeAll()
    const cancel = this.#world.setTimer(() => {
      this.#phase = 'ending'
      this.#abort.abort()
      this.#wakeAll()
    }, deadlineMs)
    await Promise.all(this.#workers)
    cancel()
    this.#sender.close()
  }

  stats(): DestinationStats {
    const { counts } = this
    const reader = this.#reader
    const oldest = reader.oldestTimeMs
    return {
      name: this.options.name,
      endpoint: this.#sender.endpoint,
      restoredSamples: reader.restoredSamples,
      acceptedSamples: reader.acceptedSamples,
      ...counts,
      retried: { ...counts.retried },
      dropped: { ...reader.dropped },
      droppedRequests: { ...reader.droppedRequests },
      queueSamples: reader.queueSamples,
      queueRequests: reader.queueRequests,
      queueBytes: reader.queueBytes,
      inFlight: this.#inFlight,
      oldestAgeMs: oldest === null ? 0 : Math.max(0, this.#world.nowMs() - oldest),
    }
  }

  async #work(): Promise<void> {
    while (this.#phase !== 'ending') {
      const changed = this.#reader.changed()
      const request = await this.#take()
      if (request === 'again') await this.#sleep(READ_AGAIN_MS)
      else if (request) await this.#deliver(request)
      else if (this.#phase === 'draining') return
      else await changed
    }
  }

  async #take(): Promise<QueuedRequest | null | 'again'> {
    try {
      return await this.#reader.next()
    } catch (error) {
      this.#noteError(`cannot read the queue: ${(error as Error).message}`)
      return 'again'
    }
  }

  async #deliver(request: QueuedRequest): Promise<void> {
    this.#inFlight++
    try {
      const prepared = await this.#sender.prepare(request.payload)
      await this.#attempt(request, prepared)
    } catch (error) {
      this.#drop(request, 'undecodable', (error as Error).message)
    } finally {
      this.#inFlight--
    }
  }

  /** Sends until the request is settled, or is put back because we end. */
  async #attempt(request: QueuedRequest, prepared: Uint8Array): Promise<void> {
    const { retry } = this.options
    const backoff = new Backoff(retry, this.#world.random)
    const startedMs = this.#world.monotonicMs()
    for (;;) {
      await this.#keepSilence()
      if (this.#phase === 'ending' || this.#isSilent()) return this.#putBack(request)
      const outcome = await this.#sender.send(prepared, this.#abort.signal)
      if (outcome.kind === 'sent') return this.#sent(request, outcome)
      if (outcome.kind === 'refused') return this.#drop(request, outcome.reason, outcome.message)
      if (this.#abort.signal.aborted) return this.#putBack(request)
      this.#noteError(outcome.message)
      if (!retry.enabled) return this.#drop(request, 'retry_disabled', outcome.message)
      if (this.#phase !== 'running') return this.#putBack(request)
      const delayMs = Math.max(backoff.nextMs(), outcome.delayMs ?? 0)
      const elapsedMs = this.#world.monotonicMs() - startedMs
      if (retry.maxElapsedMs > 0 && elapsedMs + delayMs > retry.maxElapsedMs) {
        return this.#drop(request, 'max_elapsed', outcome.message)
      }
      await this.#waitToRetry(outcome, delayMs)
    }
  }

  async #waitToRetry(outcome: Extract<Outcome, { kind: 'failed' }>, delayMs: number): Promise<void> {
    const { retried } = this.counts
    retried[outcome.reason] = (retried[outcome.reason] ?? 0) + 1
    if (outcome.delayMs !== null) {
      this.#silentUntilMs = Math.max(this.#silentUntilMs, this.#world.monotonicMs() + outcome.delayMs)
    }
    this.#failingSinceMs ??= this.#world.monotonicMs()
    const fields = { ...this.#fields(outcome.message), wait_ms: Math.round(delayMs) }
    this.#log.warn('cannot send profiles; will try again', fields)
    await this.#sleep(delayMs)
  }

  #isSilent(): boolean {
    return this.#world.monotonicMs() < this.#silentUntilMs
  }

  /** P-29: nobody sends before the receiver's delay is over. */
  async #keepSilence(): Promise<void> {
    while (this.#phase === 'running' && this.#isSilent()) {
      await this.#sleep(this.#silentUntilMs - this.#world.monotonicMs())
    }
  }

  #sent(
    request: QueuedRequest,
    { rejected, message, isUnreadable }: Extract<Outcome, { kind: 'sent' }>,
  ): void {
    const { counts } = this
    counts.sentSamples += request.samples
    counts.sentRequests++
    counts.lastSuccessAtMs = this.#world.nowMs()
    counts.lagMs = Math.max(0, counts.lastSuccessAtMs - request.timeMs)
    this.#reader.settle(request, null)
    this.#tellRecovery()
    if (isUnreadable) {
      counts.unreadableAnswers++
      this.#noteError(message)
      this.#log.warn(
        'the receiver accepts profiles with an answer that cannot be read',
        this.#fields(message),
      )
    } else if (rejected > 0 || message !== '') {
      counts.partialAnswers++
      counts.partialRejectedProfiles += Math.max(0, rejected)
      if (rejected > 0) this.#noteError(`partial success, ${rejected} profiles rejected: ${message}`)
      this.#log.warn('the receiver rejects some profiles', { ...this.#fields(message), rejected })
    }
    this.#wakeAll(this.options.retry.initialIntervalMs) // it works again: others need not wait their long waits
  }

  #tellRecovery(): void {
    if (this.#failingSinceMs === null) return
    const after_s = Math.round((this.#world.monotonicMs() - this.#failingSinceMs) / 1000)
    const { name: destination } = this.options
    const fields = {
      destination,
      endpoint: this.#sender.endpoint,
      after_s,
      queued: this.#reader.queueRequests,
    }
    this.#log.info('profiles are sent again', fields)
    this.#failingSinceMs = null
  }

  #drop(request: QueuedRequest, reason: DropReason, message: string): void {
    this.#reader.settle(request, reason)
    this.#noteError(message)
    this.#log.error('profiles dropped', { ...this.#fields(message), reason, samples: request.samples })
  }

  /** What is left stays queued; without an answer from the receiver more of it would only be tried in vain. */
  #putBack(request: QueuedRequest): void {
    this.#reader.putBack(request)
    this.#phase = 'ending'
    this.#wakeAll()
  }

  #fields(error: string) {
    return { destination: this.options.name, endpoint: this.#sender.endpoint, error }
  }

  #noteError(message: string): void {
    this.counts.lastError = message
    this.counts.lastErrorAtMs = this.#world.nowMs()
  }

  /** Ends early when something was sent, or we end. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        cancel()
        this.#sleepers.delete(sleeper)
        resolve()
      }
      const sleeper = { sinceMs: this.#world.monotonicMs(), wake }
      const cancel = this.#world.setTimer(wake, ms)
      this.#sleepers.add(sleeper)
    })
  }

  #wakeAll(leastSleptMs = 0): void {
    const beforeMs = this.#world.monotonicMs() - leastSleptMs
    for (const { sinceMs, wake } of [...this.#sleepers]) if (sinceMs <= beforeMs) wake()
    this.#reader.wake()
  }
}
