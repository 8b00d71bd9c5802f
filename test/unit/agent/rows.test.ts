import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Governor } from '../../../src/agent/governor.ts'
import { MemoryBudget } from '../../../src/agent/memory-budget.ts'
import { captureRows } from '../../../src/agent/rows/capture-rows.ts'
import { governorRows, memoryRows } from '../../../src/agent/rows/cost-rows.ts'
import { exportRows } from '../../../src/agent/rows/export-rows.ts'
import {
  configRows,
  healthRows,
  identityRows,
  logRows,
  recorderRows,
  serverRows,
} from '../../../src/agent/rows/stage-rows.ts'
import { WindowFlow } from '../../../src/agent/window-flow.ts'
import type { ExporterStats } from '../../../src/export/stats.ts'
import { AgentLog } from '../../../src/log/log.ts'
import { METRICS, type MetricName } from '../../../src/metrics/catalog.ts'
import { Health } from '../../../src/metrics/health.ts'
import { processRows } from '../../../src/metrics/process-rows.ts'
import { expose } from '../../../src/metrics/prometheus.ts'
import type { MetricRow } from '../../../src/metrics/rows.ts'
import type { ContinuousStats } from '../../../src/pipeline/continuous-types.ts'
import { telemetryRows } from '../../../src/telemetry/telemetry-rows.ts'

const CAPTURE: ContinuousStats = {
  rateHz: 97,
  targetRates: new Map([
    ['comm db', 97],
    ['', 19],
  ]),
  thinned: 41,
  event: 'cpu-clock',
  unwinder: 'loop',
  captured: 100,
  kept: 90,
  waiting: 3,
  dropped: { ring_full: 5, malformed: 2 },
  stacks: { complete: 80, approximate: 4, truncated: { jit: 5, depth_limit: 1 } },
  frames: { named: 900, unnamed: { no_symbol: 7 } },
  bpfNs: 2.5e9,
  bpfRuns: 1000,
  lostEvents: 1,
  ringUse: { samples: 0.25, rawStacks: 0.5 },
  windows: 6,
  windowsWaiting: 1,
  lastWindowJsMs: 12,
  longestPauseMs: 8,
  mapBytes: 20e6,
  startToFirstSampleNs: 3e8,
}

const EXPORT: ExporterStats = {
  acceptedSamples: 100,
  acceptedRequests: 10,
  queue: {
    diskBytes: 1000,
    memoryBytes: 10,
    segments: 2,
    maxBytes: 5000,
    durable: false,
    tornTails: 1,
    corruptRecords: 2,
    corruptBytes: 3,
    diskErrors: { ENOSPC: 4 },
    fsyncs: 5,
  },
  destinations: ['eu', 'us'].map((name) => ({
    name,
    endpoint: 'http://collector:4318',
    restoredSamples: 7,
    acceptedSamples: 100,
    sentSamples: 80,
    sentRequests: 8,
    retried: { http_503: 2 },
    dropped: { queue_full: 17, http_400: 1 },
    droppedRequests: { queue_full: 2, http_400: 1 },
    partialRejectedProfiles: 1,
    partialAnswers: 1,
    unreadableAnswers: 0,
    queueSamples: 9,
    queueRequests: 1,
    queueBytes: 900,
    inFlight: 1,
    oldestAgeMs: 1500,
    lagMs: 250,
    lastError: null,
    lastErrorAtMs: 0,
    lastSuccessAtMs: 1.7e12,
  })),
  note: null,
}

function everyRow(): MetricRow[] {
  const health = new Health(10_000)
  const log = new AgentLog({ level: 'info', format: 'text' })
  const flow = new WindowFlow(Promise.resolve(), () => assert.fail(), { name: 'x', version: '1' }, log)
  const memory = new MemoryBudget(1e8)
  memory.add('recorder', () => 0)
  return [
    ...captureRows(CAPTURE),
    ...exportRows(EXPORT),
    ...governorRows(new Governor({ rateHz: 19, maxOverhead: 0.01 }).stats()),
    ...memoryRows(memory.stats()),
    ...identityRows({
      processes: 3,
      resources: 2,
      sources: { proc: 3 },
      failures: { gone: 1 },
      contexts: 2,
      contextStalled: false,
      pods: 1,
      kubernetesFault: 'no route to host',
    }),
    ...recorderRows({
      windows: 3,
      bytes: 9,
      maxBytes: 10,
      added: 5,
      dropped: { age: 1, size: 1, too_large: 0 },
    }),
    ...healthRows(health.report()),
    ...configRows({ applied: 1, refused: 2, lastSuccessful: false }),
    ...logRows(log.stats()),
    ...flow.rows(),
    ...serverRows({ requests: 5, readers: 1, refused: 0, slow: 0 }),
    ...telemetryRows({ metrics: { ok: 1, failed: 0 } }),
    ...processRows('1.2.3', 1.7e12),
  ]
}

const valuesOf = (name: MetricName, rows = everyRow()) =>
  Object.fromEntries(
    rows
      .filter((row) => row.name === name)
      .map(({ labels, value }) => [Object.values(labels ?? {}).join('/'), value]),
  )

test('every metric of the catalog has rows, with exactly its labels', () => {
  const rows = everyRow()
  for (const [name, { labels }] of Object.entries(METRICS) as [string, { labels?: readonly string[] }][]) {
    const found = rows.filter((row) => row.name === name)
    assert.ok(found.length > 0, `${name} has no row`)
    for (const row of found)
      assert.deepEqual(Object.keys(row.labels ?? {}).sort(), [...(labels ?? [])].sort(), name)
  }
  assert.ok(rows.every(({ value }) => Number.isFinite(value)))
})

test('a scrape has as many samples as there are rows: none is there twice', () => {
  const samples = expose(everyRow(), 'prometheus')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  assert.equal(samples.length, everyRow().length)
})

test('promtool finds nothing to complain of', (t) => {
  const options = { input: expose(everyRow(), 'prometheus'), encoding: 'utf8' } as const
  const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], options)
  if (error !== undefined) return t.skip('promtool is not installed')
  assert.equal(status, 0, stdout + stderr)
  assert.equal(stdout + stderr, '')
})

test('captured = kept + dropped + waiting, and kept = the stacks of every quality', () => {
  const one = (name: MetricName) => Object.values(valuesOf(name)).reduce((sum, value) => sum + value, 0)
  const lost = one('emberscope_samples_dropped_total') + one('emberscope_samples_waiting')
  assert.equal(one('emberscope_samples_captured_total'), one('emberscope_samples_kept_total') + lost)
  assert.deepEqual(valuesOf('emberscope_stacks_total'), { complete: 80, approximate: 4, truncated: 6 })
})

test('each destination: restored + accepted = sent + dropped + queued', () => {
  const at = (name: MetricName, destination: string) =>
    everyRow()
      .filter((row) => row.name === name && row.labels?.destination === destination)
      .reduce((sum, { value }) => sum + value, 0)
  for (const destination of ['eu', 'us']) {
    const came =
      at('emberscope_export_restored_samples_total', destination) +
      at('emberscope_export_accepted_samples_total', destination)
    const went =
      at('emberscope_export_sent_samples_total', destination) +
      at('emberscope_export_dropped_samples_total', destination)
    assert.equal(came, went + at('emberscope_export_queue_samples', destination))
  }
})

test('times are seconds, whatever the stages count in', () => {
  assert.deepEqual(valuesOf('emberscope_bpf_seconds_total'), { '': 2.5 })
  assert.deepEqual(valuesOf('emberscope_window_processing_seconds'), { '': 0.012 })
  assert.deepEqual(valuesOf('emberscope_export_oldest_age_seconds'), { eu: 1.5, us: 1.5 })
  assert.deepEqual(valuesOf('emberscope_export_last_success_timestamp_seconds'), { eu: 1.7e9, us: 1.7e9 })
  assert.ok(Math.abs(valuesOf('emberscope_start_to_first_sample_seconds')['']! - 0.3) < 1e-12)
})

test('states are 0 and 1', () => {
  assert.deepEqual(valuesOf('emberscope_queue_durable'), { '': 0 })
  assert.deepEqual(valuesOf('emberscope_kubernetes_reachable'), { '': 0 })
  assert.equal(valuesOf('emberscope_check_ok').sampling, 0)
  assert.equal(valuesOf('emberscope_check_ok').event_loop, 1)
})

test('the rows of this process are those of /proc', () => {
  const rows = processRows('1.2.3', 1.7e12)
  const value = (name: MetricName) => Object.values(valuesOf(name, rows))[0]!
  assert.equal(value('process_start_time_seconds'), 1.7e9)
  assert.ok(value('process_resident_memory_bytes') > 20e6 && value('process_virtual_memory_bytes') > 20e6)
  assert.ok(value('process_cpu_seconds_total') > 0.01 && value('process_cpu_seconds_total') < 1000)
  assert.ok(value('process_open_fds') >= 3 && value('process_open_fds') < value('process_max_fds'))
  assert.ok(value('emberscope_threads') >= 1)
})

test('alert rules, dashboard and documents speak of metrics that there are, and of no others', () => {
  const files = ['README.md', 'ARCHITECTURE.md']
  for (const name of existsSync('helm') ? readdirSync('helm', { recursive: true, encoding: 'utf8' }) : [])
    if (/\.(ya?ml|json|md|txt|tpl)$/.test(name)) files.push(join('helm', name))
  const unknown = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\b(?:emberscope_[a-z_]+_[a-z]+|process_[a-z]+_[a-z_]+)\b/g)]
      .map(([name]) => name)
      .filter((name) => !(name in METRICS))
      .map((name) => `${file}: ${name}`),
  )
  assert.deepEqual(unknown, [])
})
