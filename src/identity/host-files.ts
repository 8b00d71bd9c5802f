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

const buffer = Buffer.allocUnsafeSlow(MAX_BYTES) // reads are synchronous, so one serves all

/** The first 64 KiB of a file as UTF-8, null when it cannot be read. */
export function readTextFile(path: string): string | null {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    return null // absent, gone or not ours to read: nothing known either way
  }
  try {
    let length = 0
    for (;;) {
      const read = readSync(fd, buffer, length, MAX_BYTES - length, null) // files of /proc come a page at a time
      length += read
      if (read === 0 || length === MAX_BYTES) return buffer.toString('utf8', 0, length)
    }
  } catch {
    return null // a directory, or a process that ended between open and read
  } finally {
    closeSync(fd)
  }
}
