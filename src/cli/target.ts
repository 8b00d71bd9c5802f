/** From what was asked to processes of this host: pids checked, names looked up. Refuses with what would work. */
import { existsSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { AgentError } from '../errors.ts'
import { nearest } from '../model/nearest.ts'
import type { TargetSpec } from './arguments.ts'
import { ancestorsOf, namesOf, type ProcessInfo, type ProcessSource, scriptOf } from './process-source.ts'
import { clean } from './terminal.ts'

/** Processes to profile, in the order asked or by pid; `name` titles the profile and its file. */
export interface FoundProcesses {
  readonly processes: readonly ProcessInfo[]
  readonly name: string
}

/** How many names or pids a message lists. */
const SHOWN = 3

/** Errors: AgentError `target_not_found` with the reason and near names. `self` is never a target by name. */
export function findProcesses(
  spec: Extract<TargetSpec, { kind: 'pids' | 'name' }>,
  source: ProcessSource,
  self: number,
): FoundProcesses {
  if (spec.kind === 'name') return { processes: byName(spec.name, source, self), name: spec.name }
  const processes = spec.pids.map((pid) => byPid(pid, source))
  const names = [...new Set(processes.map((p) => p.comm))]
  const more = names.length > SHOWN ? `+${names.length - SHOWN}` : ''
  return { processes, name: names.slice(0, SHOWN).join('+') + more }
}

function byPid(pid: number, source: ProcessSource): ProcessInfo {
  const info = pid > 0 && pid <= 0x7fff_ffff ? source.read(pid) : null
  if (!info) throw new AgentError('target_not_found', `there is no process ${pid}; pgrep -l NAME lists pids`)
  const name = clean(info.comm)
  if (info.tgid !== pid) {
    throw new AgentError(
      'target_not_found',
      `${pid} is a thread of process ${info.tgid} (${name}); use: profile ${info.tgid}`,
    )
  }
  if (hasEnded(info))
    throw new AgentError('target_not_found', `process ${pid} (${name}) has ended (it is a zombie)`)
  if (info.kernelThread) {
    throw new AgentError(
      'target_not_found',
      `${pid} (${name}) is a kernel thread, not a process; profile --all shows kernel threads too`,
    )
  }
  return info
}

function hasEnded(info: ProcessInfo): boolean {
  return info.state === 'Z' || info.state === 'X'
}

function byName(name: string, source: ProcessSource, self: number): ProcessInfo[] {
  const candidates = source.list().filter((p) => p.pid !== self && !hasEnded(p) && !p.kernelThread)
  const lower = name.toLowerCase()
  const matches: ((p: ProcessInfo) => boolean)[] = [
    (p) => namesOf(p).includes(name),
    (p) => namesOf(p).some((n) => n.toLowerCase() === lower),
    (p) => scriptOf(p) === name,
  ]
  const found = matches.map((match) => candidates.filter(match)).find((all) => all.length > 0) ?? []
  if (found.length === 0) throw noSuchName(name, candidates)
  // Whoever started us (sudo, npm, a shell) only waits for us: it is a target only when nothing else has that name.
  const above = new Set(ancestorsOf(self, source).map((p) => p.pid))
  const others = found.filter((p) => !above.has(p.pid))
  return (others.length > 0 ? others : found).sort((a, b) => a.pid - b.pid)
}

function noSuchName(name: string, candidates: readonly ProcessInfo[]): AgentError {
  const near = nearest(name, candidates.flatMap(namesOf), SHOWN).map((n) => {
    const pids = candidates.filter((p) => namesOf(p).includes(n)).map((p) => p.pid)
    const more = pids.length > SHOWN ? ', …' : ''
    return `${clean(n)} (${pids.slice(0, SHOWN).join(', ')}${more})`
  })
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'ps -e lists names'
  return new AgentError('target_not_found', `no process is named "${clean(name)}"; ${hint}`)
}

/**
 * The directory of a cgroup: a path, or one below the v2 mount as /proc/PID/cgroup writes it. Errors: AgentError
 * `target_not_found` when it does not exist, `unsupported` when it is no v2 cgroup.
 */
export function findCgroup(path: string, cwd: string, mount: string): string {
  const given = isAbsolute(path) ? path : resolve(cwd, path)
  const tries = mount === '' ? [given] : [given, join(mount, path)]
  const found = tries.find(
    (p) => existsSync(p) && statSync(p).isDirectory() && existsSync(join(p, 'cgroup.procs')),
  )
  if (!found)
    throw new AgentError('target_not_found', `there is no cgroup ${path} (looked at ${tries.join(' and ')})`)
  if (!existsSync(join(found, 'cgroup.controllers'))) {
    throw new AgentError(
      'unsupported',
      `${found} is a cgroup of version 1; --cgroup needs one below a cgroup2 mount`,
    )
  }
  return found
}
