/** What we cost, and what is done about it: governor and memory budget as rows. */
import { metric, metricBy } from '../../metrics/catalog.ts'
import type { MetricRow } from '../../metrics/rows.ts'
import type { GovernorStats } from '../governor.ts'
import { type MemoryStats, PRESSURES } from '../memory-budget.ts'

export function governorRows(stats: GovernorStats): MetricRow[] {
  const { lowered, raised } = stats
  return [
    metric('emberscope_sampling_rate_configured_hertz', stats.configuredHz),
    metric('emberscope_overhead_ratio', stats.overhead),
    metric('emberscope_overhead_limit_ratio', stats.maxOverhead),
    ...metricBy('emberscope_governor_changes_total', 'direction', { lowered, raised }),
  ]
}

export function memoryRows(stats: MemoryStats): MetricRow[] {
  const { softBytes: soft, hardBytes: hard } = stats
  return [
    metric('emberscope_memory_used_bytes', stats.usedBytes),
    ...metricBy('emberscope_memory_limit_bytes', 'limit', { soft, hard }),
    ...metricBy('emberscope_memory_shed_total', 'stage', stats.shed),
    metric('emberscope_memory_pressure', PRESSURES.indexOf(stats.pressure)),
    metric('emberscope_windows_dropped_total', stats.refused, { reason: 'memory' }),
  ]
}
