/**
 * agent.json: how commands on this host find the running agent. It names the token, so only its owner may read it; pid
 * and start time together say whether the agent that wrote it still lives.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { AgentError } from '../errors.ts'

export interface AgentRecord {
  readonly pid: number
  /** Clock ticks from boot to its start: field 22 of /proc/PID/stat. */
  readonly startTicks: number
  /** Of the page, with the token; '' when no port is open. */
  readonly url: string
  /** Path of the unix socket. */
  readonly socket: string
  readonly token: string
}

const RECORD = 'agent.json'
/** A record is some hundred bytes. */
const MAX_BYTES = 1 << 16

/** Where the socket lies. */
export function socketPath(directory: string): string {
  return join(directory, 'agent.sock')
}

/**
 * The record of a directory, whether its agent lives or not; null when there is none, or none that is whole. Errors:
 * AgentError `not_permitted` when it is not ours to read, or not written by root or us.
 */
export function readRecord(directory: string): AgentRecord | null {
  const path = join(directory, RECORD)
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    if (code !== 'EACCES' && code !== 'EPERM')
      throw new AgentError('internal', `cannot read ${path}: ${message}`, { cause })
    const remedy = 'run this command as the user of the agent (sudo)'
    throw new AgentError('not_permitted', `cannot read ${path}: permission denied; ${remedy}`, { cause })
  }
  try {
    const { uid, size } = fstatSync(fd)
    if (uid !== 0 && uid !== process.geteuid?.()) {
      const reason = `it belongs to user ${uid}, who is neither root nor you`
      throw new AgentError('not_permitted', `${path} is not believed: ${reason}; remove it`)
    }
    return size > MAX_BYTES ? null : parseRecord(readFileSync(fd, 'utf8'))
  } finally {
    closeSync(fd)
  }
}

/** A record that was cut off or is of another shape is no record: its agent did not live to write it. */
function parseRecord(text: string): AgentRecord | null {
  let record: Partial<Record<keyof AgentRecord, unknown>>
  try {
    record = JSON.parse(text) as typeof record
  } catch {
    return null
  }
  const { pid, startTicks, url, socket, token } = record ?? {}
  const isWhole =
    Number.isSafeInteger(pid) &&
    (pid as number) > 0 &&
    Number.isFinite(startTicks) &&
    [url, socket, token].every((field) => typeof field === 'string')
  return isWhole ? (record as AgentRecord) : null
}

/** True while the very process that wrote the record lives, and not another one of its pid. */
export function isRunning(record: AgentRecord): boolean {
  return startTicksOf(record.pid) === record.startTicks
}

/** Ticks from boot to the start of a process, -1 when there is none. */
export function startTicksOf(pid: number): number {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return -1
  }
  // The name, the second field, may hold anything but ends at the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[19] ?? -1)
}

/**
 * Makes the directory ours: what a dead agent left is removed. Errors: AgentError `already_running` when one lives,
 * `not_permitted` when the directory cannot be used.
 */
export function claimDirectory(directory: string): void {
  try {
    makeDirectory(directory)
    const before = readRecord(directory)
    if (before !== null && before.pid !== process.pid && isRunning(before)) {
      const remedy = `stop it, or give this one a runDir, a queue and a port of its own`
      throw new AgentError(
        'already_running',
        `an agent runs on this host already (pid ${before.pid}); ${remedy}`,
      )
    }
    rmSync(join(directory, RECORD), { force: true })
    rmSync(socketPath(directory), { force: true })
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    const message = `cannot use ${directory}: ${(cause as Error).message}; name another runDir`
    throw new AgentError('not_permitted', message, { cause })
  }
}

/** With its parents. Not `recursive`: where a parent exists and takes no directory (/proc), Node 20 tries for ever. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return
  if (dirname(path) !== path) makeDirectory(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}

/** Writes the record, whole or not at all, readable by its owner only. */
export function writeRecord(directory: string, record: AgentRecord): void {
  const path = join(directory, RECORD)
  const beside = `${path}.${process.pid}`
  rmSync(beside, { force: true })
  writeFileSync(beside, `${JSON.stringify(record)}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(beside, 0o600)
  renameSync(beside, path)
}

/** Takes record and socket away, unless another agent took them over. */
export function releaseDirectory(directory: string): void {
  const record = readRecord(directory)
  if (record !== null && record.pid !== process.pid) return
  rmSync(join(directory, RECORD), { force: true })
  rmSync(socketPath(directory), { force: true })
}
