/**
 * Reads an ELF file's GNU build id and magic, the few hundred bytes that tell whether two paths are one content.
 * Everything deeper of ELF is C++ (native/elf_file.h); this is here because mappings are identified on the hot path of
 * discovery, one small pread each, where a promise per file would let the process vanish.
 */
import { readSync } from 'node:fs'

const NOTE_SEGMENT = 4
const GNU_BUILD_ID = 3
const NOTE_BYTES_MAX = 4096

/** Up to `length` bytes; none where the position, which a file header may invent, is beyond any file. */
function readAt(fd: number, position: number, length: number): DataView {
  const buffer = Buffer.alloc(length)
  const read = Number.isSafeInteger(position) ? readSync(fd, buffer, 0, length, position) : 0
  return new DataView(buffer.buffer, buffer.byteOffset, read)
}

/** True when the file begins like an ELF file. */
export function isElf(fd: number): boolean {
  const head = readAt(fd, 0, 4)
  return head.byteLength === 4 && head.getUint32(0) === 0x7f454c46
}

/** The GNU build id in hex, '' when there is none or the file lies about itself. */
export function readBuildId(fd: number): string {
  const header = readAt(fd, 0, 64)
  if (header.byteLength < 64 || header.getUint32(0) !== 0x7f454c46 || header.getUint8(4) !== 2) return ''
  const entryBytes = header.getUint16(54, true)
  const count = Math.min(header.getUint16(56, true), 64)
  if (entryBytes < 56) return ''
  const segments = readAt(fd, Number(header.getBigUint64(32, true)), count * entryBytes)
  for (let at = 0; at + 56 <= segments.byteLength; at += entryBytes) {
    if (segments.getUint32(at, true) !== NOTE_SEGMENT) continue
    const bytes = Math.min(Number(segments.getBigUint64(at + 32, true)), NOTE_BYTES_MAX)
    const id = findBuildId(readAt(fd, Number(segments.getBigUint64(at + 8, true)), bytes))
    if (id) return id
  }
  return ''
}

/** Walks a note segment: {name size, description size, type, name, description}, each padded to 4 bytes. */
function findBuildId(notes: DataView): string {
  const pad = (bytes: number): number => Math.ceil(bytes / 4) * 4 // not by bit operations: sizes reach 2^32
  let at = 0
  while (at + 12 <= notes.byteLength) {
    const nameBytes = notes.getUint32(at, true)
    const idBytes = notes.getUint32(at + 4, true)
    const idAt = at + 12 + pad(nameBytes)
    const isBuildId = notes.getUint32(at + 8, true) === GNU_BUILD_ID && nameBytes === 4
    if (isBuildId && idBytes <= 64 && idAt + idBytes <= notes.byteLength)
      return Buffer.from(notes.buffer, notes.byteOffset + idAt, idBytes).toString('hex')
    at = idAt + pad(idBytes)
  }
  return ''
}
