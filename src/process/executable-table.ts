/**
 * Every file (and not-file) that sampled code came from, once each, held open from the moment it is first sampled: a
 * process that exits, and a binary that is deleted or replaced meanwhile, keep their names.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import type { Executable, ExecutableKind, UnnamedReason } from '../model/executable.ts'
import { isElf, readBuildId } from './build-id.ts'
import { openPerfMap } from './perf-map.ts'
import { openVdso } from './vdso.ts'

/** One place where a process shows a file. */
export interface Mapping {
  readonly start: number
  readonly end: number
  readonly fileOffset: number
  readonly path: string
  /** Hex, '' when the kernel did not say. */
  readonly buildId: string
  /** 0 when the kernel did not say; `device` makes it unique. */
  readonly inode: number
  readonly device: string
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

export class ExecutableTable {
  readonly #list: Executable[] = [{ ...NOTHING_OPEN, kind: 'kernel', path: '[kernel.kallsyms]' }]
  readonly #byKey = new Map<string, ExecutableId>()

  /** The kernel, its modules and BPF programs. */
  readonly kernel: ExecutableId = 0

  /** The executable behind a mapping; opened now when it is new. Errors: none, what fails is in `goneReason`. */
  identify(mapping: Mapping, owner: Owner): ExecutableId {
    if (mapping.path === '[vdso]') return this.#intern('vdso', () => openVdso())
    const content = mapping.buildId || (mapping.inode ? `${mapping.device} ${mapping.inode}` : owner.pid)
    const isMemory = MEMORY_PATH.test(mapping.path)
    if (!isMemory || mapping.path.startsWith('/')) {
      const file = this.#file(`file|${content}|${mapping.path}`, mapping, owner)
      if (!isMemory || this.#list[file]!.goneReason === '') return file // a memfd may hold a program
    }
    return this.#intern(`jit|${owner.pid}|${owner.comm}`, () => ({
      ...NOTHING_OPEN,
      kind: 'jit',
      path: mapping.path || '//anon',
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
    const opened = openElf(mapping, owner)
    const contentKey = opened.buildId ? `build|${opened.buildId}|${mapping.path}` : key
    const same = this.#byKey.get(contentKey)
    const canReplace = same === undefined || (this.#list[same]!.fd < 0 && opened.fd >= 0)
    if (!canReplace && opened.fd >= 0) closeSync(opened.fd)
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
    for (const { fd, perfMapFd } of this.#list)
      for (const open of [fd, perfMapFd]) if (open >= 0) closeSync(open)
    this.#list.length = 0
    this.#byKey.clear()
  }
}

function openElf(mapping: Mapping, owner: Owner): Executable {
  const base = { ...NOTHING_OPEN, kind: 'elf', path: mapping.path, pid: 0, comm: owner.comm } as const
  let reason: UnnamedReason = 'file_gone'
  for (const candidate of candidates(mapping, owner)) {
    const opened = openContent(candidate, mapping)
    if (typeof opened !== 'string') return { ...base, ...opened, root: candidate.root }
    if (opened !== 'file_gone') reason = opened
  }
  return { ...base, buildId: mapping.buildId, goneReason: reason }
}

/** The candidate, if it is what was mapped, or why not. */
function openContent(
  { path, isExact }: Candidate,
  mapping: Mapping,
): { readonly fd: number; readonly buildId: string } | UnnamedReason {
  let fd = -1
  let reason: UnnamedReason = 'file_gone'
  try {
    // A fifo or terminal that has taken the path's place since must not hold us up.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    if (fstatSync(fd).isFile()) {
      const buildId = isElf(fd) ? readBuildId(fd) : null
      if (buildId === null) reason = 'not_elf'
      else if (isSameContent(fd, buildId, mapping, isExact)) return { fd, buildId }
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EACCES' || code === 'EPERM') reason = 'not_permitted'
  }
  if (fd >= 0) closeSync(fd)
  return reason
}

interface Candidate {
  readonly path: string
  readonly root: string
  readonly isExact: boolean
}

/** Where the content may be reached, best first: the mapping itself (deleted and replaced files too), then by path. */
function candidates(mapping: Mapping, owner: Owner): Candidate[] {
  const range = `${mapping.start.toString(16)}-${mapping.end.toString(16)}`
  const root = `/proc/${owner.pid}/root`
  return [
    { path: `/proc/${owner.pid}/map_files/${range}`, root, isExact: true },
    { path: root + mapping.path, root, isExact: false },
    { path: `/proc/${owner.parent}/root${mapping.path}`, root: `/proc/${owner.parent}/root`, isExact: false },
    { path: mapping.path, root: '', isExact: false },
  ]
}

/**
 * Whether a file is the one that was mapped. One that the mapping itself leads to is, unless the process has ended and
 * its number is another's; inodes prove nothing there (overlayfs shows two for one file).
 */
function isSameContent(fd: number, buildId: string, mapping: Mapping, isExact: boolean): boolean {
  if (mapping.buildId) return buildId === mapping.buildId
  return isExact || mapping.inode === 0 || fstatSync(fd).ino === mapping.inode
}
