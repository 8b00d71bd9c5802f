/** Readers of /proc/<pid>: text in, values out. A process that vanished reads as null, never as an error. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** One executable line of /proc/<pid>/maps; addresses as in model/addresses.ts. */
export interface MapsEntry {
  readonly start: number
  readonly end: number
  readonly fileOffset: number
  readonly inode: number
  /** "major:minor" in hex. */
  readonly device: string
  /** As the process saw it, without " (deleted)"; '' for anonymous memory. */
  readonly path: string
}

const MAPS_LINE = /^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *(.*)$/s // s: a path may hold a carriage return

const DELETED = ' (deleted)'

/** The path of a mapping's file without the mark that the kernel adds once the file is unlinked. */
export function withoutDeletedMark(path: string): string {
  return path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path
}

/** The executable mappings in the text of a maps file, in address order. Other lines are skipped. */
export function parseMaps(text: string): MapsEntry[] {
  const entries: MapsEntry[] = []
  for (const line of text.split('\n')) {
    const match = MAPS_LINE.exec(line)
    if (!match) continue
    const [, start = '', end = '', offset = '', device = '', inode = '', path = ''] = match
    entries.push({
      start: parseInt(start, 16),
      end: parseInt(end, 16),
      fileOffset: parseInt(offset, 16),
      inode: Number(inode),
      device,
      path: withoutDeletedMark(path.replaceAll('\\012', '\n')), // the one character the kernel escapes here
    })
  }
  return entries
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null // gone, or not ours to read: both mean "nothing known"
  }
}

/** Executable mappings of a live process; null when it is gone or may not be read. */
export function readMaps(pid: number): MapsEntry[] | null {
  const text = readText(`/proc/${pid}/maps`)
  return text === null ? null : parseMaps(Buffer.from(text, 'latin1').toString('utf8'))
}

/** Command name of a process (the leader's thread name), '' when it is gone. */
export function readComm(pid: number): string {
  return (readText(`/proc/${pid}/comm`) ?? '').replace(/\n$/, '')
}

/** What /proc/<pid>/stat says: state letter, parent pid. null when the process is gone. */
export function readStat(pid: number): { readonly state: string; readonly parent: number } | null {
  const text = readText(`/proc/${pid}/stat`)
  if (text === null) return null
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ') // the name may hold spaces and parentheses
  return { state: fields[0] ?? '', parent: Number(fields[1]) }
}

/** True while the process runs code: it exists and is no zombie. */
export function isRunning(pid: number): boolean {
  const stat = readStat(pid)
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X'
}

/** All process ids now, ascending. */
export function listPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

/** The process's number in its innermost pid namespace (the one its runtime puts into file names). */
export function readNamespacePid(pid: number): number {
  const match = /^NSpid:\s+(.*)$/m.exec(readText(`/proc/${pid}/status`) ?? '')
  return Number(match?.[1]?.split(/\s+/).pop() ?? pid)
}

/**
 * The user whose rights a process has for files, -1 when it is gone. Not the owner of its /proc directory: that is root
 * for a process that keeps others from looking at it.
 */
export function readUid(pid: number): number {
  const match = /^Uid:(?:\s+\d+){3}\s+(\d+)$/m.exec(readText(`/proc/${pid}/status`) ?? '')
  return match ? Number(match[1]) : -1
}

/** Target of a /proc link such as `ns/mnt`, '' when it cannot be read. */
export function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // gone, or not permitted
  }
}

const HOST_PID_NAMESPACE = 0xeffffffc // PROC_PID_INIT_INO, include/linux/proc_ns.h

/** Inode of our pid namespace, 0 when it is the host's. */
export function ownPidNamespaceInode(): number {
  const inode = Number(/\d+/.exec(readLink('/proc/self/ns/pid'))?.[0] ?? 0)
  return inode === HOST_PID_NAMESPACE ? 0 : inode
}
