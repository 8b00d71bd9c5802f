/** What a frame points into before it has a name: the files (and not-files) that processes run code from. */

/**
 * - elf: a file; addresses of its frames are file offsets
 * - vdso: the kernel's user-space page, read from our own memory; file offsets as well
 * - kernel: kernel text, modules and BPF programs; process addresses (negative)
 * - jit: anonymous or unnamed executable memory of one process; process addresses
 * - unknown: no mapping was ever seen for the address; process addresses
 */
export type ExecutableKind = 'elf' | 'vdso' | 'kernel' | 'jit' | 'unknown'

export interface Executable {
  readonly kind: ExecutableKind
  /** Path as the process saw it ('/usr/bin/node', '[vdso]', '//anon'), for people. */
  readonly path: string
  /** Lower-case hex, '' when unknown. */
  readonly buildId: string
  /** Open read-only descriptor of the content, or -1; owned by the executable table, closed with it. */
  readonly fd: number
  /** Why fd is -1 (a key of UNNAMED_REASONS), '' otherwise. */
  readonly goneReason: string
  /** Root of the process's file system as we reach it ('/proc/4242/root' or '' for our own): debug files are looked up below it. */
  readonly root: string
  /** For jit and unknown: the process, for its perf map; 0 otherwise. */
  readonly pid: number
  /** For jit: an open descriptor of /tmp/perf-<pid>.map in the process's mount namespace, or -1. */
  readonly perfMapFd: number
  /** Command name of the process (to tell node from python when frames have no names). */
  readonly comm: string
}

/**
 * Why a frame has no name. Key: stable name, used in `--json`, counters and pages; value: the sentence for the user.
 * `%f` stands for the file.
 */
export const UNNAMED_REASONS = {
  no_symbols: '%f has no symbol table that covers it (stripped; install its debug symbols)',
  not_covered: 'no symbol of %f covers the address',
  file_gone: '%f was gone before it could be opened',
  too_many_files: '%f was not kept open: too many files were',
  not_permitted: '%f may not be read',
  not_elf: '%f is not an ELF file we can read (damaged or another format)',
  unmapped: 'no mapping of the process covers the address',
  jit: 'code made at run time, without a perf map',
  kernel_hidden: 'kernel addresses are hidden (kernel.kptr_restrict)',
  kernel_unknown: 'no kernel symbol covers the address',
} as const
export type UnnamedReason = keyof typeof UNNAMED_REASONS
