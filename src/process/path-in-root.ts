/**
 * Paths as a process sees them, walked from outside. The kernel would follow a link in another file system out into
 * ours, so the links are followed here; and what the process's own user may not read, a profile of it must not hold.
 */
import { lstatSync, readlinkSync, type Stats } from 'node:fs'

/** As Linux has it (MAXSYMLINKS). */
const LINKS_MAX = 40

export type PathFault = 'not_found' | 'not_permitted'

/**
 * Where an absolute path leads below a root, as a path of ours without links. `root` is '' for our own.
 * `uid` is the user who must have the right to read it as its owner or as anybody (-1: as anybody); groups do not count.
 */
export function pathInRoot(root: string, path: string, uid: number): { readonly path: string } | PathFault {
  const left = path.split('/').reverse()
  const at: string[] = []
  let links = 0
  while (left.length > 0) {
    const name = left.pop()!
    if (name === '' || name === '.') continue
    if (name === '..') {
      at.pop()
      continue
    }
    const here = `${root}/${[...at, name].join('/')}`
    const stats = statsOf(here)
    if (typeof stats === 'string') return stats
    if (stats.isSymbolicLink()) {
      if (++links > LINKS_MAX) return 'not_found'
      const target = linkTarget(here)
      if (target.startsWith('/')) at.length = 0
      left.push(...target.split('/').reverse())
      continue
    }
    if (!mayUse(stats, uid)) return 'not_permitted'
    at.push(name)
  }
  return { path: `${root}/${at.join('/')}` }
}

function statsOf(path: string): Stats | PathFault {
  try {
    return lstatSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EACCES' || code === 'EPERM' ? 'not_permitted' : 'not_found'
  }
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // replaced since: the walk goes on and finds what is there
  }
}

/** A directory may be passed, or a file read. */
function mayUse(stats: Stats, uid: number): boolean {
  const bit = stats.isDirectory() ? 1 : 4
  return uid === 0 || (stats.mode & bit) !== 0 || (stats.uid === uid && (stats.mode & (bit << 6)) !== 0)
}
