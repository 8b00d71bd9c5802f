/** The pods of this node: only what attributes need of each, found by container id or pod uid, kept a while when gone. */

export interface PodContainer {
  readonly name: string
  /** As the pod asks for it. */
  readonly image: string
  /** What the runtime ran: `name@sha256:…` or `sha256:…`. */
  readonly imageId: string
  readonly restartCount: number
  /** Scheme of its id: containerd, cri-o, docker. */
  readonly runtime: string
}

export interface Pod {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly node: string
  readonly ownerKind: string
  readonly ownerName: string
  readonly ownerUid: string
  /** Only the keys asked for. */
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** By container id. */
  readonly containers: Readonly<Record<string, PodContainer>>
}

/** Which labels and annotations are kept. */
export interface PodKeys {
  label(key: string): boolean
  annotation(key: string): boolean
}

/** A static pod's cgroups have this hash, not the uid of its mirror in the API. */
export const CONFIG_HASH = 'kubernetes.io/config.hash'

type Json = Readonly<Record<string, unknown>>

const MAX_CONTAINERS = 256
const asObject = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
const asList = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(asObject) : [])
const asText = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A pod of the API as JSON.parse gives it; null when it has no uid or name. Fields of other types count as absent. */
export function readPod(value: unknown, keys: PodKeys): Pod | null {
  const { metadata, spec, status } = asObject(value)
  const meta = asObject(metadata)
  const uid = asText(meta.uid)
  const name = asText(meta.name)
  if (uid === '' || name === '') return null
  const owners = asList(meta.ownerReferences)
  const owner = owners.find((one) => one.controller === true) ?? {}
  return {
    uid,
    name,
    namespace: asText(meta.namespace),
    node: asText(asObject(spec).nodeName),
    ownerKind: asText(owner.kind),
    ownerName: asText(owner.name),
    ownerUid: asText(owner.uid),
    labels: keptOf(meta.labels, keys.label),
    annotations: keptOf(meta.annotations, keys.annotation),
    containers: readContainers(asObject(spec), asObject(status)),
  }
}

function keptOf(value: unknown, keeps: (key: string) => boolean): Record<string, string> {
  const kept: Record<string, string> = Object.create(null) // a label may be called __proto__
  for (const [key, text] of Object.entries(asObject(value)))
    if (typeof text === 'string' && keeps(key)) kept[key] = text
  return kept
}

function readContainers(spec: Json, status: Json): Record<string, PodContainer> {
  const images = new Map<string, string>()
  for (const list of [spec.initContainers, spec.containers, spec.ephemeralContainers])
    for (const one of asList(list)) images.set(asText(one.name), asText(one.image))
  const containers: Record<string, PodContainer> = Object.create(null)
  let count = 0
  for (const list of [
    status.initContainerStatuses,
    status.containerStatuses,
    status.ephemeralContainerStatuses,
  ])
    for (const one of asList(list)) {
      const name = asText(one.name)
      const restarts = Number.isSafeInteger(one.restartCount) ? (one.restartCount as number) : 0
      const before = asObject(asObject(one.lastState).terminated).containerID
      for (const [id, restartCount] of [
        [asText(before), Math.max(0, restarts - 1)],
        [asText(one.containerID), restarts],
      ] as const) {
        const [, runtime = '', bare = ''] = /^([a-z-]+):\/\/(.+)$/.exec(id) ?? []
        if (bare === '' || count++ >= MAX_CONTAINERS) continue
        const image = images.get(name) || asText(one.image)
        containers[bare] = { name, image, imageId: asText(one.imageID), restartCount, runtime }
      }
    }
  return containers
}

interface Held {
  pod: Pod
  /** Content, to see whether an event changes anything we keep. */
  text: string
  goneMs: number
  /** Containers that the pod had and has no more: id -> when. */
  readonly former: Map<string, { container: PodContainer; goneMs: number }>
}

const MAX_PODS = 4096

export class PodTable {
  /** Changes whenever an answer may. */
  generation = 0
  private readonly pods = new Map<string, Held>()
  private readonly uidOfContainer = new Map<string, string>()
  private readonly uidOfHash = new Map<string, string>()
  private readonly retentionMs: number
  private readonly now: () => number

  /** `now` in ms; gone pods and containers stay for `retentionMs`. */
  constructor(retentionMs: number, now: () => number) {
    this.retentionMs = retentionMs
    this.now = now
  }

  get size(): number {
    return this.pods.size
  }

  byContainer(id: string): { pod: Pod; container: PodContainer } | null {
    const held = this.pods.get(this.uidOfContainer.get(id) ?? '')
    const container = held?.pod.containers[id] ?? held?.former.get(id)?.container
    return held && container ? { pod: held.pod, container } : null
  }

  /** By the uid of the API or, for a static pod, of its cgroups. */
  byUid(uid: string): Pod | null {
    const held = this.pods.get(uid) ?? this.pods.get(this.uidOfHash.get(uid.replaceAll('-', '')) ?? '')
    return held?.pod ?? null
  }

  set(pod: Pod): void {
    const text = JSON.stringify(pod)
    const held = this.pods.get(pod.uid)
    if (held?.text === text && held.goneMs === 0) return
    this.generation++
    if (held) this.update(held, pod, text)
    else {
      if (this.pods.size >= MAX_PODS) this.drop(this.pods.keys().next().value!)
      this.pods.set(pod.uid, { pod, text, goneMs: 0, former: new Map() })
    }
    for (const id of Object.keys(pod.containers)) this.uidOfContainer.set(id, pod.uid)
    const hash = pod.annotations[CONFIG_HASH]
    if (hash) this.uidOfHash.set(hash, pod.uid)
    this.sweep()
  }

  private update(held: Held, pod: Pod, text: string): void {
    for (const [id, container] of Object.entries(held.pod.containers))
      if (!pod.containers[id]) held.former.set(id, { container, goneMs: this.now() })
    held.pod = pod
    held.text = text
    held.goneMs = 0
  }

  /** The pod was deleted: its last samples may still be on their way. */
  remove(uid: string): void {
    const held = this.pods.get(uid)
    if (held && held.goneMs === 0) held.goneMs = this.now()
    this.sweep()
  }

  /** A new list: what is not in it was deleted while nobody watched. */
  keepOnly(uids: ReadonlySet<string>): void {
    for (const uid of [...this.pods.keys()]) if (!uids.has(uid)) this.remove(uid)
  }

  private sweep(): void {
    const before = this.now() - this.retentionMs
    for (const [uid, held] of this.pods) {
      if (held.goneMs > 0 && held.goneMs < before) this.drop(uid)
      for (const [id, { goneMs }] of held.former)
        if (goneMs < before && held.former.delete(id)) this.uidOfContainer.delete(id)
    }
  }

  private drop(uid: string): void {
    const held = this.pods.get(uid)
    this.pods.delete(uid)
    this.generation++
    if (!held) return
    for (const id of [...Object.keys(held.pod.containers), ...held.former.keys()])
      if (this.uidOfContainer.get(id) === uid) this.uidOfContainer.delete(id)
    const hash = held.pod.annotations[CONFIG_HASH]
    if (hash && this.uidOfHash.get(hash) === uid) this.uidOfHash.delete(hash)
  }
}
