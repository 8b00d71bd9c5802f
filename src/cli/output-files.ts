/**
 * Files on disk: checked before sampling, written beside their place and moved there whole, owned by the user who
 * called us. A file that fails leaves nothing behind and does not keep the others from being written.
 */
import {
  closeSync,
  existsSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { AgentError } from '../errors.ts'
import type { InvokingUser } from './invoking-user.ts'
import { isStdout, numbered, type Output } from './output-plan.ts'

export interface Placement {
  readonly cwd: string
  /** Existing files may be replaced. */
  readonly force: boolean
  /** A taken name gets a number instead of a refusal. */
  readonly renumber: boolean
  readonly owner: InvokingUser | null
}

/** A file on disk, as reported. */
export interface WrittenFile {
  readonly path: string
  readonly format: string
  readonly bytes: number
}

/** What file contents are written from. */
export type Contents = Iterable<string | Uint8Array>

/** Names tried for a default file before giving up. */
const MAX_NUMBER = 1000
/** Small pieces are collected up to this size before a write. */
const WRITE_BYTES = 1 << 18

/**
 * Refuses what cannot be written later. Errors: AgentError `output_refused` for the first such file, `usage` when two
 * paths lead to one file.
 */
export function checkOutputs(outputs: readonly Output<string>[], placement: Placement): void {
  const seen = new Map<string, string>()
  for (const output of outputs) {
    if (isStdout(output)) continue
    const place = checkOutput(output.path, placement)
    const before = seen.get(place)
    if (before !== undefined)
      throw new AgentError('usage', `-o ${before} and -o ${output.path} are the same file`)
    seen.set(place, output.path)
  }
}

/** The file's place, the same for each path that leads there. */
function checkOutput(path: string, placement: Placement): string {
  const full = resolve(placement.cwd, path)
  try {
    checkPlace(full, path, placement)
    return join(realpathSync(dirname(full)), basename(full))
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    const remedy = placement.renumber
      ? 'change directory, or choose a file with -o'
      : 'choose another place with -o'
    throw refused(path, `${reasonOf(cause)}; ${remedy}`, cause)
  }
}

function checkPlace(full: string, path: string, placement: Placement): void {
  const directory = dirname(full)
  const stat = statSync(directory, { throwIfNoEntry: false })
  if (!stat) throw refused(path, `the directory ${directory} does not exist; create it first`)
  if (!stat.isDirectory()) throw refused(path, `${directory} is not a directory`)
  const existing = lstatSync(full, { throwIfNoEntry: false })
  if (existing?.isDirectory()) throw refused(path, 'it is a directory; give a file name')
  if (existing && !placement.force && !placement.renumber) {
    throw refused(path, 'it exists; choose another name, or overwrite it with --force')
  }
  const probe = temporaryBeside(full)
  closeSync(openSync(probe, 'wx', 0o600))
  unlinkSync(probe)
}

function refused(path: string, why: string, cause?: unknown): AgentError {
  return new AgentError('output_refused', `cannot write ${path}: ${why}`, { cause })
}

/** Words for the errno a user is likely to meet. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOENT: 'no file can be created there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than allowed',
  EIO: 'the device failed (EIO)',
  ENAMETOOLONG: 'the file name is too long',
  ELOOP: 'the symbolic links go round in circles',
}

/** Why a system call failed, for people. */
export function reasonOf(cause: unknown): string {
  const error = cause as NodeJS.ErrnoException
  return REASONS[error.code ?? ''] ?? error.message
}

function temporaryBeside(path: string): string {
  return join(dirname(path), `.profile-${process.pid}-${Math.random().toString(36).slice(2, 10)}.tmp`)
}

/**
 * Writes one file. Shape: the path as given, or its numbered sibling. Errors: AgentError `output_refused`; then no
 * part of the file stays behind. Errors thrown by `contents` itself pass through.
 */
export function writeOutput(
  path: string,
  format: string,
  contents: Contents,
  placement: Placement,
): WrittenFile {
  const full = resolve(placement.cwd, path)
  const temporary = temporaryBeside(full)
  let fd: number
  try {
    fd = openSync(temporary, 'wx', 0o666)
  } catch (cause) {
    throw refused(path, reasonOf(cause), cause)
  }
  try {
    const bytes = fill(fd, path, contents, placement.owner)
    const taken = moveInto(temporary, path, placement)
    return { path: taken, format, bytes }
  } finally {
    if (existsSync(temporary)) unlinkSync(temporary)
  }
}

/** Writes, hands over and closes; a delayed error of the disk shows at fsync at the latest. */
function fill(fd: number, path: string, contents: Contents, owner: InvokingUser | null): number {
  try {
    for (const chunk of collected(contents)) {
      try {
        for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at)
      } catch (cause) {
        throw refused(path, reasonOf(cause), cause)
      }
    }
    try {
      fsyncSync(fd)
      if (owner) fchownSync(fd, owner.uid, owner.gid)
    } catch (cause) {
      throw refused(path, reasonOf(cause), cause)
    }
    return fstatSync(fd).size
  } finally {
    closeSync(fd)
  }
}

/** Pieces of any size -> buffers of about WRITE_BYTES. */
export function* collected(contents: Contents): Generator<Uint8Array> {
  let text: string[] = []
  let length = 0
  for (const piece of contents) {
    if (typeof piece === 'string') {
      text.push(piece)
      length += piece.length
      if (length < WRITE_BYTES) continue
    }
    if (length > 0) yield Buffer.from(text.join(''), 'utf8')
    text = []
    length = 0
    if (typeof piece !== 'string') yield piece
  }
  if (length > 0) yield Buffer.from(text.join(''), 'utf8')
}

/** Gives the finished file its name without ever replacing one that was not to be replaced. */
function moveInto(temporary: string, path: string, placement: Placement): string {
  for (let n = 1; n <= MAX_NUMBER; n++) {
    const name = numbered(path, n)
    const full = resolve(placement.cwd, name)
    try {
      if (placement.force) renameSync(temporary, full)
      else moveIfFree(temporary, full)
      return name
    } catch (cause) {
      const taken = (cause as NodeJS.ErrnoException).code === 'EEXIST'
      if (!taken) throw refused(name, reasonOf(cause), cause)
      if (!placement.renumber)
        throw refused(name, 'it was created meanwhile; overwrite it with --force', cause)
    }
  }
  throw refused(path, `${MAX_NUMBER} files of that name exist`)
}

/** link() refuses a taken name in one step; file systems without hard links (vfat) get the two-step way. */
function moveIfFree(temporary: string, full: string): void {
  try {
    linkSync(temporary, full)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw cause
    if (existsSync(full)) throw Object.assign(new Error(`${basename(full)} exists`), { code: 'EEXIST' })
    renameSync(temporary, full)
  }
}
