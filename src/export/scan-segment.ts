/**
 * Counts what a segment of an earlier run holds, from its headers alone: a queue of any size is opened in the memory of one
 * chunk. Payloads are checked when they are read to be sent.
 */
import { errorCode, type QueueFiles, readFully } from './queue-files.ts'
import { decodeHeader, HEADER_BYTES } from './record.ts'
import type { Segment } from './segment.ts'

const CHUNK_BYTES = 64 * 1024

/** How a segment ended: whole, torn by a crash (cut off or zeros), damaged (other bytes), or not readable at all. */
export type ScanEnd = 'whole' | 'torn' | 'damaged' | 'unreadable'

export interface ScanResult {
  readonly end: ScanEnd
  /** Bytes behind the last good record. */
  readonly lostBytes: number
  /** Of a file that could not be read. */
  readonly code: string | null
}

/**
 * Reads the headers of `segment`'s file into its counters and seals it. `onRecord` is called with each record's offset
 * before it is counted. Errors: none; what the disk says is in the result.
 */
export async function scanSegment(
  segment: Segment,
  files: QueueFiles,
  onRecord: (offset: number) => void,
): Promise<ScanResult> {
  segment.sealed = true
  try {
    const handle = await files.open(segment.path, 'r')
    try {
      const { size } = await handle.stat()
      segment.fileBytes = size
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      let [from, to] = [0, 0]
      for (;;) {
        if (segment.bytes + HEADER_BYTES > to && to < size) {
          from = segment.bytes
          to = from + (await readFully(handle, chunk, from))
        }
        const header = segment.bytes + HEADER_BYTES > to ? null : decodeHeader(chunk, segment.bytes - from)
        const end = header === null ? 0 : segment.bytes + HEADER_BYTES + header.payloadBytes
        if (header === null || end > size) {
          const rest = chunk.subarray(segment.bytes - from, to - from)
          return {
            end: endOf(rest, header !== null),
            lostBytes: Math.max(0, size - segment.bytes),
            code: null,
          }
        }
        onRecord(segment.bytes)
        segment.commit(header, end - segment.bytes)
      }
    } finally {
      await handle.close()
    }
  } catch (error) {
    return { end: 'unreadable', lostBytes: segment.fileBytes, code: errorCode(error) }
  }
}

/** A header that promises more than the file has, a piece of a header, or zeros (a file grown, never written): a crash. */
function endOf(rest: Buffer, hasHeader: boolean): ScanEnd {
  if (rest.length === 0) return 'whole'
  if (hasHeader || rest.length < HEADER_BYTES || rest.every((byte) => byte === 0)) return 'torn'
  return 'damaged'
}
