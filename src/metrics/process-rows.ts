/** This process as rows, by the names Prometheus client libraries agree on; from /proc/self, a few reads a scrape. */
import { readdirSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { metric } from './catalog.ts'
import type { MetricRow } from './rows.ts'

/** `version` is ours. Where /proc can't be read, the rows that need it are absent: a missing value is not a zero. */
export function processRows(version: string, startedMs: number): MetricRow[] {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed, external } = process.memoryUsage()
  return [
    metric('process_cpu_seconds_total', (user + system) / 1e6),
    metric('process_resident_memory_bytes', rss),
    metric('process_start_time_seconds', startedMs / 1000),
    metric('emberscope_heap_used_bytes', heapUsed),
    metric('emberscope_external_bytes', external),
    ...statusRows(),
    ...descriptorRows(),
    buildInfo(version),
  ]
}

function buildInfo(version: string): MetricRow {
  const labels = { version, node: process.versions.node, arch: process.arch, kernel: release() }
  return metric('emberscope_build_info', 1, labels)
}

function statusRows(): MetricRow[] {
  const status = textOf('/proc/self/status')
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]
  const virtualKb = field('VmSize')
  const threads = field('Threads')
  return [
    ...(virtualKb === undefined ? [] : [metric('process_virtual_memory_bytes', Number(virtualKb) * 1024)]),
    ...(threads === undefined ? [] : [metric('emberscope_threads', Number(threads))]),
  ]
}

function descriptorRows(): MetricRow[] {
  const limit = /^Max open files\s+(\d+)/m.exec(textOf('/proc/self/limits'))?.[1]
  const rows = limit === undefined ? [] : [metric('process_max_fds', Number(limit))]
  try {
    // The directory itself is open while it is read.
    return [metric('process_open_fds', readdirSync('/proc/self/fd').length - 1), ...rows]
  } catch {
    return rows
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
