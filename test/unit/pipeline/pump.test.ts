import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Aggregator } from '../../../src/aggregate/aggregator.ts'
import type { AbiNames, EventBatch, SampleBatch } from '../../../src/native/sample-batch.ts'
import type { NativeSampler } from '../../../src/native/sampler.ts'
import { Pump } from '../../../src/pipeline/pump.ts'
import { ExecutableTable } from '../../../src/process/executable-table.ts'
import { ProcessTable } from '../../../src/process/process-table.ts'
import { STACK_ENDS, sampleBatch } from '../aggregate/sample-batch.ts'
import { EVENT_KINDS, eventBatch } from '../process/event-batch.ts'
import { UNWIND_STATS } from './unwind-stats.ts'

const PID = 5_000_001
const ABI: AbiNames = {
  version: 1,
  stackEnds: STACK_ENDS,
  counters: ['ticks', 'captured'],
  eventKinds: EVENT_KINDS,
}

/** A sampler that gives these batches, one pair a turn, and writes down what was asked of it. */
class RecordedSampler implements NativeSampler {
  readonly event = 'recorded'
  readonly unwinder = 'loop'
  waitingStacks = 0
  readonly drainedBytes = { samples: 0, rawStacks: 0 }
  readonly calls: string[] = []
  readonly #turns: { samples?: SampleBatch; events?: EventBatch }[]
  constructor(...turns: { samples?: SampleBatch; events?: EventBatch }[]) {
    this.#turns = turns
  }
  drain(): SampleBatch {
    this.calls.push('drain')
    return this.#turns[0]?.samples ?? sampleBatch({})
  }
  drainEvents(): EventBatch {
    this.calls.push('drainEvents')
    return this.#turns.shift()?.events ?? eventBatch()
  }
  counters(): Float64Array {
    return Float64Array.of(800, 5)
  }
  bpfStats() {
    return { runs: 0, timeNs: 0 }
  }
  unwindStats() {
    return UNWIND_STATS
  }
  setRate(): void {}
  forgetStacks(): void {}
  addTarget(): void {}
  start(): void {}
  stop(): void {}
  close(): void {}
}

function pumpOf(sampler: NativeSampler) {
  const processes = new ProcessTable(EVENT_KINDS)
  const aggregator = new Aggregator(processes, new ExecutableTable(), STACK_ENDS)
  return { pump: new Pump(sampler, processes, aggregator, ABI), aggregator }
}

describe('a turn of the pump', () => {
  it('drains samples before events, and applies events first', () => {
    const sampler = new RecordedSampler({
      samples: sampleBatch({
        stacks: [{ pid: PID, timeNs: 10, user: [0x1010] }],
        samples: [{ stack: 0, pid: PID, timeNs: 10 }],
      }),
      events: eventBatch({ kind: 'mmap', pid: PID, timeNs: 5, start: 0x1000, end: 0x2000, name: '/late' }),
    })
    const { pump, aggregator } = pumpOf(sampler)
    pump.turn()
    assert.deepEqual(sampler.calls, ['drain', 'drainEvents'])
    const { executables, frames } = aggregator.toWindow({
      timeNs: 0n,
      bootTimeNs: 0,
      durationNs: 1,
      periodNs: 1,
    })
    assert.equal(executables[frames.executable[0]!]!.path, '/late')
  })

  it('adds up how the stacks ended, over turns: every sample in exactly one sum', () => {
    const turn = (...ends: number[]) => ({
      samples: sampleBatch({
        stacks: [{ pid: PID, user: [] }],
        samples: ends.map((end) => ({ stack: 0, pid: PID, end })),
      }),
    })
    const { pump, aggregator } = pumpOf(new RecordedSampler(turn(0, 1, 2, 3), turn(0, 4, 4)))
    pump.turn()
    pump.turn()
    assert.deepEqual(pump.stackQuality(), {
      complete: 3,
      approximate: 1,
      truncated: { bad_frame_pointer: 1, depth_limit: 2 },
    })
    assert.equal(aggregator.size, 7)
  })

  it('remembers when the first sample came', () => {
    const turn = (timeNs: number) => ({
      samples: sampleBatch({
        stacks: [{ pid: PID, user: [] }],
        samples: [{ stack: 0, pid: PID, timeNs }],
      }),
    })
    const { pump } = pumpOf(new RecordedSampler({}, turn(70), turn(90), turn(60)))
    pump.turn()
    assert.ok(Number.isNaN(pump.firstSampleNs))
    pump.turn()
    pump.turn()
    assert.equal(pump.firstSampleNs, 70)
    pump.turn()
    assert.equal(pump.firstSampleNs, 60, 'one that waited for its unwind table comes late')
  })

  it('comes again soon while stacks wait for their tables', () => {
    const sampler = new RecordedSampler()
    const { pump } = pumpOf(sampler)
    const turns = (count: number) => {
      for (let i = 0; i < count; i++) pump.turn()
      return pump.pauseMs
    }
    assert.equal(turns(0), 10, 'in the beginning too')
    assert.equal(turns(50), 100)
    sampler.waitingStacks = 3
    assert.equal(turns(1), 10)
    sampler.waitingStacks = 0
    assert.equal(turns(49), 10)
    assert.equal(turns(1), 100)
  })

  it('of nothing changes nothing', () => {
    const { pump, aggregator } = pumpOf(new RecordedSampler())
    pump.turn()
    assert.deepEqual(pump.stackQuality(), { complete: 0, approximate: 0, truncated: {} })
    assert.equal(aggregator.size, 0)
  })

  it('names the counters', () => {
    assert.deepEqual(pumpOf(new RecordedSampler()).pump.counters(), { ticks: 800, captured: 5 })
  })
})
