/** What of a process can be unwound and named: unwind tables, symbols and debug data of every mapped binary, and the perf
 * map of its runtime. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { RUNTIMES } from '../model/runtimes.ts'
import type { SymbolReaders } from '../native/symbols.ts'
import type { UnwindReaders } from '../native/unwind-tables.ts'
import { openPerfMap } from '../process/perf-map.ts'
import { type MapsEntry, readMaps } from '../process/proc-files.ts'
import { type BinaryFinding, describeBinary } from './doctor-binary.ts'
import type { Finding } from './preflight.ts'
import { clean } from './terminal.ts'

/** Binaries looked at in one process; a browser maps some 200. */
const MAX_BINARIES = 400

type Readers = SymbolReaders & UnwindReaders

/** Findings about one process. Errors: none, what cannot be read is a finding. */
export async function examineProcess(pid: number, name: string, readers: Readers): Promise<BinaryFinding[]> {
  const maps = readMaps(pid)
  if (!maps)
    return [finding('maps', 'warning', `${clean(name)} (${pid}): its mappings cannot be read`, 'run as root')]
  const binaries = distinctFiles(maps)
  const rows: BinaryFinding[] = [...runtimeFinding(pid, name, binaries), ...jitFinding(pid, name, maps)]
  // One after the other: each opens up to three files, and there is no hurry.
  for (const entry of binaries.slice(0, MAX_BINARIES)) rows.push(await examineBinary(pid, entry, readers))
  if (binaries.length > MAX_BINARIES)
    rows.push(finding('binaries', 'ok', `${binaries.length - MAX_BINARIES} more binaries, not looked into`))
  return rows
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

/** Code without a file: no tables and no symbols can exist for it. */
function jitFinding(pid: number, name: string, maps: readonly MapsEntry[]): Finding[] {
  const regions = maps.filter((entry) => entry.path === '' || entry.path.startsWith('//anon')).length
  if (regions === 0) return []
  const what = `${regions} ${regions === 1 ? 'region' : 'regions'} of code made at run time`
  return [finding('jit', 'ok', `${clean(name)} (${pid}) has ${what}: stacks pass by their frame pointers`)]
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

async function examineBinary(pid: number, entry: MapsEntry, readers: Readers): Promise<BinaryFinding> {
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
    const elf = await readers.resolveElf(fd, debugFd, new Float64Array([entry.fileOffset]))
    return describeBinary(path, elf, debugFile, await readers.describeUnwind(fd))
  } finally {
    closeSync(fd)
    if (debugFd >= 0) closeSync(debugFd)
  }
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
