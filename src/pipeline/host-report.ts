/** What every report of a capture says of the host. */
import { arch, cpus, hostname, release } from 'node:os'
import type { CaptureReport } from '../model/profile.ts'

export function hostReport(): CaptureReport['host'] {
  return { name: hostname(), kernel: release(), arch: arch(), cpus: cpus().length }
}

/** What a pprof file says of its origin; never the command line, which may hold secrets. */
export function commentsOf({ host, event, rateHz }: CaptureReport): string[] {
  return [
    `host: ${host.name}`,
    `kernel: ${host.kernel} ${host.arch}`,
    `sampler: emberscope ${event} ${rateHz} Hz`,
  ]
}
