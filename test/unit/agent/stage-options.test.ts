/** What the stages are told is what the configuration says, by their own names. */
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  continuousRequest,
  exporterOptions,
  highestRate,
  identityOptions,
  recorderOptions,
  secretsOf,
  telemetryOptions,
} from '../../../src/agent/stage-options.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { AgentLog } from '../../../src/log/log.ts'

const configOf = async (flags: Record<string, string>) =>
  (await loadConfig({ file: '', env: {}, flags: Object.entries(flags) })).config
const log = new AgentLog({ level: 'error', format: 'text' }, { write: () => {}, nowMs: () => 0 })

describe('the sampler', () => {
  it('gets rate, window and filters; cgroups as directories, whichever way they are written', async () => {
    const config = await configOf({
      window: '3s',
      jitter: '10%',
      'filter.pids': '1,2',
      'filter.cgroups': '/kubepods,a.slice,/sys/fs/cgroup/system.slice,/sys/fs/cgroups',
      'filter.comms': 'a',
      'filter.pidNamespaces': '4026531836',
    })
    assert.deepEqual(continuousRequest(config, 7, ''), {
      filters: {
        pids: [1, 2],
        cgroupPaths: [
          '/sys/fs/cgroup/kubepods',
          '/sys/fs/cgroup/a.slice',
          '/sys/fs/cgroup/system.slice',
          '/sys/fs/cgroup/sys/fs/cgroups',
        ],
        comms: ['a'],
        pidNamespaces: [4026531836],
      },
      rateHz: 7,
      kernelStacks: true,
      windowMs: 3000,
      jitter: 0.1,
    })
    const { filters } = continuousRequest(config, 7, '/sys/fs/cgroup/unified')
    assert.equal(filters.cgroupPaths[0], '/sys/fs/cgroup/unified/kubepods')
  })
})

describe('rates of targets', () => {
  it('are shares of the highest one, whichever the governor makes of it', async () => {
    const rates = '[{"comm":"db","rate":97},{"cgroup":"/kubepods","rate":0},{"pid":7,"rate":1}]'
    const config = await configOf({ rate: '19', rates })
    assert.equal(highestRate(config), 97)
    const { rateHz, plan } = continuousRequest(config, 50, '')
    assert.equal(rateHz, 50)
    assert.deepEqual(plan, {
      baseShare: 19 / 97,
      rules: [
        { by: 'comm', value: 'db', share: 1 },
        { by: 'cgroup', value: '/sys/fs/cgroup/kubepods', share: 0 },
        { by: 'pid', value: 7, share: 1 / 97 },
      ],
    })
  })

  it('may all be lower than the rate of the others', async () => {
    const config = await configOf({ rate: '99', rates: '[{"pidNamespace":4026531836,"rate":9}]' })
    assert.equal(highestRate(config), 99)
    const { plan } = continuousRequest(config, 99)
    assert.deepEqual(plan!.rules, [{ by: 'pidNamespace', value: 4026531836, share: 9 / 99 }])
    assert.equal(plan!.baseShare, 1)
  })
})

describe('the exporter', () => {
  it('gets each destination whole', async () => {
    const config = await configOf({
      'exporter.endpoint': 'https://c:1',
      'exporter.protocol': 'grpc',
      'exporter.headers': 'k=v',
      'exporter.compression': 'none',
      'exporter.timeout': '2s',
      'exporter.tls.ca': '/ca',
      'exporter.tls.cert': '/cert',
      'exporter.tls.key': '/key',
      'exporter.retry.maxElapsed': '1m',
      'queue.dir': '/q',
      'queue.maxBytes': '2MiB',
      'queue.fsync': 'never',
    })
    const { queue, destinations, version } = exporterOptions(config, '1.2.3', log)
    assert.deepEqual(
      [queue.directory, queue.maxBytes, queue.fsync, version],
      ['/q', 2 ** 21, 'never', '1.2.3'],
    )
    const [got] = destinations
    assert.equal(got!.endpoint, 'https://c:1')
    assert.equal(got!.endpointIsWhole, false)
    assert.equal(got!.protocol, 'grpc')
    assert.deepEqual({ ...got!.headers }, { k: 'v' })
    assert.deepEqual([got!.compression, got!.timeoutMs, got!.retry.maxElapsedMs], ['none', 2000, 60_000])
    const names = { serverName: null, insecureSkipVerify: false }
    assert.deepEqual(got!.tls, { caFile: '/ca', certFile: '/cert', keyFile: '/key', ...names })
    assert.equal(got!.proxy, null)
    assert.deepEqual(secretsOf(config), ['v'])
  })
})

describe('identity', () => {
  it('gets resource attributes as OpenTelemetry writes them, whatever is in them', async () => {
    const config = await configOf({ 'resource.attributes': 'a=b%2Cc%3Dd' })
    const { environment } = identityOptions(config, { OTEL_RESOURCE_ATTRIBUTES: 'x=y' })
    assert.equal(environment.OTEL_RESOURCE_ATTRIBUTES, 'a=b%2Cc%3Dd')
  })
  it('asks the API server where a token and an address are, or when told to', async () => {
    const account = mkdtempSync(join(tmpdir(), 'emberscope-account-'))
    const flags = { 'kubernetes.accountDir': account, 'kubernetes.nodeName': 'n' }
    const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', NODE_NAME: 'other' }
    const kubernetes = async (more: Record<string, string>, variables: Record<string, string>) =>
      identityOptions(await configOf({ ...flags, ...more }), variables).kubernetes
    assert.equal(await kubernetes({}, env), null)
    writeFileSync(join(account, 'token'), 't')
    assert.equal(await kubernetes({}, {}), null)
    assert.equal((await kubernetes({}, env))!.nodeName, 'n')
    assert.equal(await kubernetes({ 'kubernetes.metadata': 'off' }, env), null)
    assert.equal((await kubernetes({ 'kubernetes.nodeName': '' }, env))!.nodeName, 'other')
    const asked = await kubernetes({ 'kubernetes.apiServer': 'https://[::1]:6443' }, {})
    assert.deepEqual([asked!.host, asked!.port, asked!.accountDirectory], ['::1', 6443, account])
  })
})

describe('recorder and telemetry', () => {
  it('get theirs', async () => {
    const config = await configOf({
      'recorder.duration': '90s',
      'recorder.maxBytes': '1MiB',
      'telemetry.signals': 'metrics,traces',
      'telemetry.interval': '5s',
      'telemetry.serviceName': 'us',
    })
    assert.deepEqual(recorderOptions(config), { minutes: 1.5, maxBytes: 2 ** 20 })
    const told = telemetryOptions(config, { 'host.name': 'h' }, '1.2.3')
    assert.deepEqual(told.signals, ['metrics', 'traces'])
    assert.equal(told.intervalMs, 5000)
    assert.equal(told.destination.endpoint, 'http://localhost:4318')
    const resource = { 'service.name': 'us', 'service.version': '1.2.3', 'host.name': 'h' }
    assert.deepEqual(told.resource, resource)
  })
})
