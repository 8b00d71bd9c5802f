/**
 * Where new records go: to the active segment file, or, while the directory cannot be written, to memory segments within a
 * budget. Its calls come one at a time (DiskQueue sees to it).
 */
import { DirectoryLock } from './directory-lock.ts'
import type { QueueOptions } from './options.ts'
import { errorCode, makeDirectory, type QueueFiles } from './queue-files.ts'
import { type NewRecord, recordBytes, Segment } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import type { DROP_REASONS } from './stats.ts'

export type LossReason = keyof typeof DROP_REASONS

/** Told of every record, once: it is kept (readers see it), or lost. */
export interface KeepListener {
  onKept(record: NewRecord, bytes: number): void
  onLost(record: NewRecord, reason: LossReason): void
}

const SEGMENT_BYTES_MAX = 8 * 1024 * 1024
const SEGMENT_BYTES_MIN = 64 * 1024
/** Caps are kept by removing whole segments, so there are at least about this many. */
const SEGMENTS_OF_CAP = 8
const RETRY_DISK_MS = 5000

export class QueueWriter {
  options: QueueOptions
  lastId = 0
  fsyncs = 0
  readonly #files: QueueFiles
  readonly #list: SegmentList
  readonly #listener: KeepListener
  #lock: DirectoryLock | null = null
  #active: Segment | null = null
  /** Written to the active segment and not yet committed. */
  #written: NewRecord[] = []
  #failure: { readonly code: string; readonly note: string } | null = null
  #triedDiskAt = 0
  #isDirty = false

  constructor(options: QueueOptions, files: QueueFiles, list: SegmentList, listener: KeepListener) {
    this.options = options
    this.#files = files
    this.#list = list
    this.#listener = listener
  }

  /** Why new records are in memory, for a human; null while the disk works. */
  get note(): string | null {
    return this.#failure?.note ?? null
  }

  /** Makes the directory and takes its lock. Errors: AgentError `already_running`; other failures mean memory. */
  async open(): Promise<void> {
    try {
      await this.#own()
    } catch (error) {
      if (errorCode(error) === 'already_running') throw error
      this.fail(error)
    }
  }

  /** Keeps a record, on disk (committed by `commit` at the latest) or in memory. */
  async keep(record: NewRecord): Promise<void> {
    if (this.#failure && performance.now() - this.#triedDiskAt > RETRY_DISK_MS) await this.recover()
    if (this.#failure) return this.#hold(record)
    try {
      await this.#write(record)
    } catch (error) {
      await this.#giveUpDisk(error, [record])
    }
  }

  /** Makes durable, by the policy, what is written, and shows it to the readers. */
  async commit(): Promise<void> {
    const [written, active] = [this.#written, this.#active]
    if (written.length === 0 || !active) return
    this.#written = []
    this.#isDirty = true
    if (this.options.fsync === 'batch') {
      try {
        await this.sync()
      } catch (error) {
        return this.#giveUpDisk(error, written) // after a failed fsync nothing tells what the file has
      }
    }
    for (const record of written) {
      active.commit(record, recordBytes(record))
      this.#listener.onKept(record, recordBytes(record))
    }
  }

  /** Ends the active segment, so that it can be removed. */
  async rotate(): Promise<void> {
    await this.commit()
    if (this.#isDirty && this.options.fsync !== 'never') await this.sync()
    if (this.#active) this.#active.sealed = true
    this.#active = null
    this.#list.onSettled()
  }

  /** Errors: of the file system. */
  async sync(): Promise<void> {
    if (!this.#active || !this.#isDirty) return
    await this.#active.sync()
    this.fsyncs++
    this.#isDirty = false
  }

  /** What is due from time to time: fsync by interval, another try of a failing disk. */
  async tick(): Promise<void> {
    if (this.#failure) await this.recover()
    else if (this.options.fsync === 'interval')
      await this.sync().catch((error) => this.#giveUpDisk(error, []))
  }

  /** Tries the disk again and writes out what is in memory; whether it works now. */
  async recover(): Promise<boolean> {
    if (!this.#failure) return true
    try {
      await this.#own()
      const held = this.#list.all.filter((segment) => segment.inMemory)
      for (const segment of held) await segment.writeOut()
      if (held.length > 0) await this.#syncDirectory()
      this.#failure = null
      return true
    } catch (error) {
      this.fail(error)
      return false
    }
  }

  /** The disk does not work: from now on to memory. */
  fail(error: unknown): void {
    const code = errorCode(error)
    this.#list.countError(code)
    this.#triedDiskAt = performance.now()
    const { directory, memoryBytes } = this.options
    const rest = `new data is held in memory, ${memoryBytes} bytes at most, until it can be written`
    const why =
      code === 'already_running' ? (error as Error).message : `the queue in ${directory} fails (${code})`
    this.#failure = { code, note: `${why}: ${rest}` }
  }

  /** Lets go of the directory; what is in memory only and cannot be written now is dropped and counted. */
  async close(): Promise<void> {
    await this.commit()
    if (this.#failure) await this.recover()
    for (const segment of this.#list.all.filter((one) => one.inMemory)) {
      await this.#list.drop(segment, 'shutdown')
    }
    await this.rotate().catch((error) => this.fail(error))
  }

  async unlock(): Promise<void> {
    await this.#lock?.release()
    this.#lock = null
  }

  async #own(): Promise<void> {
    await makeDirectory(this.options.directory, this.#files)
    this.#lock ??= await DirectoryLock.take(this.options.directory, this.#files)
  }

  async #write(record: NewRecord): Promise<void> {
    const share = Math.floor(this.options.maxBytes / SEGMENTS_OF_CAP)
    const limit = Math.max(SEGMENT_BYTES_MIN, Math.min(SEGMENT_BYTES_MAX, share))
    if (this.#active && this.#active.fileBytes > 0 && this.#active.fileBytes + recordBytes(record) > limit) {
      await this.rotate()
    }
    this.#active ??= await this.#begin()
    await this.#active.write(record)
    this.#written.push(record)
  }

  async #begin(): Promise<Segment> {
    const segment = new Segment(this.options.directory, ++this.lastId, 'file', this.#files)
    await segment.create()
    this.#list.add(segment)
    if (this.options.fsync !== 'never') await this.#syncDirectory()
    return segment
  }

  async #syncDirectory(): Promise<void> {
    const handle = await this.#files.open(this.options.directory, 'r')
    await handle.sync().finally(() => handle.close())
  }

  /** What was written before `records` still counts if the file takes an fsync; `records` go to memory. */
  async #giveUpDisk(error: unknown, records: readonly NewRecord[]): Promise<void> {
    this.fail(error)
    await this.commit()
    const active = this.#active
    this.#active = null
    this.#isDirty = false
    await active?.takeBack().catch(() => {}) // what is behind the committed end is ignored in any case
    for (const record of records) await this.#hold(record)
  }

  async #hold(record: NewRecord): Promise<void> {
    const [size, budget] = [recordBytes(record), this.options.memoryBytes]
    const isFull = ['ENOSPC', 'EDQUOT'].includes(this.#failure?.code ?? '')
    const reason = isFull ? 'disk_full' : 'disk_unwritable'
    if (size > budget) return this.#listener.onLost(record, reason)
    while (this.#list.bytes('memory') + size > budget) {
      // On a full disk the oldest file makes room for what is newer; on another, removing files would help nobody.
      const victim = this.#list.all.find((segment) => isFull || segment.inMemory)!
      await this.#list.drop(victim, reason)
      if (!victim.inMemory && (await this.recover())) return this.keep(record)
    }
    const last = this.#list.all.at(-1)
    const fits = last?.inMemory && last.bytes + size <= budget / SEGMENTS_OF_CAP
    const segment = fits ? last : this.#newMemorySegment()
    segment.hold(record)
    this.#listener.onKept(record, size)
  }

  #newMemorySegment(): Segment {
    const last = this.#list.all.at(-1)
    if (last?.inMemory) last.sealed = true
    const segment = new Segment(this.options.directory, ++this.lastId, 'memory', this.#files)
    this.#list.add(segment)
    return segment
  }
}
