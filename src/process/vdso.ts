/** The vDSO is the same page in every 64-bit process of a host, so ours is read and kept as a file. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Executable } from '../model/executable.ts'
import { readBuildId } from './build-id.ts'
import { readMaps } from './proc-files.ts'

/** The vDSO as an executable; without a descriptor when our own memory cannot be read. */
export function openVdso(): Executable {
  const base = { kind: 'vdso', path: '[vdso]', root: '', pid: 0, perfMapFd: -1, comm: '' } as const
  const fd = copyToFile()
  return { ...base, fd, buildId: fd < 0 ? '' : readBuildId(fd), goneReason: fd < 0 ? 'not_permitted' : '' }
}

/** An unnamed temporary file with the bytes of our [vdso] mapping, or -1. */
function copyToFile(): number {
  const mapping = readMaps(process.pid)?.find((entry) => entry.path === '[vdso]')
  if (!mapping) return -1
  const bytes = Buffer.alloc(mapping.end - mapping.start)
  try {
    const memory = openSync('/proc/self/mem', 'r')
    const read = readSync(memory, bytes, 0, bytes.length, mapping.start)
    closeSync(memory)
    return unnamedFile(bytes.subarray(0, read))
  } catch {
    return -1 // no /proc/self/mem: the frames keep their offsets
  }
}

/** Memory first, so that it works where no disk can be written. -1 when no place takes it. */
function unnamedFile(bytes: Buffer): number {
  for (const place of ['/dev/shm', tmpdir()]) {
    try {
      const directory = mkdtempSync(join(place, 'emberscope-'))
      const fd = openSync(join(directory, 'vdso'), 'w+', 0o600)
      rmSync(directory, { recursive: true })
      writeSync(fd, bytes, 0, bytes.length, 0)
      return fd
    } catch {
      // Not writable here: the next place.
    }
  }
  return -1
}
