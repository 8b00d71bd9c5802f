/** What the profiler itself costs: CPU of this process, memory while sampling, and when it was started. */
import { readFileSync } from 'node:fs'

/** USER_HZ, the unit of /proc/<pid>/stat times: 100 on every Linux port of today. */
const TICKS_PER_SECOND = 100
const OBSERVE_EVERY = 10

export class SelfCost {
  #rssBytes = process.memoryUsage.rss()
  #observations = 0
  /** exec of this process on CLOCK_BOOTTIME, rounded down to 10 ms by the kernel. */
  readonly startBootNs = startBootNs()

  /** Looks at the memory now and then; called once per turn of the pump. */
  observe(): void {
    if (this.#observations++ % OBSERVE_EVERY === 0)
      this.#rssBytes = Math.max(this.#rssBytes, process.memoryUsage.rss())
  }

  /** `otherCpuNs`: CPU spent for us elsewhere (BPF, the symbolizer). */
  total(otherCpuNs: number): { readonly cpuNs: number; readonly rssBytes: number } {
    const { user, system } = process.cpuUsage()
    return { cpuNs: (user + system) * 1000 + otherCpuNs, rssBytes: this.#rssBytes }
  }
}

let startNs: number | undefined

/** exec of this process on CLOCK_BOOTTIME, rounded down to 10 ms by the kernel. */
export function startBootNs(): number {
  startNs ??= readStartBootNs()
  return startNs
}

function readStartBootNs(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[19]) / TICKS_PER_SECOND) * 1e9 // field 22, starttime
}
