/**
 * What is known of frames between the readers and the profile: one row a frame, names still raw. Each kind of
 * executable has its own source of names (elf-frames.ts, kernel-frames.ts, jit-frames.ts); the profile is built from
 * these rows alone (profile-builder.ts).
 */
import type { UnnamedReason } from '../model/executable.ts'
import type { SourceFrame } from './answer.ts'

/** A module of the profile: what pprof calls a mapping, before its has_* flags are known. */
export interface Module {
  readonly fileName: string
  readonly buildId: string
  readonly start: bigint
  readonly limit: bigint
  readonly fileOffset: bigint
}

/** One frame of the window with what is known of it. */
export interface NamedFrame {
  /** Index into `Window.frames`. */
  readonly frame: number
  /** Lookup address in the module's address space, unsigned 64 bits. */
  readonly address: bigint
  /** Index into `NamedFrames.modules`, -1 for none. */
  readonly module: number
  /** Innermost inlined function first, never with an empty name; empty when the frame has no name. */
  readonly chain: readonly SourceFrame[]
  /** Why `chain` is empty, '' otherwise. */
  readonly reason: UnnamedReason | ''
}

/** The frames of one executable. */
export interface NamedFrames {
  readonly modules: readonly Module[]
  readonly frames: readonly NamedFrame[]
  /** Sentences for the user that matter for every frame of this kind. */
  readonly notes: readonly string[]
  /** Sentences about one file among many. */
  readonly fileNotes: readonly string[]
}

/** The frames of one executable as the window has them: parallel columns. */
export interface ExecutableFrames {
  /** Indices into `Window.frames`. */
  readonly frames: readonly number[]
  /** File offsets or process addresses, by the executable's kind. */
  readonly addresses: Float64Array
}

const PAGE = 4096n
const TOP = (1n << 64n) - 1n

/** The unsigned 64 bits of an address; kernel addresses are negative in a window. */
export function unsignedAddress(address: number): bigint {
  return BigInt.asUintN(64, BigInt(address))
}

/**
 * A module whose extent nobody told: the pages its frames lie in. The file offset equals the address, so that
 * module+offset prints the address itself.
 */
export function spanningModule(fileName: string, buildId: string, addresses: readonly bigint[]): Module {
  let low = addresses[0] ?? 0n
  let high = low
  for (const address of addresses) {
    if (address < low) low = address
    if (address > high) high = address
  }
  const start = low - (low % PAGE)
  const end = high - (high % PAGE) + PAGE
  return { fileName, buildId, start, limit: end > TOP ? TOP : end, fileOffset: start }
}

/** A name without a position in the sources: from a symbol table, a perf map, kallsyms. */
export function symbolFrame(name: string): SourceFrame {
  return { name, file: '', line: 0, column: 0, startLine: 0 }
}

/** Rows for an executable none of whose frames can be named. */
export function unnamedFrames(
  fileName: string,
  buildId: string,
  { frames, addresses }: ExecutableFrames,
  reason: UnnamedReason,
): NamedFrames {
  const unsigned = Array.from(addresses, unsignedAddress)
  return {
    modules: [spanningModule(fileName, buildId, unsigned)],
    frames: frames.map((frame, i) => ({ frame, address: unsigned[i]!, module: 0, chain: [], reason })),
    notes: [],
    fileNotes: [],
  }
}
