/** What this host offers, read once into plain data; preflight.ts judges it. Unreadable files give null or ''. */
import { existsSync, readFileSync } from 'node:fs'
import { arch, platform, release } from 'node:os'

export interface HostSnapshot {
  /** 'v20.19.0' */
  readonly nodeVersion: string
  readonly platform: string
  readonly arch: string
  /** '6.1.0-28-amd64' */
  readonly kernelRelease: string
  readonly uid: number
  /** CapEff of /proc/self/status as a bit set. */
  readonly capabilities: bigint
  readonly hasBtf: boolean
  /** 'none', 'integrity', 'confidentiality', or '' when the kernel has no lockdown. */
  readonly lockdown: string
  readonly perfEventParanoid: number | null
  readonly kptrRestrict: number | null
  /** Mount point of the cgroup v2 tree, '' when there is none. */
  readonly cgroup2: string
  /** Whether we seem to run in a container. */
  readonly inContainer: boolean
}

export function readHost(): HostSnapshot {
  return {
    nodeVersion: process.version,
    platform: platform(),
    arch: arch(),
    kernelRelease: release(),
    uid: process.geteuid?.() ?? -1,
    capabilities: parseCapabilities(readText('/proc/self/status')),
    hasBtf: existsSync('/sys/kernel/btf/vmlinux'),
    lockdown: parseLockdown(readText('/sys/kernel/security/lockdown')),
    perfEventParanoid: parseNumber(readText('/proc/sys/kernel/perf_event_paranoid')),
    kptrRestrict: parseNumber(readText('/proc/sys/kernel/kptr_restrict')),
    cgroup2: parseCgroup2Mount(readText('/proc/self/mounts')),
    inContainer:
      existsSync('/.dockerenv') || existsSync('/run/.containerenv') || process.env.container !== undefined,
  }
}

/** 'CapEff:\t000001ffffffffff' of a status file -> its bits; 0n without the line. */
export function parseCapabilities(status: string): bigint {
  const hex = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1]
  return hex === undefined ? 0n : BigInt(`0x${hex}`)
}

/** 'none [integrity] confidentiality' -> 'integrity'. */
export function parseLockdown(text: string): string {
  return /\[(\w+)\]/.exec(text)?.[1] ?? ''
}

/** Mount point of the first cgroup2 line of a mount table, '' without one. */
export function parseCgroup2Mount(mounts: string): string {
  const line = mounts.split('\n').find((l) => l.split(' ')[2] === 'cgroup2')
  return line?.split(' ')[1] ?? ''
}

function parseNumber(text: string): number | null {
  return /^-?\d+$/.test(text.trim()) ? Number(text) : null
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
