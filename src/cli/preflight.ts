/**
 * Can we profile here? One list of findings about the host, each with its remedy: the first failed one is the line
 * that stops `profile`, all of them are the list of `profile doctor`. Pure over a HostSnapshot.
 */
import { AgentError, type ErrorCode } from '../errors.ts'
import { kernelNamesRemedy } from '../model/remedies.ts'
import type { HostSnapshot } from './host.ts'

export interface Finding {
  /** Stable name, for `--json`. */
  readonly id: string
  readonly level: 'ok' | 'warning' | 'failed'
  readonly text: string
  /** What to do, '' when nothing is. */
  readonly fix: string
  /** Code of the fault when it failed. */
  readonly code: ErrorCode
}

/** Bits of include/uapi/linux/capability.h. */
const CAP_DAC_OVERRIDE = 1
const CAP_DAC_READ_SEARCH = 2
export const CAP_SYS_PTRACE = 19
export const CAP_SYS_ADMIN = 21
export const CAP_SYSLOG = 34
export const CAP_PERFMON = 38
export const CAP_BPF = 39
const CAP_CHECKPOINT_RESTORE = 40

const MIN_NODE = [20, 19] as const
/** Rings of BPF and iterators over tasks; what later kernels add is used where it is there. */
const MIN_KERNEL = [5, 10] as const
const ARCHITECTURES = ['x64', 'arm64']

/** In the order they should be told. `again` is the command line to repeat under sudo, e.g. 'profile 4242'. */
export function checkHost(host: HostSnapshot, again: string): Finding[] {
  return [
    checkNode(host),
    checkPlatform(host),
    checkKernel(host),
    checkBtf(host),
    checkPrivileges(host, again),
    checkLockdown(host),
    checkPtrace(host),
    checkFiles(host),
    checkParanoid(host),
    checkKptr(host),
    checkCgroup(host),
  ]
}

/** Throws the first failed finding as AgentError `not_permitted` or `unsupported`. */
export function refuseUnfitHost(host: HostSnapshot, again: string): void {
  const failed = checkHost(host, again).find((f) => f.level === 'failed')
  if (failed)
    throw new AgentError(failed.code, failed.fix === '' ? failed.text : `${failed.text}; ${failed.fix}`)
}

function ok(id: string, text: string): Finding {
  return { id, level: 'ok', text, fix: '', code: 'internal' }
}
function warning(id: string, text: string, fix: string): Finding {
  return { id, level: 'warning', text, fix, code: 'internal' }
}
function failed(id: string, text: string, fix: string, code: ErrorCode = 'unsupported'): Finding {
  return { id, level: 'failed', text, fix, code }
}

function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const match = /(\d+)\.(\d+)/.exec(version)
  const [a, b] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)]
  return a > major || (a === major && b >= minor)
}

function has(host: HostSnapshot, capability: number): boolean {
  return ((host.capabilities >> BigInt(capability)) & 1n) === 1n
}

function checkNode(host: HostSnapshot): Finding {
  const want = MIN_NODE.join('.')
  if (atLeast(host.nodeVersion, MIN_NODE)) return ok('node', `Node ${host.nodeVersion}`)
  return failed(
    'node',
    `needs Node ${want} or later, this is ${host.nodeVersion}`,
    'install it from nodejs.org',
  )
}

function checkPlatform(host: HostSnapshot): Finding {
  const name = `${host.platform} ${host.arch}`
  if (host.platform === 'linux' && ARCHITECTURES.includes(host.arch)) return ok('platform', name)
  return failed(
    'platform',
    `needs Linux on ${ARCHITECTURES.join(' or ')}, this is ${name}`,
    'run it on such a machine',
  )
}

function checkKernel(host: HostSnapshot): Finding {
  const want = MIN_KERNEL.join('.')
  if (atLeast(host.kernelRelease, MIN_KERNEL)) return ok('kernel', `kernel ${host.kernelRelease}`)
  return failed(
    'kernel',
    `needs Linux ${want} or later, this is ${host.kernelRelease}`,
    'boot a newer kernel',
  )
}

function checkBtf(host: HostSnapshot): Finding {
  const path = '/sys/kernel/btf/vmlinux'
  if (host.hasBtf) return ok('btf', `kernel types (BTF) in ${path}`)
  const fix = host.inContainer
    ? 'mount /sys into the container'
    : 'boot a kernel built with CONFIG_DEBUG_INFO_BTF=y'
  return failed('btf', `the kernel's type information (BTF) is missing: no ${path}`, fix)
}

function checkPrivileges(host: HostSnapshot, again: string): Finding {
  const missing = [
    ...(has(host, CAP_BPF) ? [] : ['CAP_BPF']),
    ...(has(host, CAP_PERFMON) ? [] : ['CAP_PERFMON']),
  ]
  if (has(host, CAP_SYS_ADMIN) || missing.length === 0) {
    return ok('capabilities', host.uid === 0 ? 'running as root' : 'CAP_BPF and CAP_PERFMON')
  }
  if (host.uid !== 0) {
    return failed(
      'capabilities',
      'needs root, or CAP_BPF and CAP_PERFMON',
      `run: sudo ${again}`,
      'not_permitted',
    )
  }
  // Root without capabilities is root of a container or of a user namespace: sudo would not help.
  const add =
    'start the container with --cap-add BPF --cap-add PERFMON --cap-add SYS_PTRACE (or --privileged)'
  return failed('capabilities', `root here lacks ${missing.join(' and ')}`, add, 'not_permitted')
}

function checkLockdown(host: HostSnapshot): Finding {
  if (host.lockdown !== 'confidentiality') {
    return ok('lockdown', `kernel lockdown: ${host.lockdown === '' ? 'none' : host.lockdown}`)
  }
  const fix = 'boot with lockdown=integrity, or without secure boot'
  return failed('lockdown', 'kernel lockdown is "confidentiality", which forbids BPF to read memory', fix)
}

function checkPtrace(host: HostSnapshot): Finding {
  if (has(host, CAP_SYS_PTRACE)) return ok('ptrace', "CAP_SYS_PTRACE: other users' processes can be read")
  return warning(
    'ptrace',
    "without CAP_SYS_PTRACE the functions of other users' processes have no names",
    'run as root, or grant CAP_SYS_PTRACE too',
  )
}

/** Binaries that were replaced, or that only their owner may read. */
function checkFiles(host: HostSnapshot): Finding {
  const missing: string[] = []
  if (!has(host, CAP_CHECKPOINT_RESTORE) && !has(host, CAP_SYS_ADMIN)) missing.push('CAP_CHECKPOINT_RESTORE')
  if (!has(host, CAP_DAC_READ_SEARCH) && !has(host, CAP_DAC_OVERRIDE)) missing.push('CAP_DAC_READ_SEARCH')
  if (missing.length === 0) return ok('files', 'every binary can be opened, private and replaced ones too')
  return warning(
    'files',
    `without ${missing.join(' and ')} private or replaced binaries of other users have no names`,
    'run as root, or grant these too',
  )
}

function checkParanoid(host: HostSnapshot): Finding {
  const value = host.perfEventParanoid
  if (value === null) return warning('perf_event_paranoid', 'kernel.perf_event_paranoid cannot be read', '')
  // Mainline has no more than 2 and lets CAP_PERFMON pass. Kernels of Debian and Ubuntu have 3 and 4, which asked for
  // CAP_SYS_ADMIN until Ubuntu's fix of November 2025 (LP #2131046).
  if (has(host, CAP_SYS_ADMIN) || value < 0 || (value <= 2 && has(host, CAP_PERFMON)))
    return ok('perf_event_paranoid', `kernel.perf_event_paranoid is ${value}, no obstacle`)
  if (has(host, CAP_PERFMON)) {
    return warning(
      'perf_event_paranoid',
      `kernel.perf_event_paranoid is ${value}, where some kernels refuse CAP_PERFMON`,
      'if the samples are refused: sudo sysctl kernel.perf_event_paranoid=2, or grant CAP_SYS_ADMIN',
    )
  }
  return warning(
    'perf_event_paranoid',
    `kernel.perf_event_paranoid is ${value}`,
    'CAP_PERFMON passes it at any level',
  )
}

function checkKptr(host: HostSnapshot): Finding {
  // kallsyms_show_value(): 0 shows all where everybody may use perf anyway, 0 and 1 else to CAP_SYSLOG, 2 to nobody.
  const value = host.kptrRestrict
  const isOpen = value === 0 && host.perfEventParanoid !== null && host.perfEventParanoid <= 1
  const mayBeShown = value === 0 || value === 1
  if (isOpen || (mayBeShown && has(host, CAP_SYSLOG)))
    return ok('kptr_restrict', `kernel.kptr_restrict is ${value}, kernel functions have names`)
  return warning(
    'kptr_restrict',
    value === null
      ? 'kernel.kptr_restrict cannot be read'
      : `kernel.kptr_restrict is ${value}${mayBeShown ? ' and CAP_SYSLOG is missing' : ''}, kernel functions have no names`,
    kernelNamesRemedy(mayBeShown),
  )
}

function checkCgroup(host: HostSnapshot): Finding {
  if (host.cgroup2 !== '') return ok('cgroup2', `cgroup v2 at ${host.cgroup2}`)
  return warning(
    'cgroup2',
    'no cgroup v2 tree is mounted, so --cgroup has no effect here',
    'mount -t cgroup2 none /sys/fs/cgroup',
  )
}
