/**
 * Resources out of what is known of a process: its container and pod, or itself; over that what it says of its service.
 *
 * Equal resources are one frozen object, kept from window to window.
 */
import type { Attributes } from '../model/attributes.ts'
import type { ContainerRef } from './container-id.ts'
import { withoutEmpty } from './host.ts'
import type { KnownProcess } from './known-processes.ts'
import { type KubernetesChoice, podAttributes } from './kubernetes-attributes.ts'
import type { PodTable } from './pods.ts'

const MAX_RESOURCES = 16_384
const UNKNOWN_SERVICE = 'unknown_service:'

/** What a container is called while nobody names its service: its oldest process that we saw. */
interface FirstProcess {
  startNs: number
  name: string
}

export class Resources {
  private readonly base: Attributes
  private readonly kernel: Attributes
  private readonly pods: PodTable | null
  private readonly choice: KubernetesChoice
  private readonly bootUnixMs: number
  private readonly firstProcesses = new Map<string, FirstProcess>()
  private readonly resources = new Map<string, Attributes>()

  /** `base` is part of every resource; `bootUnixMs` makes times of starts; `pods` is null without Kubernetes. */
  constructor(base: Attributes, bootUnixMs: number, pods: PodTable | null, choice: KubernetesChoice) {
    this.base = base
    this.kernel = Object.freeze({ ...base, 'service.name': `${UNKNOWN_SERVICE}kernel` })
    this.bootUnixMs = bootUnixMs
    this.pods = pods
    this.choice = choice
  }

  get size(): number {
    return this.resources.size
  }

  /** Notes that a process runs in a container. */
  noteFirst(known: KnownProcess, container: ContainerRef): void {
    const key = keyOf(container)
    const first = this.firstProcesses.get(key)
    const name = programName(known)
    if (!first) {
      this.firstProcesses.set(key, { startNs: known.startNs, name })
      if (this.firstProcesses.size > MAX_RESOURCES) dropOldest(this.firstProcesses)
    } else if (known.startNs < first.startNs && !this.resources.has(key)) {
      first.startNs = known.startNs
      first.name = name
    }
  }

  /** The resource of a process in this container, or in none. */
  describe(known: KnownProcess, container: ContainerRef | null): Attributes {
    if (container) return this.describeContainer(known, container)
    if (known.executable === '' && isKernelThread(known)) return this.kernel
    return Object.freeze(this.merge(this.processAttributes(known), known))
  }

  private describeContainer(known: KnownProcess, container: ContainerRef): Attributes {
    this.noteFirst(known, container)
    const generation = this.pods?.generation ?? 0
    const key = keyOf(container)
    const claimed = known.context ? JSON.stringify(known.context.attributes, bigintAsText) : ''
    const full = `${key} ${generation} ${claimed}`
    const made = this.resources.get(full)
    if (made) return made
    const attributes = Object.freeze(this.merge(this.containerAttributes(container, key), known))
    // A pod that changed leaves the resources of others as they are: equal content, same object.
    const same = `= ${JSON.stringify(attributes, bigintAsText)}`
    const resource = this.resources.get(same) ?? attributes
    for (const name of [key, full, same]) this.resources.set(name, resource)
    while (this.resources.size > MAX_RESOURCES) dropOldest(this.resources)
    return resource
  }

  private containerAttributes(container: ContainerRef, key: string): Attributes {
    const found = this.pods && this.podOf(container, this.pods)
    const attributes = {
      'container.id': container.id,
      'container.name': container.name,
      'container.runtime.name': container.runtime,
      'k8s.pod.uid': container.podUid,
      'service.name': `${UNKNOWN_SERVICE}${this.firstProcesses.get(key)?.name ?? ''}`,
    }
    return { ...withoutEmpty(attributes), ...found }
  }

  /** Pod of a container, or of one around it (Docker inside a pod), or of its pod's uid alone. */
  private podOf(container: ContainerRef, pods: PodTable): Attributes | null {
    for (const id of [container.id, ...container.outerIds.toReversed()].filter((one) => one !== '')) {
      const found = pods.byContainer(id)
      if (found) return podAttributes(found.pod, found.container, this.choice)
    }
    const pod = container.podUid === '' ? null : pods.byUid(container.podUid)
    return pod && podAttributes(pod, null, this.choice)
  }

  private processAttributes(known: KnownProcess): Attributes {
    const name = programName(known)
    const created = new Date(this.bootUnixMs + known.startNs / 1e6)
    return {
      'process.pid': known.pid,
      ...(known.parentPid > 0 ? { 'process.parent_pid': known.parentPid } : {}),
      ...withoutEmpty({
        'process.executable.name': name,
        'process.executable.path': known.executable,
        'process.command_line': known.commandLine,
        'process.creation.time': known.startNs > 0 ? created.toISOString() : '',
        'process.linux.cgroup': known.cgroupPath,
      }),
      'service.name': UNKNOWN_SERVICE + name,
    }
  }

  /** What we found out, and over it what the process says of its service; a default it did not choose does not count. */
  private merge(found: Attributes, known: KnownProcess): Attributes {
    const claimed = known.context?.attributes ?? {}
    const merged: Record<string, Attributes[string]> = { ...this.base, ...found, ...claimed }
    if (String(claimed['service.name'] ?? '').startsWith('unknown_service'))
      merged['service.name'] = found['service.name']!
    return merged
  }
}

const KTHREADD = 2

// pid 0 is the idle task; a process of ours never has kthreadd for its parent.
function isKernelThread({ pid, parentPid }: KnownProcess): boolean {
  return pid === 0 || pid === KTHREADD || parentPid === KTHREADD
}

function programName({ executable, comm }: KnownProcess): string {
  return executable.slice(executable.lastIndexOf('/') + 1) || comm
}

/** What containers are told apart by. */
function keyOf({ id, name, podUid, runtime }: ContainerRef): string {
  return id || `${runtime}:${podUid}:${name}`
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

function dropOldest<K>(map: Map<K, unknown>): void {
  map.delete(map.keys().next().value!)
}
