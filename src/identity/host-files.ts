/** Small files of the host, read from inside the agent's own container where there is one. */
import { closeSync, openSync, readSync } from 'node:fs'
import { readLink } from '../process/proc-files.ts'

const MAX_BYTES = 64 * 1024

/**
 * The root directory of the host: '' when we are not in a container, `/proc/1/root` when the first process we see has
 * another mount namespace (a container with the host's pids; in one with its own, process 1 is of our namespace).
 */
export function findHostRoot(): string {
  const ours = readLink('/proc/self/ns/mnt')
  const first = readLink('/proc/1/ns/mnt') // '' without CAP_SYS_PTRACE
  return first === '' || first === ours ? '' : '/proc/1/root'
}

/** The first 64 KiB of a file as latin1 text, null when it cannot be read. */
export function readBounded(path: string, maxBytes = MAX_BYTES): string | null {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    return null // absent, gone or not ours to read: nothing known either way
  }
  try {
    const bytes = Buffer.allocUnsafe(maxBytes)
    let length = 0
    for (;;) {
      const read = readSync(fd, bytes, length, maxBytes - length, null) // files of /proc come a page at a time
      length += read
      if (read === 0 || length === maxBytes) return bytes.toString('latin1', 0, length)
    }
  } catch {
    return null // a directory, or a process that ended between open and read
  } finally {
    closeSync(fd)
  }
}

/** The same as UTF-8. */
export function readTextFile(path: string): string | null {
  const text = readBounded(path)
  return text === null ? null : Buffer.from(text, 'latin1').toString('utf8')
}
