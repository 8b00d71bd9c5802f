/** A window goes its way whatever its stages do, and every loss is counted. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { splitByResource } from '../../../src/agent/resource-split.ts'
import { type FlowStages, WindowFlow } from '../../../src/agent/window-flow.ts'
import { AgentLog } from '../../../src/log/log.ts'
import type { Profile } from '../../../src/model/profile.ts'
import type { SampledProcess } from '../../../src/model/sampled-process.ts'
import type { WindowTrace } from '../../../src/telemetry/window-trace.ts'
import { nodeServerProfile } from '../../helpers/sample-profile.ts'

const processOf = (pid: number): SampledProcess => ({
  pid,
  parentPid: 1,
  comm: 'c',
  cgroupId: 0n,
  startNs: 1,
})

describe('splitting by resource', () => {
  const shared = Object.freeze({ 'container.id': 'a' })
  const identity = {
    attributesOf: ({ pid }: SampledProcess) => (pid < 10 ? shared : { 'process.pid': pid }),
    host: () => ({ 'host.name': 'h' }),
  }
  const profile = nodeServerProfile()
  const labelSets = [[], [], [], []]

  it('is one resource a container, one a process outside, each once', () => {
    const origins = { processes: [1, 2, 30].map(processOf), ofLabelSet: Int32Array.from([0, 1, 2, 0]) }
    const split = splitByResource({ ...profile, labelSets, origins }, identity)
    assert.deepEqual(split.resources, [shared, { 'process.pid': 30 }])
    assert.deepEqual([...split.ofLabelSet], [0, 0, 1, 0])
  })
  it('gives the host what is of no process we know', () => {
    const origins = { processes: [processOf(1)], ofLabelSet: Int32Array.from([0, -1, 7]) }
    const split = splitByResource({ ...profile, labelSets, origins }, identity)
    assert.deepEqual(split.resources, [shared, { 'host.name': 'h' }])
    const { origins: _, ...without } = { ...profile, labelSets, origins }
    assert.deepEqual(splitByResource(without, identity).resources, [{ 'host.name': 'h' }])
  })
})

describe('the way of a window', () => {
  const profile = nodeServerProfile()
  const empty: Profile = { ...profile, samples: { ...profile.samples, stack: new Int32Array(0) } }

  function flowOf(stages: Partial<FlowStages>, ready = Promise.resolve()) {
    const lines: string[] = []
    const done: string[] = []
    const traces: WindowTrace[] = []
    const log = new AgentLog(
      { level: 'debug', format: 'text' },
      { write: (line) => lines.push(line), nowMs: Date.now },
    )
    const all: FlowStages = {
      identity: { attributesOf: () => ({}), host: () => ({}) },
      *encode() {
        yield
        return [{ bytes: new Uint8Array(1), samples: 1 }]
      },
      enqueue: async () => void done.push('queued'),
      *publish() {
        yield
        done.push('published')
      },
      trace: (trace) => traces.push(trace),
      maxRequestBytes: 1000,
      ...stages,
    }
    const flow = new WindowFlow(ready, () => all, { name: 'n', version: 'v' }, log)
    const dropped = () =>
      Object.fromEntries(
        flow
          .rows()
          .filter((row) => row.name === 'emberscope_windows_dropped_total')
          .map((row) => [row.labels!.reason, row.value]),
      )
    return { flow, lines, done, traces, dropped }
  }
  const none = { behind: 0, encode: 0, enqueue: 0, record: 0 }

  it('is queue, then page; an empty window only goes to the page', async () => {
    const { flow, done, traces, dropped } = flowOf({})
    flow.take(profile)
    flow.take(empty)
    await flow.settled()
    assert.deepEqual(done, ['queued', 'published', 'published'])
    assert.deepEqual(dropped(), none)
    assert.deepEqual(
      traces[0]!.steps.map((step) => step.name),
      ['encode', 'enqueue', 'record'],
    )
    assert.equal(traces[0]!.fault, '')
  })
  it('waits for the stages to be there', async () => {
    let tell = () => {}
    const { flow, done } = flowOf({}, new Promise<void>((resolve) => (tell = resolve)))
    flow.take(profile)
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.deepEqual(done, [])
    tell()
    await flow.settled()
    assert.deepEqual(done, ['queued', 'published'])
  })
  const failing: readonly (readonly [keyof typeof none, Partial<FlowStages>, string[]])[] = [
    [
      'encode',
      {
        *encode() {
          yield
          throw new Error('no bytes')
        },
      },
      ['published'],
    ],
    ['enqueue', { enqueue: () => Promise.reject(new Error('disk')) }, ['published']],
    [
      'record',
      {
        *publish() {
          yield
          throw new Error('full')
        },
      },
      ['queued'],
    ],
  ]
  for (const [reason, stages, expected] of failing)
    it(`goes on when ${reason} fails, counts it, and takes the next window`, async () => {
      const { flow, lines, done, traces, dropped } = flowOf(stages)
      flow.take(profile)
      flow.take(profile)
      await flow.settled()
      assert.deepEqual(done, [...expected, ...expected])
      assert.deepEqual(dropped(), { ...none, [reason]: 2 })
      assert.match(lines[0]!, new RegExp(`error agent: .*stage=${reason}`))
      assert.match(traces[0]!.fault, new RegExp(`^${reason}: `))
    })
  it('a queue that does not answer holds six windows; the next are dropped and counted', async () => {
    let answer = () => {}
    const { flow, dropped } = flowOf({ enqueue: () => new Promise((resolve) => (answer = resolve)) })
    for (let i = 0; i < 9; i++) flow.take(profile)
    assert.deepEqual(dropped(), { ...none, behind: 3 })
    for (let i = 0; i < 6; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      answer()
    }
    await flow.settled()
    flow.take(profile)
    assert.deepEqual(dropped(), { ...none, behind: 3 })
  })
})
