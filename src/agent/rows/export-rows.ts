/** The queue and each destination as rows. */
import type { DestinationStats, ExporterStats, QueueStats } from '../../export/stats.ts'
import { metric, metricBy } from '../../metrics/catalog.ts'
import type { MetricRow } from '../../metrics/rows.ts'

const MS = 1e-3

export function exportRows(stats: ExporterStats): MetricRow[] {
  return [...queueRows(stats.queue), ...stats.destinations.flatMap(destinationRows)]
}

function queueRows(queue: QueueStats): MetricRow[] {
  const { diskBytes: disk, memoryBytes: memory } = queue
  return [
    ...metricBy('emberscope_queue_used_bytes', 'medium', { disk, memory }),
    metric('emberscope_queue_limit_bytes', queue.maxBytes),
    metric('emberscope_queue_segments', queue.segments),
    metric('emberscope_queue_durable', queue.durable ? 1 : 0),
    metric('emberscope_queue_torn_tails_total', queue.tornTails),
    metric('emberscope_queue_corrupt_records_total', queue.corruptRecords),
    metric('emberscope_queue_corrupt_bytes_total', queue.corruptBytes),
    ...metricBy('emberscope_queue_disk_errors_total', 'code', queue.diskErrors),
    metric('emberscope_queue_fsyncs_total', queue.fsyncs),
  ]
}

function destinationRows(stats: DestinationStats): MetricRow[] {
  const at = { destination: stats.name }
  return [
    metric('emberscope_export_restored_samples_total', stats.restoredSamples, at),
    metric('emberscope_export_accepted_samples_total', stats.acceptedSamples, at),
    metric('emberscope_export_sent_samples_total', stats.sentSamples, at),
    metric('emberscope_export_sent_requests_total', stats.sentRequests, at),
    ...metricBy('emberscope_export_dropped_samples_total', 'reason', stats.dropped, at),
    ...metricBy('emberscope_export_dropped_requests_total', 'reason', stats.droppedRequests, at),
    ...metricBy('emberscope_export_retries_total', 'reason', stats.retried, at),
    metric('emberscope_export_rejected_profiles_total', stats.partialRejectedProfiles, at),
    metric('emberscope_export_partial_answers_total', stats.partialAnswers, at),
    metric('emberscope_export_unreadable_answers_total', stats.unreadableAnswers, at),
    ...waitingRows(stats, at),
  ]
}

function waitingRows(stats: DestinationStats, at: { readonly destination: string }): MetricRow[] {
  return [
    metric('emberscope_export_queue_samples', stats.queueSamples, at),
    metric('emberscope_export_queue_requests', stats.queueRequests, at),
    metric('emberscope_export_queue_bytes', stats.queueBytes, at),
    metric('emberscope_export_requests_in_flight', stats.inFlight, at),
    metric('emberscope_export_lag_seconds', stats.lagMs * MS, at),
    metric('emberscope_export_oldest_age_seconds', stats.oldestAgeMs * MS, at),
    metric('emberscope_export_last_success_timestamp_seconds', stats.lastSuccessAtMs * MS, at),
  ]
}
