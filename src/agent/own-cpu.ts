/** What the agent takes of the host's CPUs: its own threads and the children it has waited for (the symbolizer's process). */
import { readFileSync } from 'node:fs'

/** USER_HZ, the unit of times in /proc/PID/stat: 100 on every Linux port of today. */
const NS_PER_TICK = 1e9 / 100

/** Nanoseconds since the start, without BPF. Where /proc can't be read, children count as nothing. */
export function ownCpuNs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000 + childrenCpuNs()
}

function childrenCpuNs(): number {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1')
    // Fields 16 and 17, cutime and cstime; the name in parentheses, field 2, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[13]) + Number(fields[14])) * NS_PER_TICK
  } catch {
    return 0
  }
}
