/**
 * One process owns a queue directory: the file `lock` names it by pid, start time and boot, so that a pid used again is not
 * taken for the owner. A lock whose owner has ended is taken over.
 *
 * In another pid namespace (a container without the host's) an owner's pid means nothing here; such a lock is alive
 * while its owner keeps touching the file.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError } from '../errors.ts'
import { errorCode, type QueueFiles } from './queue-files.ts'

const TOUCH_EVERY_MS = 3000
const TAKE_OVER_TRIES = 5

interface Owner {
  readonly pid: number
  /** Field 22 of /proc/pid/stat: ticks since boot. */
  readonly startTicks: string
  readonly boot: string
  /** `pid:[4026531836]`. */
  readonly namespace: string
}

export class DirectoryLock {
  readonly #path: string
  readonly #files: QueueFiles
  readonly #touching: NodeJS.Timeout

  private constructor(path: string, files: QueueFiles) {
    this.#path = path
    this.#files = files
    this.#touching = setInterval(() => {
      const now = new Date()
      files.utimes(path, now, now).catch(() => {}) // only seen from other pid namespaces; the next touch is soon
    }, TOUCH_EVERY_MS).unref()
  }

  /**
   * Takes the directory's lock. Errors: AgentError `already_running` naming the owner's pid; of the file system when
   * the lock file can be neither read nor made (the caller goes on without a disk).
   */
  static async take(directory: string, files: QueueFiles): Promise<DirectoryLock> {
    const path = join(directory, 'lock')
    const own = JSON.stringify(ourselves())
    for (let tries = 0; tries < TAKE_OVER_TRIES; tries++) {
      if (await makeLock(path, own, files)) return new DirectoryLock(path, files)
      const text = await readIfThere(path, files)
      if (text === null) continue
      if (await isHeld(path, text, files)) throw taken(directory, parseOwner(text))
      await setAside(path, text, files)
    }
    throw taken(directory, null)
  }

  async release(): Promise<void> {
    clearInterval(this.#touching)
    const held = await readIfThere(this.#path, this.#files).catch(() => null)
    if (held === JSON.stringify(ourselves())) await this.#files.unlink(this.#path).catch(() => {}) // dead with us anyway
  }
}

/** False when there is a lock already. */
async function makeLock(path: string, content: string, files: QueueFiles): Promise<boolean> {
  try {
    const handle = await files.open(path, 'wx', 0o644)
    try {
      await handle.writeFile(content)
    } catch (error) {
      await files.unlink(path) // a lock without an owner would be in the way of the next one
      throw error
    } finally {
      await handle.close()
    }
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

async function readIfThere(path: string, files: QueueFiles): Promise<string | null> {
  try {
    return await files.readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

async function isHeld(path: string, text: string, files: QueueFiles): Promise<boolean> {
  const owner = parseOwner(text)
  if (owner?.boot === bootId() && owner.namespace === pidNamespace()) {
    return startTicksOf(owner.pid) === owner.startTicks
  }
  if (owner !== null && owner.boot !== bootId()) return false
  return isTouched(path, files) // another namespace, or a lock just being written
}

/** Whether the lock's owner touches it, by the file's time alone: no two clocks are compared. */
async function isTouched(path: string, files: QueueFiles): Promise<boolean> {
  const before = await files.stat(path).catch(() => null)
  await sleep(TOUCH_EVERY_MS + 1000)
  const after = await files.stat(path).catch(() => null)
  return before !== null && after !== null && after.mtimeMs !== before.mtimeMs
}

/** Moves a dead lock away; should another process have made its own meanwhile, that one is put back. */
async function setAside(path: string, text: string, files: QueueFiles): Promise<void> {
  const aside = `${path}.${process.pid}.dead`
  try {
    await files.rename(path, aside)
    if ((await files.readFile(aside, 'utf8')) === text) await files.unlink(aside)
    else await files.rename(aside, path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
}

function parseOwner(text: string): Owner | null {
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null
    const { pid, startTicks, boot, namespace } = owner ?? {}
    if (!Number.isSafeInteger(pid) || pid! <= 0) return null
    return { pid: pid!, startTicks: String(startTicks), boot: String(boot), namespace: String(namespace) }
  } catch {
    return null // cut off, or not ours: alive only while somebody touches it
  }
}

function taken(directory: string, owner: Owner | null): AgentError {
  const who = owner ? `pid ${owner.pid}` : 'another process'
  const message = `cannot use the queue in ${directory}: ${who} has it open; stop that agent, or name another directory with queue.dir`
  return new AgentError('already_running', message)
}

const readOrEmpty = (read: () => string): string => {
  try {
    return read().trim()
  } catch {
    return '' // no /proc, or the process is gone
  }
}

const bootId = () => readOrEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'))
const pidNamespace = () => readOrEmpty(() => readlinkSync('/proc/self/ns/pid'))

/** The name in parentheses may hold anything, so fields are counted from behind it. */
function startTicksOf(pid: number): string {
  const stat = readOrEmpty(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function ourselves(): Owner {
  const { pid } = process
  return { pid, startTicks: startTicksOf(pid), boot: bootId(), namespace: pidNamespace() }
}
