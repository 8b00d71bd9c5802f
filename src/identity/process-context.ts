/**
 * Reads what a process publishes of itself: OTEP 4719, process context
 * (https://github.com/open-telemetry/opentelemetry-specification/blob/main/oteps/profiles/4719-process-ctx.md).
 *
 * The process owns every byte, so nothing in them is trusted: sizes are bounded, the pointer is only ever read through
 * the kernel, and what changes while it is read is read again. Reading another's memory can *block* for as long as that
 * process likes (pages of a FUSE file that it serves; a userfaultfd is refused by the kernel, EIO), so pages that are not
 * present are not touched, and the read itself runs on a thread of libuv's pool: one at a time, none after one stalled.
 */
import { closeSync, existsSync, openSync, read, readFileSync, readSync } from 'node:fs'
import type { Attributes } from '../model/attributes.ts'
import { decodeContext, MalformedContext } from './process-context-payload.ts'

const SIGNATURE = 'OTEL_CTX'
const VERSION = 2
const HEADER_BYTES = 32
const MAX_PAYLOAD = 65_536
const MAX_MAPS_BYTES = 8 * 1024 * 1024
const MAPS_CHUNK = 64 * 1024
const MAX_ADDRESS = 1n << 56n // five levels of page tables
const ATTEMPTS = 3
const STALL_MS = 2_000

export interface PublishedContext {
  /** Of the header, to look again without a search. */
  readonly address: bigint
  /** CLOCK_BOOTTIME nanoseconds: changes with the content. */
  readonly publishedNs: bigint
  readonly attributes: Attributes
  readonly refused: number
}

/** Why a context that is there could not be used. */
export const CONTEXT_FAULTS = [
  'version',
  'header',
  'updating',
  'size',
  'unreadable',
  'malformed',
  'stalled',
  'maps_too_long',
] as const
export type ContextFault = (typeof CONTEXT_FAULTS)[number]

/** null: the process publishes nothing, or is gone. */
export type ContextOutcome = PublishedContext | ContextFault | null

const NAME = /^([0-9a-f]+)-[0-9a-f]+ r.-. [0-9a-f]+ \S+ \d+ +(?:\[anon(?:_shmem)?:OTEL_CTX|\/memfd:OTEL_CTX)/

/** Address of the mapping a line of /proc/<pid>/maps names as a context; null for other lines. Executable ones are none. */
export function contextMapping(line: string): bigint | null {
  const match = NAME.exec(line)
  return match ? BigInt(`0x${match[1]}`) : null
}

/** Searches the mappings of a process. Cost: the kernel's writing of its maps, 40 to 300 µs. */
export function findContext(pid: number): bigint | 'maps_too_long' | null {
  const path = `/proc/${pid}/maps`
  if (!existsSync(path)) return null // gone, as short-lived ones are by now: an exception costs more than the look
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    return null // gone meanwhile, or not ours to read
  }
  try {
    const chunk = Buffer.allocUnsafe(MAPS_CHUNK)
    let rest = 0 // of a line that goes on in the next chunk
    for (let total = 0; total < MAX_MAPS_BYTES; ) {
      const length = readSync(fd, chunk, rest, MAPS_CHUNK - rest, null)
      const end = rest + length
      const found = findInMaps(chunk.subarray(0, end))
      if (found !== null || length === 0) return found
      total += length
      const lineStart = chunk.lastIndexOf(0x0a, end - 1) + 1
      rest = Math.min(end - lineStart, MAPS_CHUNK / 2)
      chunk.copyWithin(0, end - rest, end)
    }
    return 'maps_too_long'
  } catch {
    return null // it ended while we read
  } finally {
    closeSync(fd)
  }
}

function findInMaps(text: Buffer): bigint | null {
  for (let at = text.indexOf(SIGNATURE); at >= 0; at = text.indexOf(SIGNATURE, at + 1)) {
    const start = text.lastIndexOf(0x0a, at) + 1
    const found = contextMapping(text.toString('latin1', start, at + SIGNATURE.length))
    if (found !== null) return found
  }
  return null
}

/** Reads contexts, one at a time. */
export class ContextReader {
  private stalledReads = 0

  /** True after a read that did not come back: no others are begun until it does. */
  get stalled(): boolean {
    return this.stalledReads > 0
  }

  /** The context whose header is at `address`; `known` is given back when it has not changed. */
  async readAt(pid: number, address: bigint, known: PublishedContext | null): Promise<ContextOutcome> {
    let memory: number
    try {
      memory = openSync(`/proc/${pid}/mem`, 'r')
    } catch {
      return null
    }
    const reads = { pid, memory, pending: 0, done: false }
    try {
      let outcome: ContextOutcome = 'updating'
      for (let attempt = 0; attempt < ATTEMPTS && outcome === 'updating'; attempt++)
        outcome = await this.attempt(reads, address, known)
      return outcome
    } finally {
      reads.done = true
      if (reads.pending === 0) closeSync(memory) // else by the read that is stuck in it
    }
  }

  private async attempt(
    reads: Reads,
    address: bigint,
    known: PublishedContext | null,
  ): Promise<ContextOutcome> {
    const bytes = await this.memoryAt(reads, address, HEADER_BYTES)
    if (typeof bytes === 'string') return bytes
    const header = parseHeader(bytes)
    if (typeof header === 'string') return header
    if (known && known.publishedNs === header.publishedNs && known.address === address) return known
    const payload = await this.memoryAt(reads, header.pointer, header.size)
    const again = await this.memoryAt(reads, address, HEADER_BYTES)
    if (typeof again === 'string') return again
    if (!again.equals(bytes)) return 'updating'
    if (typeof payload === 'string') return payload
    return decode(payload, address, header.publishedNs)
  }

  private async memoryAt(reads: Reads, address: bigint, length: number): Promise<Buffer | ContextFault> {
    if (this.stalled) return 'stalled'
    if (address <= 0n || address + BigInt(length) > MAX_ADDRESS) return 'unreadable'
    if (!isPresent(reads.pid, address, length)) return 'unreadable'
    const bytes = Buffer.alloc(length)
    const count = await this.readWithin(reads, bytes, address)
    if (count === 'stalled') return 'stalled'
    return count === length ? bytes : 'unreadable'
  }

  private readWithin(reads: Reads, bytes: Buffer, address: bigint): Promise<number | 'stalled'> {
    return new Promise((resolve) => {
      reads.pending++
      let late = false
      const timer = setTimeout(() => {
        late = true
        this.stalledReads++
        resolve('stalled')
      }, STALL_MS).unref()
      read(reads.memory, bytes, 0, bytes.length, address, (error, count) => {
        clearTimeout(timer)
        reads.pending--
        if (late) this.stalledReads--
        if (reads.done && reads.pending === 0) closeSync(reads.memory)
        resolve(error ? 0 : count)
      })
    })
  }
}

interface Reads {
  readonly pid: number
  readonly memory: number
  pending: number
  done: boolean
}

interface Header {
  readonly size: number
  readonly publishedNs: bigint
  readonly pointer: bigint
}

function parseHeader(bytes: Buffer): Header | ContextFault {
  if (bytes.toString('latin1', 0, 8) !== SIGNATURE) return 'header'
  if (bytes.readUInt32LE(8) !== VERSION) return 'version' // both our architectures are little-endian
  const size = bytes.readUInt32LE(12)
  const publishedNs = bytes.readBigUInt64LE(16)
  if (publishedNs === 0n) return 'updating'
  if (size === 0 || size > MAX_PAYLOAD) return 'size'
  return { size, publishedNs, pointer: bytes.readBigUInt64LE(24) }
}

function decode(payload: Buffer, address: bigint, publishedNs: bigint): ContextOutcome {
  try {
    return { address, publishedNs, ...decodeContext(payload) }
  } catch (error) {
    if (error instanceof MalformedContext) return 'malformed'
    throw error
  }
}

const AT_PAGESZ = 6n // uapi/linux/auxvec.h
let pageBytes = 0n

/** The kernel's page size: pagemap has one row a page, and arm64 has pages of 4, 16 and 64 KiB. */
function readPageBytes(): bigint {
  const auxv = readFileSync('/proc/self/auxv')
  for (let at = 0; at + 16 <= auxv.length; at += 16)
    if (auxv.readBigUInt64LE(at) === AT_PAGESZ) return auxv.readBigUInt64LE(at + 8)
  return 4096n
}

/** True when every page of the range is in memory or swap (bits 63 and 62 of its pagemap row). */
function isPresent(pid: number, address: bigint, length: number): boolean {
  pageBytes ||= readPageBytes()
  const first = address / pageBytes
  const rows = Number((address + BigInt(length) - 1n) / pageBytes - first) + 1
  const bytes = Buffer.alloc(rows * 8)
  let fd: number
  try {
    fd = openSync(`/proc/${pid}/pagemap`, 'r')
  } catch {
    return false
  }
  try {
    if (readSync(fd, bytes, 0, bytes.length, first * 8n) !== bytes.length) return false
  } catch {
    return false
  } finally {
    closeSync(fd)
  }
  for (let row = 0; row < rows; row++) if (bytes[row * 8 + 7]! < 0x40) return false
  return true
}
