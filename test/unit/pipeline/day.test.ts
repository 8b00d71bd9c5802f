/** A day of windows, as fast as they can be made: what the stages keep between windows must not grow. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Aggregator } from '../../../src/aggregate/aggregator.ts'
import type { EventBatch, SampleBatch } from '../../../src/native/sample-batch.ts'
import { WindowNamer } from '../../../src/pipeline/window-namer.ts'
import { ExecutableTable } from '../../../src/process/executable-table.ts'
import { HeldFiles } from '../../../src/process/held-files.ts'
import { ProcessTable } from '../../../src/process/process-table.ts'
import { NameCache } from '../../../src/symbolize/name-cache.ts'
import { STACK_ENDS, sampleBatch } from '../aggregate/sample-batch.ts'
import { EVENT_KINDS, type Event, eventBatch } from '../process/event-batch.ts'
import { openDescriptors } from '../process/temporary.ts'
import { fakeReaders } from '../symbolize/fakes.ts'

const WINDOWS = 8640
const WINDOW_NS = 10e9
/** Beyond the kernel's largest pid: /proc never answers. */
const PID = 5_000_000
const PROCESSES_PER_WINDOW = 5

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Processes that begin, run files of their own at addresses of their own, and end; as real hosts have all day. */
function eventsOf(window: number): EventBatch {
  const events: Event[] = []
  for (let i = 0; i < PROCESSES_PER_WINDOW; i++) {
    const pid = PID + ((window * PROCESSES_PER_WINDOW + i) % 100_000)
    const timeNs = window * WINDOW_NS + i * 1000
    const file = { kind: 'mmap', pid, start: 0x400000, end: 0x500000, buildId: `${window % 500}${i}` }
    events.push(
      { kind: 'fork', pid, extra: PID - 1, timeNs },
      { kind: 'exec', pid, timeNs: timeNs + 1, name: `job${window}` },
      { ...file, timeNs: timeNs + 2, name: `/opt/job-${window % 500}-${i}` },
      { kind: 'exit', pid, timeNs: timeNs + WINDOW_NS / 2 },
    )
  }
  return eventBatch(...events.sort((a, b) => a.timeNs - b.timeNs))
}

function samplesOf(window: number): SampleBatch {
  const pids = Array.from({ length: PROCESSES_PER_WINDOW }, (_, i) => {
    return PID + ((window * PROCESSES_PER_WINDOW + i) % 100_000)
  })
  const timeNs = window * WINDOW_NS + WINDOW_NS / 4
  return sampleBatch({
    stacks: pids.map((pid, i) => ({
      pid,
      timeNs,
      kernel: [-0x70000000 - window],
      user: [0x400000 + window * 7, 0x400100 + i, 0x400200],
    })),
    samples: pids.map((pid, i) => ({
      stack: i,
      pid,
      timeNs,
      processStartNs: window * WINDOW_NS,
      cgroupId: i,
    })),
  })
}

it('keeps memory, processes, names and descriptors bounded over a day of windows', async () => {
  const readers = fakeReaders({ kernel: new Map([[-0x80000000, ['schedule', '']]]) })
  const processes = new ProcessTable(EVENT_KINDS)
  const files = new HeldFiles()
  let nowMs = 0
  const cache = new NameCache(readers, {}, { nowMs: () => nowMs, modules: () => '' })
  let samples = 0
  const namer = new WindowNamer(readers, cache, (profile) => {
    samples += profile.samples.stack.length
  })
  const descriptors = openDescriptors()
  let heapAfterAnHour = 0
  for (let window = 0; window < WINDOWS; window++) {
    nowMs = window * 10_000
    const executables = new ExecutableTable(files)
    const aggregator = new Aggregator(processes, executables, STACK_ENDS)
    processes.apply(eventsOf(window))
    aggregator.add(samplesOf(window))
    processes.forget((window - 1) * WINDOW_NS)
    const times = { timeNs: 1n, bootTimeNs: window * WINDOW_NS, durationNs: WINDOW_NS, periodNs: 1e7 }
    const report = () => ({ host: {}, event: '', rateHz: 19 }) as never
    namer.add({ window: aggregator.toWindow(times), executables, report })
    await namer.idle()
    files.sweep()
    if (window !== WINDOWS / 24) continue
    collectGarbage()
    heapAfterAnHour = process.memoryUsage().heapUsed
  }
  collectGarbage()
  const grownBytes = process.memoryUsage().heapUsed - heapAfterAnHour
  assert.equal(samples, WINDOWS * PROCESSES_PER_WINDOW)
  assert.ok(grownBytes < 4e6, `${(grownBytes / 1e6).toFixed(1)} MB more after a day than after an hour`)
  assert.ok(processes.size <= 3 * PROCESSES_PER_WINDOW, `${processes.size} processes are known`)
  assert.ok(cache.counts.frames <= 32_768)
  assert.equal(openDescriptors(), descriptors)
})
