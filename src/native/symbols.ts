/** Shapes of the addon's symbol readers. Each runs on a worker thread, reads by pread (a file cut short under us is an
 * error value, never a SIGBUS), holds no file in memory and returns one row per asked address, in the asked order. */

/** Rows: `name[i]` indexes `names`, -1 when no symbol covers address i. */
export interface ResolvedSymbols {
  readonly name: Int32Array
  /** Raw (mangled) names, distinct. */
  readonly names: readonly string[]
  /** Start of the symbol in the same address space as the result, NaN without one. */
  readonly symbolStart: Float64Array
}

/** Outcome for one ELF file. */
export interface ResolvedElf extends ResolvedSymbols {
  /** '' when the file could be read, else 'not_elf' | 'io_error'; then every name is -1. */
  readonly failure: string
  /** The reason behind `failure` ("corrupt: section header table at 0x40 ends beyond the file"). Without a failure: the
   * first part that had to be left out ("debug file ignored: ..."), '' for a file in order. */
  readonly detail: string
  /** GNU build id in lower-case hex, '' when the file has none. */
  readonly buildId: string
  /** ELF address of each asked file offset (the offset itself where no segment covers it). */
  readonly elfAddress: Float64Array
  /** Executable PT_LOAD that covers the first asked address: ELF address, file offset, size in bytes; zeros when none. */
  readonly segment: { readonly address: number; readonly fileOffset: number; readonly size: number }
  /** True when some symbol table with functions was found (here, in .gnu_debugdata or in the debug file). */
  readonly hasSymbols: boolean
  /** Which tables gave names: any of '.symtab' '.dynsym' '.gnu_debugdata' '.gopclntab' 'debug file'. */
  readonly sources: readonly string[]
  /** True when this file, or the debug file, has .debug_info. */
  readonly hasDwarf: boolean
}

/** Where separate debug data of a file lies; paths are as reached from our own mount namespace, '' when none. */
export interface DebugFiles {
  /** By build id (/usr/lib/debug/.build-id) or .gnu_debuglink (CRC checked), below `root` then in our own tree. */
  readonly debugFile: string
  /** The dwz alternate of the file or of its debug file (.gnu_debugaltlink). */
  readonly altFile: string
}

/** All functions of the kernel as columns, by address ascending. */
export interface KernelFunctions {
  /** Signed process addresses. */
  readonly start: Float64Array
  /** Name i is names[nameAt[i]..nameAt[i+1]), in UTF-8. */
  readonly nameAt: Uint32Array
  readonly names: Uint8Array
  /** Index into `modules`; '' is the kernel itself. */
  readonly module: Int32Array
  readonly modules: readonly string[]
  readonly hidden: boolean
  /** '' or why the list could not be read. */
  readonly failure: string
}

export interface SymbolReaders {
  /** `fileOffsets`: any order. `debugFd` -1 when there is no separate debug file. */
  resolveElf(fd: number, debugFd: number, fileOffsets: Float64Array): Promise<ResolvedElf>
  /** `path`: the executable as the process saw it; `root`: '' or '/proc/PID/root'. */
  findDebugFiles(fd: number, path: string, root: string): Promise<DebugFiles>
  /** /proc/kallsyms (or a file like it): addresses are signed process addresses; `module[i]` indexes `modules` ('' is the
   * kernel itself), -1 without a symbol. `failure`: '' or why the list could not be read. */
  resolveKallsyms(
    path: string,
    addresses: Float64Array,
  ): Promise<
    ResolvedSymbols & {
      readonly module: Int32Array
      readonly modules: readonly string[]
      readonly hidden: boolean
      readonly failure: string
    }
  >
  /** The whole list at once, some 3 MB: for a session that asks again and again. One name an address, as resolveKallsyms. */
  listKernelFunctions(path: string): Promise<KernelFunctions>
  /** A perf map ("START SIZE name" in hex, one a line; later lines win). Bad lines are counted, not fatal. `failure`: '' or
   * why the map could not be read. */
  resolvePerfMap(
    fd: number,
    addresses: Float64Array,
  ): Promise<ResolvedSymbols & { readonly malformedLines: number; readonly failure: string }>
}
