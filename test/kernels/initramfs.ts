/** The file system a test machine starts with: an archive in the kernel's "newc" cpio format. */
import { dirname } from 'node:path'

const FILE_MODE = 0o100755
const DIRECTORY_MODE = 0o040755

/** Files by absolute path. Every directory above a file is made; all belong to root and may be executed. */
export function initramfs(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const directories = new Set([...files.keys()].flatMap(parentsOf))
  const entries = [
    ...[...directories].sort().map((path) => entry(path, DIRECTORY_MODE, Buffer.alloc(0))),
    ...[...files].map(([path, contents]) => entry(path, FILE_MODE, contents)),
    entry('/TRAILER!!!', 0, Buffer.alloc(0)),
  ]
  return Buffer.concat(entries)
}

/** '/a/b/c' -> ['/a', '/a/b'] */
function parentsOf(path: string): string[] {
  const parent = dirname(path)
  return parent === '/' ? [] : [...parentsOf(parent), parent]
}

let lastInode = 0

function entry(path: string, mode: number, contents: Uint8Array): Buffer {
  const name = path.slice(1) // relative to the root
  lastInode += 1
  //              ino        mode  links uid gid time size             device, of it  name             check
  const fields = [lastInode, mode, 1, 0, 0, 0, contents.length, 0, 0, 0, 0, name.length + 1, 0]
  const header = `070701${fields.map((n) => n.toString(16).padStart(8, '0')).join('')}${name}\0`
  return Buffer.concat([padded(Buffer.from(header, 'latin1')), padded(contents)])
}

function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
}
