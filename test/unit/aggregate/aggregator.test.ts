import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Aggregator } from '../../../src/aggregate/aggregator.ts'
import type { Window } from '../../../src/model/window.ts'
import { ExecutableTable } from '../../../src/process/executable-table.ts'
import { ProcessTable } from '../../../src/process/process-table.ts'
import { EVENT_KINDS, eventBatch } from '../process/event-batch.ts'
import { type BatchParts, STACK_ENDS, sampleBatch } from './sample-batch.ts'

const PID = 5_000_001 // no such process: files are not opened, what counts is what is asked for
const TIMES = { timeNs: 1000n, bootTimeNs: 100, durationNs: 5000, periodNs: 1e7 }
/** The file /program: process addresses [0x400000, 0x500000) show it from 0x1000 on. */
const BASE = 0x400000
const OFFSET = 0x1000

let processes: ProcessTable
let executables: ExecutableTable
let aggregator: Aggregator
beforeEach(() => {
  processes = new ProcessTable(EVENT_KINDS)
  executables = new ExecutableTable()
  aggregator = new Aggregator(processes, executables, STACK_ENDS)
  const program = { start: BASE, end: 0x500000, fileOffset: OFFSET, name: '/program', buildId: 'ab' }
  const jit = { start: 0x600000, end: 0x700000, name: '//anon' }
  processes.apply(
    eventBatch(
      { kind: 'exec', pid: PID, timeNs: 1, name: 'program' },
      { kind: 'mmap', pid: PID, timeNs: 2, ...program },
      { kind: 'mmap', pid: PID, timeNs: 3, ...jit },
    ),
  )
})
afterEach(() => executables.close())

function windowOf(...batches: BatchParts[]): Window {
  for (const batch of batches) aggregator.add(sampleBatch(batch))
  return aggregator.toWindow(TIMES)
}

/** A row's stack from its root: "path+address kind". */
function stackOf(window: Window, row: number): string[] {
  const { frames, stacks, executables, samples } = window
  const texts: string[] = []
  for (let node = samples.stack[row]!; node >= 0; node = stacks.parent[node]!) {
    const frame = stacks.location[node]!
    const address = frames.address[frame]!
    const path = executables[frames.executable[frame]!]!.path
    texts.unshift(`${path}${address < 0 ? '-' : '+'}${Math.abs(address).toString(16)} ${frames.kind[frame]}`)
  }
  return texts
}

const at = (offset: number): number => BASE + offset

describe('frames', () => {
  it('are file offsets, the leaf exact and callers at their call, one byte before the return address', () => {
    const window = windowOf({
      stacks: [{ pid: PID, timeNs: 10, user: [at(0x20), at(0x40), at(0x60)] }],
      samples: [{ stack: 0, pid: PID }],
    })
    assert.deepEqual(stackOf(window, 0), [
      '/program+105f native',
      '/program+103f native',
      '/program+1020 native',
    ])
  })

  it('are exact at the kernel leaf and at the user instruction that entered the kernel', () => {
    const window = windowOf({
      stacks: [{ pid: PID, timeNs: 10, kernel: [-0x1000, -0x2000], user: [at(0x20), at(0x40)] }],
      samples: [{ stack: 0, pid: PID }],
    })
    assert.deepEqual(stackOf(window, 0), [
      '/program+103f native',
      '/program+1020 native',
      '[kernel.kallsyms]-2001 kernel',
      '[kernel.kallsyms]-1000 kernel',
    ])
  })

  it('at a return address right behind their mapping still belong to it', () => {
    const window = windowOf({
      stacks: [{ pid: PID, timeNs: 10, user: [at(0), 0x500000] }],
      samples: [{ stack: 0, pid: PID }],
    })
    assert.deepEqual(stackOf(window, 0), ['/program+100fff native', '/program+1000 native'])
  })

  it('of run-time code and of no mapping keep process addresses', () => {
    const window = windowOf({
      stacks: [{ pid: PID, timeNs: 10, user: [0x600010, 0x900000] }],
      samples: [{ stack: 0, pid: PID }],
    })
    assert.deepEqual(stackOf(window, 0), ['[unknown]+8fffff native', '//anon+600010 jit'])
  })

  // Inside execve a sample still belongs to the program before; this is when that is over for certain.
  const LONG_AFTER_EXEC_NS = 1e9

  it('are looked up at the time of their stack', () => {
    processes.apply(eventBatch({ kind: 'exec', pid: PID, timeNs: 50, name: 'next' }))
    const window = windowOf({
      stacks: [
        { pid: PID, timeNs: 10, user: [at(0x20)] },
        { pid: PID, timeNs: 60 + LONG_AFTER_EXEC_NS, user: [at(0x20)] },
      ],
      samples: [
        { stack: 0, pid: PID, timeNs: 10 },
        { stack: 1, pid: PID, timeNs: 60 + LONG_AFTER_EXEC_NS },
      ],
    })
    assert.deepEqual(stackOf(window, 0), ['/program+1020 native'])
    assert.deepEqual(stackOf(window, 1), ['[unknown]+400020 native'])
  })
})

describe('a library in the place of another', () => {
  const remapped = { kind: 'mmap', pid: PID, timeNs: 50, start: BASE, end: 0x500000 }
  const early = { stack: 0, pid: PID, timeNs: 10 }
  const late = { stack: 0, pid: PID, timeNs: 60 }
  const stacks = [{ pid: PID, timeNs: 10, user: [at(0x20)] }]

  it('names the same addresses anew from its time on, in one batch and in the next', () => {
    processes.apply(eventBatch({ ...remapped, name: '/other', buildId: 'cd' }))
    const window = windowOf({ stacks, samples: [early, late, early] }, { firstNewStack: 1, samples: [late] })
    assert.deepEqual(
      [0, 1, 2, 3].map((row) => stackOf(window, row)),
      [['/program+1020 native'], ['/other+20 native'], ['/program+1020 native'], ['/other+20 native']],
    )
  })

  it('is none when the same file is mapped there again', () => {
    processes.apply(eventBatch({ ...remapped, fileOffset: OFFSET, name: '/program', buildId: 'ab' }))
    assert.equal(processes.isReplaced(PID, 10, 60), false)
  })

  it('counts from its time on, in either order, and for its process only', () => {
    processes.apply(eventBatch({ ...remapped, name: '/other', buildId: 'cd' }))
    const asked: [number, number, number][] = [[PID, 10, 49], [PID, 10, 50], [PID, 50, 60], [PID, 60, 49], [PID + 1, 10, 60]] // biome-ignore format: a table
    assert.deepEqual(
      asked.map((of) => processes.isReplaced(...of)),
      [false, true, false, true, false],
    )
  })

  it('is no matter for run-time code, which is known by its address', () => {
    processes.apply(eventBatch({ ...remapped, start: 0x5ff000, end: 0x601000, name: '//anon' }))
    assert.equal(processes.isReplaced(PID, 10, 60), false)
  })
})

describe('interning', () => {
  const twoLeaves = [
    { pid: PID, timeNs: 10, user: [at(0x20), at(0x60)] },
    { pid: PID, timeNs: 10, user: [at(0x30), at(0x60)] },
  ]

  it('keeps equal stacks and frames once', () => {
    const window = windowOf({
      stacks: twoLeaves,
      samples: [0, 1, 0, 0].map((stack) => ({ stack, pid: PID })),
    })
    assert.deepEqual([...window.stacks.parent], [-1, 0, 0])
    assert.deepEqual([...window.frames.address], [0x105f, 0x1020, 0x1030])
    assert.deepEqual([...window.samples.stack], [1, 2, 1, 1])
  })

  it('goes on over batches: a stack is described once, used later', () => {
    const window = windowOf(
      { stacks: [twoLeaves[0]!], samples: [{ stack: 0, pid: PID }] },
      { firstNewStack: 1, samples: [{ stack: 0, pid: PID }] },
      { firstNewStack: 1, stacks: [twoLeaves[1]!], samples: [{ stack: 1, pid: PID }] },
    )
    assert.deepEqual([...window.samples.stack], [1, 1, 2])
    assert.equal(aggregator.size, 3)
  })

  it('gives a recursion a node per level and one frame', () => {
    const user = [at(0x3f), at(0x40), at(0x40)]
    const window = windowOf({
      stacks: [{ pid: PID, timeNs: 10, user }],
      samples: [{ stack: 0, pid: PID }],
    })
    assert.deepEqual([...window.stacks.location], [0, 0, 0])
    assert.deepEqual([...window.stacks.parent], [-1, 0, 1])
  })

  it('shows an empty stack as -1', () => {
    const window = windowOf({ stacks: [{ pid: PID, user: [] }], samples: [{ stack: 0, pid: PID }] })
    assert.deepEqual([...window.samples.stack], [-1])
  })
})

describe('samples', () => {
  it('carry pid, tid, process name and thread name as labels, equal sets once', () => {
    const stacks = [{ pid: PID, timeNs: 10, user: [at(0x20)] }]
    const samples = [
      { stack: 0, pid: PID, timeNs: 10 },
      { stack: 0, pid: PID, timeNs: 11, tid: PID + 1, comm: 'worker' },
      { stack: 0, pid: PID, timeNs: 12 },
    ]
    const window = windowOf({ stacks, samples })
    assert.deepEqual([...window.samples.labelSet], [0, 1, 0])
    assert.deepEqual(window.labelSets, [
      [
        { key: 'pid', num: PID },
        { key: 'tid', num: PID },
        { key: 'comm', str: 'program' },
        { key: 'thread', str: 'main' },
      ],
      [
        { key: 'pid', num: PID },
        { key: 'tid', num: PID + 1 },
        { key: 'comm', str: 'program' },
        { key: 'thread', str: 'worker' },
      ],
    ])
  })

  it('say how their stack ended where it is not complete, and nothing else', () => {
    const ends = STACK_ENDS.map((_, end) => ({ stack: 0, pid: PID, comm: 'main', end }))
    const stack = { pid: PID, timeNs: 10, user: [at(0x20)] }
    const { samples, labelSets, origins } = windowOf({ stacks: [stack], samples: [...ends, ...ends] })
    const said = Array.from(samples.labelSet, (set) => labelSets[set]!.slice(4))
    const label = (str: string) => [{ key: 'stack_end', str }]
    const expected = [[], [], label('approximate'), label('bad_frame_pointer'), label('depth_limit')]
    assert.deepEqual(said, [...expected, ...expected])
    assert.equal(labelSets.length, 4, 'complete stacks share the set they would have had')
    assert.deepEqual([...origins!.ofLabelSet], [0, 0, 0, 0])
  })

  it('of a process nobody knows are named by their thread', () => {
    const pid = PID + 5
    const window = windowOf({
      stacks: [{ pid, user: [at(0)] }],
      samples: [{ stack: 0, pid, comm: 'short' }],
    })
    assert.deepEqual(window.labelSets[0]?.[2], { key: 'comm', str: 'short' })
  })

  it('have times from the start of the window, none before it', () => {
    const stacks = [{ pid: PID, user: [] }]
    const samples = [99, 100, 350].map((timeNs) => ({ stack: 0, pid: PID, timeNs }))
    assert.deepEqual([...windowOf({ stacks, samples }).samples.timeNs], [0, 0, 250])
  })

  it('that are none make an empty window with its times', () => {
    const window = windowOf()
    assert.deepEqual([window.samples.stack.length, window.stacks.parent.length], [0, 0])
    assert.deepEqual([window.timeNs, window.durationNs, window.periodNs], [1000n, 5000, 1e7])
  })
})

describe('origins', () => {
  const stack = { pid: PID, timeNs: 10, user: [at(0x20)] }

  it('tell the process of each label set, once each', () => {
    const sample = { stack: 0, pid: PID, processStartNs: 77, cgroupId: 4242, timeNs: 110 }
    const { origins, samples, labelSets } = windowOf({
      stacks: [stack],
      samples: [sample, { ...sample, tid: PID + 1 }, sample],
    })
    const process = { pid: PID, parentPid: 0, comm: 'program', cgroupId: 4242n, startNs: 77 }
    assert.deepEqual(origins!.processes, [process])
    assert.equal(labelSets.length, 2)
    assert.deepEqual([...origins!.ofLabelSet], [0, 0])
    assert.deepEqual([...samples.labelSet], [0, 1, 0])
  })

  it('are others after a move to another cgroup, and for another process of the same number', () => {
    const sample = { stack: 0, pid: PID, processStartNs: 77, cgroupId: 1, timeNs: 110 }
    const { origins, samples } = windowOf({
      stacks: [stack],
      samples: [sample, { ...sample, cgroupId: 2 }, { ...sample, processStartNs: 78 }],
    })
    assert.deepEqual(
      origins!.processes.map(({ cgroupId, startNs }) => `${cgroupId} ${startNs}`),
      ['1 77', '2 77', '1 78'],
    )
    assert.deepEqual(
      [...samples.labelSet].map((set) => origins!.ofLabelSet[set]),
      [0, 1, 2],
    )
  })

  it('are announced when they are new', () => {
    const sample = { stack: 0, pid: PID, processStartNs: 77, timeNs: 110 }
    aggregator.add(sampleBatch({ stacks: [stack], samples: [sample] }))
    assert.deepEqual(
      aggregator.takeNewProcesses().map(({ startNs }) => startNs),
      [77],
    )
    aggregator.add(sampleBatch({ firstNewStack: 1, samples: [sample, { ...sample, processStartNs: 78 }] }))
    assert.deepEqual(
      aggregator.takeNewProcesses().map(({ startNs }) => startNs),
      [78],
    )
    assert.deepEqual(aggregator.takeNewProcesses(), [])
  })
})

it('keeps every sample within its window, also one that had to wait for its table', () => {
  const times = [10, 100, 5099, 5100, 9000]
  const { samples } = windowOf({
    stacks: [{ pid: PID, timeNs: 10, user: [at(0x20)] }],
    samples: times.map((timeNs) => ({ stack: 0, pid: PID, timeNs })),
  })
  assert.deepEqual([...samples.timeNs], [0, 0, 4999, 4999, 4999])
})

it('weighs samples by the rule that they were taken by', () => {
  const stacks = [{ pid: PID, user: [BASE] }]
  const samples = [1, 0, 2, 1].map((rule) => ({ stack: 0, pid: PID, rule }))
  aggregator.add(sampleBatch({ stacks, samples }))
  assert.deepEqual(aggregator.countByRule(), [1, 2, 1])
  const periodsOf = (periodsNs?: readonly number[]) =>
    aggregator.toWindow({ ...TIMES, ...(periodsNs && { periodsNs }) }).samples.periodNs
  assert.deepEqual(periodsOf([1e7, 2e6, 5e7]), Float64Array.of(2e6, 1e7, 5e7, 2e6))
  assert.equal(periodsOf([1e7, 1e7, 1e7]), null)
  assert.equal(periodsOf(), null)
})
