/**
 * Every file (and not-file) that sampled code came from, once each, held open from the moment it is first sampled: a
 * process that exits, and a binary that is deleted or replaced meanwhile, keep their names.
 */
import { closeSync, fstatSync } from 'node:fs'
import type { Executable, ExecutableKind } from '../model/executable.ts'
import { isLasting, type MappedFile } from './mapped-files.ts'
import { openElf } from './open-elf.ts'
import { openPerfMap } from './perf-map.ts'
import { openVdso } from './vdso.ts'

/** One place where a process shows a file. */
export interface Mapping {
  readonly start: number
  readonly end: number
  readonly fileOffset: number
  readonly file: MappedFile
}

/** Which process a mapping belongs to, for reaching its files; the parent stands in when the process is gone. */
export interface Owner {
  readonly pid: number
  readonly parent: number
  readonly comm: string
}

/** Index into the table; the same value everywhere a frame names its executable. */
export type ExecutableId = number

/** Paths that are memory, not files with content of their own. */
const MEMORY_PATH = /^($|\/\/anon|\[|\/memfd:|\/dev\/zero|\/SYSV|\/anon_hugepage|\/dev\/shm\/|\/i915)/

const NOTHING_OPEN = {
  buildId: '',
  fd: -1,
  goneReason: '',
  root: '',
  pid: 0,
  perfMapFd: -1,
  comm: '',
} as const

/** Where opened files come from: alone for one table, or held over many (held-files.ts). */
export interface FileHolder {
  /** What `key` names (''; nothing that lasts), opened by `open` if it is not held; until it is released. */
  hold(key: string, open: () => Executable): Executable
  release(executable: Executable): void
}

const OWN_FILES: FileHolder = {
  hold: (_key, open) => open(),
  release: ({ fd }) => {
    if (fd >= 0) closeSync(fd)
  },
}

export class ExecutableTable {
  readonly #files: FileHolder
  readonly #list: Executable[] = [{ ...NOTHING_OPEN, kind: 'kernel', path: '[kernel.kallsyms]' }]
  readonly #byKey = new Map<string, ExecutableId>()

  /** The kernel, its modules and BPF programs. */
  readonly kernel: ExecutableId = 0

  constructor(files: FileHolder = OWN_FILES) {
    this.#files = files
  }

  /** The executable behind a mapping; opened now when it is new. Errors: none, what fails is in `goneReason`. */
  identify(mapping: Mapping, owner: Owner): ExecutableId {
    const { path, buildId, inode, device } = mapping.file
    if (path === '[vdso]') return this.#intern('vdso', () => this.#files.hold('vdso', openVdso))
    const content = buildId || (inode ? `${device} ${inode}` : owner.pid)
    const isMemory = MEMORY_PATH.test(path)
    if (!isMemory || path.startsWith('/')) {
      const file = this.#file(`file|${content}|${path}`, mapping, owner)
      if (!isMemory || this.#list[file]!.goneReason === '') return file // a memfd may hold a program
    }
    return this.#intern(`jit|${owner.pid}|${owner.comm}`, () => ({
      ...NOTHING_OPEN,
      kind: 'jit',
      path: path || '//anon',
      pid: owner.pid,
      comm: owner.comm,
      perfMapFd: openPerfMap(owner.pid),
    }))
  }

  /** Stands for addresses that no mapping of the process covers. */
  unknown(owner: Owner): ExecutableId {
    return this.#intern(`unknown|${owner.pid}`, () => ({
      ...NOTHING_OPEN,
      kind: 'unknown',
      path: '[unknown]',
      pid: owner.pid,
      comm: owner.comm,
    }))
  }

  /** A file is known by inode (from /proc) or by build id (from the kernel's events): both lead to one entry. */
  #file(key: string, mapping: Mapping, owner: Owner): ExecutableId {
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const lasts = isLasting(mapping.file)
    const opened = this.#files.hold(lasts ? key : '', () => openElf(mapping, owner))
    const contentKey = contentKeyOf(opened, mapping.file, lasts) || key
    const same = this.#byKey.get(contentKey)
    const canReplace = same === undefined || (this.#list[same]!.fd < 0 && opened.fd >= 0)
    if (!canReplace) this.#files.release(opened)
    const id = this.#intern(contentKey, () => opened)
    if (canReplace) this.#list[id] = opened
    this.#byKey.set(key, id)
    return id
  }

  #intern(key: string, open: () => Executable): ExecutableId {
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const id = this.#list.push(open()) - 1
    this.#byKey.set(key, id)
    return id
  }

  kindOf(id: ExecutableId): ExecutableKind {
    return this.#list[id]!.kind
  }

  /** Tries again to open perf maps that were not there yet: some runtimes write them late or at exit. */
  openLatePerfMaps(): void {
    for (const [id, executable] of this.#list.entries())
      if (executable.kind === 'jit' && executable.perfMapFd < 0)
        this.#list[id] = { ...executable, perfMapFd: openPerfMap(executable.pid) }
  }

  /** The table as it is now; ids index it. */
  list(): readonly Executable[] {
    return [...this.#list]
  }

  /** Closes every descriptor; the lists given out are useless for reading afterwards. Safe to call twice. */
  close(): void {
    for (const executable of this.#list) {
      this.#files.release(executable)
      if (executable.perfMapFd >= 0) closeSync(executable.perfMapFd)
    }
    this.#list.length = 0
    this.#byKey.clear()
  }
}

/** What tells an opened file from others: Go's programs have no build id, and the kernel then names no inode either. */
function contentKeyOf({ fd, buildId }: Executable, { path }: MappedFile, lasts: boolean): string {
  if (buildId !== '') return `build|${buildId}|${path}`
  if (lasts || fd < 0) return ''
  const { dev, ino } = fstatSync(fd)
  return `inode|${dev} ${ino}|${path}`
}
