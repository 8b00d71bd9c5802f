/**
 * One request in a segment file: a header of 28 bytes, little endian, then the payload.
 *
 *     magic u32 | payload bytes u32 | samples u32 | time f64 (wall clock, ms) | CRC-32 of the payload u32 | CRC-32 of all before u32
 *
 * The header has a checksum of its own, so a queue can be counted at start without reading payloads, and a payload that
 * is damaged under a header that holds costs no more than itself.
 */
import { crc32 } from 'node:zlib'

const MAGIC = 0x31514245 // 'EBQ1'
export const HEADER_BYTES = 28
/** No request is larger (P-23); a length above it is damage, not a reason to allocate. */
export const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024

export interface RecordHeader {
  readonly payloadBytes: number
  readonly samples: number
  readonly timeMs: number
  readonly payloadCrc: number
}

export function encodeHeader(payload: Uint8Array, samples: number, timeMs: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  header.writeUInt32LE(MAGIC, 0)
  header.writeUInt32LE(payload.length, 4)
  header.writeUInt32LE(samples, 8)
  header.writeDoubleLE(timeMs, 12)
  header.writeUInt32LE(crc32(payload), 20)
  header.writeUInt32LE(crc32(header.subarray(0, 24)), 24)
  return header
}

/** The header at `at`, or null when these bytes are none. The caller has made sure of HEADER_BYTES bytes. */
export function decodeHeader(bytes: Buffer, at: number): RecordHeader | null {
  if (bytes.readUInt32LE(at) !== MAGIC) return null
  if (bytes.readUInt32LE(at + 24) !== crc32(bytes.subarray(at, at + 24))) return null
  const payloadBytes = bytes.readUInt32LE(at + 4)
  if (payloadBytes > PAYLOAD_BYTES_MAX) return null
  return {
    payloadBytes,
    samples: bytes.readUInt32LE(at + 8),
    timeMs: bytes.readDoubleLE(at + 12),
    payloadCrc: bytes.readUInt32LE(at + 20),
  }
}

/** Whether the payload is what was written under this header. */
export function isIntact(header: RecordHeader, payload: Uint8Array): boolean {
  return payload.length === header.payloadBytes && crc32(payload) === header.payloadCrc
}
