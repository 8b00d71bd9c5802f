/**
 * The capture report as JSON: the names that `--json`, the `.json` profile and their schemas share, both directions.
 */
import type { CaptureReport, RateUsed } from '../model/profile.ts'
import type { JsonCursor } from './json-cursor.ts'

/** The part of the capture report that `--json` prints too. Times in ns, sizes in bytes. */
export interface CaptureFigures {
  readonly target: CaptureReport['target']
  readonly rate_hz: number
  /** Only where targets had rates of their own. */
  readonly rates?: readonly {
    readonly target: string
    readonly rate_hz: number
    readonly samples: number
  }[]
  readonly duration_ns: number
  readonly samples: CaptureReport['samples']
  readonly stacks: CaptureReport['stacks']
  readonly frames: CaptureReport['frames']
  readonly overhead: {
    readonly bpf_runs: number
    readonly bpf_time_ns: number
    readonly cpu_ns: number
    readonly rss_bytes: number
  }
  readonly timing: { readonly start_to_first_sample_ns: number; readonly last_sample_to_files_ns: number }
  readonly notes: readonly string[]
}

/** The whole report as it stands in a `.json` profile. */
export interface CaptureJson extends CaptureFigures {
  readonly host: CaptureReport['host']
  readonly event: string
}

/** The figures in the order they are printed. */
export function captureFigures(capture: CaptureReport): CaptureFigures {
  const { target, samples, stacks, frames, overhead, timing } = capture
  return {
    target: { kind: target.kind, name: target.name, pids: [...target.pids] },
    rate_hz: capture.rateHz,
    ...(capture.rates === undefined ? {} : { rates: capture.rates.map(rateJson) }),
    duration_ns: capture.durationNs,
    samples: { captured: samples.captured, kept: samples.kept, dropped: { ...samples.dropped } },
    stacks: {
      complete: stacks.complete,
      approximate: stacks.approximate,
      truncated: { ...stacks.truncated },
    },
    frames: { named: frames.named, unnamed: { ...frames.unnamed } },
    overhead: {
      bpf_runs: overhead.bpfRuns,
      bpf_time_ns: overhead.bpfTimeNs,
      cpu_ns: overhead.cpuNs,
      rss_bytes: overhead.rssBytes,
    },
    timing: {
      start_to_first_sample_ns: timing.startToFirstSampleNs,
      last_sample_to_files_ns: timing.lastSampleToFilesNs,
    },
    notes: [...capture.notes],
  }
}

function rateJson({ target, rateHz, samples }: RateUsed) {
  return { target, rate_hz: rateHz, samples }
}

function readRate(json: JsonCursor): RateUsed {
  const [rateHz, samples] = [json.get('rate_hz').number(), json.get('samples').number()]
  return { target: json.get('target').text(), rateHz, samples }
}

export function captureJson(capture: CaptureReport): CaptureJson {
  const { name, kernel, arch, cpus } = capture.host
  return { host: { name, kernel, arch, cpus }, event: capture.event, ...captureFigures(capture) }
}

/** Undoes `captureJson`; throws AgentError input_invalid naming the key that is wrong. */
export function readCapture(json: JsonCursor): CaptureReport {
  const [target, host, samples, stacks, frames] = ['target', 'host', 'samples', 'stacks', 'frames'].map(
    (key) => json.get(key),
  ) as [JsonCursor, JsonCursor, JsonCursor, JsonCursor, JsonCursor]
  const overhead = json.get('overhead')
  const timing = json.get('timing')
  const counts = (cursor: JsonCursor) => cursor.record((entry) => entry.number())
  return {
    target: {
      kind: target.get('kind').choice(['pids', 'command', 'all']),
      name: target.get('name').text(),
      pids: target.get('pids').array((pid) => pid.integer()),
    },
    host: {
      name: host.get('name').text(),
      kernel: host.get('kernel').text(),
      arch: host.get('arch').text(),
      cpus: host.get('cpus').integer(),
    },
    event: json.get('event').text(),
    rateHz: json.get('rate_hz').number(),
    ...(json.get('rates').isAbsent ? {} : { rates: json.get('rates').array(readRate) }),
    durationNs: json.get('duration_ns').number(),
    samples: {
      captured: samples.get('captured').number(),
      kept: samples.get('kept').number(),
      dropped: counts(samples.get('dropped')),
    },
    stacks: {
      complete: stacks.get('complete').number(),
      approximate: stacks.get('approximate').number(),
      truncated: counts(stacks.get('truncated')),
    },
    frames: { named: frames.get('named').number(), unnamed: counts(frames.get('unnamed')) },
    overhead: {
      bpfRuns: overhead.get('bpf_runs').number(),
      bpfTimeNs: overhead.get('bpf_time_ns').number(),
      cpuNs: overhead.get('cpu_ns').number(),
      rssBytes: overhead.get('rss_bytes').number(),
    },
    timing: {
      startToFirstSampleNs: timing.get('start_to_first_sample_ns').number(),
      lastSampleToFilesNs: timing.get('last_sample_to_files_ns').number(),
    },
    notes: json.get('notes').array((note) => note.text()),
  }
}
