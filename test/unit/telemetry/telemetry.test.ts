import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { AgentLog } from '../../../src/log/log.ts'
import { METRICS, metric } from '../../../src/metrics/catalog.ts'
import {
  signalUrl,
  type TelemetryDestination,
  type TelemetryOptions,
} from '../../../src/telemetry/options.ts'
import { Telemetry } from '../../../src/telemetry/telemetry.ts'
import { readLogs, readMetrics, readSpans } from './otlp-request.ts'
import { receiveGrpc, receiveHttp } from './receiver.ts'

const DESTINATION: TelemetryDestination = {
  protocol: 'http/protobuf',
  endpoint: 'http://localhost:4318',
  insecure: false,
  headers: { 'x-tenant': 'blue' },
  compression: 'gzip',
  timeoutMs: 2000,
  tls: { caFile: null, certFile: null, keyFile: null, serverName: null, insecureSkipVerify: false },
}

const ROWS = [
  metric('emberscope_samples_captured_total', 12),
  metric('emberscope_samples_dropped_total', 3, { reason: 'ring_full' }),
  metric('emberscope_samples_dropped_total', 1, { reason: 'malformed' }),
  metric('emberscope_overhead_ratio', 0.0025),
  metric('emberscope_bpf_seconds_total', 1.5),
  metric('emberscope_heap_used_bytes', Number.NaN),
]

function optionsFor(endpoint: string, more: Partial<TelemetryOptions> = {}) {
  const lines: string[] = []
  const log = new AgentLog(
    { level: 'info', format: 'text' },
    { write: (line) => lines.push(line), nowMs: Date.now },
  )
  const options: TelemetryOptions = {
    destination: { ...DESTINATION, endpoint },
    signals: ['metrics', 'logs', 'traces'],
    intervalMs: 3_600_000,
    resource: { 'service.name': 'emberscope', 'service.version': '1.2.3', 'host.cpu': 4, big: 5n },
    version: '1.2.3',
    rows: () => ROWS,
    log,
    ...more,
  }
  return { options, log, lines }
}

test('rows arrive as cumulative sums and gauges of the same names, labels and values', async () => {
  const receiver = await receiveHttp()
  const { options } = optionsFor(receiver.url, { signals: ['metrics'] })
  const telemetry = await Telemetry.start(options)
  await telemetry.flush()
  await telemetry.close(1000)
  await receiver.close()
  assert.equal(receiver.received.length, 2, 'one by flush(), the last by close()')
  const { path, headers, body } = receiver.received[0]!
  assert.equal(path, '/v1/metrics')
  assert.equal(headers['content-type'], 'application/x-protobuf')
  assert.equal(headers['content-encoding'], 'gzip')
  assert.equal(headers['x-tenant'], 'blue')
  assert.equal(headers['user-agent'], 'emberscope/1.2.3')

  const { resource, scope, metrics } = readMetrics(body)
  assert.equal(resource['service.name'], 'emberscope')
  assert.equal(resource['service.version'], '1.2.3')
  assert.equal(resource['telemetry.sdk.name'], 'opentelemetry')
  assert.deepEqual([resource['host.cpu'], resource.big], [4, 5])
  assert.deepEqual(scope, { name: 'emberscope', version: '1.2.3' })
  const found = Object.fromEntries(metrics.map(({ name, ...rest }) => [name, rest]))
  const dropped = found.emberscope_samples_dropped_total!
  assert.deepEqual(
    [dropped.kind, dropped.isCumulative, dropped.isMonotonic, dropped.unit],
    ['sum', true, true, '1'],
  )
  assert.deepEqual(
    dropped.points.map(({ labels, value }) => [labels.reason, value]),
    [
      ['ring_full', 3],
      ['malformed', 1],
    ],
  )
  const overhead = found.emberscope_overhead_ratio!
  assert.deepEqual([overhead.kind, overhead.points[0]!.value, overhead.unit], ['gauge', 0.0025, '1'])
  assert.equal(overhead.description, METRICS.emberscope_overhead_ratio.help)
  assert.equal(found.emberscope_bpf_seconds_total!.unit, 's')
  assert.equal(found.emberscope_heap_used_bytes?.points.length ?? 0, 0, 'a value that is none is not sent')
  const { startNs, timeNs } = dropped.points[0]!
  assert.ok((timeNs as bigint) >= (startNs as bigint) && (startNs as bigint) > 1_700_000_000_000_000_000n)
  assert.deepEqual(telemetry.stats(), { metrics: { ok: 2, failed: 0 } })
})

test('the log arrives as records, without those about telemetry itself', async () => {
  const receiver = await receiveHttp()
  const { options, log } = optionsFor(receiver.url, { signals: ['logs'] })
  const telemetry = await Telemetry.start(options)
  log.listen(telemetry.onRecord)
  log
    .of('export')
    .warn('cannot send', { status: 503, error: new Error('try later'), retried: true, none: null })
  log.of('telemetry').warn('a loop')
  await telemetry.close(1000)
  await receiver.close()
  assert.deepEqual(
    receiver.received.map(({ path }) => path),
    ['/v1/logs'],
  )
  const { records, scope } = readLogs(receiver.received[0]!.body)
  assert.equal(scope.name, 'emberscope')
  assert.equal(records.length, 1)
  const [{ timeMs, ...record }] = records as [(typeof records)[0]]
  assert.deepEqual(record, {
    severity: 13,
    level: 'warn',
    body: 'cannot send',
    attributes: { component: 'export', status: 503, error: 'try later', retried: true },
  })
  assert.ok(Math.abs(timeMs - Date.now()) < 60_000)
})

test('a window is a span, its steps are children, a fault is its status', async () => {
  const receiver = await receiveHttp()
  const { options } = optionsFor(receiver.url, { signals: ['traces'] })
  const telemetry = await Telemetry.start(options)
  const startMs = 1_700_000_000_000
  const steps = ['drain', 'symbolize', 'encode', 'enqueue'].map((name, i) => ({
    name,
    startMs: startMs + i * 10,
    endMs: startMs + i * 10 + 5,
  }))
  const endMs = startMs + 40
  telemetry.window({ name: 'window', startMs, endMs, samples: 7, steps, fault: '' })
  // The clock stepped back while it was worked on.
  telemetry.window({
    name: 'window',
    startMs,
    endMs: startMs - 5,
    samples: 0,
    steps: [],
    fault: 'the disk is full',
  })
  await telemetry.close(1000)
  await receiver.close()
  assert.deepEqual(
    receiver.received.map(({ path }) => path),
    ['/v1/traces'],
  )
  const { spans } = readSpans(receiver.received[0]!.body)
  const [whole, failed] = spans.filter(({ name }) => name === 'window')
  const children = spans.filter(({ parentId }) => parentId === whole!.spanId)
  assert.deepEqual(
    children.map(({ name, startMs: from, endMs: to }) => ({ name, startMs: from, endMs: to })),
    steps,
  )
  assert.ok(children.every(({ traceId }) => traceId === whole!.traceId))
  assert.deepEqual(whole!.attributes, { 'emberscope.window.samples': 7 })
  assert.deepEqual([whole!.startMs, whole!.endMs], [startMs, endMs])
  assert.deepEqual(failed!.status, { code: 2, message: 'the disk is full' })
  assert.equal(failed!.endMs, startMs)
  assert.notEqual(failed!.traceId, whole!.traceId)
})

test('by gRPC the same bodies go to the services of the signals, with headers as metadata', async () => {
  const receiver = await receiveGrpc()
  const { options, log } = optionsFor('')
  const destination = { ...DESTINATION, protocol: 'grpc' as const, endpoint: receiver.url }
  const telemetry = await Telemetry.start({ ...options, destination })
  log.listen(telemetry.onRecord)
  log.info('hello')
  telemetry.window({ name: 'window', startMs: 1, endMs: 2, samples: 0, steps: [], fault: '' })
  await telemetry.close(2000)
  await receiver.close()
  const bodies = Object.fromEntries(receiver.received.map(({ path, body }) => [path.split('.')[3], body]))
  assert.ok(readMetrics(bodies.metrics!).metrics.length >= 4)
  assert.equal(readLogs(bodies.logs!).records[0]!.body, 'hello')
  assert.equal(readSpans(bodies.trace!).spans.length, 1)
  assert.equal(receiver.received[0]!.headers['x-tenant'], 'blue')
  assert.match(String(receiver.received[0]!.headers['user-agent']), /^emberscope\/1\.2\.3 /)
})

test('over mutual TLS, with files that are read at every export', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'emberscope-tls-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const issue = (name: string) => {
    const [key, cert] = [join(dir, `${name}.key`), join(dir, `${name}.crt`)]
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
    ]
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost']
    return {
      key,
      cert,
      made: spawnSync('openssl', [...request, '-keyout', key, '-out', cert, ...subject]).status === 0,
    }
  }
  const [server, client] = [issue('server'), issue('client')]
  if (!server.made) return t.skip('openssl is not installed')
  const [key, cert, ca] = [server.key, server.cert, client.cert].map((file) => readFileSync(file))
  const receiver = await receiveHttp(200, { key, cert, ca, requestCert: true, rejectUnauthorized: true })
  const { options, lines } = optionsFor('', { signals: ['metrics'] })
  const tls = { ...DESTINATION.tls, caFile: server.cert, certFile: client.cert, keyFile: client.key }
  const telemetry = await Telemetry.start({
    ...options,
    destination: { ...DESTINATION, endpoint: receiver.url, tls },
  })
  await telemetry.flush()
  assert.deepEqual(lines, [])
  copyFileSync(server.key, client.key)
  copyFileSync(server.cert, client.cert)
  await telemetry.close(2000)
  await receiver.close()
  assert.equal(
    receiver.received.length,
    1,
    'the certificate that took its place is not one the receiver trusts',
  )
  assert.deepEqual(telemetry.stats(), { metrics: { ok: 1, failed: 1 } })
})

test('as JSON it is JSON', async () => {
  const receiver = await receiveHttp()
  const { options } = optionsFor('', { signals: ['metrics'] })
  const destination = { ...DESTINATION, protocol: 'http/json' as const, endpoint: receiver.url }
  const telemetry = await Telemetry.start({ ...options, destination })
  await telemetry.close(1000)
  await receiver.close()
  const { headers, body } = receiver.received[0]!
  assert.equal(headers['content-type'], 'application/json')
  const request = JSON.parse(body.toString())
  const names = request.resourceMetrics[0].scopeMetrics[0].metrics.map(({ name }: { name: string }) => name)
  assert.ok(names.includes('emberscope_overhead_ratio'))
})

test('a receiver that refuses, is not there, is silent or hangs up: counted, told once, nothing thrown', async (t) => {
  const refusing = await receiveHttp(404)
  const silent = await receiveHttp(() => {})
  const hangingUp = await receiveHttp((request) => request.socket.destroy())
  const dripping = await receiveHttp((_, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('x'), 20)
    response.on('close', () => clearInterval(timer))
  })
  const flooding = await receiveHttp((_, response) => response.writeHead(500).end(Buffer.alloc(1e6)))
  const gone = await receiveHttp()
  await gone.close()
  t.after(() =>
    Promise.all([refusing, silent, hangingUp, dripping, flooding].map((receiver) => receiver.close())),
  )
  const cases: [string, RegExp][] = [
    [refusing.url, /error="the receiver answered HTTP 404"/],
    [silent.url, /error="no answer within 200 ms"/],
    [hangingUp.url, /error="socket hang up"/],
    [dripping.url, /error="no answer within 200 ms"/],
    [flooding.url, /error="the receiver answered HTTP 500"/],
    [gone.url, /ECONNREFUSED/],
  ]
  for (const [endpoint, reason] of cases) {
    const { options, lines } = optionsFor(endpoint, { signals: ['metrics'] })
    const destination = { ...options.destination, timeoutMs: 200 }
    const telemetry = await Telemetry.start({ ...options, destination })
    await telemetry.close(5000)
    assert.deepEqual(telemetry.stats(), { metrics: { ok: 0, failed: 1 } }, endpoint)
    assert.equal(lines.length, 1)
    assert.match(lines[0]!, reason)
    assert.match(lines[0]!, /warn {2}telemetry: cannot send the agent's own telemetry signal=metrics/)
  }
})

test('rows that throw cost this export, and close() keeps its deadline', async () => {
  const silent = await receiveHttp(() => {})
  const rows = () => {
    throw new Error('a stage is being replaced')
  }
  const { options } = optionsFor(silent.url, { signals: ['metrics'], rows })
  const telemetry = await Telemetry.start({
    ...options,
    destination: { ...options.destination, timeoutMs: 60_000 },
  })
  const before = performance.now()
  await telemetry.close(100)
  await telemetry.close(100)
  assert.ok(performance.now() - before < 5000)
  await silent.close()
})

test('an endpoint that is no URL is a fault of usage', async () => {
  const { options } = optionsFor('not a url')
  await assert.rejects(Telemetry.start(options), { code: 'usage' })
})

test('the path of a signal is joined to the endpoint, unless that is whole', () => {
  const at = (endpoint: string, urls?: TelemetryDestination['urls']) =>
    signalUrl({ ...DESTINATION, endpoint, ...(urls ? { urls } : {}) }, 'metrics').href
  assert.equal(at('http://c:4318'), 'http://c:4318/v1/metrics')
  assert.equal(at('http://c:4318/'), 'http://c:4318/v1/metrics')
  assert.equal(at('https://c/otlp/?a=b'), 'https://c/otlp/v1/metrics?a=b')
  assert.equal(at('https://c/x/v1development/profiles'), 'https://c/x/v1/metrics')
  assert.equal(at('http://c:4318', { metrics: 'http://m/push' }), 'http://m/push')
})
