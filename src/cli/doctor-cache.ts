/** The directory that keeps parsed unwind tables from one run to the next: will it be used, and what is in it? */
import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import type { Finding } from './preflight.ts'
import { clean } from './terminal.ts'

/** What lies in it steers the unwinder: it must be ours alone, else it is not used. */
const OTHERS = 0o077

/** `directory` '' for none. Reads names and sizes only. */
export function checkTableCache(directory: string, uid: number): Finding {
  const name = clean(directory)
  if (directory === '') return ok('no cache of unwind tables: each run parses the binaries again')
  let stat: Stats
  try {
    stat = lstatSync(directory)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
      return ok(`cache of unwind tables: ${name}, made by the first capture`)
    return warning(`the cache of unwind tables ${name} cannot be read: ${(cause as Error).message}`)
  }
  if (!stat.isDirectory()) return warning(`the cache of unwind tables ${name} is no directory`)
  if (stat.uid !== uid || (stat.mode & OTHERS) !== 0)
    return warning(`the cache of unwind tables ${name} is not used: it must belong to us and have mode 0700`)
  const { files, bytes } = sumOf(directory)
  return ok(
    `cache of unwind tables: ${name}, ${files} ${files === 1 ? 'file' : 'files'}, ${(bytes / 1e6).toFixed(1)} MB`,
  )
}

function sumOf(directory: string): { files: number; bytes: number } {
  try {
    const sizes = readdirSync(directory).map((name) => lstatSync(join(directory, name)).size)
    return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
  } catch {
    return { files: 0, bytes: 0 } // it changes or closes under us; a count is all that is lost
  }
}

function ok(text: string): Finding {
  return { id: 'table_cache', level: 'ok', text, fix: '', code: 'internal' }
}
function warning(text: string): Finding {
  const fix = 'remove it, correct owner and mode, or set EMBERSCOPE_CACHE_DIR to a directory of your own'
  return { id: 'table_cache', level: 'warning', text, fix, code: 'internal' }
}
