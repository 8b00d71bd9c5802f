/** What every report of a capture says of the host. */
import { arch, cpus, hostname, release } from 'node:os'
import type { CaptureReport } from '../model/profile.ts'

let cpuCount = 0

/** CPUs are counted once: it takes milliseconds, for the kernel asks each of them how fast it is, and every window reports. */
export function hostReport(): CaptureReport['host'] {
  cpuCount ||= cpus().length
  return { name: hostname(), kernel: release(), arch: arch(), cpus: cpuCount }
}

/** What a pprof file says of its origin; never the command line, which may hold secrets. */
export function commentsOf({ host, event, rateHz }: CaptureReport): string[] {
  return [
    `host: ${host.name}`,
    `kernel: ${host.kernel} ${host.arch}`,
    `sampler: emberscope ${event} ${rateHz} Hz`,
  ]
}
