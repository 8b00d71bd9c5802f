/** What we take of the host, held below what the configuration allows: CPU time by the rate, memory by giving back. */
import { cpus } from 'node:os'
import type { AgentConfig } from '../config/config.ts'
import type { Log } from '../log/log.ts'
import type { MetricRow } from '../metrics/rows.ts'
import { Governor, percentText } from './governor.ts'
import { MemoryBudget, type Pressure, type Shed } from './memory-budget.ts'
import { ownCpuNs } from './own-cpu.ts'
import { governorRows, memoryRows } from './rows/cost-rows.ts'
import { highestRate } from './stage-options.ts'

/** The sampler's share of both. */
export interface SamplerCosts {
  readonly bpfNs: number
  readonly mapBytes: number
}

export class Costs {
  readonly #governor: Governor
  readonly #budget: MemoryBudget
  readonly #log: Log
  /** Counted at the first look: it takes milliseconds that the first sample should not wait for. */
  #cpus = 0

  constructor(config: AgentConfig, log: Log) {
    this.#governor = new Governor({ rateHz: highestRate(config), maxOverhead: config.maxOverhead })
    this.#budget = new MemoryBudget(config.memoryLimit)
    this.#log = log
  }

  /** What a reload brings. */
  configure(config: AgentConfig): void {
    this.#governor.configure({ rateHz: highestRate(config), maxOverhead: config.maxOverhead })
    this.#budget.configure(config.memoryLimit)
  }

  /** The rate to sample with now: the highest, where targets have rates of their own. */
  get rateHz(): number {
    return this.#governor.rateHz
  }

  /** A sentence for profiles while the rate is lowered, else ''. */
  note(): string {
    return this.#governor.note()
  }

  /** Whether another window may be kept; a refusal is counted. */
  admits(): boolean {
    return this.#budget.admits()
  }

  /** Who can give memory back. */
  addShed(name: string, shed: Shed): void {
    this.#budget.add(name, shed)
  }

  /** A look every few seconds; gives the new rate when it is to change, else null. */
  weigh({ bpfNs, mapBytes }: SamplerCosts): number | null {
    this.#cpus ||= cpus().length
    const nowMs = performance.now()
    // Some maps are mapped, so some megabytes count twice: this errs on the safe side, and costs no reading of smaps.
    this.#weighMemory(nowMs, process.memoryUsage.rss() + mapBytes)
    const change = this.#governor.observe(nowMs, ownCpuNs() + bpfNs, this.#cpus)
    if (change === null) return null
    const { fromHz: from, toHz: to, overhead } = change
    const words = to < from ? 'the rate is lowered' : 'the rate is raised'
    this.#log.of('governor').warn(words, { from, to, overhead: percentText(overhead) })
    return to
  }

  rows(): MetricRow[] {
    return [...governorRows(this.#governor.stats()), ...memoryRows(this.#budget.stats())]
  }

  #weighMemory(nowMs: number, bytes: number): void {
    const pressure = this.#budget.observe(nowMs, bytes)
    if (pressure === null) return
    const { usedBytes, hardBytes: limitBytes } = this.#budget.stats()
    this.#log.of('memory').warn(PRESSURE_WORDS[pressure], { usedBytes, limitBytes })
  }
}

/** What each pressure means for whoever reads the log. */
const PRESSURE_WORDS: Readonly<Record<Pressure, string>> = {
  none: 'memory is well below memoryLimit again',
  soft: 'memory comes near memoryLimit: the flight recorder is made shorter',
  hard: 'memory is above memoryLimit: windows are dropped until it is not; raise memoryLimit or lower the rate',
}
