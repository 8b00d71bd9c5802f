/** The least ELF files that the build id reader accepts, and ways to damage them. */

export const BUILD_ID = '00112233445566778899aabbccddeeff01234567'

export interface ElfParts {
  readonly buildId?: string
  /** Overrides of header fields, as the file claims them. */
  readonly segmentsAt?: bigint
  readonly entryBytes?: number
  readonly entries?: number
  readonly noteAt?: bigint
  readonly noteBytes?: bigint
  readonly nameBytes?: number
  readonly idBytes?: number
  readonly elfClass?: number
  readonly noteType?: number
}

const HEADER_BYTES = 64
const ENTRY_BYTES = 56
const NOTE_AT = HEADER_BYTES + 2 * ENTRY_BYTES

/** A 64-bit little-endian ELF file: a PT_LOAD segment, then a PT_NOTE segment with two notes, the second a build id. */
export function elfBytes(parts: ElfParts = {}): Buffer {
  const id = Buffer.from(parts.buildId ?? BUILD_ID, 'hex')
  const first = note('GNU', 1, Buffer.alloc(16)) // the ABI tag
  const second = note('GNU', parts.noteType ?? 3, id)
  if (parts.nameBytes !== undefined) second.writeUInt32LE(parts.nameBytes, 0)
  if (parts.idBytes !== undefined) second.writeUInt32LE(parts.idBytes, 4)
  const header = Buffer.alloc(HEADER_BYTES)
  header.write('\x7fELF', 0, 'latin1')
  header[4] = parts.elfClass ?? 2
  header[5] = 1
  header.writeBigUInt64LE(parts.segmentsAt ?? BigInt(HEADER_BYTES), 32)
  header.writeUInt16LE(parts.entryBytes ?? ENTRY_BYTES, 54)
  header.writeUInt16LE(parts.entries ?? 2, 56)
  const notes = Buffer.concat([first, second])
  const load = segment(1, 0n, 4096n)
  const noteSegment = segment(4, parts.noteAt ?? BigInt(NOTE_AT), parts.noteBytes ?? BigInt(notes.length))
  return Buffer.concat([header, load, noteSegment, notes])
}

function segment(type: number, offset: bigint, bytes: bigint): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES)
  entry.writeUInt32LE(type, 0)
  entry.writeBigUInt64LE(offset, 8)
  entry.writeBigUInt64LE(bytes, 32)
  return entry
}

function note(name: string, type: number, description: Buffer): Buffer {
  const head = Buffer.alloc(12 + 4)
  head.writeUInt32LE(4, 0)
  head.writeUInt32LE(description.length, 4)
  head.writeUInt32LE(type, 8)
  head.write(`${name}\0`, 12, 'latin1')
  return Buffer.concat([head, description, Buffer.alloc(-description.length & 3)])
}
