/** Finds a runtime's perf map: /tmp/perf-<pid>.map, by the pid and in the mount namespace that the runtime sees. */
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs'
import { readNamespacePid } from './proc-files.ts'

/**
 * An open descriptor of the process's perf map, -1 when there is none. Only regular files (a fifo would block), and no
 * symbolic links, and none of a third user while the process lives: /tmp belongs to everybody. The process's own /tmp
 * comes first, ours second (it may have exited).
 */
export function openPerfMap(pid: number): number {
  const paths = [`/proc/${pid}/root/tmp/perf-${readNamespacePid(pid)}.map`, `/tmp/perf-${pid}.map`]
  for (const path of paths) {
    try {
      const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      const file = fstatSync(fd)
      if (file.isFile() && (file.uid === 0 || isOwner(pid, file.uid))) return fd
      closeSync(fd)
    } catch {
      // Not there or not readable: the usual case, and the reason is shown with the unnamed frames.
    }
  }
  return -1
}

/** Whether the process runs as that user; a process that is gone can no longer say so, and is not asked. */
function isOwner(pid: number, uid: number): boolean {
  const process = statSync(`/proc/${pid}`, { throwIfNoEntry: false })
  return process === undefined || process.uid === uid
}
