/**
 * The agent: the sampler first, the other stages behind it (stages.ts), the configuration in force, and the costs. Only the
 * sampler is needed to live.
 */
import { cpus } from 'node:os'
import type { AgentConfig } from '../config/config.ts'
import { changedKeys, type LoadedConfig } from '../config/load.ts'
import type { Stage } from '../config/schema.ts'
import { AgentError } from '../errors.ts'
import { AgentLog } from '../log/log.ts'
import { Health } from '../metrics/health.ts'
import type { MetricRow, MetricSource } from '../metrics/rows.ts'
import type { Profile } from '../model/profile.ts'
import type { SampledProcess } from '../model/sampled-process.ts'
import { Continuous } from '../pipeline/continuous.ts'
import { ConfigWatch } from './config-watch.ts'
import { Governor, percentText } from './governor.ts'
import { takeHostLock } from './host-lock.ts'
import { MemoryBudget } from './memory-budget.ts'
import { ownCpuNs } from './own-cpu.ts'
import { captureRows } from './rows/capture-rows.ts'
import { governorRows, memoryRows } from './rows/cost-rows.ts'
import { configRows, healthRows, logRows } from './rows/stage-rows.ts'
import { continuousRequest, type Environment, secretsOf } from './stage-options.ts'
import { Stages } from './stages.ts'
import { WindowFlow } from './window-flow.ts'

export interface AgentRequest {
  readonly loaded: LoadedConfig
  /** The same sources again. Errors: AgentError `config_invalid`. */
  readonly reload: () => Promise<LoadedConfig>
  /** Path of the configuration's file, '' for none. */
  readonly file: string
  readonly env: Environment
  readonly version: string
}

/** How often costs are looked at, and stages that failed tried again. */
const UPKEEP_MS = 5000
const RETRY_MS = 30_000
/** Processes seen before there is somebody to tell; the next window announces them again. */
const SEEN_EARLY_MAX = 50_000

export class Agent {
  readonly #request: AgentRequest
  readonly #log: AgentLog
  readonly #health: Health
  readonly #governor: Governor
  readonly #budget: MemoryBudget
  readonly #flow: WindowFlow
  /** Counted at the first look: it takes milliseconds that the first sample should not wait for. */
  #cpus = 0
  readonly #reloads = { applied: 0, refused: 0, lastSuccessful: true }
  #loaded: LoadedConfig
  #continuous: Continuous
  #captureFault = 'the sampler is starting'
  #stages: Stages | null = null
  #seenEarly: SampledProcess[] = []
  #tellReady: () => void = () => {}
  #lock: { release(): Promise<void> } | null = null
  #upkeep: NodeJS.Timeout | undefined
  #watch: ConfigWatch | null = null
  #triedMs = 0
  /** Reloads, retries and the end, one after the other. */
  #turn: Promise<void> = Promise.resolve()
  #isStopping = false

  constructor(request: AgentRequest) {
    const { config } = request.loaded
    this.#request = request
    this.#loaded = request.loaded
    this.#log = new AgentLog({ level: config.logLevel, format: config.logFormat })
    this.#log.setSecrets(secretsOf(config))
    this.#health = new Health(config.window)
    this.#governor = new Governor({ rateHz: config.rate, maxOverhead: config.maxOverhead })
    this.#budget = new MemoryBudget(config.memoryLimit)
    this.#continuous = this.#newContinuous(config)
    const ready = new Promise<void>((resolve) => {
      this.#tellReady = resolve
    })
    const scope = { name: 'emberscope', version: request.version }
    this.#flow = new WindowFlow(ready, () => this.#stages!.forFlow(), scope, this.#log.of('export'))
  }

  get #config(): AgentConfig {
    return this.#loaded.config
  }

  /** Resolves when every stage was started, or has failed for now. Errors: AgentError when this host cannot be sampled. */
  async start(): Promise<void> {
    await this.#takeLock()
    try {
      await this.#continuous.start()
    } catch (error) {
      await this.#lock?.release()
      throw error
    }
    this.#sampling('')
    this.#upkeep = setInterval(() => this.#keepUp(), UPKEEP_MS)
    for (const warning of this.#loaded.warnings) this.#log.warn(warning)
    await this.#inTurn(() => this.#startStages())
    if (this.#request.file !== '') this.#watch = new ConfigWatch(this.#request.file, () => void this.reload())
    this.#tellStart()
  }

  /** Reads the configuration again and starts anew what it changes. Never rejects: a wrong file changes nothing. */
  reload(): Promise<void> {
    return this.#inTurn(async () => {
      const loaded = await this.#loadAgain()
      if (loaded === null || this.#isStopping) return
      const keys = changedKeys(this.#loaded, loaded)
      const before = this.#config
      this.#loaded = loaded
      this.#log.setSecrets(secretsOf(loaded.config))
      for (const warning of loaded.warnings) this.#log.warn(warning)
      await this.#restart(new Set(keys.map((key) => key.stage)), before)
      this.#log.info('the configuration was read again', { changed: keys.map((key) => key.path).join(' ') })
    })
  }

  /** Hands out the last window, sends what it can within shutdownTimeout, and frees everything. Safe twice. */
  stop(): Promise<void> {
    if (this.#isStopping) return this.#turn
    this.#isStopping = true
    this.#watch?.close()
    clearInterval(this.#upkeep)
    const deadlineMs = performance.now() + this.#config.shutdownTimeout
    return this.#inTurn(async () => {
      await this.#attempt(() => this.#continuous.stop())
      await this.#flow.settled()
      try {
        await this.#stages?.close(Math.max(0, deadlineMs - performance.now()))
      } finally {
        await this.#lock?.release()
        this.#log.flush()
      }
    })
  }

  /** Every metric now. */
  rows(): MetricRow[] {
    return gather([
      () => captureRows(this.#continuous.stats()),
      () => governorRows(this.#governor.stats()),
      () => memoryRows(this.#budget.stats()),
      () => this.#flow.rows(),
      () => healthRows(this.#health.report()),
      () => configRows(this.#reloads),
      () => logRows(this.#log.stats()),
      ...(this.#stages?.rowSources() ?? []),
    ])
  }

  get shutdownTimeoutMs(): number {
    return this.#config.shutdownTimeout
  }

  tellFault(error: Error): void {
    this.#log.error('internal error', { error, where: error.stack?.split('\n')[1]?.trim() })
  }

  /** A read of a hostile process does not come back from the kernel: an orderly exit would wait for it for ever. */
  get isStuck(): boolean {
    return this.#stages?.isStuck ?? false
  }

  #newContinuous(config: AgentConfig): Continuous {
    return new Continuous(continuousRequest(config, this.#governor.rateHz), {
      onWindow: (profile) => {
        this.#health.windowClosed()
        if (this.#budget.admits()) this.#flow.take(withNote(profile, this.#governor.note()))
      },
      onProcesses: (seen) => {
        if (this.#stages !== null) this.#stages.observe(seen)
        else if (this.#seenEarly.length < SEEN_EARLY_MAX) this.#seenEarly.push(...seen)
      },
    })
  }

  async #takeLock(): Promise<void> {
    try {
      this.#lock = await takeHostLock(this.#config.runDir)
    } catch (error) {
      if (error instanceof AgentError && error.code === 'already_running') throw error
      this.#log.warn('no lock can be kept, a second agent would not be noticed', { error: error as Error })
    }
  }

  async #startStages(): Promise<void> {
    const code = await import('./stage-code.ts')
    const host = {
      config: () => this.#config,
      rows: () => this.rows(),
      health: () => this.#health.report(),
      ownsRunDir: () => this.#lock !== null,
      env: this.#request.env,
      version: this.#request.version,
      log: this.#log,
    }
    const stages = new Stages(host, code)
    this.#stages = stages
    stages.observe(this.#seenEarly)
    this.#seenEarly = []
    this.#budget.add('recorder', (bytes) => stages.shrinkRecorder(bytes))
    await stages.start()
    this.#tellReady()
  }

  #tellStart(): void {
    const { rate, window, destinations } = this.#config
    const to = destinations.map(({ name, endpoint }) => `${name}=${endpoint}`).join(' ')
    this.#log.info('profiling', {
      rate,
      windowMs: window,
      to,
      version: this.#request.version,
      pid: process.pid,
    })
  }

  /** null when it is refused; that is told everywhere. */
  async #loadAgain(): Promise<LoadedConfig | null> {
    try {
      const loaded = await this.#request.reload()
      this.#reloads.applied++
      this.#reloads.lastSuccessful = true
      this.#health.configuration('')
      return loaded
    } catch (error) {
      this.#reloads.refused++
      this.#reloads.lastSuccessful = false
      this.#health.configuration((error as Error).message.replaceAll('\n', ' '))
      this.#log.error('the configuration is refused, the one before goes on', { error: error as Error })
      return null
    }
  }

  async #restart(changed: ReadonlySet<Stage>, before: AgentConfig): Promise<void> {
    const config = this.#config
    if (changed.has('log')) this.#log.set({ level: config.logLevel, format: config.logFormat })
    if (changed.has('memory')) this.#budget.configure(config.memoryLimit)
    if (changed.has('rate') || changed.has('governor')) {
      this.#governor.configure({ rateHz: config.rate, maxOverhead: config.maxOverhead })
      if (!changed.has('capture')) this.#continuous.setRate(this.#governor.rateHz)
    }
    if (changed.has('capture')) await this.#restartCapture(before)
    await this.#stages?.restart(changed)
  }

  /** A new sampler; should it not start, one as it was before. */
  async #restartCapture(before: AgentConfig): Promise<void> {
    await this.#attempt(() => this.#continuous.stop())
    this.#continuous = this.#newContinuous(this.#config)
    let fault = await this.#attempt(() => this.#continuous.start())
    if (fault !== '' && before !== this.#config) {
      this.#continuous = this.#newContinuous(before)
      const again = await this.#attempt(() => this.#continuous.start())
      if (again === '') this.#health.configuration(`sampling goes on as before: ${fault}`)
      fault = again
    }
    this.#sampling(fault)
  }

  #sampling(fault: string): void {
    this.#captureFault = fault
    this.#health.sampling(fault, this.#config.window)
  }

  /** Every few seconds: the pulse, the costs, and what failed. */
  #keepUp(): void {
    this.#health.beat()
    if (this.#captureFault === '') this.#weigh()
    const nowMs = performance.now()
    if (nowMs - this.#triedMs < RETRY_MS) return
    this.#triedMs = nowMs
    void this.#inTurn(async () => {
      if (this.#isStopping) return
      if (this.#captureFault !== '') await this.#restartCapture(this.#config)
      await this.#stages?.retry()
    })
  }

  #weigh(): void {
    const { bpfNs, mapBytes } = this.#continuous.stats()
    this.#cpus ||= cpus().length
    const nowMs = performance.now()
    const change = this.#governor.observe(nowMs, ownCpuNs() + bpfNs, this.#cpus)
    if (change !== null) {
      const { fromHz: from, toHz: to, overhead } = change
      this.#continuous.setRate(to)
      const words = to < from ? 'the rate is lowered' : 'the rate is raised'
      this.#log.of('governor').warn(words, { from, to, overhead: percentText(overhead) })
    }
    const pressure = this.#budget.observe(nowMs, process.memoryUsage.rss() + mapBytes)
    if (pressure !== null) {
      const { usedBytes, hardBytes } = this.#budget.stats()
      this.#log.of('memory').warn('memory pressure changed', { pressure, usedBytes, limitBytes: hardBytes })
    }
  }

  /** The fault of the sampler as text, '' when there is none; told in the log. */
  async #attempt(work: () => Promise<unknown>): Promise<string> {
    try {
      await work()
      return ''
    } catch (error) {
      this.#log.of('capture').error('this stage failed', { error: error as Error })
      return error instanceof Error ? error.message : String(error)
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work).catch((error: Error) => this.tellFault(error))
    return this.#turn
  }
}

/** A stage that cannot tell its numbers must not cost those of the others. */
function gather(sources: readonly MetricSource[]): MetricRow[] {
  return sources.flatMap((source) => {
    try {
      return source()
    } catch {
      return []
    }
  })
}

/** A profile taken at a lowered rate says so. */
function withNote(profile: Profile, note: string): Profile {
  if (note === '' || profile.capture === null) return profile
  return { ...profile, capture: { ...profile.capture, notes: [...profile.capture.notes, note] } }
}
