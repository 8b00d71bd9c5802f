/** The processes seen lately, by pid and start: what was read of each while it lived. Bounded. */
import type { Attributes } from '../model/attributes.ts'
import type { SampledProcess } from '../model/sampled-process.ts'
import type { ContainerRef } from './container-id.ts'
import type { PublishedContext } from './process-context.ts'

export interface KnownProcess {
  readonly pid: number
  readonly startNs: number
  parentPid: number
  comm: string
  cgroupId: bigint
  /** Path of its executable, '' when it was gone before we looked or has none. */
  executable: string
  commandLine: string
  /** '' when unknown. */
  cgroupPath: string
  /** undefined: not known yet; null: in no container. */
  container: ContainerRef | null | undefined
  context: PublishedContext | null
  contextDueMs: number
  contextPauseMs: number
  seenMs: number
  /** The last answer and what it was made of. */
  attributes: Attributes | null
  madeOf: PublishedContext | null
  generation: number
  /** A process that had this pid before. */
  older: KnownProcess | null
}

const MAX_PROCESSES = 16_384
const KEPT_MS = 120_000 // some windows
const SWEEP_MS = 30_000

export class KnownProcesses {
  private readonly byPid = new Map<number, KnownProcess>()
  private nextSweepMs = 0

  get size(): number {
    return this.byPid.size
  }

  /** The process with this pid and start. */
  get(pid: number, startNs: number): KnownProcess | null {
    for (let known = this.byPid.get(pid) ?? null; known; known = known.older)
      if (known.startNs === startNs) return known
    return null
  }

  /** The latest process with this pid. */
  latest(pid: number): KnownProcess | null {
    return this.byPid.get(pid) ?? null
  }

  add(process: SampledProcess, nowMs: number): KnownProcess {
    const before = this.byPid.get(process.pid) ?? null
    if (before) before.older = null // two generations of a pid are enough for any window
    const known: KnownProcess = {
      pid: process.pid,
      startNs: process.startNs,
      parentPid: process.parentPid,
      comm: process.comm,
      cgroupId: process.cgroupId,
      executable: '',
      commandLine: '',
      cgroupPath: '',
      container: undefined,
      context: null,
      contextDueMs: Infinity,
      contextPauseMs: 0,
      seenMs: nowMs,
      attributes: null,
      madeOf: null,
      generation: -1,
      older: before,
    }
    this.byPid.set(process.pid, known)
    if (nowMs >= this.nextSweepMs || this.byPid.size > MAX_PROCESSES) this.sweep(nowMs)
    return known
  }

  private sweep(nowMs: number): void {
    this.nextSweepMs = nowMs + SWEEP_MS
    for (const [pid, known] of this.byPid) {
      if (known.seenMs < nowMs - KEPT_MS) this.byPid.delete(pid)
      else if (known.older && known.older.seenMs < nowMs - KEPT_MS) known.older = null
    }
    for (const pid of this.byPid.keys()) {
      if (this.byPid.size <= MAX_PROCESSES * 0.9) break // one that still runs is read again when next seen
      this.byPid.delete(pid)
    }
  }
}
