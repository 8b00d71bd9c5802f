/** The agent as a whole: the real sampler, a real queue, a real receiver on loopback. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { endAgents, eventually, startAgent } from '../helpers/agent-run.ts'
import { startBusy, startIdle } from '../helpers/busy-process.ts'
import { skipUnless } from '../helpers/host.ts'
import { type OtlpReceiver, type ReceivedProfile, startReceiver } from '../helpers/otlp-receiver.ts'
import { scratchDirectory } from '../helpers/profile-run.ts'

const samplesOf = (profiles: readonly ReceivedProfile[]) =>
  profiles.reduce((sum, { profile }) => sum + profile.samples.stack.length, 0)

/** An address nobody listens on. */
async function deadEndpoint(): Promise<string> {
  const receiver = await startReceiver()
  await receiver.close()
  return receiver.url
}

describe('the agent', { skip: skipUnless() }, () => {
  const busy = startBusy()
  const idle = startIdle()
  let receiver: OtlpReceiver
  before(async () => {
    receiver = await startReceiver()
  })
  afterEach(endAgents)
  after(async () => {
    busy.kill()
    idle.kill()
    await receiver.close()
  })

  it('sends windows with a resource for each process, and says that it is ready', async () => {
    // Time enough at the end: what is not sent then is kept, but it is not what this is about.
    const flags = ['--rate', '97', '--shutdown-timeout', '30s']
    const agent = startAgent(flags, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } })
    const ofBusy = () => receiver.profiles.filter(({ resource }) => resource['process.pid'] === busy.pid)
    await eventually('two windows of the busy process came', () => ofBusy().length >= 2)
    const { resource, profile } = ofBusy()[1]!
    assert.ok(resource['host.name'], JSON.stringify(resource))
    assert.ok(resource['service.name'], JSON.stringify(resource))
    assert.equal(profile.samples.timeNs?.length, profile.samples.stack.length)
    assert.ok(profile.functions.length > 0)
    assert.equal((await agent.request('/healthz')).status, 200)
    assert.equal((await agent.request('/readyz')).status, 200)
    const sent = await agent.metric('emberscope_export_sent_samples_total')
    assert.ok(sent > 0)
    assert.equal(await agent.end(), 0)
    // Each sample that was kept has come, once.
    const [, told] = /stopped destination=default sentSamples=(\d+) queueSamples=0/.exec(agent.log())!
    assert.equal(samplesOf(receiver.profiles), Number(told))
    receiver.assertSound()
    assert.deepEqual(readdirSync(join(agent.directory, 'run')), [])
  })

  for (const [how, signal] of [
    ['SIGTERM', 'SIGTERM'],
    ['kill -9', 'SIGKILL'],
  ] as const)
    it(`keeps through ${how} what a dead receiver did not take, and the next start delivers it (E-30, E-32)`, async () => {
      const first = startAgent(['--exporter-endpoint', await deadEndpoint(), '--shutdown-timeout', '1s'])
      await eventually(
        'windows are in the queue',
        async () => (await first.metric('emberscope_export_queue_requests')) >= 2,
      )
      const accepted = await first.metric('emberscope_export_accepted_samples_total')
      assert.equal(await first.end(signal), signal === 'SIGKILL' ? 'SIGKILL' : 0)
      const told = /stopped destination=default sentSamples=0 queueSamples=(\d+)/.exec(first.log())
      if (signal === 'SIGTERM') assert.ok(Number(told![1]) >= accepted)
      const kept = told === null ? accepted : Number(told[1])
      const own = await startReceiver()
      const startedNs = BigInt(Date.now()) * 1_000_000n
      const second = startAgent(['--exporter-endpoint', own.url], { directory: first.directory })
      const early = () => samplesOf(own.profiles.filter(({ profile }) => profile.timeNs < startedNs))
      await eventually('what was kept came', () => early() >= kept)
      if (signal === 'SIGTERM') assert.equal(early(), kept)
      assert.ok((await second.metric('emberscope_export_restored_samples_total')) >= kept)
      assert.equal(await second.end(), 0)
      own.assertSound()
      await own.close()
    })

  it('reads its file again: on SIGHUP, when it is written, and when a link further up is swapped', async () => {
    const directory = scratchDirectory()
    const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
    const link = (target: string) => {
      symlinkSync(target, join(directory, 'new'))
      renameSync(join(directory, 'new'), join(directory, 'agent.yaml'))
    }
    write('1.yaml', `rate: 11\nexporter: { endpoint: "${receiver.url}" }`)
    write('2.yaml', `rate: 23\nexporter: { endpoint: "${receiver.url}" }`)
    link('1.yaml')
    const agent = startAgent(['--config', join(directory, 'agent.yaml')])
    const rate = () => agent.metric('emberscope_sampling_rate_configured_hertz')
    await agent.logged(/profiling rate=11/)
    link('2.yaml')
    await eventually('the rate is 23', async () => (await rate()) === 23)
    write('2.yaml', 'rate: 31\nlogFormat: json')
    await eventually('the rate is 31', async () => (await rate()) === 31)
    await agent.logged(/"changed":"rate exporter\.endpoint logFormat"/)
    write('2.yaml', 'rate: 31\nlogFormat: json\nrat: 1')
    process.kill(agent.pid, 'SIGHUP')
    await agent.logged(
      /"message":"the configuration is refused.*unknown key \\"rat\\"; did you mean \\"rate\\"/,
    )
    assert.equal(await rate(), 31)
    assert.equal(await agent.metric('emberscope_config_last_reload_successful'), 0)
    assert.match((await agent.request('/readyz')).body, /failed configuration: refused/)
    assert.equal((await agent.request('/healthz')).status, 200)
    write('2.yaml', 'rate: 29')
    await eventually('the rate is 29', async () => (await rate()) === 29)
    assert.equal(await agent.metric('emberscope_config_last_reload_successful'), 1)
    assert.equal(await agent.end(), 0)
  })

  it('starts its sampler anew when filters change, and only that', async () => {
    const file = join(scratchDirectory(), 'agent.yaml')
    const text = (pid: number) => `filter: { pids: [${pid}] }\nexporter: { endpoint: "${receiver.url}" }`
    writeFileSync(file, text(idle.pid))
    const agent = startAgent(['--config', file, '--rate', '97'])
    const address = await agent.address()
    await agent.logged(/profiling/)
    const from = receiver.profiles.length
    writeFileSync(file, text(busy.pid))
    await agent.logged(/changed=filter\.pids/)
    const later = () =>
      receiver.profiles.slice(from).filter(({ resource }) => resource['process.pid'] !== idle.pid)
    await eventually('the busy process came', () => later().length > 0)
    for (const { resource } of later()) assert.equal(resource['process.pid'], busy.pid)
    assert.equal(await agent.address(), address)
    assert.equal(agent.log().match(/listening/g)?.length, 1)
    assert.equal(await agent.end(), 0)
  })

  it('takes a rate per target from its file: when it is written, on SIGHUP, and never a wrong one', async () => {
    const file = join(scratchDirectory(), 'agent.yaml')
    const write = (rates: string) =>
      writeFileSync(file, `rate: 19\nexporter: { endpoint: "${receiver.url}" }\n${rates}`)
    const rules = (rate: string) => `rates: [{ comm: nobody, rate: 3 }, { pid: ${busy.pid}, ${rate} }]`
    write('')
    // The governor has no say here.
    const agent = startAgent(['--config', file, '--max-overhead', '100%'])
    let from = 0
    /** Windows from here on bring samples of the busy process that stand for 1 / `rateHz` seconds each. */
    const comesAt = (rateHz: number) => {
      from = receiver.profiles.length
      const period = BigInt(Math.round(1e9 / rateHz))
      const isIt = (of: ReceivedProfile) =>
        of.resource['process.pid'] === busy.pid && of.profile.period === period
      return eventually(`samples at ${rateHz} Hz came`, () => receiver.profiles.slice(from).some(isIt))
    }
    await comesAt(19)
    write(rules('rate: 97'))
    await agent.logged(/changed=rates/)
    await comesAt(97)
    write(rules('rate: 49'))
    process.kill(agent.pid, 'SIGHUP')
    await comesAt(49)
    write(rules('rat: 49'))
    process.kill(agent.pid, 'SIGHUP')
    await agent.logged(/unknown key \\"rates\[1\]\.rat\\"; did you mean \\"rates\[1\]\.rate\\"\?/)
    write('rates: [{ cgroup: /no/such/cgroup, rate: 5 }]')
    await agent.logged(/error capture: .*no\/such\/cgroup/)
    await comesAt(49)
    write('')
    await comesAt(19)
    assert.equal(agent.log().match(/listening/g)?.length, 1)
    assert.equal(await agent.end(), 0)
    receiver.assertSound()
  })

  it('goes on with the filters before when the new ones cannot be had, and tells', async () => {
    const file = join(scratchDirectory(), 'agent.yaml')
    const write = (text: string) => writeFileSync(file, `exporter: { endpoint: "${receiver.url}" }\n${text}`)
    write('')
    const agent = startAgent(['--config', file])
    await agent.logged(/profiling/)
    write('filter: { cgroups: [/no/such/cgroup] }')
    await agent.logged(/error capture: .*no\/such\/cgroup/)
    await agent.logged(/changed=filter\.cgroups/)
    const from = receiver.profiles.length
    await eventually('windows come as before', () => receiver.profiles.length > from)
    assert.match((await agent.request('/readyz')).body, /failed configuration: .*sampling goes on as before/)
    assert.equal((await agent.request('/healthz')).status, 200)
    assert.equal(await agent.end(), 0)
  })

  it('refuses windows above its memory limit, and counts them', async () => {
    const agent = startAgent(['--exporter-endpoint', receiver.url, '--memory-limit', '64MiB'])
    const refused = () => agent.metric('emberscope_windows_dropped_total{reason="memory"}')
    await eventually('a window was refused', async () => (await refused()) > 0)
    assert.equal(await agent.metric('emberscope_memory_pressure'), 2)
    assert.match(agent.log(), /warn +memory: memory is above memoryLimit: windows are dropped/)
    assert.equal((await agent.request('/healthz')).status, 200)
    assert.equal(await agent.end(), 0)
  })

  it('refuses to be the second on a host, and names the first', async () => {
    const first = startAgent(['--exporter-endpoint', receiver.url])
    await first.logged(/profiling/)
    const second = startAgent(['--exporter-endpoint', receiver.url], { directory: first.directory })
    await second.logged(new RegExp(`another agent runs on this host: pid ${first.pid} `))
    assert.equal(await second.ended(), 3)
    assert.equal((await first.request('/healthz')).status, 200)
    assert.equal(await first.end(), 0)
  })

  it('goes on sampling and sending when its port is taken, and tells', async () => {
    const squatter = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => squatter.once('listening', resolve))
    const { port } = squatter.address() as { port: number }
    const from = receiver.profiles.length
    const agent = startAgent(['--exporter-endpoint', receiver.url, '--listen', `127.0.0.1:${port}`])
    await agent.logged(/error server: .*another program/)
    await eventually('a window came', () => receiver.profiles.length > from)
    assert.equal(await agent.end('SIGINT'), 0)
    await new Promise((resolve) => squatter.close(resolve))
  })

  it('starts where neither queue nor run directory can be made, and still sends', async () => {
    const from = receiver.profiles.length
    const flags = ['--exporter-endpoint', receiver.url, '--queue-dir', '/proc/q', '--run-dir', '/proc/r']
    const agent = startAgent(flags)
    await eventually('a window came', () => receiver.profiles.length > from)
    await agent.logged(/warn .*no lock can be kept/)
    assert.equal(await agent.end(), 0)
    assert.equal(existsSync('/proc/q'), false)
  })

  it('prints no secret, whatever fails', async () => {
    const env = {
      EMBERSCOPE_EXPORTER_HEADERS: 'authorization=hunter2hunter2',
      EMBERSCOPE_TOKEN: 'hunter3hunter3',
    }
    const agent = startAgent(
      ['--exporter-endpoint', await deadEndpoint(), '--log-level', 'debug', '--shutdown-timeout', '500ms'],
      { env },
    )
    await agent.logged(/warn +export/)
    assert.equal(await agent.end(), 0)
    assert.doesNotMatch(agent.log(), /hunter[23]/)
  })

  it('refuses a wrong configuration with exit code 2 before it samples', async () => {
    const agent = startAgent(['--rate', '0'])
    await agent.logged(/--rate: "rate" must be an integer from 1 to 999, got "0"/)
    assert.equal(await agent.ended(), 2)
  })
})
