/** Opens the native sampler and words its failures for the user. */
import { cpus } from 'node:os'
import { AgentError, ERROR_CODES, type ErrorCode } from '../errors.ts'
import { loadAddon } from '../native/addon.ts'
import type { NativeSampler, RateRule, SamplerOptions } from '../native/sampler.ts'
import { withDescendants } from '../process/descendants.ts'
import { ownPidNamespaceInode } from '../process/proc-files.ts'
import { withCgroups } from './cgroup.ts'
import { ONE_RATE, type RatePlan } from './rate-plan.ts'
import { ringBytes } from './ring-size.ts'
import { unwindOptions } from './unwinding.ts'

/** Timer ticks per sample, of which one at random is kept: independent of the target's own rhythm from 3 on. */
const DITHER = 4

/** strerror(EMFILE), as native code appends it. */
const TOO_MANY_FILES = 'Too many open files'

const REMEDY: Partial<Record<ErrorCode, string>> = {
  not_permitted:
    'run as root, or grant CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE; `profile doctor` shows what is missing',
  unsupported: '`profile doctor` shows what this kernel lacks',
}

/** The part of a capture request that the kernel side needs. */
export interface SamplingRequest {
  readonly byPid: boolean
  readonly rateHz: number
  readonly kernelStacks: boolean
  readonly cgroupPath: string
  readonly comm: string
}

/** What the sampler is opened for: lists of filters, of which one each must hold, and how long the rings must last. */
export interface SamplerRequest {
  readonly byPid: boolean
  readonly rateHz: number
  readonly kernelStacks: boolean
  readonly cgroupPaths: readonly string[]
  readonly comms: readonly string[]
  readonly pidNamespaces: readonly number[]
  /** Of `rateHz` for some targets. */
  readonly plan?: RatePlan
  /** Of the ring of raw stacks: it must last from a burst of misses to the next turn of the pump. */
  readonly rawRingBytes: number
}

/** ' named "x" in cgroup /y', '' without a filter. */
export function filterText({ comm, cgroupPath }: Pick<SamplingRequest, 'comm' | 'cgroupPath'>): string {
  return (comm === '' ? '' : ` named "${comm}"`) + (cgroupPath === '' ? '' : ` in cgroup ${cgroupPath}`)
}

/** An open sampler whose timers do not run yet. Errors: AgentError. */
export function openSampler(request: SamplerRequest): NativeSampler {
  const { Sampler } = loadAddon()
  const plan = request.plan ?? ONE_RATE
  const rated = plan.rules.filter(({ by }) => by === 'cgroup').map(({ value }) => String(value))
  return withCgroups([...request.cgroupPaths, ...rated], (fds) => {
    const cgroupFds = fds.slice(0, request.cgroupPaths.length)
    const options: SamplerOptions = {
      rateHz: request.rateHz,
      baseShare: plan.baseShare,
      rateRules: rateRules(plan, fds.slice(cgroupFds.length)),
      event: 'auto',
      byPid: request.byPid,
      cgroupFds,
      comms: request.comms,
      pidNamespaces: request.pidNamespaces,
      kernelStacks: request.kernelStacks,
      dither: DITHER,
      pidNamespaceInode: ownPidNamespaceInode(),
      ringBytes: ringBytes(request.rateHz, cpus().length),
      rawRingBytes: request.rawRingBytes,
      ...unwindOptions(process.env, process.geteuid?.() ?? -1),
    }
    return worded(() => new Sampler(options))
  })
}

/** `fds`: of the cgroups that rules name, in their order. Processes that live now are named with their descendants. */
function rateRules({ rules }: RatePlan, fds: readonly number[]): RateRule[] {
  const left = [...fds]
  return rules.map(({ by, value, share }) => ({
    by,
    cgroupFd: by === 'cgroup' ? left.shift()! : -1,
    pidNamespace: by === 'pidNamespace' ? Number(value) : 0,
    comm: by === 'comm' ? String(value) : '',
    pids: by === 'pid' ? withDescendants([Number(value)], process.pid) : [],
    share,
  }))
}

/** Runs a step of the sampler. Errors: what it throws, as an AgentError with the remedy. */
export function worded<T>(step: () => T): T {
  try {
    return step()
  } catch (cause) {
    throw asAgentError(cause)
  }
}

function asAgentError(cause: unknown): AgentError {
  const { code: given, message } = cause as { code?: string; message?: string }
  // Each CPU takes some descriptors, and each sampled file one more.
  if (message?.includes(TOO_MANY_FILES))
    return new AgentError(
      'unsupported',
      'cannot sample: the limit of open files is too low; raise it: ulimit -n 1024',
      { cause },
    )
  const code = given !== undefined && given in ERROR_CODES ? (given as ErrorCode) : 'internal'
  const remedy = REMEDY[code]
  return new AgentError(code, `${(message ?? String(cause)).trim()}${remedy ? `; ${remedy}` : ''}`, { cause })
}
