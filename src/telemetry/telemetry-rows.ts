/** How the export of our own telemetry goes, as rows. */
import { metric } from '../metrics/catalog.ts'
import type { MetricRow } from '../metrics/rows.ts'
import type { TelemetryStats } from './options.ts'

export function telemetryRows(stats: TelemetryStats): MetricRow[] {
  return Object.entries(stats).flatMap(([signal, counts]) =>
    Object.entries(counts).map(([outcome, value]) =>
      metric('emberscope_telemetry_exports_total', value, { signal, outcome }),
    ),
  )
}
