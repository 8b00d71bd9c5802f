/**
 * Every metric of the agent: one table, from which the exposition takes type and help, and which the alert rules, the
 * dashboard and the README are compared with. `labels` are the names of a metric's labels.
 */
import type { MetricRow } from './rows.ts'

interface Metric {
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly labels?: readonly string[]
}

const counter = (help: string, ...labels: string[]): Metric => ({ type: 'counter', help, labels })
const gauge = (help: string, ...labels: string[]): Metric => ({ type: 'gauge', help, labels })

export const METRICS = {
  // Capture: captured = kept + dropped + waiting; kept = complete + approximate + truncated.
  emberscope_samples_captured_total: counter('Timer ticks that hit a process we profile.'),
  emberscope_samples_kept_total: counter('Captured samples that reached a window.'),
  emberscope_samples_waiting: gauge(
    'Captured samples in the rings or parked until an unwind table is loaded.',
  ),
  emberscope_samples_dropped_total: counter('Captured samples that were lost, by reason.', 'reason'),
  emberscope_stacks_total: counter('Kept samples by quality of their stack.', 'quality'),
  emberscope_stacks_truncated_total: counter(
    'Stacks that did not reach the first frame of their thread, by reason.',
    'reason',
  ),
  emberscope_frames_named_total: counter('Frames with a function name, weighted by samples.'),
  emberscope_frames_unnamed_total: counter(
    'Frames without a name, weighted by samples, by reason.',
    'reason',
  ),
  emberscope_windows_total: counter('Windows closed and handed on.'),
  emberscope_windows_dropped_total: counter(
    'Windows that were not exported or not recorded, by reason.',
    'reason',
  ),
  emberscope_windows_waiting: gauge('Windows that are closed and wait for their names.'),
  emberscope_window_processing_seconds: gauge(
    'Time that naming the last window took on the main thread, with what it waited there for a CPU.',
  ),
  emberscope_samples_too_large_total: counter(
    'Samples whose stack alone is larger than maxRequestBytes: not exported.',
  ),
  emberscope_window_export_seconds: gauge('CPU time to tell whose the last window is and to encode it.'),
  emberscope_longest_pause_seconds: gauge('Longest time that a window held the event loop, since the start.'),
  emberscope_sampling_rate_hertz: gauge(
    'Samples per second and CPU now, the highest of all targets; below the configured one if lowered.',
  ),
  emberscope_sampling_rate_configured_hertz: gauge(
    'Samples per second and CPU that the configuration asks for, the highest of all targets.',
  ),
  emberscope_target_rate_hertz: gauge(
    'Samples per second and CPU now by target, where targets have rates of their own.',
    'target',
  ),
  emberscope_samples_thinned_total: counter(
    'Ticks in targets that were no sample, since the rate of the target is lower than the highest one.',
  ),
  emberscope_ring_use_ratio: gauge(
    'The fullest that a ring was when it was drained, since the start.',
    'ring',
  ),
  emberscope_process_events_lost_total: counter('Events of processes that the kernel could not deliver.'),
  emberscope_start_to_first_sample_seconds: gauge('From exec of the agent to its first sample; 0 before it.'),
  emberscope_sampler_info: gauge(
    'Always 1; event and unwinder in use are in the labels.',
    'event',
    'unwinder',
  ),

  // What we cost.
  emberscope_bpf_seconds_total: counter(
    'CPU time of our BPF programs, estimated from runs they time themselves.',
  ),
  emberscope_bpf_runs_total: counter('Runs of our BPF programs.'),
  emberscope_bpf_map_bytes: gauge('Memory of our BPF maps: rings, hashes and unwind tables.'),
  emberscope_overhead_ratio: gauge(
    'CPU time of the agent and its BPF programs as a share of all CPUs of the host.',
  ),
  emberscope_overhead_limit_ratio: gauge('maxOverhead: above it the governor lowers the rate.'),
  emberscope_governor_changes_total: counter('Changes of the rate by the governor.', 'direction'),
  emberscope_memory_used_bytes: gauge('Resident memory and BPF maps, as the memory budget counts them.'),
  emberscope_memory_limit_bytes: gauge(
    'The memory budget, soft (caches are shed) and hard (windows refused).',
    'limit',
  ),
  emberscope_memory_shed_total: counter(
    'Times the memory budget made a stage give memory back, by stage.',
    'stage',
  ),
  emberscope_memory_pressure: gauge('0 below the soft limit, 1 above it, 2 above the hard one.'),

  // Export, by destination: restored + accepted = sent + dropped + queued.
  emberscope_export_restored_samples_total: counter(
    'Samples found in the disk queue at the start.',
    'destination',
  ),
  emberscope_export_accepted_samples_total: counter('Samples taken into the queue.', 'destination'),
  emberscope_export_sent_samples_total: counter('Samples that the destination acknowledged.', 'destination'),
  emberscope_export_dropped_samples_total: counter('Samples given up, by reason.', 'destination', 'reason'),
  emberscope_export_queue_samples: gauge('Samples that wait or are in flight.', 'destination'),
  emberscope_export_queue_requests: gauge('Requests that wait or are in flight.', 'destination'),
  emberscope_export_queue_bytes: gauge('Bytes that wait or are in flight.', 'destination'),
  emberscope_export_sent_requests_total: counter(
    'Requests that the destination acknowledged.',
    'destination',
  ),
  emberscope_export_dropped_requests_total: counter('Requests given up, by reason.', 'destination', 'reason'),
  emberscope_export_retries_total: counter(
    'Attempts repeated, by reason of the failure.',
    'destination',
    'reason',
  ),
  emberscope_export_rejected_profiles_total: counter('Profiles refused in partial successes.', 'destination'),
  emberscope_export_partial_answers_total: counter('Answers that told of a partial success.', 'destination'),
  emberscope_export_unreadable_answers_total: counter(
    'Successes without a readable OTLP body.',
    'destination',
  ),
  emberscope_export_requests_in_flight: gauge('Requests sent and not answered yet.', 'destination'),
  emberscope_export_lag_seconds: gauge(
    'From enqueue to acknowledgement, of the last request sent.',
    'destination',
  ),
  emberscope_export_oldest_age_seconds: gauge(
    'Age of the oldest request not acknowledged; 0: none.',
    'destination',
  ),
  emberscope_export_last_success_timestamp_seconds: gauge(
    'When a request was last acknowledged; 0: never.',
    'destination',
  ),
  emberscope_queue_used_bytes: gauge(
    'Bytes of the queue, on disk, and in memory while the disk fails.',
    'medium',
  ),
  emberscope_queue_limit_bytes: gauge('queue.maxBytes: past it the oldest samples are dropped.'),
  emberscope_queue_segments: gauge('Files of the queue.'),
  emberscope_queue_durable: gauge('1 while the queue is written to disk, 0 while it is held in memory only.'),
  emberscope_queue_torn_tails_total: counter('Ends of queue files that a crash cut off.'),
  emberscope_queue_corrupt_records_total: counter('Records of the queue that were damaged.'),
  emberscope_queue_corrupt_bytes_total: counter('Bytes of the queue that could not be read.'),
  emberscope_queue_disk_errors_total: counter('Failed operations on the queue, by error code.', 'code'),
  emberscope_queue_fsyncs_total: counter('Times the queue was forced to the medium.'),

  // Identity and the flight recorder.
  emberscope_identity_processes: gauge('Processes known now.'),
  emberscope_identity_resources: gauge('Different resources (containers, host processes) known now.'),
  emberscope_identity_pods: gauge('Pods of this node known now.'),
  emberscope_identity_lookups_total: counter('Processes by where their container was learnt from.', 'source'),
  emberscope_identity_failures_total: counter('What could not be learnt of a process, by reason.', 'reason'),
  emberscope_identity_contexts_total: counter('Process contexts that processes published and we read.'),
  emberscope_identity_context_stalled: gauge(
    '1 if a process holds up the reading of contexts: no more are read.',
  ),
  emberscope_kubernetes_reachable: gauge(
    '0 while the API server does not answer; 1 if it does or none is asked.',
  ),
  emberscope_recorder_windows: gauge('Windows in the flight recorder.'),
  emberscope_recorder_used_bytes: gauge('Memory of the windows in the flight recorder.'),
  emberscope_recorder_limit_bytes: gauge('recorder.maxBytes: past it the oldest windows leave.'),
  emberscope_recorder_added_total: counter('Windows put into the flight recorder.'),
  emberscope_recorder_dropped_total: counter('Windows that left the flight recorder, by reason.', 'reason'),

  // The agent itself.
  emberscope_check_ok: gauge('1 if a check of /healthz and /readyz passes.', 'check'),
  emberscope_server_requests_total: counter('Requests to our own server: metrics, health, page.'),
  emberscope_server_live_readers: gauge('Pages that follow windows live.'),
  emberscope_server_readers_dropped_total: counter(
    'Live readers turned away or given up, by reason.',
    'reason',
  ),
  emberscope_config_reloads_total: counter('Reloads of the configuration, by outcome.', 'outcome'),
  emberscope_config_last_reload_successful: gauge(
    '0 if the configuration in the file is refused, 1 if it is in force.',
  ),
  emberscope_log_records_total: counter(
    'Records of the log by level, those held back as repeats too.',
    'level',
  ),
  emberscope_log_held_back_total: counter('Records of the log held back as repeats.'),
  emberscope_log_unwritten_total: counter('Lines of the log that could not be written.'),
  emberscope_telemetry_exports_total: counter(
    'Exports of our own metrics, logs and traces.',
    'signal',
    'outcome',
  ),
  emberscope_heap_used_bytes: gauge('JavaScript heap in use.'),
  emberscope_external_bytes: gauge('Memory of buffers and native objects outside the JavaScript heap.'),
  emberscope_threads: gauge('Threads of the agent.'),
  emberscope_build_info: gauge('Always 1; what runs is in the labels.', 'version', 'node', 'arch', 'kernel'),

  // The names that Prometheus client libraries agree on.
  process_cpu_seconds_total: counter('User and system CPU time of the agent, without its BPF programs.'),
  process_resident_memory_bytes: gauge('Resident memory of the agent, without its BPF maps.'),
  process_virtual_memory_bytes: gauge('Virtual memory of the agent.'),
  process_open_fds: gauge('Open file descriptors.'),
  process_max_fds: gauge('Limit of open file descriptors.'),
  process_start_time_seconds: gauge('Start of the agent, unix time.'),
} as const satisfies Readonly<Record<string, Metric>>

export type MetricName = keyof typeof METRICS

/** A row of a metric of the catalog. */
export function metric(
  name: MetricName,
  value: number,
  labels?: Readonly<Record<string, string>>,
): MetricRow {
  const { type, help } = METRICS[name]
  return labels === undefined ? { name, help, type, value } : { name, help, type, value, labels }
}

/** A row per reason: `counts` by the value of `label`; `labels` are the other ones. */
export function metricBy(
  name: MetricName,
  label: string,
  counts: Readonly<Record<string, number>>,
  labels: Readonly<Record<string, string>> = {},
): MetricRow[] {
  return Object.entries(counts).map(([reason, value]) => metric(name, value, { ...labels, [label]: reason }))
}
