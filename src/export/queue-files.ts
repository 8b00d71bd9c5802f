/** The file operations of the queue, as a parameter: tests bring disks that fill up, fail and tear. */
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
  utimes,
} from 'node:fs/promises'
import { dirname } from 'node:path'

export interface QueueFiles {
  readonly mkdir: (path: string, mode: number) => Promise<unknown>
  readonly open: (path: string, flags: string, mode?: number) => Promise<FileHandle>
  readonly readdir: (path: string) => Promise<string[]>
  readonly readFile: (path: string, encoding: 'utf8') => Promise<string>
  readonly rename: typeof rename
  readonly stat: (path: string) => Promise<{ readonly size: number; readonly mtimeMs: number }>
  readonly unlink: typeof unlink
  readonly utimes: typeof utimes
}

export const REAL_FILES: QueueFiles = {
  mkdir: (path, mode) => mkdir(path, { mode }),
  open,
  readdir: (path) => readdir(path),
  readFile: (path, encoding) => readFile(path, encoding),
  rename,
  stat: (path) => stat(path),
  unlink,
  utimes,
}

/** `ENOSPC` and the like; a fault without a code is named after its class. */
export function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException)?.code ?? (error as Error)?.name ?? 'unknown'
}

/**
 * Makes a directory and those above it. Not by `recursive`, which never ends where a parent exists and nothing can be made in
 * it (/proc). Errors: of the file system.
 */
export async function makeDirectory(path: string, files: QueueFiles): Promise<void> {
  const make = () =>
    files.mkdir(path, 0o700).catch((error) => {
      if (errorCode(error) !== 'EEXIST') throw error
    })
  try {
    await make()
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeDirectory(dirname(path), files)
    await make()
  }
}

/** Writes all of `parts` at `position`; a short write is continued. Errors: what the file system says. */
export async function writeFully(handle: FileHandle, parts: Uint8Array[], position: number): Promise<void> {
  let [left, at] = [parts.filter((part) => part.length > 0), position]
  while (left.length > 0) {
    let { bytesWritten } = await handle.writev(left, at)
    if (bytesWritten === 0) throw Object.assign(new Error('a write of no bytes'), { code: 'EIO' })
    at += bytesWritten
    while (left.length > 0 && bytesWritten >= left[0]!.length) {
      bytesWritten -= left[0]!.length
      left = left.slice(1)
    }
    if (bytesWritten > 0) left = [left[0]!.subarray(bytesWritten), ...left.slice(1)]
  }
}

/** Up to `length` bytes from `position`, fewer only at the end of the file. */
export async function readFully(handle: FileHandle, into: Buffer, position: number): Promise<number> {
  let filled = 0
  while (filled < into.length) {
    const { bytesRead } = await handle.read(into, filled, into.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}
