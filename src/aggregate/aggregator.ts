/**
 * Batches in, one Window out: addresses become (executable, address) frames, stacks a prefix tree, samples three
 * integers and a time. A stack is resolved once, when the addon first describes it.
 */
import type { FrameKind, Label } from '../model/profile.ts'
import type { Window } from '../model/window.ts'
import type { SampleBatch } from '../native/sample-batch.ts'
import type { ExecutableTable } from '../process/executable-table.ts'
import type { ProcessTable } from '../process/process-table.ts'
import { type FrameId, FrameInterner } from './frame-interner.ts'
import { NO_PARENT, type NodeId, StackInterner } from './stack-interner.ts'

/** When the window began and what a sample weighs; see Window. */
export interface WindowTimes {
  readonly timeNs: bigint
  /** The same moment on the sample clock (CLOCK_BOOTTIME). */
  readonly bootTimeNs: number
  readonly durationNs: number
  readonly periodNs: number
}

export class Aggregator {
  readonly #processes: ProcessTable
  readonly #executables: ExecutableTable
  readonly #frames = new FrameInterner()
  readonly #stacks = new StackInterner()
  /** Leaf node of each stack the addon described, by its id. */
  readonly #leafOfStack: NodeId[] = []
  readonly #labelSetByKey = new Map<string, number>()
  readonly #labelSets: Label[][] = []
  readonly #rows = { stack: [] as number[], labelSet: [] as number[], timeNs: [] as number[] }

  constructor(processes: ProcessTable, executables: ExecutableTable) {
    this.#processes = processes
    this.#executables = executables
  }

  /** Samples added so far. */
  get size(): number {
    return this.#rows.stack.length
  }

  /** Takes every sample of the batch; the process events up to its last sample must have been applied. */
  add(batch: SampleBatch): void {
    for (let j = 0; j < batch.newStackPid.length; j++)
      this.#leafOfStack[batch.firstNewStack + j] = this.#resolveStack(batch, j)
    for (let i = 0; i < batch.stack.length; i++) {
      this.#rows.stack.push(this.#leafOfStack[batch.stack[i]!]!)
      this.#rows.labelSet.push(this.#labelSetOf(batch, i))
      this.#rows.timeNs.push(batch.timeNs[i]!)
    }
  }

  /** Walks stack j of the batch from its root and returns its leaf node. */
  #resolveStack(batch: SampleBatch, j: number): NodeId {
    const begin = batch.newStackStart[j]!
    const userBegin = begin + batch.newStackKernelFrames[j]!
    const pid = batch.newStackPid[j]!
    const timeNs = batch.newStackTimeNs[j]!
    let node = NO_PARENT
    for (let i = batch.newStackStart[j + 1]! - 1; i >= begin; i--) {
      const isLeaf = i === begin || i === userBegin
      // A return address may be the first byte after its function: the call before it is what we mean.
      const address = batch.frames[i]! - (isLeaf ? 0 : 1)
      node = this.#stacks.child(
        node,
        i < userBegin ? this.#kernelFrame(address) : this.#userFrame(pid, timeNs, address),
      )
    }
    return node
  }

  #kernelFrame(address: number): FrameId {
    return this.#frames.intern(this.#executables.kernel, address, 'kernel')
  }

  #userFrame(pid: number, timeNs: number, address: number): FrameId {
    const mapping = this.#processes.findMapping(pid, timeNs, address)
    const owner = this.#processes.owner(pid, timeNs)
    if (!mapping) return this.#frames.intern(this.#executables.unknown(owner), address, 'native')
    const executable = this.#executables.identify(mapping, owner)
    const kind: FrameKind = this.#executables.kindOf(executable) === 'jit' ? 'jit' : 'native'
    const position = kind === 'jit' ? address : address - mapping.start + mapping.fileOffset
    return this.#frames.intern(executable, position, kind)
  }

  #labelSetOf(batch: SampleBatch, i: number): number {
    const pid = batch.pid[i]!
    const tid = batch.tid[i]!
    const thread = batch.comms[batch.comm[i]!]!
    const comm = this.#processes.owner(pid, batch.timeNs[i]!).comm || thread
    const key = `${pid} ${tid} ${comm}\0${thread}`
    const known = this.#labelSetByKey.get(key)
    if (known !== undefined) return known
    const labels = [
      { key: 'pid', num: pid },
      { key: 'tid', num: tid },
      { key: 'comm', str: comm },
      { key: 'thread', str: thread },
    ]
    const id = this.#labelSets.push(labels) - 1
    this.#labelSetByKey.set(key, id)
    return id
  }

  /** Freezes what was added. */
  toWindow(times: WindowTimes): Window {
    return {
      executables: this.#executables.list(),
      frames: this.#frames.toTable(),
      stacks: this.#stacks.toTable(),
      samples: {
        stack: Int32Array.from(this.#rows.stack),
        labelSet: Int32Array.from(this.#rows.labelSet),
        timeNs: Float64Array.from(this.#rows.timeNs, (timeNs) => Math.max(0, timeNs - times.bootTimeNs)),
      },
      labelSets: this.#labelSets,
      timeNs: times.timeNs,
      durationNs: times.durationNs,
      periodNs: times.periodNs,
    }
  }
}
