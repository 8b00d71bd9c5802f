/**
 * The queue on disk: records are durable before `append` ends, and stay until every destination has settled them or the
 * size cap takes the oldest.
 *
 * While the directory cannot be written (full, read-only, failing) new records are held in memory within a small budget;
 * they are written out when the disk is well again. Nothing here reads the queue as a whole.
 */
import { AgentError } from '../errors.ts'
import { CursorFile, isBefore, type Position } from './cursor-file.ts'
import type { QueueOptions } from './options.ts'
import { errorCode, type QueueFiles, REAL_FILES } from './queue-files.ts'
import { QueueReader } from './queue-reader.ts'
import { findQueue, NOTHING_PASSED, type Place } from './queue-scan.ts'
import { type LossReason, QueueWriter } from './queue-writer.ts'
import { encodeHeader, PAYLOAD_BYTES_MAX } from './record.ts'
import type { ScanResult } from './scan-segment.ts'
import { recordBytes } from './segment.ts'
import { SegmentList } from './segment-list.ts'
import type { QueueStats } from './stats.ts'

/** A request of profiles, ready for the wire; structurally what src/otlp/encode.ts gives. */
export interface EncodedRequest {
  readonly bytes: Uint8Array
  readonly samples: number
}

const START: Place = { at: { segment: 0, offset: 0 }, passed: NOTHING_PASSED }
const TICK_MS = 5000
/** An append that takes longer hangs; more data must not pile up behind it. */
const STALLED_MS = 30_000

export class DiskQueue {
  acceptedSamples = 0
  acceptedRequests = 0
  readonly #files: QueueFiles
  readonly #list = new SegmentList()
  readonly #writer: QueueWriter
  #options: QueueOptions
  #timer: NodeJS.Timeout | undefined
  #tail: Promise<unknown> = Promise.resolve()
  #waiting = { bytes: 0, sinceMs: 0 }
  #tornTails = 0

  private constructor(options: QueueOptions, files: QueueFiles) {
    this.#options = options
    this.#files = files
    this.#writer = new QueueWriter(options, files, this.#list, {
      onKept: ({ samples }, bytes) => this.#account(samples, (reader) => reader.add(samples, bytes)),
      onLost: ({ samples }, reason) => this.#lose(samples, reason),
    })
  }

  /**
   * Opens the directory for these destinations, or goes on in memory when it cannot be used. Errors: AgentError
   * `already_running` when another process has it.
   */
  static async open(
    options: QueueOptions,
    destinations: readonly string[],
    files: QueueFiles = REAL_FILES,
  ): Promise<DiskQueue> {
    const queue = new DiskQueue(options, files)
    await queue.#writer.open()
    await queue.#find(destinations)
    queue.#arm()
    return queue
  }

  /** Keeps the requests, in order; durable (by the fsync policy) when it ends. What cannot be kept is counted. */
  append(requests: readonly EncodedRequest[], nowMs: number): Promise<void> {
    const bytes = requests.reduce((sum, request) => sum + request.bytes.length, 0)
    if (this.#isStalled() && this.#waiting.bytes + bytes > this.#options.memoryBytes) {
      for (const { samples } of requests) this.#lose(samples, 'disk_stalled')
      return Promise.resolve()
    }
    this.#waiting.bytes += bytes
    return this.#exclusively(async () => {
      this.#waiting.sinceMs = performance.now()
      try {
        for (const request of requests) await this.#keep(request, nowMs)
        await this.#writer.commit()
      } finally {
        this.#waiting.bytes -= bytes
      }
    })
  }

  /** The view of a destination named at `open`, or by `attach`. */
  reader(name: string): QueueReader {
    const reader = this.#list.readers.get(name)
    if (!reader) throw new AgentError('internal', `the queue has no destination ${name}`)
    return reader
  }

  /** A destination that came with a reload; it begins at the segment another has still to settle. */
  attach(name: string): QueueReader {
    const places = [...this.#list.readers.values()].map((reader) => reader.settledTo)
    const oldest = places.reduce<Position | null>(
      (least, one) => (least && isBefore(least, one) ? least : one),
      null,
    )
    return this.#add(name, { at: { segment: oldest?.segment ?? 0, offset: 0 }, passed: NOTHING_PASSED })
  }

  /** A destination no longer configured: its place is forgotten and pins nothing. */
  async detach(name: string): Promise<void> {
    const reader = this.#list.readers.get(name)
    this.#list.readers.delete(name)
    await reader?.close(true)
    this.#list.onSettled()
  }

  /** Other sizes and policies from now on; the directory stays. */
  set(options: QueueOptions): void {
    this.#options = { ...options, directory: this.#options.directory }
    this.#writer.options = this.#options
    this.#arm()
  }

  /** Why the queue is not durable now; null when it is. */
  get note(): string | null {
    return this.#writer.note
  }

  stats(): QueueStats {
    const { corruptRecords, corruptBytes, diskErrors } = this.#list
    return {
      diskBytes: this.#list.bytes('file'),
      memoryBytes: this.#list.bytes('memory'),
      segments: this.#list.all.length,
      maxBytes: this.#options.maxBytes,
      durable: this.#writer.note === null,
      tornTails: this.#tornTails,
      corruptRecords,
      corruptBytes,
      diskErrors: { ...diskErrors },
      fsyncs: this.#writer.fsyncs,
    }
  }

  /** Leaves what is not settled for the next start. Nothing of a reader may be in flight. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#exclusively(async () => {
      await this.#writer.close()
      for (const reader of this.#list.readers.values()) await reader.close(false)
      for (const segment of this.#list.all) await segment.close()
      await this.#list.settled()
      await this.#writer.unlock()
    })
  }

  #exclusively(work: () => Promise<void>): Promise<void> {
    const result = this.#tail.then(work)
    this.#tail = result.catch(() => {})
    return result
  }

  #isStalled(): boolean {
    return this.#waiting.bytes > 0 && performance.now() - this.#waiting.sinceMs > STALLED_MS
  }

  #arm(): void {
    clearInterval(this.#timer)
    const everyMs = this.#options.fsync === 'interval' ? this.#options.fsyncIntervalMs : TICK_MS
    this.#timer = setInterval(() => {
      if (this.#waiting.bytes === 0) void this.#exclusively(() => this.#writer.tick())
    }, everyMs).unref()
  }

  async #keep({ bytes, samples }: EncodedRequest, timeMs: number): Promise<void> {
    const size = recordBytes({ payload: bytes })
    if (size > this.#options.maxBytes || bytes.length > PAYLOAD_BYTES_MAX)
      return this.#lose(samples, 'too_large')
    while (this.#list.all.length > 0 && this.#bytes() + size > this.#options.maxBytes) {
      if (this.#list.all.length === 1) await this.#writer.rotate() // it may be the one written to
      if (this.#list.all.length > 0) await this.#list.drop(this.#list.all[0]!, 'queue_full')
    }
    await this.#writer.keep({ header: encodeHeader(bytes, samples, timeMs), payload: bytes, samples, timeMs })
  }

  #bytes(): number {
    return this.#list.bytes('file') + this.#list.bytes('memory')
  }

  #account(samples: number, tell: (reader: QueueReader) => void): void {
    this.acceptedSamples += samples
    this.acceptedRequests++
    for (const reader of this.#list.readers.values()) tell(reader)
  }

  #lose(samples: number, reason: LossReason): void {
    this.#account(samples, (reader) => reader.refuse(reason, samples))
  }

  /** Counts what an earlier run left. A directory that cannot be listed holds nothing for this run. */
  async #find(destinations: readonly string[]): Promise<void> {
    try {
      const found = await findQueue(this.#options.directory, destinations, this.#files, (result) =>
        this.#note(result),
      )
      this.#writer.lastId = found.lastId
      for (const segment of found.segments) this.#list.add(segment)
      for (const name of destinations) this.#add(name, found.places.get(name) ?? START)
      for (const path of found.staleCursors) {
        await this.#files.unlink(path).catch((error) => this.#list.countError(errorCode(error)))
      }
      this.#list.onSettled()
    } catch (error) {
      this.#writer.fail(error)
      for (const name of destinations) if (!this.#list.readers.has(name)) this.#add(name, START)
    }
  }

  #add(name: string, { at, passed }: Place): QueueReader {
    const onError = (code: string) => this.#list.countError(code)
    const cursor = new CursorFile(this.#options.directory, name, this.#files, onError)
    const reader = new QueueReader(name, this.#list, cursor, at)
    for (const segment of this.#list.all) reader.restore(segment, passed)
    this.#list.readers.set(name, reader)
    return reader
  }

  #note({ end, lostBytes, code }: ScanResult): void {
    if (code !== null) this.#list.countError(code)
    if (end === 'torn') this.#tornTails++
    if (end === 'damaged' || end === 'unreadable') {
      this.#list.corruptRecords++
      this.#list.corruptBytes += lostBytes
    }
  }
}
