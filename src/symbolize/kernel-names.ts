/**
 * The kernel's functions in memory, for a session that names window after window: reading /proc/kallsyms costs the
 * kernel tens of milliseconds. Read again when modules came or went, and for addresses it does not know, ever more rarely.
 */
import { readFileSync } from 'node:fs'
import type { KernelFunctions, SymbolReaders } from '../native/symbols.ts'

type KernelAnswer = Awaited<ReturnType<SymbolReaders['resolveKallsyms']>>

/** The list has no sizes; the space behind a module's last function is not that function. */
const FUNCTION_BYTES_MAX = 4 * 1024 * 1024
/** After a read that helped nothing, BPF programs and the like are looked for this much later, and twice that... */
const RETRY_MS = 60_000
const RETRY_MS_MAX = 3_600_000

export interface KernelNamesSources {
  readonly list: SymbolReaders['listKernelFunctions']
  /** What differs when modules were loaded or unloaded. */
  readonly modules: () => string
  readonly nowMs: () => number
}

/** /proc/modules without the counts of users, which change all the time; '' where it cannot be read. */
function loadedModules(): string {
  try {
    return readFileSync('/proc/modules', 'latin1').replace(/^(\S+) (\S+) .* (\S+)$/gm, '$1 $2 $3')
  } catch {
    return '' // a kernel without modules
  }
}

export class KernelNames {
  readonly #sources: KernelNamesSources
  readonly #decoder = new TextDecoder()
  #functions: KernelFunctions | null = null
  #modules = ''
  #retryMs = RETRY_MS
  #readAtMs = 0

  constructor(readers: SymbolReaders, sources: Partial<KernelNamesSources> = {}) {
    const list: KernelNamesSources['list'] = (path) => readers.listKernelFunctions(path)
    this.#sources = { list, modules: loadedModules, nowMs: () => performance.now(), ...sources }
  }

  /** As SymbolReaders.resolveKallsyms, of which it is a cache. */
  async resolve(path: string, addresses: Float64Array): Promise<KernelAnswer> {
    const modules = this.#sources.modules()
    const isOld = !this.#functions || modules !== this.#modules
    if (isOld || (this.#hasUnknown(addresses) && this.#sources.nowMs() - this.#readAtMs >= this.#retryMs)) {
      this.#functions = await this.#sources.list(path)
      this.#modules = modules
      this.#readAtMs = this.#sources.nowMs()
      this.#retryMs = this.#hasUnknown(addresses) ? Math.min(2 * this.#retryMs, RETRY_MS_MAX) : RETRY_MS
    }
    return this.#answer(addresses)
  }

  #hasUnknown(addresses: Float64Array): boolean {
    return addresses.some((address) => this.#find(address) < 0)
  }

  /** The function that covers an address, or -1. */
  #find(address: number): number {
    const { start } = this.#functions!
    let low = 0
    let high = start.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (start[middle]! <= address) low = middle + 1
      else high = middle
    }
    return low > 0 && address - start[low - 1]! < FUNCTION_BYTES_MAX ? low - 1 : -1
  }

  #answer(addresses: Float64Array): KernelAnswer {
    const { nameAt, names, module, modules, start, hidden, failure } = this.#functions!
    const found = Array.from(addresses, (address) => this.#find(address))
    const distinct = [...new Set(found)].filter((row) => row >= 0)
    const position = new Map(distinct.map((row, i) => [row, i]))
    return {
      name: Int32Array.from(found, (row) => position.get(row) ?? -1),
      names: distinct.map((row) => this.#decoder.decode(names.subarray(nameAt[row]!, nameAt[row + 1]!))),
      symbolStart: Float64Array.from(found, (row) => (row < 0 ? Number.NaN : start[row]!)),
      module: Int32Array.from(found, (row) => (row < 0 ? -1 : module[row]!)),
      modules,
      hidden,
      failure,
    }
  }
}
