/**
 * Where a destination is in the queue, kept over restarts: two slots of 32 bytes, written in turn in place.
 *
 * In place, because that works on a full disk, where a new file and a rename would not; in turn, because a write torn by a
 * crash then leaves the place before. A lost cursor costs duplicates, never data, so it is not synced.
 */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { errorCode, type QueueFiles, readFully, writeFully } from './queue-files.ts'

/** A place in the queue: before the record at `offset` of the segment. */
export interface Position {
  readonly segment: number
  readonly offset: number
}

export const isBefore = (one: Position, other: Position): boolean =>
  one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset)

const MAGIC = 0x31434245 // 'EBC1'
const SLOT_BYTES = 32
const SUFFIX = '.cursor'

/** File name of a destination's cursor; its own name may hold anything. */
export const cursorName = (destination: string): string =>
  createHash('sha256').update(destination).digest('hex').slice(0, 24) + SUFFIX

export const isCursorName = (name: string): boolean => name.endsWith(SUFFIX)

/** The newest whole slot of a cursor file; null when there is none to read (E-34: start from the oldest, keep running). */
export async function readCursor(path: string, files: QueueFiles): Promise<Position | null> {
  const bytes = Buffer.alloc(2 * SLOT_BYTES)
  try {
    const handle = await files.open(path, 'r')
    try {
      await readFully(handle, bytes, 0)
    } finally {
      await handle.close()
    }
  } catch {
    return null // none yet, or unreadable: duplicates, counted by the receiver
  }
  const slots = [0, SLOT_BYTES].map((at) => decodeSlot(bytes.subarray(at, at + SLOT_BYTES)))
  const newest = slots.filter((slot) => slot !== null).sort((a, b) => b.turn - a.turn)[0]
  return newest ?? null
}

function decodeSlot(slot: Buffer): (Position & { turn: number }) | null {
  if (slot.readUInt32LE(0) !== MAGIC || slot.readUInt32LE(28) !== crc32(slot.subarray(0, 28))) return null
  return { turn: slot.readDoubleLE(4), segment: slot.readDoubleLE(12), offset: slot.readDoubleLE(20) }
}

function encodeSlot(turn: number, position: Position): Buffer {
  const slot = Buffer.alloc(SLOT_BYTES)
  slot.writeUInt32LE(MAGIC, 0)
  slot.writeDoubleLE(turn, 4)
  slot.writeDoubleLE(position.segment, 12)
  slot.writeDoubleLE(position.offset, 20)
  slot.writeUInt32LE(crc32(slot.subarray(0, 28)), 28)
  return slot
}

/** Writes one destination's cursor, the newest position only, one write at a time. */
export class CursorFile {
  readonly path: string
  readonly #files: QueueFiles
  readonly #onError: (code: string) => void
  #handle: FileHandle | null = null
  #turn = 1
  #wanted: Position | null = null
  #writing: Promise<void> | null = null

  constructor(directory: string, destination: string, files: QueueFiles, onError: (code: string) => void) {
    this.path = join(directory, cursorName(destination))
    this.#files = files
    this.#onError = onError
  }

  /** Keeps `position`; errors are told to `onError` and the next call tries again. */
  set(position: Position): void {
    this.#wanted = position
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null
    })
  }

  /** Ends when all that was set is written (or could not be). */
  async close(): Promise<void> {
    await this.#writing
    await this.#handle?.close().catch(() => {})
    this.#handle = null
  }

  async remove(): Promise<void> {
    await this.close()
    await this.#files.unlink(this.path).catch((error) => this.#onError(errorCode(error)))
  }

  async #write(): Promise<void> {
    while (this.#wanted) {
      const position = this.#wanted
      this.#wanted = null
      try {
        this.#handle ??= await this.#begin(position)
        this.#turn++
        await writeFully(this.#handle, [encodeSlot(this.#turn, position)], (this.#turn % 2) * SLOT_BYTES)
      } catch (error) {
        this.#onError(errorCode(error))
      }
    }
  }

  /** Opens the file and fills both slots, so that its blocks are there when the disk is full. */
  async #begin(position: Position): Promise<FileHandle> {
    const handle = await this.#files.open(this.path, 'a+', 0o600).then(async (made) => {
      await made.close()
      return this.#files.open(this.path, 'r+')
    })
    this.#turn = 1
    await writeFully(handle, [encodeSlot(0, position), encodeSlot(1, position)], 0)
    return handle
  }
}
