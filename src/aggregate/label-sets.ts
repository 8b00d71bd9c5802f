/** Whose the samples are: a set of labels for each thread, the processes behind them, and how their stacks ended. */
import type { Label } from '../model/profile.ts'
import type { SampledProcess } from '../model/sampled-process.ts'
import type { Window } from '../model/window.ts'
import type { AbiNames, SampleBatch } from '../native/sample-batch.ts'
import type { Owner } from '../process/executable-table.ts'
import { stackEndLabels } from './stack-end-labels.ts'

/** What a thread was when it was last sampled: mostly it still is. */
interface LastSeen {
  readonly pid: number
  readonly startNs: number
  readonly cgroupId: number
  readonly comm: string
  readonly thread: string
  readonly labelSet: number
}

export class LabelSets {
  /** By end of a stack; null where it is complete. */
  readonly #endLabels: readonly (Label | null)[]
  readonly #lastOfThread = new Map<number, LastSeen>()
  readonly #byKey = new Map<string, number>()
  readonly #byEnd = new Map<number, number>()
  readonly #sets: Label[][] = []
  readonly #sampledByKey = new Map<string, number>()
  readonly #sampled: SampledProcess[] = []
  readonly #sampledOfSet: number[] = []
  #announced = 0

  constructor(stackEnds: AbiNames['stackEnds']) {
    this.#endLabels = stackEndLabels(stackEnds)
  }

  /** The set of sample `i` of the batch, whose process is `owner`. */
  of(batch: SampleBatch, i: number, owner: Owner): number {
    const tid = batch.tid[i]!
    const thread = batch.comms[batch.comm[i]!]!
    const comm = owner.comm || thread
    let last = this.#lastOfThread.get(tid)
    if (!last || !isStill(last, batch, i) || last.comm !== comm || last.thread !== thread) {
      last = this.#look(batch, i, owner, comm, thread)
      this.#lastOfThread.set(tid, last)
    }
    return this.#withEnd(last.labelSet, batch.stackEnd[i]!)
  }

  #look(batch: SampleBatch, i: number, owner: Owner, comm: string, thread: string): LastSeen {
    const [pid, tid] = [batch.pid[i]!, batch.tid[i]!]
    const [startNs, cgroupId] = [batch.processStartNs[i]!, batch.cgroupId[i]!]
    const identity = `${pid} ${startNs} ${cgroupId} ${comm}`
    const key = `${tid} ${identity}\0${thread}`
    let labelSet = this.#byKey.get(key)
    if (labelSet === undefined) {
      const labels = [
        { key: 'pid', num: pid },
        { key: 'tid', num: tid },
        { key: 'comm', str: comm },
        { key: 'thread', str: thread },
      ]
      labelSet = this.#add(labels, this.#process(identity, { ...owner, comm }, startNs, cgroupId))
      this.#byKey.set(key, labelSet)
    }
    return { pid, startNs, cgroupId, comm, thread, labelSet }
  }

  #add(labels: Label[], sampled: number): number {
    this.#sampledOfSet.push(sampled)
    return this.#sets.push(labels) - 1
  }

  /** The set itself for a complete stack, else one that also says how the stack ended. */
  #withEnd(labelSet: number, end: number): number {
    const label = this.#endLabels[end]
    if (!label) return labelSet
    const key = labelSet * this.#endLabels.length + end
    const known = this.#byEnd.get(key)
    if (known !== undefined) return known
    const id = this.#add([...this.#sets[labelSet]!, label], this.#sampledOfSet[labelSet]!)
    this.#byEnd.set(key, id)
    return id
  }

  /** A process that moved to another cgroup, or became another program, is listed again. */
  #process(identity: string, owner: Owner, startNs: number, cgroupId: number): number {
    const known = this.#sampledByKey.get(identity)
    if (known !== undefined) return known
    const { pid, parent, comm } = owner
    const added =
      this.#sampled.push({ pid, parentPid: parent, comm, cgroupId: BigInt(cgroupId), startNs }) - 1
    this.#sampledByKey.set(identity, added)
    return added
  }

  /** Processes sampled for the first time since this was last asked. */
  takeNewProcesses(): readonly SampledProcess[] {
    const seen = this.#sampled.slice(this.#announced)
    this.#announced = this.#sampled.length
    return seen
  }

  /** As a window has them. */
  toTables(): Pick<Window, 'labelSets' | 'origins'> {
    const origins = { processes: this.#sampled, ofLabelSet: Int32Array.from(this.#sampledOfSet) }
    return { labelSets: this.#sets, origins }
  }
}

function isStill(last: LastSeen, batch: SampleBatch, i: number): boolean {
  const isSameProcess = last.pid === batch.pid[i] && last.startNs === batch.processStartNs[i]
  return isSameProcess && last.cgroupId === batch.cgroupId[i]
}
