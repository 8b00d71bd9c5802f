/**
 * Batches in, one Window out: addresses become (executable, address) frames, stacks a prefix tree, samples three
 * integers and a time. A stack is resolved once, when the addon first describes it, and again only when something else
 * was mapped over its code.
 */
import { PairTable } from '../model/pair-table.ts'
import type { FrameKind, StackTable } from '../model/profile.ts'
import type { SampledProcess } from '../model/sampled-process.ts'
import type { Window } from '../model/window.ts'
import type { AbiNames, SampleBatch } from '../native/sample-batch.ts'
import type { ExecutableId, ExecutableTable, Mapping, Owner } from '../process/executable-table.ts'
import { isLasting, type MappedFile } from '../process/mapped-files.ts'
import type { ProcessAt, ProcessTable } from '../process/process-table.ts'
import { type FrameId, FrameInterner } from './frame-interner.ts'
import { LabelSets } from './label-sets.ts'

/** When the window began and what a sample weighs; see Window. */
export interface WindowTimes {
  readonly timeNs: bigint
  /** The same moment on the sample clock (CLOCK_BOOTTIME). */
  readonly bootTimeNs: number
  readonly durationNs: number
  readonly periodNs: number
  /** By SampleBatch.rule, where targets have rates of their own. */
  readonly periodsNs?: readonly number[]
}

type NodeId = number

/** The parent of a stack's first frame. */
const ROOT = -1

/** What of a batch describes its new stacks; kept, because one may have to be resolved again. */
type NewStacks = Pick<
  SampleBatch,
  'firstNewStack' | 'newStackPid' | 'newStackStart' | 'newStackKernelFrames' | 'frames'
>

export class Aggregator {
  readonly #processes: ProcessTable
  readonly #executables: ExecutableTable
  readonly #executableOfFile = new Map<MappedFile | Mapping, ExecutableId>()
  #lastFile: MappedFile | Mapping | null = null
  #lastExecutable: ExecutableId = 0
  readonly #frames = new FrameInterner()
  /** (node of the caller or ROOT, frame): a stack is the id of its leaf. */
  readonly #stacks = new PairTable()
  /** Of each stack the addon described, by its id: its leaf node, for which time that holds, and its description. */
  readonly #leafOfStack: NodeId[] = []
  readonly #resolvedNs: number[] = []
  readonly #described: NewStacks[] = []
  readonly #labelSets: LabelSets
  readonly #rows = {
    stack: [] as number[],
    labelSet: [] as number[],
    timeNs: [] as number[],
    rule: [] as number[],
  }

  constructor(processes: ProcessTable, executables: ExecutableTable, stackEnds: AbiNames['stackEnds']) {
    this.#processes = processes
    this.#executables = executables
    this.#labelSets = new LabelSets(stackEnds)
  }

  /** Samples added so far. */
  get size(): number {
    return this.#rows.stack.length
  }

  /** Takes every sample of the batch; the process events up to its last sample must have been applied. */
  add(batch: SampleBatch): void {
    const { firstNewStack, newStackPid, newStackStart, newStackKernelFrames, frames } = batch
    const news: NewStacks = { firstNewStack, newStackPid, newStackStart, newStackKernelFrames, frames }
    for (let j = 0; j < newStackPid.length; j++) {
      this.#described[firstNewStack + j] = news
      this.#resolve(firstNewStack + j, batch.newStackTimeNs[j]!)
    }
    const { stack, pid, timeNs, rule } = batch
    for (let i = 0; i < stack.length; i++) {
      const owner = this.#processes.owner(pid[i]!, timeNs[i]!)
      this.#rows.stack.push(this.#leafAt(stack[i]!, pid[i]!, timeNs[i]!))
      this.#rows.labelSet.push(this.#labelSets.of(batch, i, owner))
      this.#rows.timeNs.push(timeNs[i]!)
      this.#rows.rule.push(rule[i]!)
    }
  }

  /** The same addresses are another stack once another library took the place of theirs. */
  #leafAt(stack: number, pid: number, timeNs: number): NodeId {
    if (this.#processes.isReplaced(pid, this.#resolvedNs[stack]!, timeNs)) this.#resolve(stack, timeNs)
    return this.#leafOfStack[stack]!
  }

  #resolve(stack: number, timeNs: number): void {
    const news = this.#described[stack]!
    this.#leafOfStack[stack] = this.#walk(news, stack - news.firstNewStack, timeNs)
    this.#resolvedNs[stack] = timeNs
  }

  /** Walks stack j of a batch from its root, as its process was at that time, and returns its leaf node. */
  #walk(news: NewStacks, j: number, timeNs: number): NodeId {
    const begin = news.newStackStart[j]!
    const userBegin = begin + news.newStackKernelFrames[j]!
    const process = this.#processes.at(news.newStackPid[j]!, timeNs)
    let node: NodeId = ROOT
    for (let i = news.newStackStart[j + 1]! - 1; i >= begin; i--) {
      const isLeaf = i === begin || i === userBegin
      // A return address may be the first byte after its function: the call before it is what we mean.
      const address = news.frames[i]! - (isLeaf ? 0 : 1)
      const frame = i < userBegin ? this.#kernelFrame(address) : this.#userFrame(process, address)
      node = this.#stacks.intern(node, frame)
    }
    return node
  }

  #kernelFrame(address: number): FrameId {
    return this.#frames.intern(this.#executables.kernel, address, 'kernel')
  }

  #userFrame({ owner, findMapping }: ProcessAt, address: number): FrameId {
    const mapping = findMapping(address)
    if (!mapping) return this.#frames.intern(this.#executables.unknown(owner), address, 'native')
    const executable = this.#executableOf(mapping, owner)
    const kind: FrameKind = this.#executables.kindOf(executable) === 'jit' ? 'jit' : 'native'
    const position = kind === 'jit' ? address : address - mapping.start + mapping.fileOffset
    return this.#frames.intern(executable, position, kind)
  }

  /** Frames that follow each other are mostly of one file: the last one's is remembered. */
  #executableOf(mapping: Mapping, owner: Owner): ExecutableId {
    const file = fileOf(mapping)
    if (file === this.#lastFile) return this.#lastExecutable
    const known = this.#executableOfFile.get(file)
    if (known === undefined) return this.#identify(mapping, owner)
    this.#lastFile = file
    this.#lastExecutable = known
    return known
  }

  /** A file is one executable whoever maps it; forks share a mapping, and run-time code is each one's own. */
  #identify(mapping: Mapping, owner: Owner): ExecutableId {
    const executable = this.#executables.identify(mapping, owner)
    if (this.#executables.kindOf(executable) === 'elf')
      this.#executableOfFile.set(fileOf(mapping), executable)
    return executable
  }

  /** Processes sampled for the first time since this was last asked. */
  takeNewProcesses(): readonly SampledProcess[] {
    return this.#labelSets.takeNewProcesses()
  }

  /** Samples added so far, by their rule. */
  countByRule(): number[] {
    const counts: number[] = []
    for (const rule of this.#rows.rule) counts[rule] = (counts[rule] ?? 0) + 1
    return Array.from(counts, (count) => count ?? 0)
  }

  /** Freezes what was added. */
  toWindow(times: WindowTimes): Window {
    return {
      executables: this.#executables.list(),
      frames: this.#frames.toTable(),
      stacks: stackTable(this.#stacks),
      samples: {
        stack: Int32Array.from(this.#rows.stack),
        labelSet: Int32Array.from(this.#rows.labelSet),
        timeNs: Float64Array.from(this.#rows.timeNs, (timeNs) => withinWindow(timeNs, times)),
        periodNs: periodsOfRows(this.#rows.rule, times),
      },
      ...this.#labelSets.toTables(),
      timeNs: times.timeNs,
      durationNs: times.durationNs,
      periodNs: times.periodNs,
    }
  }
}

/** What stands for the file: it wherever it is mapped, or the one mapping where another may show other content. */
function fileOf(mapping: Mapping): MappedFile | Mapping {
  return isLasting(mapping.file) ? mapping.file : mapping
}

function stackTable(stacks: PairTable): StackTable {
  const { first, second } = stacks.columns()
  return { parent: first, location: second }
}

function periodsOfRows(rules: readonly number[], { periodNs, periodsNs }: WindowTimes): Float64Array | null {
  if (periodsNs === undefined || rules.every((rule) => periodsNs[rule] === periodNs)) return null
  return Float64Array.from(rules, (rule) => periodsNs[rule]!)
}

/** Nanoseconds since the start. A stack that waited for its unwind table may come a window late: it is counted there. */
function withinWindow(timeNs: number, { bootTimeNs, durationNs }: WindowTimes): number {
  return Math.max(0, Math.min(timeNs - bootTimeNs, durationNs - 1))
}
