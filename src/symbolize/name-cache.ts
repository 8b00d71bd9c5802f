/**
 * What was named in earlier windows, by content: a file (build id, or device, inode, size and time) or a perf map as it
 * was when it was read. In steady state a window asks nobody: no file is read, no symbolizer is started. Bounded by
 * frames; the executables that were sampled least recently go first.
 */
import { fstatSync } from 'node:fs'
import type { Executable } from '../model/executable.ts'
import type { SymbolReaders } from '../native/symbols.ts'
import type { SourceFrame } from './answer.ts'
import type { DemangleResult } from './demangle-client.ts'
import { KernelNames, type KernelNamesSources } from './kernel-names.ts'
import type { ExecutableFrames, Module, NamedFrame, NamedFrames } from './named-frames.ts'

export interface NameCacheLimits {
  /** Some 400 bytes each. */
  readonly frames: number
  /** Readable forms of mangled names. */
  readonly names: number
  /** What went wrong is tried again after this. */
  readonly retryMs: number
  /**
   * A symbolizer process costs 20 ms of CPU, and every window has some frames that are new: source lines and readable
   * names are asked again after this, and for lines after ever longer times...
   */
  readonly restMs: number
  /** ...or when so many wait. */
  readonly waiting: number
  /** Files whose lines are asked for in one window, after the first. */
  readonly filesPerWindow: number
}

const LIMITS: NameCacheLimits = {
  frames: 32_768,
  names: 32_768,
  retryMs: 300_000,
  restMs: 30_000,
  waiting: 64,
  filesPerWindow: 4,
}
const REST_MS_MAX = 600_000
const STRINGS_MAX = 65_536

/** A frame of any window: `frame` and `module` are the window's. */
interface KnownFrame extends Pick<NamedFrame, 'address' | 'chain' | 'reason'> {
  /** It has its name, and its source line was not asked for yet. */
  readonly isLineless: boolean
}

interface KnownExecutable {
  module: Module | undefined
  readonly frames: Map<number, KnownFrame>
  fileNotes: readonly string[]
  /** Then all is asked again; infinite when nothing was wrong. */
  retryAtMs: number
  /** When lines are asked for again, for those frames that wait; and how long after that. */
  linesAtMs: number
  restMs: number
  /** Whether some frame had a line, when that was asked. */
  hasLines: boolean
}

export interface NameCacheCounts {
  frames: number
  /** Frames of all windows: found here, and asked for. */
  hits: number
  misses: number
}

export class NameCache {
  readonly #limits: NameCacheLimits
  readonly #nowMs: () => number
  readonly #kernel: KernelNames
  /** Least recently used first. */
  readonly #executables = new Map<string, KnownExecutable>()
  readonly #readable = new Map<string, string>()
  readonly #strings = new Map<string, string>()
  #demangleAtMs = 0
  /** Files whose lines may still be asked for in this window: all of the first, which names what runs all day. */
  #filesLeft = Number.POSITIVE_INFINITY
  readonly counts: NameCacheCounts = { frames: 0, hits: 0, misses: 0 }

  constructor(
    readers: SymbolReaders,
    limits: Partial<NameCacheLimits> = {},
    sources: Partial<KernelNamesSources> = {},
  ) {
    this.#limits = { ...LIMITS, ...limits }
    this.#nowMs = sources.nowMs ?? (() => performance.now())
    this.#kernel = new KernelNames(readers, sources)
  }

  /** The readers, with the kernel's list from memory. */
  cached(readers: SymbolReaders): SymbolReaders {
    return {
      resolveElf: (...request) => readers.resolveElf(...request),
      findDebugFiles: (...request) => readers.findDebugFiles(...request),
      listKernelFunctions: (path) => readers.listKernelFunctions(path),
      resolvePerfMap: (...request) => readers.resolvePerfMap(...request),
      resolveKallsyms: (path, addresses) => this.#kernel.resolve(path, addresses),
    }
  }

  /** Names from earlier windows, and the others by `ask`, which gets a part of `wanted`; lines for it only when told so. */
  async name(
    executable: Executable,
    wanted: ExecutableFrames,
    ask: (missing: ExecutableFrames, withLines: boolean) => Promise<NamedFrames>,
  ): Promise<NamedFrames> {
    const key = contentKey(executable)
    if (key === '') return ask(wanted, true)
    const known = this.#use(key)
    const withLines = this.#isTimeForLines(known, wanted)
    const missing = missingOf(wanted, known, withLines)
    this.counts.hits += wanted.frames.length - missing.frames.length
    this.counts.misses += missing.frames.length
    if (missing.frames.length === 0) return merge(wanted, known, [])
    const asked = await ask(missing, withLines)
    const isReadable = executable.kind === 'jit' ? executable.perfMapFd >= 0 : executable.fd >= 0
    if (isReadable) this.#keep(known, asked, missing, withLines)
    const merged = merge(wanted, known, isReadable ? [] : asked.frames, asked.modules[0])
    this.#evict()
    return merged
  }

  /** After each window. */
  endWindow(): void {
    this.#filesLeft = this.#limits.filesPerWindow
  }

  /** Readable forms, of which only new ones are asked. */
  async demangle(
    names: Iterable<string>,
    ask: (names: Iterable<string>) => Promise<DemangleResult>,
  ): Promise<DemangleResult> {
    for (const name of this.#readable.keys()) {
      if (this.#readable.size <= this.#limits.names) break
      this.#readable.delete(name)
    }
    const unknown = new Set<string>()
    for (const name of names) if (!this.#readable.has(name)) unknown.add(name)
    const isTime = unknown.size >= this.#limits.waiting || this.#nowMs() >= this.#demangleAtMs
    if (unknown.size === 0 || !isTime) return { readable: this.#readable, unread: 0, failure: '' }
    this.#demangleAtMs = this.#nowMs() + this.#limits.restMs
    const asked = await ask(unknown)
    for (const name of unknown) {
      const readable = asked.readable.get(name)
      // One that could not be read stays as it is: asked in each window it would cost a process each time.
      if (readable !== undefined || asked.failure === '')
        this.#readable.set(this.#copy(name), this.#copy(readable ?? name))
    }
    return { ...asked, readable: this.#readable }
  }

  #use(key: string): KnownExecutable {
    let known = this.#executables.get(key)
    if (known && this.#nowMs() >= known.retryAtMs) {
      this.counts.frames -= known.frames.size
      known = undefined
    }
    known ??= {
      module: undefined,
      frames: new Map(),
      fileNotes: [],
      retryAtMs: Number.POSITIVE_INFINITY,
      linesAtMs: 0,
      restMs: this.#limits.restMs,
      hasLines: false,
    }
    this.#executables.delete(key)
    this.#executables.set(key, known)
    return known
  }

  /** At once for a file that is new, unless many are; then rarely, or when many frames wait. */
  #isTimeForLines(known: KnownExecutable, { addresses }: ExecutableFrames): boolean {
    let waiting = 0
    for (const address of addresses) if (known.frames.get(address)?.isLineless ?? true) waiting++
    const isMany = known.hasLines && waiting >= this.#limits.waiting
    const isTime = isMany || this.#nowMs() >= known.linesAtMs
    if (waiting === 0 || !isTime || this.#filesLeft <= 0) return false
    this.#filesLeft--
    return true
  }

  #keep(known: KnownExecutable, asked: NamedFrames, missing: ExecutableFrames, withLines: boolean): void {
    if (withLines) {
      known.hasLines ||= asked.frames.some(({ chain }) => chain.some(({ line }) => line > 0))
      if (!known.hasLines) this.#filesLeft++ // nobody had to be started
      known.linesAtMs = this.#nowMs() + known.restMs
      known.restMs = Math.min(2 * known.restMs, REST_MS_MAX)
    }
    const isLineless = !withLines && (known.hasLines || known.linesAtMs === 0)
    const addressOf = new Map(missing.frames.map((frame, i) => [frame, missing.addresses[i]!]))
    for (const { frame, address, chain, reason } of asked.frames) {
      const position = addressOf.get(frame)!
      if (!known.frames.has(position)) this.counts.frames++
      known.frames.set(position, { address, chain: chain.map((at) => this.#copyOf(at)), reason, isLineless })
    }
    known.module = known.module ? widened(known.module, asked.modules[0]) : asked.modules[0]
    known.fileNotes = [...new Set([...known.fileNotes, ...asked.fileNotes])]
    const isWrong = asked.fileNotes.length > 0 || asked.frames.some(({ reason }) => reason === 'not_elf')
    if (isWrong) known.retryAtMs = Math.min(known.retryAtMs, this.#nowMs() + this.#limits.retryMs)
  }

  #evict(): void {
    for (const [key, { frames }] of this.#executables) {
      if (this.counts.frames <= this.#limits.frames) return
      this.counts.frames -= frames.size
      this.#executables.delete(key)
    }
  }

  #copyOf({ name, file, line, column, startLine }: SourceFrame): SourceFrame {
    return { name: this.#copy(name), file: this.#copy(file), line, column, startLine }
  }

  /** Equal texts once; and not as a part of the answer they came in, which would stay in memory with them. */
  #copy(text: string): string {
    const known = this.#strings.get(text)
    if (known !== undefined) return known
    if (this.#strings.size >= STRINGS_MAX) this.#strings.clear()
    const copy = Buffer.from(text).toString()
    this.#strings.set(copy, copy)
    return copy
  }
}

/** What the names of an executable depend on; '' when nothing lasting is known of it. */
function contentKey({ kind, path, buildId, fd, perfMapFd }: Executable): string {
  if (kind === 'jit') return perfMapFd < 0 ? '' : `perf map|${stampOf(perfMapFd)}`
  if (kind !== 'elf' && kind !== 'vdso') return ''
  if (buildId !== '') return `build|${buildId}|${path}`
  const stamp = fd < 0 ? '' : stampOf(fd)
  return stamp === '' ? '' : `file|${stamp}|${path}`
}

function stampOf(fd: number): string {
  try {
    const { dev, ino, size, mtimeNs } = fstatSync(fd, { bigint: true })
    return `${dev} ${ino} ${size} ${mtimeNs}`
  } catch {
    return '' // a network file system that is gone
  }
}

function missingOf(
  { frames, addresses }: ExecutableFrames,
  known: KnownExecutable,
  withLines: boolean,
): ExecutableFrames {
  const isMissing = (i: number): boolean => {
    const row = known.frames.get(addresses[i]!)
    return row === undefined || (withLines && row.isLineless)
  }
  const rows = frames.map((_, i) => i).filter(isMissing)
  return { frames: rows.map((i) => frames[i]!), addresses: Float64Array.from(rows, (i) => addresses[i]!) }
}

/** The window's rows: known ones, and those of `others`. */
function merge(
  { frames, addresses }: ExecutableFrames,
  known: KnownExecutable,
  others: readonly NamedFrame[],
  otherModule?: Module,
): NamedFrames {
  const module = known.module ?? otherModule
  const rows: NamedFrame[] = others.map((row) => ({ ...row, module: module ? 0 : -1 }))
  frames.forEach((frame, i) => {
    const row = known.frames.get(addresses[i]!)
    if (row) {
      const { address, chain, reason } = row
      rows.push({ frame, address, chain, reason, module: module ? 0 : -1 })
    }
  })
  return { modules: module ? [module] : [], frames: rows, notes: [], fileNotes: known.fileNotes }
}

/** Of two modules whose extent nobody told (named-frames.ts, spanningModule): both together. */
function widened(known: Module, added: Module | undefined): Module {
  if (!added || known.fileOffset !== known.start || added.fileOffset !== added.start) return known
  const isLower = added.start < known.start
  const start = isLower ? added.start : known.start
  const isHigher = added.limit > known.limit
  return { ...known, start, fileOffset: start, limit: isHigher ? added.limit : known.limit }
}
