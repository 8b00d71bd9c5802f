/**
 * One destination's view of the queue: what it has still to send, and how far everything is settled.
 *
 * Requests are handed out in order and may be settled in any; the cursor is before the oldest that is not settled. The
 * counts hold at every moment: restored + accepted = settled as sent + dropped + queued.
 */
import type { CursorFile, Position } from './cursor-file.ts'
import { NOTHING_PASSED, type Passed } from './queue-scan.ts'
import { HEADER_BYTES } from './record.ts'
import type { Segment } from './segment.ts'
import type { DropReason } from './stats.ts'

/** A request handed out. `payload` is the whole of it, immutable (another destination may read the same bytes). */
export interface QueuedRequest {
  readonly payload: Uint8Array
  readonly samples: number
  /** When it was enqueued, wall clock. */
  readonly timeMs: number
  readonly entry: Entry
}

/** A record between being read and being settled; opaque outside. */
export interface Entry {
  readonly segment: Segment
  readonly offset: number
  readonly bytes: number
  readonly samples: number
  readonly timeMs: number
  state: 'out' | 'waiting' | 'settled'
}

/** What a reader needs of its queue. */
export interface SegmentSource {
  /** The segment with this id, or the next one there is. */
  atOrAfter(id: number): Segment | null
  onDamaged(segment: Segment, offset: number, bytes: number): void
  onUnreadable(segment: Segment, code: string): void
  /** A cursor moved: segments may be free. */
  onSettled(): void
}

export class QueueReader {
  readonly name: string
  restoredSamples = 0
  acceptedSamples = 0
  queueSamples = 0
  queueRequests = 0
  queueBytes = 0
  readonly dropped: Record<DropReason, number> = {}
  readonly droppedRequests: Record<DropReason, number> = {}
  readonly #source: SegmentSource
  readonly #cursor: CursorFile
  #at: Position
  /** Of the segment at `#at`: what is before it. */
  #passed: Passed = NOTHING_PASSED
  #window: Entry[] = []
  #reading: Promise<unknown> = Promise.resolve()
  #change: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null

  constructor(name: string, source: SegmentSource, cursor: CursorFile, at: Position) {
    this.name = name
    this.#source = source
    this.#cursor = cursor
    this.#at = at
  }

  /** Before the oldest request that is not settled. */
  get settledTo(): Position {
    const oldest = this.#window[0]
    return oldest ? { segment: oldest.segment.id, offset: oldest.offset } : this.#at
  }

  /** Wall clock of the oldest request queued, null when there is none. Exact for requests handed out. */
  get oldestTimeMs(): number | null {
    if (this.queueRequests === 0) return null
    return this.#window[0]?.timeMs ?? this.#source.atOrAfter(this.#at.segment)?.firstTimeMs ?? null
  }

  /** Called at start for each segment: `passed` is what of it is before the cursor. */
  restore(segment: Segment, passed: Passed): void {
    if (segment.id < this.#at.segment) return
    if (segment.id === this.#at.segment) this.#passed = passed
    const before = segment.id === this.#at.segment ? passed : NOTHING_PASSED
    this.restoredSamples += segment.samples - before.samples
    this.#count(
      segment.samples - before.samples,
      segment.records - before.records,
      segment.bytes - before.bytes,
    )
  }

  /** A record was committed. */
  add(samples: number, bytes: number): void {
    this.acceptedSamples += samples
    this.#count(samples, 1, bytes)
    this.wake()
  }

  /** A record was accepted and could not be kept. */
  refuse(reason: DropReason, samples: number): void {
    this.acceptedSamples += samples
    this.#countDropped(reason, samples, 1)
  }

  /**
   * The next request, or null when all are handed out. Damaged records are dropped, counted and passed over. Errors: of
   * the file system, where trying again later may help.
   */
  next(): Promise<QueuedRequest | null> {
    const result = this.#reading.then(() => this.#next())
    this.#reading = result.catch(() => {})
    return result
  }

  /** Resolves when there may be something new, or at `wake`. */
  changed(): Promise<void> {
    this.#change ??= changeToCome()
    return this.#change.promise
  }

  wake(): void {
    this.#change?.resolve()
    this.#change = null
  }

  /** Done with: sent, or (with a reason) given up. */
  settle({ entry }: QueuedRequest, reason: DropReason | null): void {
    this.#settle(entry, reason)
    this.#advance()
  }

  /** Not sent and not given up: handed out again later. */
  putBack({ entry }: QueuedRequest): void {
    if (!entry.segment.deleted) entry.state = 'waiting'
    else this.settle({ entry } as QueuedRequest, 'queue_full')
    this.wake()
  }

  /** The queue gives this segment up; what is in flight is still sent. */
  drop(segment: Segment, reason: DropReason): void {
    for (const entry of this.#window) {
      if (entry.segment === segment && entry.state === 'waiting') this.#settle(entry, reason)
    }
    if (this.#at.segment <= segment.id) {
      const passed = this.#at.segment === segment.id ? this.#passed : NOTHING_PASSED
      const [samples, records] = [segment.samples - passed.samples, segment.records - passed.records]
      this.#countDropped(reason, samples, records)
      this.#count(-samples, -records, passed.bytes - segment.bytes)
      // One in the middle may go (of memory, behind files that stay): then the place before it holds.
      if (this.#at.segment === segment.id) this.#goTo({ segment: segment.id + 1, offset: 0 })
    }
    this.#advance()
  }

  /** Keeps the place for the next start, or forgets it. */
  async close(forget: boolean): Promise<void> {
    if (forget) await this.#cursor.remove()
    else {
      this.#cursor.set(this.settledTo)
      await this.#cursor.close()
    }
  }

  async #next(): Promise<QueuedRequest | null> {
    for (;;) {
      const again = this.#window.find((entry) => entry.state === 'waiting')
      const segment = again?.segment ?? this.#current()
      if (!segment) return null
      const at = again ?? { segment, offset: this.#at.offset }
      const result = await segment.read(at.offset)
      if (again ? again.state !== 'waiting' : !this.#isAt(segment, at.offset)) continue // dropped meanwhile
      if (result.kind === 'unreadable') {
        this.#source.onUnreadable(segment, result.code)
        if (again) this.settle({ entry: again } as QueuedRequest, 'corrupt')
        else this.#skipRest(segment)
        continue
      }
      const entry = again ?? this.#take(segment, result.header)
      if (result.kind === 'record') {
        entry.state = 'out'
        return { payload: result.payload, samples: entry.samples, timeMs: entry.timeMs, entry }
      }
      this.#source.onDamaged(segment, entry.offset, entry.bytes)
      this.settle({ entry } as QueuedRequest, 'corrupt')
    }
  }

  /** Moves over segments that are read to their end. */
  #current(): Segment | null {
    for (;;) {
      const segment = this.#source.atOrAfter(this.#at.segment)
      if (!segment) return null
      if (segment.id !== this.#at.segment) this.#goTo({ segment: segment.id, offset: 0 })
      if (this.#at.offset < segment.bytes) return segment
      const next = segment.sealed ? this.#source.atOrAfter(segment.id + 1) : null
      if (!next) return null
      this.#goTo({ segment: next.id, offset: 0 })
    }
  }

  #isAt(segment: Segment, offset: number): boolean {
    return !segment.deleted && this.#at.segment === segment.id && this.#at.offset === offset
  }

  #goTo(position: Position): void {
    this.#at = position
    this.#passed = NOTHING_PASSED
  }

  #take(segment: Segment, header: { samples: number; payloadBytes: number; timeMs: number }): Entry {
    const { samples, timeMs } = header
    const bytes = HEADER_BYTES + header.payloadBytes
    const entry: Entry = { segment, offset: this.#at.offset, bytes, samples, timeMs, state: 'out' }
    this.#window.push(entry)
    this.#at = { segment: segment.id, offset: entry.offset + bytes }
    this.#passed = {
      samples: this.#passed.samples + samples,
      records: this.#passed.records + 1,
      bytes: this.#passed.bytes + bytes,
    }
    return entry
  }

  /** Gives up what is behind an unreadable place; what the segment gets later is tried again. */
  #skipRest(segment: Segment): void {
    const passed = this.#passed
    const [samples, records] = [segment.samples - passed.samples, segment.records - passed.records]
    this.#countDropped('corrupt', samples, records)
    this.#count(-samples, -records, passed.bytes - segment.bytes)
    this.#at = { segment: segment.id, offset: segment.bytes }
    this.#passed = { samples: segment.samples, records: segment.records, bytes: segment.bytes }
    this.#advance()
  }

  #settle(entry: Entry, reason: DropReason | null): void {
    if (entry.state === 'settled') return
    entry.state = 'settled'
    this.#count(-entry.samples, -1, -entry.bytes)
    if (reason !== null) this.#countDropped(reason, entry.samples, 1)
  }

  #advance(): void {
    while (this.#window[0]?.state === 'settled') this.#window.shift()
    this.#cursor.set(this.settledTo)
    this.#source.onSettled()
  }

  #count(samples: number, requests: number, bytes: number): void {
    this.queueSamples += samples
    this.queueRequests += requests
    this.queueBytes += bytes
  }

  #countDropped(reason: DropReason, samples: number, requests: number): void {
    if (requests === 0) return
    this.dropped[reason] = (this.dropped[reason] ?? 0) + samples
    this.droppedRequests[reason] = (this.droppedRequests[reason] ?? 0) + requests
  }
}

function changeToCome(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
