/** What of a process can be named: the perf map of its runtime, and symbols and debug data of every mapped binary. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { basename } from 'node:path'
import type { ResolvedElf, SymbolReaders } from '../native/symbols.ts'
import { openPerfMap } from '../process/perf-map.ts'
import { type MapsEntry, readMaps } from '../process/proc-files.ts'
import { RUNTIMES } from '../symbolize/runtimes.ts'
import type { Finding } from './preflight.ts'
import { clean } from './terminal.ts'

/** Binaries looked at in one process; a browser maps some 200. */
const MAX_BINARIES = 400

/** Findings about one process. Errors: none, what cannot be read is a finding. */
export async function examineProcess(pid: number, name: string, readers: SymbolReaders): Promise<Finding[]> {
  const maps = readMaps(pid)
  if (!maps)
    return [finding('maps', 'warning', `${clean(name)} (${pid}): its mappings cannot be read`, 'run as root')]
  const binaries = distinctFiles(maps)
  const runtime = runtimeFinding(pid, name, binaries)
  const rows: Finding[] = []
  // One after the other: each opens up to three files, and there is no hurry.
  for (const entry of binaries.slice(0, MAX_BINARIES)) rows.push(await examineBinary(pid, entry, readers))
  return [...runtime, ...rows]
}

function finding(id: string, level: Finding['level'], text: string, fix = ''): Finding {
  return { id, level, text, fix, code: 'internal' }
}

/** The first executable mapping of each file. */
function distinctFiles(maps: readonly MapsEntry[]): MapsEntry[] {
  const byPath = new Map<string, MapsEntry>()
  for (const entry of maps) {
    if (entry.path.startsWith('/') && entry.inode !== 0 && !byPath.has(entry.path))
      byPath.set(entry.path, entry)
  }
  return [...byPath.values()]
}

function runtimeFinding(pid: number, name: string, binaries: readonly MapsEntry[]): Finding[] {
  const runtime = RUNTIMES.find(({ file }) => binaries.some((entry) => file.test(entry.path)))
  if (!runtime) return []
  const who = `${clean(name)} (${pid}) runs ${runtime.name}`
  const fd = openPerfMap(pid)
  if (fd < 0) {
    return [
      finding(
        'perf_map',
        'warning',
        `${who} without a perf map: its own functions have no names`,
        runtime.remedy,
      ),
    ]
  }
  closeSync(fd)
  return [finding('perf_map', 'ok', `${who} and writes a perf map`)]
}

async function examineBinary(pid: number, entry: MapsEntry, readers: SymbolReaders): Promise<Finding> {
  const path = clean(entry.path)
  const fd = openMapped(pid, entry)
  if (fd < 0)
    return finding(
      'binary',
      'warning',
      `${path}: cannot be opened`,
      'run as root; a deleted file needs CAP_SYS_ADMIN',
    )
  let debugFd = -1
  try {
    const root = `/proc/${pid}/root`
    const { debugFile } = await readers.findDebugFiles(fd, entry.path, root)
    if (debugFile !== '') debugFd = openRegular(debugFile)
    return describeBinary(
      path,
      await readers.resolveElf(fd, debugFd, new Float64Array([entry.fileOffset])),
      debugFile,
    )
  } finally {
    closeSync(fd)
    if (debugFd >= 0) closeSync(debugFd)
  }
}

/** One binary in one line; pure. */
export function describeBinary(path: string, elf: ResolvedElf, debugFile: string): Finding {
  if (elf.failure !== '') return finding('binary', 'warning', `${path}: not readable as ELF`, elf.detail)
  const from = debugFile === '' ? '' : ` (${debugFile})`
  if (!elf.hasSymbols) {
    const fix = `install the debug symbols of ${basename(path)} (find-dbgsym-packages names the package), or do not strip it`
    return finding('binary', 'warning', `${path}: no symbols, its functions have no names`, fix)
  }
  const lines = elf.hasDwarf ? 'names and lines' : 'names, no lines'
  return finding('binary', 'ok', `${path}: ${lines}${from}`)
}

/** By the places a capture tries too (process/executable-table.ts): other users' files often only by their path. */
function openMapped(pid: number, entry: MapsEntry): number {
  const range = `${entry.start.toString(16)}-${entry.end.toString(16)}`
  const linked = openRegular(`/proc/${pid}/map_files/${range}`)
  if (linked >= 0) return linked
  for (const path of [`/proc/${pid}/root${entry.path}`, entry.path]) {
    const fd = openRegular(path)
    if (fd >= 0 && fstatSync(fd).ino === entry.inode) return fd
    if (fd >= 0) closeSync(fd)
  }
  return -1
}

/** -1 when it cannot be opened or is no regular file (a device or fifo of a hostile target would block). */
function openRegular(path: string): number {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    if (fstatSync(fd).isFile()) return fd
    closeSync(fd)
  } catch {
    // gone or not permitted: both mean "cannot be opened"
  }
  return -1
}
