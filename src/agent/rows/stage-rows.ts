/** The smaller stages as rows: identity, flight recorder, health, configuration and log. */
import type { IdentityStats } from '../../identity/identity.ts'
import type { AgentLog } from '../../log/log.ts'
import { metric, metricBy } from '../../metrics/catalog.ts'
import type { HealthReport } from '../../metrics/health.ts'
import type { MetricRow } from '../../metrics/rows.ts'
import type { AgentServerStats } from '../../server/agent-server.ts'
import type { RecorderStats } from '../../server/recorder.ts'

export function identityRows(stats: IdentityStats): MetricRow[] {
  return [
    metric('emberscope_identity_processes', stats.processes),
    metric('emberscope_identity_resources', stats.resources),
    metric('emberscope_identity_pods', stats.pods),
    ...metricBy('emberscope_identity_lookups_total', 'source', stats.sources),
    ...metricBy('emberscope_identity_failures_total', 'reason', stats.failures),
    metric('emberscope_identity_contexts_total', stats.contexts),
    metric('emberscope_identity_context_stalled', stats.contextStalled ? 1 : 0),
    metric('emberscope_kubernetes_reachable', stats.kubernetesFault === '' ? 1 : 0),
  ]
}

export function recorderRows(stats: RecorderStats): MetricRow[] {
  return [
    metric('emberscope_recorder_windows', stats.windows),
    metric('emberscope_recorder_used_bytes', stats.bytes),
    metric('emberscope_recorder_limit_bytes', stats.maxBytes),
    metric('emberscope_recorder_added_total', stats.added),
    ...metricBy('emberscope_recorder_dropped_total', 'reason', { ...stats.dropped }),
  ]
}

export function healthRows({ checks }: HealthReport): MetricRow[] {
  return checks.map(({ name, ok }) => metric('emberscope_check_ok', ok ? 1 : 0, { check: name }))
}

/** What became of the configuration's file since the start. */
export interface ReloadStats {
  readonly applied: number
  readonly refused: number
  /** Whether the file as it is now is in force. */
  readonly lastSuccessful: boolean
}

export function configRows({ applied, refused, lastSuccessful }: ReloadStats): MetricRow[] {
  return [
    ...metricBy('emberscope_config_reloads_total', 'outcome', { applied, refused }),
    metric('emberscope_config_last_reload_successful', lastSuccessful ? 1 : 0),
  ]
}

export function logRows({ records, heldBack, unwritten }: ReturnType<AgentLog['stats']>): MetricRow[] {
  return [
    ...metricBy('emberscope_log_records_total', 'level', records),
    metric('emberscope_log_held_back_total', heldBack),
    metric('emberscope_log_unwritten_total', unwritten),
  ]
}

export function serverRows({ requests, readers, refused, slow }: AgentServerStats): MetricRow[] {
  return [
    metric('emberscope_server_requests_total', requests),
    metric('emberscope_server_live_readers', readers),
    ...metricBy('emberscope_server_readers_dropped_total', 'reason', { refused, slow }),
  ]
}
