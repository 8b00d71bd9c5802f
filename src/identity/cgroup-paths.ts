/**
 * Cgroup v2 ids (inode numbers of directories) to paths, so that a process that is gone is still known.
 *
 * Samples bring the id; the path is learnt from a live process once a cgroup, else by a walk over the hierarchy.
 * A walk goes on in small steps between other work: a host has hundreds of directories, and a pause is worth more
 * than an early answer. What a complete walk did not find was removed before we looked, and is not looked for again.
 */
import { type Dirent, readdirSync, statfsSync, statSync } from 'node:fs'

const CGROUP2_SUPER_MAGIC = 0x63677270
const MAX_PATHS = 16_384
const MAX_WALKED = 65_536
const MAX_DEPTH = 32
const STEP_DIRECTORIES = 24 // about 1 ms
const WALK_PAUSE_MS = 1_000

/** Where the v2 hierarchy is mounted below `root` ('' for our own): alone, or beside v1. '' when nowhere. */
export function findCgroup2Mount(root: string): string {
  for (const place of [`${root}/sys/fs/cgroup`, `${root}/sys/fs/cgroup/unified`]) {
    try {
      if (statfsSync(place).type === CGROUP2_SUPER_MAGIC) return place
    } catch {
      // no such directory, or a root we may not look into
    }
  }
  return ''
}

export class CgroupPaths {
  private readonly paths = new Map<bigint, string>()
  private readonly wanted = new Set<bigint>()
  private readonly missing = new Set<bigint>()
  private timer: NodeJS.Timeout | null = null
  private nextStep: NodeJS.Immediate | null = null
  private nextWalkMs = 0
  private readonly mount: string
  /** Directories looked at since start, and walks that were complete. */
  walked = 0
  walks = 0

  /** `mount` as {@link findCgroup2Mount} gives it; '' answers nothing. */
  constructor(mount: string) {
    this.mount = mount
  }

  /** The path below the mount (`/` for the root), '' when not known yet; asking for it starts the search. */
  pathOf(id: bigint): string {
    const path = this.paths.get(id)
    if (path !== undefined) return path
    this.want(id)
    return ''
  }

  /** True when the id was looked for everywhere, in vain. */
  isGone(id: bigint): boolean {
    return this.missing.has(id)
  }

  /** Takes the path that a live process gave, if the directory there has this id (it may have moved meanwhile). */
  learn(id: bigint, path: string): boolean {
    if (this.mount === '' || path.includes('/../') || this.inodeOf(path) !== id) return false
    this.remember(id, path)
    return true
  }

  /** Stops a walk. Safe twice. */
  close(): void {
    // Each by its own kind: an immediate's end given a timeout upsets the count of immediates, and the loop spins.
    if (this.timer !== null) clearTimeout(this.timer)
    if (this.nextStep !== null) clearImmediate(this.nextStep)
    this.timer = null
    this.nextStep = null
    this.wanted.clear()
  }

  private want(id: bigint): void {
    if (id === 0n || this.mount === '' || this.missing.has(id) || this.wanted.size >= MAX_PATHS) return
    this.wanted.add(id)
    if (this.timer !== null || this.nextStep !== null) return
    const delayMs = Math.max(0, this.nextWalkMs - performance.now())
    this.timer = setTimeout(() => this.beginWalk(), delayMs).unref()
  }

  private beginWalk(): void {
    this.timer = null
    // Ids wanted from now on may be of directories that this walk has passed already.
    const sought = new Set(this.wanted)
    this.remember(this.inodeOf('/'), '/')
    this.step(['/'], sought, 0)
  }

  private step(stack: string[], sought: Set<bigint>, walked: number): void {
    for (let i = 0; i < STEP_DIRECTORIES && stack.length > 0; i++) {
      this.enter(stack.pop()!, stack)
      walked++
    }
    for (const id of sought) if (!this.wanted.has(id)) sought.delete(id)
    if (stack.length > 0 && sought.size > 0 && walked < MAX_WALKED) {
      this.nextStep = setImmediate(() => this.step(stack, sought, walked))
      return
    }
    for (const id of sought) this.give(id)
    this.walked += walked
    this.walks++
    this.nextStep = null
    this.nextWalkMs = performance.now() + WALK_PAUSE_MS
    const [next] = this.wanted
    if (next !== undefined) this.want(next)
  }

  private give(id: bigint): void {
    this.wanted.delete(id)
    if (this.missing.size >= MAX_PATHS) this.missing.delete(this.missing.values().next().value!)
    this.missing.add(id)
  }

  private enter(path: string, stack: string[]): void {
    let entries: Dirent[]
    try {
      entries = readdirSync(this.mount + path, { withFileTypes: true })
    } catch {
      return // removed since its parent was read
    }
    const prefix = path === '/' ? '/' : `${path}/`
    for (const entry of entries) {
      if (!entry.isDirectory()) continue
      const child = prefix + entry.name
      this.remember(this.inodeOf(child), child)
      if (stack.length < MAX_WALKED && child.split('/').length < MAX_DEPTH) stack.push(child)
    }
  }

  private inodeOf(path: string): bigint {
    try {
      return statSync(this.mount + path, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n
    } catch {
      return 0n // a path no file system takes
    }
  }

  private remember(id: bigint, path: string): void {
    if (id === 0n) return
    this.paths.delete(id) // the newest last
    this.paths.set(id, path)
    this.wanted.delete(id)
    if (this.paths.size > MAX_PATHS) this.paths.delete(this.paths.keys().next().value!)
  }
}
