/** The running agent and the real sampler against real peers: the Collector by gRPC and by HTTP, and promtool. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { check } from '../../src/otlp/conformance.ts'
import { decodeRequest } from '../../src/otlp/decode.ts'
import { fromJson } from '../../src/otlp/json.ts'
import { startBusy, until } from '../helpers/busy-process.ts'
import { findTool, skipUnless } from '../helpers/host.ts'
import { scratchDirectory } from '../helpers/profile-run.ts'
import { fetchText, type RunningAgent, startAgent } from './agent.ts'
import { type Collector, jsonLines, startCollector } from './collector.ts'
import { skipWithoutCollector } from './collector-build.ts'
import { contentOf, type Json, sampleCount } from './content.ts'
import { type Receiver, startReceiver } from './receiver.ts'

const WINDOWS = 4

describe('the agent and the Collector', { skip: skipUnless() || skipWithoutCollector() }, () => {
  let direct: Receiver
  let behind: Receiver
  let collector: Collector
  let agent: RunningAgent
  const busy = startBusy('peer-target')
  let status: number | string = 'running'
  let sent: Json[] = []

  before(async () => {
    direct = await startReceiver()
    behind = await startReceiver()
    collector = await startCollector(scratchDirectory(), { grpc: behind.grpcPort, http: behind.httpPort })
    agent = await startAgent(scratchDirectory(), [
      'window: 1s',
      'rate: 97',
      'destinations:',
      `  - { name: direct, endpoint: "http://127.0.0.1:${direct.httpPort}" }`,
      `  - { name: by-grpc, endpoint: "http://127.0.0.1:${collector.grpcPort}", protocol: grpc }`,
      `  - { name: by-http, endpoint: "http://127.0.0.1:${collector.httpPort}" }`,
    ])
    await until('the windows', () => direct.received.length >= WINDOWS)
    status = await agent.stop()
    busy.kill('SIGKILL')
    await collector.stop()
    sent = contentOf(direct.received.map(({ bytes }) => decodeRequest(bytes)))
  })
  after(async () => {
    busy.kill('SIGKILL')
    await direct.close()
    await behind.close()
  })

  it('ends well, and every request conforms, says its version and is compressed', () => {
    assert.equal(status, 0, agent.log())
    for (const { bytes, version, encoding } of direct.received) {
      assert.deepEqual(check(decodeRequest(bytes)), [])
      assert.deepEqual({ version, encoding }, { version: '1', encoding: 'gzip' })
    }
  })

  it('sends what it saw: the busy process, with stacks, names and times', () => {
    const pid = JSON.stringify(['process.pid', ['int', String(busy.pid)]])
    const ofTarget = sent.filter((profile) => JSON.stringify(profile).includes(pid))
    assert.ok(ofTarget.length >= WINDOWS - 1, `${ofTarget.length} profiles of pid ${busy.pid}`)
    const samples = ofTarget.flatMap((profile) => (profile as unknown as { samples: Sample[] }).samples)
    const times = samples.flatMap(({ timestamps }) => timestamps)
    assert.ok(times.length > 20, `${times.length} samples`)
    for (const time of times)
      assert.ok(Math.abs(Number(BigInt(time) / 1_000_000n) - Date.now()) < 120_000, time)
    const named = samples.filter(({ stack }) => JSON.stringify(stack).includes('"profile.frame.type"'))
    assert.equal(named.length, samples.length)
  })

  for (const protocol of ['grpc', 'http'] as const)
    it(`sends by ${protocol} what the Collector gives on, field by field`, () => {
      const received = behind.of(protocol)
      assert.ok(sampleCount(sent) > 20)
      assert.deepEqual(contentOf(received.map(({ bytes }) => decodeRequest(bytes))), sent)
      for (const { version } of received) assert.equal(version, '1')
    })

  it("reads the Collector's own JSON as the same content", () => {
    assert.deepEqual(contentOf(jsonLines(collector.file).map(fromJson)), sent)
  })
})

interface Sample {
  readonly timestamps: readonly string[]
  readonly stack: Json
}

describe('the agent and promtool', {
  skip: skipUnless() || (findTool('promtool') === '' && 'needs promtool (apt-get install prometheus)'),
}, () => {
  it('has metrics that promtool finds nothing wrong with', async () => {
    const receiver = await startReceiver()
    const agent = await startAgent(scratchDirectory(), [
      'window: 1s',
      `exporter: { endpoint: "http://127.0.0.1:${receiver.httpPort}" }`,
    ])
    try {
      await until('a window', () => receiver.received.length > 0)
      const metrics = await fetchText(agent.address, '/metrics')
      assert.match(metrics, /^emberscope_/m)
      const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: metrics,
        encoding: 'utf8',
      })
      assert.equal(stderr, '')
      assert.equal(status, 0)
    } finally {
      await agent.stop()
      await receiver.close()
    }
  })
})
