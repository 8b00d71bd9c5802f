/**
 * Which container a process is in: by the id of its cgroup where that is known, by its own /proc file while it lives,
 * by a walk over the hierarchy when it is gone, by its parent when its cgroup is gone too.
 */
import { CgroupPaths, findCgroup2Mount } from './cgroup-paths.ts'
import { type ContainerRef, containerOfCgroups, containerOfPath, parseCgroupFile } from './container-id.ts'
import { readTextFile } from './host-files.ts'
import type { KnownProcess } from './known-processes.ts'

const MAX_CGROUPS = 16_384
const MAX_TEXTS = 1024

interface Cgroup {
  readonly container: ContainerRef | null
  readonly path: string
}

export class ContainerLookup {
  /** How often each way gave the answer. */
  readonly sources = { cgroup_id: 0, proc: 0, parent: 0, none: 0 }
  private readonly paths: CgroupPaths
  /** v1 hierarchies beside v2 hold the containers: the v2 id says nothing then. */
  private readonly isHybrid: boolean
  private readonly byCgroup = new Map<bigint, Cgroup>()
  private readonly byText = new Map<string, Cgroup>()

  /** `root` is the host's root directory, '' for our own. */
  constructor(root: string, isHybrid = hasVersion1()) {
    this.paths = new CgroupPaths(findCgroup2Mount(root) || findCgroup2Mount(''))
    this.isHybrid = isHybrid
  }

  /** Ends a walk. Safe twice. */
  close(): void {
    this.paths.close()
  }

  /** The container of a process that lives or whose cgroup is known already; undefined: to be found by its id. */
  early(known: KnownProcess): ContainerRef | null | undefined {
    const { cgroupId, pid } = known
    const cached = this.isHybrid ? undefined : this.byCgroup.get(cgroupId)
    if (cached) {
      known.cgroupPath = cached.path
      this.sources.cgroup_id++
      return cached.container
    }
    const text = readTextFile(`/proc/${pid}/cgroup`)
    const read = text === null ? null : this.parsed(text)
    if (read === null) return undefined // gone
    this.sources.proc++
    known.cgroupPath = read.path
    const { container } = read
    if (cgroupId === 0n || this.isHybrid) return container
    // Seen from a namespace of cgroups, the path lacks what is above; the walk from the host's root finds it.
    if (known.cgroupPath.includes('/..')) return this.containerAt(known) ?? (container || undefined)
    if (this.paths.learn(cgroupId, known.cgroupPath)) this.remember(cgroupId, container, known.cgroupPath)
    return container
  }

  /** The container of a process that was gone: by its cgroup's id once a walk found that, else its parent's. */
  late(known: KnownProcess, parent: KnownProcess | null): ContainerRef | null {
    const found = this.containerAt(known)
    const isHopeless = known.cgroupId === 0n || this.paths.isGone(known.cgroupId)
    if (found !== undefined && !(this.isHybrid && found === null)) {
      known.container = found
      this.sources.cgroup_id++
      return found
    }
    if (!isHopeless && found === undefined) return parent?.container ?? null // an answer is on its way
    known.container = parent?.container ?? null
    this.sources[parent?.container ? 'parent' : 'none']++
    return known.container
  }

  private containerAt(known: KnownProcess): ContainerRef | null | undefined {
    const path = this.paths.pathOf(known.cgroupId)
    if (path === '') return undefined
    known.cgroupPath = path
    const container = containerOfPath(path)
    if (!this.isHybrid) this.remember(known.cgroupId, container, path)
    return container
  }

  /** What a /proc/<pid>/cgroup says, null for nothing; most processes share it with others. */
  private parsed(text: string): Cgroup | null {
    const known = this.byText.get(text)
    if (known !== undefined) return known
    const lines = parseCgroupFile(text)
    if (lines.length === 0) return null
    const path = lines.find((one) => one.controllers === '')?.path ?? lines[0]!.path
    const cgroup = { container: containerOfCgroups(lines), path }
    if (this.byText.size >= MAX_TEXTS) this.byText.clear()
    this.byText.set(text, cgroup)
    return cgroup
  }

  private remember(cgroupId: bigint, container: ContainerRef | null, path: string): void {
    this.byCgroup.set(cgroupId, { container, path })
    if (this.byCgroup.size > MAX_CGROUPS) this.byCgroup.delete(this.byCgroup.keys().next().value!)
  }
}

function hasVersion1(): boolean {
  return parseCgroupFile(readTextFile('/proc/self/cgroup') ?? '').some(
    ({ controllers }) => controllers !== '',
  )
}
