/**
 * The agent: the sampler first, the other stages behind it (stages.ts), the configuration in force, and the costs. Only the
 * sampler is needed to live.
 */
import { changedKeys } from '../config/changed-keys.ts'
import type { AgentConfig } from '../config/config.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { Stage } from '../config/schema.ts'
import { AgentError } from '../errors.ts'
import { AgentLog } from '../log/log.ts'
import { Health } from '../metrics/health.ts'
import type { MetricRow, MetricSource } from '../metrics/rows.ts'
import type { Profile } from '../model/profile.ts'
import type { SampledProcess } from '../model/sampled-process.ts'
import { CaptureStage } from './capture-stage.ts'
import { collectGarbage } from './collect-garbage.ts'
import { ConfigWatch } from './config-watch.ts'
import { Costs } from './costs.ts'
import { takeHostLock } from './host-lock.ts'
import { captureRows } from './rows/capture-rows.ts'
import { configRows, healthRows, logRows } from './rows/stage-rows.ts'
import { type Environment, secretsOf } from './stage-options.ts'
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
  readonly #costs: Costs
  readonly #capture: CaptureStage
  readonly #flow: WindowFlow
  readonly #reloads = { applied: 0, refused: 0, lastSuccessful: true }
  #loaded: LoadedConfig
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
    this.#costs = new Costs(config, this.#log)
    this.#capture = this.#newCapture()
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
      await this.#capture.start()
    } catch (error) {
      await this.#lock?.release()
      throw error
    }
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
      const changed = keys.map((key) => key.path).join(' ') || 'nothing'
      this.#log.info('the configuration was read again', { changed })
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
      await this.#capture.stop()
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
      () => captureRows(this.#capture.stats()),
      () => this.#costs.rows(),
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

  #newCapture(): CaptureStage {
    const sinks = {
      onWindow: (profile: Profile) => {
        this.#health.windowClosed()
        if (this.#costs.admits()) this.#flow.take(withNote(profile, this.#costs.note()))
        else this.#log.of('memory').warn('a window is dropped: memory is above memoryLimit')
      },
      onProcesses: (seen: readonly SampledProcess[]) => {
        if (this.#stages !== null) this.#stages.observe(seen)
        else if (this.#seenEarly.length < SEEN_EARLY_MAX) this.#seenEarly.push(...seen)
      },
    }
    return new CaptureStage({
      config: () => this.#config,
      rateHz: () => this.#costs.rateHz,
      sinks,
      health: this.#health,
      log: this.#log.of('capture'),
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
    this.#costs.addShed('recorder', (bytes) => stages.shrinkRecorder(bytes))
    this.#costs.addShed('heap', collectGarbage)
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
    this.#watch?.noteRead()
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
    if (['rate', 'governor', 'memory', 'capture'].some((stage) => changed.has(stage as Stage)))
      this.#costs.configure(config)
    // The kernel side holds rates of targets as shares of the highest one.
    const isNewShare = changed.has('rate') && config.rates.length > 0
    if (changed.has('capture') || isNewShare) await this.#capture.restart(before)
    else if (changed.has('rate') || changed.has('governor')) this.#capture.setRate(this.#costs.rateHz)
    await this.#stages?.restart(changed)
  }

  /** Every few seconds: the pulse, the costs, and what failed. */
  #keepUp(): void {
    this.#health.beat()
    if (this.#capture.fault === '') {
      const rateHz = this.#costs.weigh(this.#capture.stats())
      if (rateHz !== null) this.#capture.setRate(rateHz)
    }
    const nowMs = performance.now()
    if (nowMs - this.#triedMs < RETRY_MS) return
    this.#triedMs = nowMs
    void this.#inTurn(async () => {
      if (this.#isStopping) return
      if (this.#capture.fault !== '') await this.#capture.restart(this.#config)
      await this.#stages?.retry()
    })
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
