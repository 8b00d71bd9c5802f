/** Opens the file that a process has mapped: the very content, wherever it can still be reached. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import type { Executable, UnnamedReason } from '../model/executable.ts'
import { isElf, readBuildId } from './build-id.ts'
import type { Mapping, Owner } from './executable-table.ts'
import type { MappedFile } from './mapped-files.ts'

/** The file behind a mapping, opened; or why it could not be, in `goneReason`. Never throws. */
export function openElf(mapping: Mapping, owner: Owner): Executable {
  const base = { kind: 'elf', path: mapping.file.path, pid: 0, perfMapFd: -1, comm: owner.comm } as const
  let reason: UnnamedReason = 'file_gone'
  for (const candidate of candidates(mapping, owner)) {
    const opened = openContent(candidate, mapping)
    if (typeof opened !== 'string') return { ...base, ...opened, goneReason: '', root: candidate.root }
    if (opened !== 'file_gone') reason = opened
  }
  return { ...base, buildId: mapping.file.buildId, fd: -1, goneReason: reason, root: '' }
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
      else if (isSameContent(fd, buildId, mapping.file, isExact)) return { fd, buildId }
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
    { path: root + mapping.file.path, root, isExact: false },
    {
      path: `/proc/${owner.parent}/root${mapping.file.path}`,
      root: `/proc/${owner.parent}/root`,
      isExact: false,
    },
    { path: mapping.file.path, root: '', isExact: false },
  ]
}

/**
 * Whether a file is the one that was mapped. One that the mapping itself leads to is, unless the process has ended and
 * its number is another's; inodes prove nothing there (overlayfs shows two for one file).
 */
function isSameContent(fd: number, buildId: string, mapped: MappedFile, isExact: boolean): boolean {
  if (mapped.buildId) return buildId === mapped.buildId
  return isExact || mapped.inode === 0 || fstatSync(fd).ino === mapped.inode
}
