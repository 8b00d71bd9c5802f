/**
 * Which container a cgroup belongs to, told from its path alone.
 *
 * No runtime is asked: each writes the container's id into the name of a directory, in one of a few shapes, and the
 * kubelet the pod's uid into one above it. The innermost container wins (a pod of kind runs inside the container of a
 * "node"); the outer ones are kept, for whoever knows only those.
 */

export interface ContainerRef {
  /** 64 hex digits as a rule; ECS Fargate, Cloud Foundry and Mesos have shapes of their own. '' for LXC and nspawn. */
  readonly id: string
  /** What runtimes without ids have instead (LXC, systemd-nspawn), else ''. */
  readonly name: string
  /** With dashes; a static pod's has none. '' outside Kubernetes. */
  readonly podUid: string
  /** `container.runtime.name`, '' when the path does not tell it. */
  readonly runtime: string
  /** Ids of the containers around this one, outermost first. */
  readonly outerIds: readonly string[]
}

/** One line of /proc/<pid>/cgroup. */
export interface CgroupLine {
  /** '' for the v2 hierarchy, else the v1 controllers as written (`cpu,cpuacct`, `name=systemd`). */
  readonly controllers: string
  readonly path: string
}

const MAX_TEXT = 64 * 1024 // 12 hierarchies of PATH_MAX would be 48 KiB
const MAX_COMPONENTS = 64

/** The lines of a /proc/<pid>/cgroup; what is malformed is skipped. */
export function parseCgroupFile(text: string): CgroupLine[] {
  const lines: CgroupLine[] = []
  for (const line of text.slice(0, MAX_TEXT).split('\n')) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line) // a path may hold colons, a list of controllers does not
    if (match) lines.push({ controllers: match[1]!, path: match[2]!.replace(/ \(deleted\)$/, '') })
  }
  return lines
}

/** The container that these cgroups are of, the v2 hierarchy asked first; null when none of them is a container's. */
export function containerOfCgroups(lines: readonly CgroupLine[]): ContainerRef | null {
  const byTrust = [...lines].sort((a, b) => trustOf(a) - trustOf(b))
  let best: ContainerRef | null = null
  for (const { path } of byTrust) {
    const found = containerOfPath(path)
    if (!found) continue
    if (found.id !== '' && found.podUid !== '') return found
    if (!best || (best.id === '' && found.id !== '')) best = found
  }
  return best
}

// v1 hierarchies may disagree: a program may move itself in one of them, hardly ever in systemd's.
function trustOf(line: CgroupLine): number {
  if (line.controllers === '') return 0
  return line.controllers === 'name=systemd' ? 1 : 2
}

const HEX64 = /^(?:(.*)[-_:.])?([0-9a-f]{64})$/
const POD_CGROUPFS = /^pod([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})$/
const POD_SYSTEMD = /(?:^|-)pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})$/

/** What the name of a scope or directory starts with, by runtime. */
const RUNTIMES: Readonly<Record<string, string>> = {
  docker: 'docker',
  'cri-containerd': 'containerd',
  containerd: 'containerd',
  nerdctl: 'containerd',
  crio: 'cri-o',
  libpod: 'podman',
  'libpod-payload': 'podman',
}
/** Directories that hold one directory a container. */
const RUNTIME_PARENTS: Readonly<Record<string, string>> = {
  docker: 'docker',
  actions_job: 'docker',
  'k8s.io': 'containerd',
  libpod_parent: 'podman',
}

/** The container of one cgroup path (`/docker/<id>/init.scope`), null when it is in none. */
export function containerOfPath(path: string): ContainerRef | null {
  let found: Omit<ContainerRef, 'outerIds'> | null = null
  let podUid = ''
  const ids: string[] = []
  const components = path.split('/').slice(0, MAX_COMPONENTS)
  for (let i = 0; i < components.length; i++) {
    const component = components[i]!
    podUid = podUidIn(component) || podUid
    const container = containerIn(component, components[i - 1] ?? '', components[i - 2] ?? '')
    if (!container) continue
    if (container.id !== '' && container.id !== ids.at(-1)) ids.push(container.id)
    found = { ...container, podUid }
  }
  if (!found) return podUid === '' ? null : { id: '', name: '', podUid, runtime: '', outerIds: ids }
  return { ...found, podUid: found.podUid || podUid, outerIds: ids.filter((id) => id !== found.id) }
}

/** A pod's directory: `pod<uid>`, or a slice `…-pod<uid>.slice` with the uid's dashes as underscores. */
function podUidIn(component: string): string {
  const slice = /^(.*)\.slice(?::.*)?$/.exec(component) // `…slice:cri-containerd:<id>`: containerd with the wrong driver
  const uid = slice ? POD_SYSTEMD.exec(slice[1]!)?.[1] : POD_CGROUPFS.exec(component)?.[1]
  return uid?.replaceAll('_', '-') ?? ''
}

type Named = Pick<ContainerRef, 'id' | 'name' | 'runtime'>

function containerIn(component: string, parent: string, grandparent: string): Named | null {
  if (/\.(slice|mount|service|socket)$/.test(component)) return nspawnService(component)
  const bare = component.replace(/\.scope$/, '')
  const hex = HEX64.exec(bare)
  if (hex) return hexContainer(hex[1] ?? '', hex[2]!, parent)
  return idOfOtherShape(bare, parent, grandparent) ?? namedContainer(bare, parent)
}

function hexContainer(prefix: string, id: string, parent: string): Named | null {
  // conmon is the runtime's own process beside the container; a podman pod holds containers and is none.
  if (prefix.endsWith('conmon') || prefix.endsWith('libpod_pod')) return null
  const last = prefix.split(':').at(-1)!
  return { id, name: '', runtime: RUNTIMES[last] ?? (prefix === '' ? (RUNTIME_PARENTS[parent] ?? '') : '') }
}

function idOfOtherShape(bare: string, parent: string, grandparent: string): Named | null {
  if (/^[0-9a-f]{32}-\d{1,10}$/.test(bare) && (grandparent === 'ecs' || parent === bare.slice(0, 32)))
    return { id: bare, name: '', runtime: '' } // Fargate: <task>-<number>
  if (parent === 'garden' && /^[0-9a-f]{8}(-[0-9a-f]{4}){4}([0-9a-f]{8})?$/.test(bare))
    return { id: bare, name: '', runtime: 'garden' }
  if (parent === 'mesos' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(bare))
    return { id: bare, name: '', runtime: 'mesos' }
  return null
}

/** LXC and systemd-machined have names, not ids. */
function namedContainer(bare: string, parent: string): Named | null {
  const lxc = /^lxc\.payload\.(.+)$/.exec(bare)?.[1] ?? (/^lxc(\.payload)?$/.test(parent) ? bare : '')
  if (lxc !== '') return { id: '', name: lxc, runtime: 'lxc' }
  const machine = parent === 'machine.slice' ? /^machine-(.+)$/.exec(bare)?.[1] : undefined
  return machine ? { id: '', name: unescapeUnit(machine), runtime: 'systemd-nspawn' } : null
}

function nspawnService(component: string): Named | null {
  const name = /^systemd-nspawn@(.+)\.service$/.exec(component)?.[1]
  return name ? { id: '', name: unescapeUnit(name), runtime: 'systemd-nspawn' } : null
}

/** systemd writes what may not stand in a unit's name as `\x2d`; bytes, so UTF-8 comes in several. */
function unescapeUnit(name: string): string {
  const bytes = name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return bytes === name ? name : Buffer.from(bytes, 'latin1').toString('utf8')
}
