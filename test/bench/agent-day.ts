/**
 * 24 hours of windows in minutes: the real sampler closes one every 40 ms instead of every 10 s, and all 8640 go the
 * whole way (names, resources, encoding, queue, receiver, recorder) in this process, whose heap is looked at as it goes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { exporterOptions, identityOptions, recorderOptions } from '../../src/agent/stage-options.ts'
import { WindowFlow } from '../../src/agent/window-flow.ts'
import { loadConfig } from '../../src/config/load.ts'
import { Exporter } from '../../src/export/exporter.ts'
import { Identity } from '../../src/identity/identity.ts'
import { AgentLog } from '../../src/log/log.ts'
import { encodeRequestSteps } from '../../src/otlp/encode.ts'
import { Continuous } from '../../src/pipeline/continuous.ts'
import { Recorder } from '../../src/server/recorder.ts'
import { scratchDirectory } from '../helpers/profile-run.ts'

const WINDOWS = 8640
const WINDOW_MS = 40
const LOOKS = 12

type Print = (name: string, value: number, unit: string, goal: string) => void

/** Sends to `endpoint`; `print` gets heap and RSS after each two hours. */
export async function simulateDay(endpoint: string, print: Print): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const flags = [
    ['exporter-endpoint', endpoint],
    ['queue-dir', scratchDirectory()],
    ['kubernetes-metadata', 'off'],
  ] as const
  const { config } = await loadConfig({ file: '', env: {}, flags })
  const log = new AgentLog({ level: 'warn', format: 'text' })
  const identity = new Identity(identityOptions(config, {}))
  const recorder = new Recorder(recorderOptions(config))
  const exporter = new Exporter(exporterOptions(config, '0', log))
  await exporter.open()
  const stages = {
    identity,
    encode: encodeRequestSteps,
    enqueue: (requests: Parameters<Exporter['enqueue']>[0]) => exporter.enqueue(requests),
    *publish(profile: Parameters<Recorder['add']>[0]) {
      yield* recorder.addSteps(profile)
    },
    trace: () => {},
    maxRequestBytes: config.maxRequestBytes,
  }
  const flow = new WindowFlow(Promise.resolve(), () => stages, { name: 'bench', version: '0' }, log)
  let windows = 0
  const request = {
    filters: { pids: [], cgroupPaths: [], comms: [] },
    rateHz: 97,
    kernelStacks: true,
    windowMs: WINDOW_MS,
    jitter: 0.2,
  }
  const capture = new Continuous(request, {
    onWindow: (profile) => {
      windows++
      flow.take(profile)
    },
    onProcesses: (seen) => identity.observe(seen),
  })
  await capture.start()
  for (let look = 1; look <= LOOKS; look++) {
    while (windows < (WINDOWS * look) / LOOKS) await sleep(100)
    await flow.settled()
    collect()
    const { heapUsed, external, rss } = process.memoryUsage()
    const hour = `hour ${(24 * look) / LOOKS}`
    print(`${hour}: heap and buffers after collection`, (heapUsed + external) / 2 ** 20, 'MiB', '')
    print(`${hour}: RSS of this process`, rss / 2 ** 20, 'MiB', look === LOOKS ? 'no growth' : '')
  }
  await capture.stop()
  await flow.settled()
  await exporter.close(10_000)
  identity.close()
  const { dropped } = recorder.stats()
  print('windows', windows, '', '')
  print('windows that left the recorder', dropped.age + dropped.size, '', '')
  for (const { sentSamples, queueSamples } of exporter.stats().destinations) {
    print('samples sent', sentSamples, '', '')
    print('samples left in the queue', queueSamples, '', '0')
  }
}
