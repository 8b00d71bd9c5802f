/**
 * A run of records, in a file or (while the disk fails) in memory. Records of a memory segment have the offsets they would
 * have in a file, so a reader does not notice when the segment is written out later.
 *
 * A segment file is only ever appended to by the process that began it; a restart begins another. So an end torn by a
 * crash is never written over and need not be repaired.
 */
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode, type QueueFiles, readFully, writeFully } from './queue-files.ts'
import { decodeHeader, HEADER_BYTES, isIntact, type RecordHeader } from './record.ts'

/** A record as it is written. */
export interface NewRecord {
  readonly header: Buffer
  readonly payload: Uint8Array
  readonly samples: number
  readonly timeMs: number
}

/** What a read gives: a record, one that is damaged (its header holds), or nothing readable to the segment's end. */
export type ReadResult =
  | { readonly kind: 'record'; readonly header: RecordHeader; readonly payload: Uint8Array }
  | { readonly kind: 'damaged'; readonly header: RecordHeader }
  | { readonly kind: 'unreadable'; readonly code: string }

export const recordBytes = (record: Pick<NewRecord, 'payload'>): number =>
  HEADER_BYTES + record.payload.length

const NAME = /^(\d{16})\.seg$/

/** The id in a segment's file name, or null for another file. */
export function segmentId(name: string): number | null {
  const digits = NAME.exec(name)?.[1]
  return digits === undefined ? null : Number(digits)
}

export class Segment {
  readonly id: number
  readonly path: string
  /** Committed: readers go to here. A crash may leave more in the file, or less. */
  bytes = 0
  /** What the file takes, with what is not committed or damaged. */
  fileBytes = 0
  samples = 0
  records = 0
  firstTimeMs = 0
  /** No more records will come. */
  sealed = false
  /** Removed: at the cap, or because all have read it. */
  deleted = false
  /** Offsets found damaged, so that two readers count them once. */
  readonly damaged = new Set<number>()
  readonly #files: QueueFiles
  #memory: Map<number, NewRecord> | null
  #handle: Promise<FileHandle> | null = null

  constructor(directory: string, id: number, kind: 'file' | 'memory', files: QueueFiles) {
    this.id = id
    this.path = join(directory, `${String(id).padStart(16, '0')}.seg`)
    this.#files = files
    this.#memory = kind === 'memory' ? new Map() : null
  }

  get inMemory(): boolean {
    return this.#memory !== null
  }

  /** Makes the file, to append to. Errors: of the file system. */
  async create(): Promise<void> {
    const handle = await this.#files.open(this.path, 'wx+', 0o600)
    this.#handle = Promise.resolve(handle)
  }

  /** Writes behind what was written before; readers don't see it until `commit`. Errors: of the file system. */
  async write(record: NewRecord): Promise<void> {
    await writeFully(await this.#opened(), [record.header, record.payload], this.fileBytes)
    this.fileBytes += recordBytes(record)
  }

  /** Forces what was written to the medium. */
  async sync(): Promise<void> {
    await (await this.#opened()).datasync()
  }

  /** Takes back what was written and not committed; the rest of the file holds. */
  async takeBack(): Promise<void> {
    this.sealed = true
    this.fileBytes = this.bytes
    await (await this.#opened()).truncate(this.bytes)
  }

  /** Shows a written record to readers. */
  commit(record: Pick<NewRecord, 'samples' | 'timeMs'>, size: number): void {
    if (this.records === 0) this.firstTimeMs = record.timeMs
    this.bytes += size
    this.records++
    this.samples += record.samples
  }

  /** Adds a record to a memory segment. */
  hold(record: NewRecord): void {
    this.#memory!.set(this.bytes, record)
    this.commit(record, recordBytes(record))
  }

  /** Writes a memory segment to its file and forgets the memory. Errors: of the file system; the memory stays then. */
  async writeOut(): Promise<void> {
    const held = [...this.#memory!.values()]
    this.fileBytes = 0
    try {
      await this.create()
      for (const record of held) await this.write(record)
      await this.sync()
    } catch (error) {
      await this.close()
      await this.#files.unlink(this.path).catch(() => {}) // its name is free again, or the next try says why not
      throw error
    }
    this.#memory = null
    this.sealed = true
  }

  /** The record at an offset before `bytes`. Errors: of the file system where trying again may help (EMFILE, ENOMEM). */
  async read(offset: number): Promise<ReadResult> {
    const held = this.#memory?.get(offset)
    if (held) return { kind: 'record', header: decodeHeader(held.header, 0)!, payload: held.payload }
    try {
      const handle = await this.#opened()
      const head = Buffer.allocUnsafe(HEADER_BYTES)
      const header = (await readFully(handle, head, offset)) < HEADER_BYTES ? null : decodeHeader(head, 0)
      if (!header) return { kind: 'unreadable', code: 'bad header' }
      const payload = Buffer.allocUnsafeSlow(header.payloadBytes)
      const filled = await readFully(handle, payload, offset + HEADER_BYTES)
      const intact = filled === payload.length && isIntact(header, payload)
      return intact ? { kind: 'record', header, payload } : { kind: 'damaged', header }
    } catch (error) {
      const code = errorCode(error)
      if (['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'].includes(code)) throw error
      return { kind: 'unreadable', code }
    }
  }

  /** Lets go of the file. A read or write after it opens it again. */
  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = null
    await handle?.then((open) => open.close()).catch(() => {}) // nothing is lost: what counted was synced
  }

  /** Removes it. Errors: of the file system (a directory that became read-only). */
  async remove(): Promise<void> {
    this.deleted = true
    this.sealed = true
    if (this.#memory) this.#memory = new Map()
    else await Promise.all([this.close(), this.#files.unlink(this.path)])
  }

  #opened(): Promise<FileHandle> {
    if (!this.#handle) {
      const opening = this.#files.open(this.path, 'r')
      this.#handle = opening
      opening.catch(() => {
        if (this.#handle === opening) this.#handle = null
      })
    }
    return this.#handle
  }
}
