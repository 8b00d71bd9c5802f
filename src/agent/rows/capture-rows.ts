/** What was captured, and how well, as rows. */
import { metric, metricBy } from '../../metrics/catalog.ts'
import type { MetricRow } from '../../metrics/rows.ts'
import type { ContinuousStats } from '../../pipeline/continuous-types.ts'

const MS = 1e-3
const NS = 1e-9

export function captureRows(stats: ContinuousStats): MetricRow[] {
  return [...sampleRows(stats), ...stackRows(stats), ...windowRows(stats), ...kernelRows(stats)]
}

function sampleRows({ captured, kept, waiting, dropped, thinned }: ContinuousStats): MetricRow[] {
  return [
    metric('emberscope_samples_thinned_total', thinned),
    metric('emberscope_samples_captured_total', captured),
    metric('emberscope_samples_kept_total', kept),
    metric('emberscope_samples_waiting', waiting),
    ...metricBy('emberscope_samples_dropped_total', 'reason', dropped),
  ]
}

function stackRows({ stacks, frames }: ContinuousStats): MetricRow[] {
  const { complete, approximate, truncated } = stacks
  const cut = Object.values(truncated).reduce((sum, count) => sum + count, 0)
  return [
    ...metricBy('emberscope_stacks_total', 'quality', { complete, approximate, truncated: cut }),
    ...metricBy('emberscope_stacks_truncated_total', 'reason', truncated),
    metric('emberscope_frames_named_total', frames.named),
    ...metricBy('emberscope_frames_unnamed_total', 'reason', frames.unnamed),
  ]
}

function windowRows(stats: ContinuousStats): MetricRow[] {
  return [
    metric('emberscope_windows_total', stats.windows),
    metric('emberscope_windows_waiting', stats.windowsWaiting),
    metric('emberscope_window_processing_seconds', stats.lastWindowJsMs * MS),
    metric('emberscope_longest_pause_seconds', stats.longestPauseMs * MS),
    metric('emberscope_start_to_first_sample_seconds', stats.startToFirstSampleNs * NS),
  ]
}

function targetRates({ targetRates }: ContinuousStats): Record<string, number> {
  return Object.fromEntries([...targetRates].map(([target, rateHz]) => [target || 'others', rateHz]))
}

function kernelRows(stats: ContinuousStats): MetricRow[] {
  const { samples, rawStacks } = stats.ringUse
  return [
    metric('emberscope_sampling_rate_hertz', stats.rateHz),
    ...metricBy('emberscope_target_rate_hertz', 'target', targetRates(stats)),
    ...metricBy('emberscope_ring_use_ratio', 'ring', { samples, raw_stacks: rawStacks }),
    metric('emberscope_process_events_lost_total', stats.lostEvents),
    metric('emberscope_bpf_seconds_total', stats.bpfNs * NS),
    metric('emberscope_bpf_runs_total', stats.bpfRuns),
    metric('emberscope_bpf_map_bytes', stats.mapBytes),
    metric('emberscope_sampler_info', 1, { event: stats.event, unwinder: stats.unwinder }),
  ]
}
