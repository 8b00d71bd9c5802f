/**
 * Reads the processes that ran before us, a few at a time: one that ends before its first sample is drained could not be
 * read then. And from time to time finds out who is gone, for events of an exit may be lost. Never holds the loop long.
 */
import { readdir } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import type { ProcessTable } from '../process/process-table.ts'

const SLICE_MS = 4
const SLICE_PAUSE_MS = 20
/** On a host with more, the others are read when they are sampled. */
const PROCESSES_MAX = 2000
const AGAIN_MS = 300_000

export class ProcessSurvey {
  readonly #processes: ProcessTable
  readonly #isWhole: boolean
  #isOver = false
  #surveyedMs = performance.now()

  /** `isWhole`: every process of the host, and not the asked ones alone. */
  constructor(processes: ProcessTable, isWhole: boolean) {
    this.#processes = processes
    this.#isWhole = isWhole
  }

  /** Reads who lives now, in the background. */
  begin(): void {
    if (this.#isWhole) void listLiving().then((pids) => this.#read(pids.slice(0, PROCESSES_MAX)))
  }

  #read(pids: readonly number[]): void {
    const startMs = performance.now()
    let done = 0
    while (!this.#isOver && done < pids.length && performance.now() - startMs < SLICE_MS)
      this.#processes.snapshot(pids[done++]!)
    if (this.#isOver || done === pids.length) return
    setTimeout(() => this.#read(pids.slice(done)), SLICE_PAUSE_MS).unref()
  }

  /** Forgets who is gone, when it is time again. */
  again(): void {
    if (performance.now() - this.#surveyedMs < AGAIN_MS) return
    this.#surveyedMs = performance.now()
    void listLiving().then((pids) => {
      if (!this.#isOver) this.#processes.retain(new Set(pids))
    })
  }

  end(): void {
    this.#isOver = true
  }
}

/** Empty where /proc cannot be listed; then processes are read when they are sampled. */
async function listLiving(): Promise<number[]> {
  const names = await readdir('/proc').catch(() => [])
  return names.filter((name) => /^\d+$/.test(name)).map(Number)
}
