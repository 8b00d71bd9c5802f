/** The segments of a queue, oldest first, and the readers over them: what is removed when, and what was found damaged. */
import { errorCode } from './queue-files.ts'
import type { QueueReader, SegmentSource } from './queue-reader.ts'
import type { Segment } from './segment.ts'
import type { DropReason } from './stats.ts'

export class SegmentList implements SegmentSource {
  readonly readers = new Map<string, QueueReader>()
  corruptRecords = 0
  corruptBytes = 0
  readonly diskErrors: Record<string, number> = {}
  readonly #segments: Segment[] = []
  readonly #removing = new Set<Promise<void>>()

  get all(): readonly Segment[] {
    return this.#segments
  }

  add(segment: Segment): void {
    this.#segments.push(segment)
  }

  atOrAfter(id: number): Segment | null {
    return this.#segments.find((segment) => segment.id >= id) ?? null
  }

  /** Bytes in files, or in memory. */
  bytes(kind: 'file' | 'memory'): number {
    const of = this.#segments.filter((segment) => segment.inMemory === (kind === 'memory'))
    return of.reduce((sum, segment) => sum + Math.max(segment.bytes, segment.fileBytes), 0)
  }

  /** Gives a segment up, whoever has still to read it. */
  async drop(segment: Segment, reason: DropReason): Promise<void> {
    segment.deleted = true
    for (const reader of this.readers.values()) reader.drop(segment, reason)
    await this.#remove(segment)
  }

  /** Removes what all readers have settled. Without readers all is kept: a destination may come. */
  onSettled(): void {
    for (let oldest = this.#segments[0]; oldest && this.isSettled(oldest); oldest = this.#segments[0]) {
      void this.#remove(oldest)
    }
  }

  isSettled(segment: Segment): boolean {
    if (!segment.sealed || this.readers.size === 0) return false
    return [...this.readers.values()].every(({ settledTo }) => {
      return (
        settledTo.segment > segment.id ||
        (settledTo.segment === segment.id && settledTo.offset >= segment.bytes)
      )
    })
  }

  onDamaged(segment: Segment, offset: number, bytes: number): void {
    if (segment.damaged.has(offset)) return
    segment.damaged.add(offset)
    this.corruptRecords++
    this.corruptBytes += bytes
  }

  /** Not one record more can be read of it: other readers will find the same, so it is counted once. */
  onUnreadable(segment: Segment, code: string): void {
    if (segment.damaged.has(-1)) return
    segment.damaged.add(-1)
    this.corruptRecords++
    this.countError(code)
  }

  countError(code: string): void {
    this.diskErrors[code] = (this.diskErrors[code] ?? 0) + 1
  }

  /** Ends when no file is being removed. */
  async settled(): Promise<void> {
    await Promise.all(this.#removing)
  }

  /** Takes it off the list even when its file stays (a directory now read-only): it then comes back with the next start. */
  async #remove(segment: Segment): Promise<void> {
    const at = this.#segments.indexOf(segment)
    if (at >= 0) this.#segments.splice(at, 1)
    const removing = segment.remove().catch((error) => this.countError(errorCode(error)))
    this.#removing.add(removing)
    await removing.finally(() => this.#removing.delete(removing))
  }
}
