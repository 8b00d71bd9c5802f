/**
 * The exporter: one disk queue, several destinations. A request counts as accepted when `enqueue` ends; from then on it is
 * sent to every destination at least once, refused by it for good, or dropped at the queue's cap, and each is counted.
 */
import { AgentError } from '../errors.ts'
import { type DeliveryWorld, REAL_WORLD } from './delivery-world.ts'
import { DeliveryCounts, Destination } from './destination.ts'
import { DiskQueue, type EncodedRequest } from './disk-queue.ts'
import { GrpcSender } from './grpc-sender.ts'
import { HttpSender } from './http-sender.ts'
import type { DestinationOptions, ExporterOptions } from './options.ts'
import type { QueueFiles } from './queue-files.ts'
import { REAL_FILES } from './queue-files.ts'
import { QueueNews } from './queue-news.ts'
import type { Sender } from './sender.ts'
import type { ExporterStats } from './stats.ts'

export type { EncodedRequest } from './disk-queue.ts'

/** What an exporter finds outside of its options; tests bring their own. */
export interface ExporterWorld extends DeliveryWorld {
  readonly files: QueueFiles
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** On a reload: what a destination that changed may still have in flight. */
const RELOAD_GRACE_MS = 2000

export class Exporter {
  #options: ExporterOptions
  readonly #world: ExporterWorld
  readonly #destinations = new Map<string, Destination>()
  readonly #news: QueueNews
  #queue: DiskQueue | null = null
  #closing: Promise<void> | null = null

  constructor(options: ExporterOptions, world: Partial<ExporterWorld> = {}) {
    this.#options = options
    this.#news = new QueueNews(options.log)
    this.#world = { ...REAL_WORLD, files: REAL_FILES, environment: process.env, ...world }
  }

  /**
   * Opens the queue and begins to send what an earlier run left. Errors: AgentError `already_running` when another process
   * has the directory, `usage` for an endpoint that cannot be one.
   */
  async open(): Promise<void> {
    const { queue, destinations } = this.#options
    const senders = this.#makeSenders(destinations)
    const names = destinations.map(({ name }) => name)
    this.#queue = await DiskQueue.open(queue, names, this.#world.files)
    for (const options of destinations) this.#start(options, senders.get(options.name)!, new DeliveryCounts())
    this.#news.opened(this.stats())
  }

  /**
   * Accepts requests; they are durable (by the fsync policy) when it ends. It never fails for what a disk or receiver does:
   * what cannot be kept is counted.
   */
  async enqueue(requests: readonly EncodedRequest[]): Promise<void> {
    await this.#opened().append(requests, this.#world.nowMs())
    this.#news.tell(this.stats())
  }

  stats(): ExporterStats {
    const queue = this.#opened()
    const { acceptedSamples, acceptedRequests, note } = queue
    const destinations = [...this.#destinations.values()].map((destination) => destination.stats())
    return { acceptedSamples, acceptedRequests, queue: queue.stats(), destinations, note }
  }

  /**
   * Takes new options: the queue stays, and only destinations that changed restart. Errors: AgentError `usage` for an
   * endpoint that cannot be one, or another directory; nothing has changed then.
   */
  async reload(options: ExporterOptions): Promise<void> {
    const queue = this.#opened()
    if (options.queue.directory !== this.#options.queue.directory) {
      throw new AgentError('usage', 'queue.dir cannot change while the agent runs; restart it')
    }
    const senders = this.#makeSenders(options.destinations.filter((wanted) => !this.#isUnchanged(wanted)))
    this.#options = options
    queue.set(options.queue)
    const wanted = new Set(options.destinations.map(({ name }) => name))
    const ending = [...this.#destinations.values()].filter(
      ({ options: { name } }) => senders.has(name) || !wanted.has(name),
    )
    await Promise.all(ending.map((one) => one.end({ drain: false, deadlineMs: RELOAD_GRACE_MS })))
    for (const destination of options.destinations.filter(({ name }) => senders.has(name))) {
      const former = this.#destinations.get(destination.name)
      if (!former) queue.attach(destination.name)
      this.#start(destination, senders.get(destination.name)!, former?.counts ?? new DeliveryCounts())
    }
    for (const { options: gone } of ending.filter(({ options: { name } }) => !wanted.has(name))) {
      this.#destinations.delete(gone.name)
      await queue.detach(gone.name)
    }
  }

  /** Sends what it can within the deadline and leaves the rest in the queue for the next start. Safe twice. */
  close(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#close(deadlineMs)
    return this.#closing
  }

  async #close(deadlineMs: number): Promise<void> {
    const ending = [...this.#destinations.values()].map((one) => one.end({ drain: true, deadlineMs }))
    await Promise.all(ending)
    if (this.#queue === null) return
    await this.#queue.close()
    this.#news.tell(this.stats())
  }

  #opened(): DiskQueue {
    if (!this.#queue) throw new AgentError('internal', 'the exporter is used before open()')
    return this.#queue
  }

  #isUnchanged(wanted: DestinationOptions): boolean {
    const current = this.#destinations.get(wanted.name)?.options
    return current !== undefined && JSON.stringify(current) === JSON.stringify(wanted)
  }

  /** All of them before anything changes, so that a wrong one changes nothing. */
  #makeSenders(destinations: readonly DestinationOptions[]): Map<string, Sender> {
    const senders = new Map<string, Sender>()
    for (const options of destinations) {
      if (senders.has(options.name)) {
        throw new AgentError('usage', `two destinations are named "${options.name}"; names must differ`)
      }
      const Kind = options.protocol === 'grpc' ? GrpcSender : HttpSender
      senders.set(options.name, new Kind(options, this.#options.version, this.#world.environment))
    }
    return senders
  }

  #start(options: DestinationOptions, sender: Sender, counts: DeliveryCounts): void {
    const reader = this.#opened().reader(options.name)
    const destination = new Destination(options, {
      reader,
      sender,
      world: this.#world,
      log: this.#options.log,
      counts,
    })
    this.#destinations.set(options.name, destination)
    destination.start()
  }
}
