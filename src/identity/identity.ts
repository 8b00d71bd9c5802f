/**
 * Who is this process: the resource that its samples belong to.
 *
 * One resource a container (and published process context), one a process outside containers, one for the kernel's
 * threads. What vanishes with a process (cgroup, executable, context) is read when it is first seen; what arrives late
 * (the pod of a new container) is looked up when a window is sent. Nothing here is done per sample.
 */

import type { Attributes } from '../model/attributes.ts'
import type { SampledProcess } from '../model/sampled-process.ts'
import { readLink, withoutDeletedMark } from '../process/proc-files.ts'
import { ContainerLookup } from './container-lookup.ts'
import { ContextQueue } from './context-queue.ts'
import { parseResourceAttributes, readHost, withoutEmpty } from './host.ts'
import { findHostRoot, readTextFile } from './host-files.ts'
import { type KnownProcess, KnownProcesses } from './known-processes.ts'
import { PodWatch } from './kubernetes.ts'
import { type KubernetesChoice, podKeys } from './kubernetes-attributes.ts'
import { Resources } from './resources.ts'

export interface KubernetesOptions extends KubernetesChoice {
  /** `spec.nodeName` of the pods asked for: the downward API's NODE_NAME. */
  readonly nodeName: string
  /** API server; defaults: KUBERNETES_SERVICE_HOST and _PORT. */
  readonly host?: string
  readonly port?: number
  /** Directory of `token` and `ca.crt`; default /var/run/secrets/kubernetes.io/serviceaccount. */
  readonly accountDirectory?: string
}

export interface IdentityOptions {
  /** The agent's environment: OTEL_RESOURCE_ATTRIBUTES, KUBERNETES_SERVICE_HOST. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** null: no API server is asked. */
  readonly kubernetes: KubernetesOptions | null
  /** Read what processes publish of themselves (OTEP 4719). */
  readonly processContext: boolean
  /** process.command_line; off by default: it can hold secrets. */
  readonly commandLine: boolean
}

/** Counters since start; `failures` and `sources` by reason. */
export interface IdentityStats {
  /** Processes and resources known now. */
  readonly processes: number
  readonly resources: number
  /** How processes got their container: cgroup-id, proc, parent, none. */
  readonly sources: Readonly<Record<string, number>>
  readonly failures: Readonly<Record<string, number>>
  /** Process contexts read. */
  readonly contexts: number
  /** A process holds up the reading of its memory: no more contexts are read, and our own exit may have to be SIGKILL. */
  readonly contextStalled: boolean
  /** Pods known now; 0 without Kubernetes. */
  readonly pods: number
  /** '' while the API server answers or none is asked, else why its pods are not known. */
  readonly kubernetesFault: string
}

const CONTEXT_DELAY_MS = 1_000
const MAX_COMMAND_LINE = 4096

export class Identity {
  private readonly options: IdentityOptions
  private readonly base: Attributes
  private readonly processes = new KnownProcesses()
  private readonly containers: ContainerLookup
  private readonly resources: Resources
  private readonly contexts = new ContextQueue()
  private readonly watch: PodWatch | null
  private readonly bootUnixMs: number
  private readonly failures: Record<string, number> = {}

  /** Reads the host and begins to watch its pods; nothing is waited for. */
  constructor(options: IdentityOptions) {
    this.options = options
    const root = findHostRoot()
    this.base = this.readBase(root)
    this.containers = new ContainerLookup(root)
    const uptimeSeconds = Number((readTextFile('/proc/uptime') ?? '0').split(' ')[0])
    this.bootUnixMs = Date.now() - uptimeSeconds * 1000
    this.watch = this.beginWatch()
    const choice = options.kubernetes ?? { labels: [], annotations: [], serviceFromLabels: false }
    this.resources = new Resources(this.base, this.bootUnixMs, this.watch?.pods ?? null, choice)
  }

  /** Notes processes while they live. Known ones cost a look-up; cheap enough for every turn of the pump. */
  observe(seen: readonly SampledProcess[]): void {
    const nowMs = performance.now()
    for (const process of seen) {
      const known = this.processes.get(process.pid, process.startNs)
      if (!known) this.meet(process, nowMs)
      else {
        known.seenMs = nowMs
        if (known.comm !== process.comm || known.cgroupId !== process.cgroupId) this.update(known, process)
      }
    }
  }

  /** The resource of a process. Equal resources are the same frozen object, so identity can be compared by `===`. */
  attributesOf(process: SampledProcess): Attributes {
    const nowMs = performance.now()
    const known = this.processes.get(process.pid, process.startNs) ?? this.meet(process, nowMs)
    if (nowMs >= known.contextDueMs) this.contexts.want(known, 0)
    const generation = this.watch?.pods.generation ?? 0
    const isFresh = known.madeOf === known.context && known.generation === generation
    if (known.attributes && isFresh) return known.attributes
    const container = known.container ?? this.containers.late(known, this.processes.latest(known.parentPid))
    known.attributes = this.resources.describe(known, container)
    known.madeOf = known.context
    known.generation = known.container === undefined ? -1 : generation // asked again while not settled
    return known.attributes
  }

  /** host.*, os.* and OTEL_RESOURCE_ATTRIBUTES: part of every resource. */
  host(): Attributes {
    return this.base
  }

  stats(): IdentityStats {
    const failures: Record<string, number> = { ...this.failures }
    for (const [reason, count] of Object.entries(this.contexts.counts))
      if (reason !== 'read' && reason !== 'absent') failures[`context_${reason}`] = count
    for (const [reason, count] of Object.entries(this.watch?.counts ?? {}))
      if (reason !== 'listed' && reason !== 'watch_ended') failures[`kubernetes_${reason}`] = count
    return {
      processes: this.processes.size,
      resources: this.resources.size,
      sources: { ...this.containers.sources },
      failures,
      contexts: this.contexts.counts.read ?? 0,
      contextStalled: this.contexts.stalled,
      pods: this.watch?.pods.size ?? 0,
      kubernetesFault: this.watch?.fault ?? '',
    }
  }

  /** Ends the watch of the API server. Safe twice. */
  close(): void {
    this.watch?.close()
    this.contexts.close()
    this.containers.close()
  }

  private readBase(root: string): Attributes {
    const given = parseResourceAttributes(this.options.environment.OTEL_RESOURCE_ATTRIBUTES)
    if (given === null) this.fail('resource_attributes')
    const node = this.options.kubernetes?.nodeName ?? ''
    return Object.freeze(withoutEmpty({ ...readHost(root), 'k8s.node.name': node, ...given }))
  }

  private beginWatch(): PodWatch | null {
    const { kubernetes, environment } = this.options
    if (!kubernetes) return null
    const watch = new PodWatch({
      nodeName: kubernetes.nodeName,
      host: kubernetes.host ?? environment.KUBERNETES_SERVICE_HOST ?? 'kubernetes.default.svc',
      port: kubernetes.port ?? Number(environment.KUBERNETES_SERVICE_PORT ?? 443),
      ...(kubernetes.accountDirectory === undefined ? {} : { accountDirectory: kubernetes.accountDirectory }),
      keys: podKeys(kubernetes),
    })
    void watch.run()
    return watch
  }

  /** Reads what vanishes with the process. */
  private meet(process: SampledProcess, nowMs: number): KnownProcess {
    const known = this.processes.add(process, nowMs)
    this.readProgram(known)
    known.container = this.containers.early(known)
    if (known.container) this.resources.noteFirst(known, known.container)
    if (this.options.processContext && known.executable !== '') {
      const ageMs = Date.now() - this.bootUnixMs - process.startNs / 1e6
      this.contexts.want(known, Math.max(0, CONTEXT_DELAY_MS - ageMs))
    }
    return known
  }

  /** It called exec, changed its name or was moved to another cgroup. */
  private update(known: KnownProcess, process: SampledProcess): void {
    known.comm = process.comm
    known.parentPid = process.parentPid
    if (known.cgroupId !== process.cgroupId) {
      known.cgroupId = process.cgroupId
      known.container = this.containers.early(known)
    }
    const before = known.executable
    this.readProgram(known)
    if (known.executable === before) return
    known.attributes = null
    known.context = null // a mapping does not outlive exec
    if (this.options.processContext && known.contextDueMs < Infinity)
      this.contexts.want(known, CONTEXT_DELAY_MS)
  }

  private readProgram(known: KnownProcess): void {
    const link = withoutDeletedMark(readLink(`/proc/${known.pid}/exe`))
    if (link === '') return // gone, or a thread of the kernel
    known.executable = link
    if (!this.options.commandLine) return
    const line = readTextFile(`/proc/${known.pid}/cmdline`) ?? ''
    known.commandLine = line.slice(0, MAX_COMMAND_LINE).replaceAll('\0', ' ').trim()
  }

  private fail(reason: string): void {
    this.failures[reason] = (this.failures[reason] ?? 0) + 1
  }
}
