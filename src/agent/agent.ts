/**
 * The agent: builds the stages from the configuration, the sampler first, wires them, and keeps them going. The only file
 * that knows them all. Only the sampler is needed to live: every other stage that fails is told in health and metrics, is
 * tried again, and takes nothing down with it.
 */
import { cpus } from 'node:os'
import type { AgentConfig } from '../config/config.ts'
import { changedKeys, type LoadedConfig } from '../config/load.ts'
import type { Stage } from '../config/schema.ts'
import { AgentError } from '../errors.ts'
import type { Exporter } from '../export/exporter.ts'
import type { Identity } from '../identity/identity.ts'
import { AgentLog } from '../log/log.ts'
import { Health } from '../metrics/health.ts'
import type { MetricRow } from '../metrics/rows.ts'
import type { SampledProcess } from '../model/sampled-process.ts'
import type { encodeRequests } from '../otlp/encode.ts'
import { Continuous } from '../pipeline/continuous.ts'
import type { AgentServer } from '../server/agent-server.ts'
import type { Recorder } from '../server/recorder.ts'
import { ConfigWatch } from './config-watch.ts'
import { Governor, percentText } from './governor.ts'
import { takeHostLock } from './host-lock.ts'
import { MemoryBudget } from './memory-budget.ts'
import { ownCpuNs } from './own-cpu.ts'
import { captureRows } from './rows/capture-rows.ts'
import { governorRows, memoryRows } from './rows/cost-rows.ts'
import { configRows, healthRows, identityRows, logRows, recorderRows } from './rows/stage-rows.ts'
import {
  continuousRequest,
  type Environment,
  exporterOptions,
  identityOptions,
  recorderOptions,
  secretsOf,
} from './stage-options.ts'
import { type FlowStages, WindowFlow } from './window-flow.ts'

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
/** Processes seen before there is somebody to tell; windows announce them again. */
const SEEN_EARLY_MAX = 50_000

/** What the agent has besides the sampler, once it is there. */
interface Stages {
  identity: Identity
  exporter: Exporter
  /** Why the exporter does not work, '' when it does. */
  exporterFault: string
  recorder: Recorder
  server: AgentServer
  serverFault: string
  readonly encode: typeof encodeRequests
  readonly exportRows: (exporter: Exporter) => readonly MetricRow[]
}

export class Agent {
  readonly #request: AgentRequest
  readonly #log: AgentLog
  readonly #health: Health
  readonly #governor: Governor
  readonly #budget: MemoryBudget
  readonly #flow: WindowFlow
  readonly #startedMs = Date.now()
  readonly #cpus = cpus().length
  readonly #reloads = { applied: 0, refused: 0, lastSuccessful: true }
  #loaded: LoadedConfig
  #continuous: Continuous
  #captureFault = 'the sampler is starting'
  #stages: Stages | null = null
  #seenEarly: SampledProcess[] = []
  #ready: () => void = () => {}
  #lock: { release(): Promise<void> } | null = null
  #upkeep: NodeJS.Timeout | undefined
  #watch: ConfigWatch | null = null
  #lastRetryMs = 0
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
      this.#ready = resolve
    })
    const scope = { name: 'emberscope', version: request.version }
    this.#flow = new WindowFlow(ready, () => this.#flowStages(), scope, this.#log.of('export'))
  }

  get #config(): AgentConfig {
    return this.#loaded.config
  }

  /** Resolves when every stage was started, or has failed for now. Errors: AgentError when this host cannot be sampled. */
  async start(): Promise<void> {
    for (const warning of this.#loaded.warnings) this.#log.warn(warning)
    await this.#takeLock()
    try {
      await this.#continuous.start()
    } catch (error) {
      await this.#lock?.release()
      throw error
    }
    this.#sampling('')
    this.#upkeep = setInterval(() => this.#keepUp(), UPKEEP_MS)
    await this.#startStages()
    if (this.#request.file !== '') this.#watch = new ConfigWatch(this.#request.file, () => void this.reload())
    this.#log.info('profiling', {
      rate: this.#config.rate,
      window: this.#config.window,
      destinations: this.#config.destinations.map(({ name, endpoint }) => `${name}=${endpoint}`).join(' '),
      version: this.#request.version,
      pid: process.pid,
    })
  }

  /** Reads the configuration again and starts anew what it changes. Never rejects: a wrong file changes nothing. */
  reload(): Promise<void> {
    return this.#inTurn(async () => {
      let loaded: LoadedConfig
      try {
        loaded = await this.#request.reload()
      } catch (error) {
        const fault = error instanceof Error ? error.message : String(error)
        this.#reloads.refused++
        this.#reloads.lastSuccessful = false
        this.#health.configuration(fault.split('\n').join(' '))
        this.#log.error('the configuration is refused, the one before goes on', { error: error as Error })
        return
      }
      const keys = changedKeys(this.#loaded, loaded)
      this.#reloads.applied++
      this.#reloads.lastSuccessful = true
      this.#health.configuration('')
      const before = this.#loaded
      this.#loaded = loaded
      this.#log.setSecrets(secretsOf(loaded.config))
      for (const warning of loaded.warnings) this.#log.warn(warning)
      await this.#restart(new Set(keys.map((key) => key.stage)), before.config)
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
      await this.#attempt('capture', () => this.#continuous.stop())
      await this.#flow.settled()
      const stages = this.#stages
      if (stages !== null) {
        await this.#attempt('server', () => stages.server.close())
        const leftMs = Math.max(0, deadlineMs - performance.now())
        await this.#attempt('export', () => stages.exporter.close(leftMs))
        await this.#attempt('identity', async () => stages.identity.close())
        this.#tellRest(stages)
      }
      await this.#attempt('agent', async () => this.#lock?.release())
      this.#log.flush()
    })
  }

  /** Every metric now. */
  rows(): MetricRow[] {
    const stages = this.#stages
    const rows = [
      ...captureRows(this.#continuous.stats()),
      ...governorRows(this.#governor.stats()),
      ...memoryRows(this.#budget.stats()),
      ...this.#flow.rows(),
      ...healthRows(this.#health.report()),
      ...configRows(this.#reloads),
      ...logRows(this.#log.stats()),
    ]
    if (stages === null) return rows
    return [
      ...rows,
      ...(stages.exporterFault === '' ? stages.exportRows(stages.exporter) : []),
      ...identityRows(stages.identity.stats()),
      ...recorderRows(stages.recorder.stats()),
    ]
  }

  #newContinuous(config: AgentConfig): Continuous {
    return new Continuous(continuousRequest(config, this.#governor.rateHz), {
      onWindow: (profile) => {
        this.#health.windowClosed()
        if (this.#budget.admits()) this.#flow.take(profile)
      },
      onProcesses: (seen) => {
        if (this.#stages !== null) this.#stages.identity.observe(seen)
        else if (this.#seenEarly.length < SEEN_EARLY_MAX) this.#seenEarly.push(...seen)
      },
    })
  }

  #flowStages(): FlowStages {
    const stages = this.#stages!
    return {
      identity: stages.identity,
      encode: stages.encode,
      maxRequestBytes: this.#config.maxRequestBytes,
      enqueue: (requests) => {
        if (stages.exporterFault !== '') return Promise.reject(new Error(stages.exporterFault))
        return stages.exporter.enqueue(requests)
      },
      publish: (profile) => stages.server.publish(profile),
    }
  }

  async #takeLock(): Promise<void> {
    try {
      this.#lock = await takeHostLock(this.#config.runDir)
    } catch (error) {
      if (error instanceof AgentError) throw error
      this.#log.warn('no lock can be kept, a second agent would not be noticed', { error: error as Error })
    }
  }

  /** Everything but the sampler; its code is loaded only now, when samples are being taken. */
  async #startStages(): Promise<void> {
    const [identity, exporter, recorder, server, encode, rows] = await Promise.all([
      import('../identity/identity.ts'),
      import('../export/exporter.ts'),
      import('../server/recorder.ts'),
      import('../server/agent-server.ts'),
      import('../otlp/encode.ts'),
      import('./rows/export-rows.ts'),
    ])
    const held = new recorder.Recorder(recorderOptions(this.#config))
    this.#stages = {
      identity: new identity.Identity(identityOptions(this.#config, this.#request.env)),
      exporter: new exporter.Exporter(this.#exporterOptions()),
      exporterFault: 'it is starting',
      recorder: held,
      server: await this.#newServer(held, server.AgentServer),
      serverFault: 'it is starting',
      encode: encode.encodeRequests,
      exportRows: (from) => rows.exportRows(from.stats()),
    }
    this.#stages.identity.observe(this.#seenEarly)
    this.#seenEarly = []
    await this.#openExporter(this.#stages)
    await this.#openServer(this.#stages)
    this.#ready()
  }

  #exporterOptions() {
    return exporterOptions(this.#config, this.#request.version, this.#log.of('export'))
  }

  async #newServer(recorder: Recorder, Server: typeof AgentServer): Promise<AgentServer> {
    const [{ CONTENT_TYPES, expose, negotiate }, { processRows }] = await Promise.all([
      import('../metrics/prometheus.ts'),
      import('../metrics/process-rows.ts'),
    ])
    const { listen, token, runDir } = this.#config
    return new Server({
      listen,
      token,
      recorder,
      runDirectory: this.#lock === null ? '' : runDir,
      health: () => this.#health.report(),
      metrics: (accept) => {
        const form = negotiate(accept)
        const rows = [...this.rows(), ...processRows(this.#request.version, this.#startedMs)]
        return { contentType: CONTENT_TYPES[form], body: expose(rows, form) }
      },
    })
  }

  async #openExporter(stages: Stages): Promise<void> {
    stages.exporterFault = await this.#attempt('export', () => stages.exporter.open())
  }

  async #openServer(stages: Stages): Promise<void> {
    stages.serverFault = await this.#attempt('server', async () => {
      const { url, warnings } = await stages.server.start()
      for (const warning of warnings) this.#log.of('server').warn(warning)
      // The token is in the URL: the socket and agent.json have it, the log has not.
      if (url !== '') this.#log.of('server').info('listening', { address: new URL(url).host })
    })
  }

  /** The fault of a stage as text, '' when there is none; told in the log. */
  async #attempt(component: string, work: () => Promise<unknown>): Promise<string> {
    try {
      await work()
      return ''
    } catch (error) {
      this.#log.of(component).error('this stage failed', { error: error as Error })
      return error instanceof Error ? error.message : String(error)
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work).catch((error: Error) => {
      this.#log.error('internal error', { error })
    })
    return this.#turn
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
    if (nowMs - this.#lastRetryMs < RETRY_MS) return
    this.#lastRetryMs = nowMs
    const stages = this.#stages
    if (this.#isStopping || stages === null) return
    if (this.#captureFault !== '') void this.#inTurn(() => this.#restartCapture(this.#config))
    if (stages.exporterFault !== '') void this.#inTurn(() => this.#replaceExporter(stages))
    if (stages.serverFault !== '') void this.#inTurn(() => this.#replaceServer(stages))
  }

  #weigh(): void {
    const { bpfNs, mapBytes } = this.#continuous.stats()
    const nowMs = performance.now()
    const change = this.#governor.observe(nowMs, ownCpuNs() + bpfNs, this.#cpus)
    if (change !== null) {
      this.#continuous.setRate(change.toHz)
      const words = change.toHz < change.fromHz ? 'the rate is lowered' : 'the rate is raised'
      const { fromHz: from, toHz: to } = change
      this.#log.of('governor').warn(words, { from, to, overhead: percentText(change.overhead) })
    }
    const pressure = this.#budget.observe(nowMs, process.memoryUsage.rss() + mapBytes)
    if (pressure !== null) {
      const { usedBytes, hardBytes } = this.#budget.stats()
      this.#log.of('memory').warn('memory pressure changed', { pressure, usedBytes, limitBytes: hardBytes })
    }
  }

  async #restart(changed: ReadonlySet<Stage>, before: AgentConfig): Promise<void> {
    const config = this.#config
    const stages = this.#stages
    if (changed.has('log')) this.#log.set({ level: config.logLevel, format: config.logFormat })
    if (changed.has('memory')) this.#budget.configure(config.memoryLimit)
    if (changed.has('rate') || changed.has('governor')) {
      this.#governor.configure({ rateHz: config.rate, maxOverhead: config.maxOverhead })
      if (!changed.has('capture')) this.#continuous.setRate(this.#governor.rateHz)
    }
    if (changed.has('capture')) await this.#restartCapture(before)
    if (stages === null) return
    if (changed.has('identity')) await this.#replaceIdentity(stages)
    if (changed.has('exporter')) await this.#reloadExporter(stages)
    if (changed.has('recorder')) {
      const { Recorder } = await import('../server/recorder.ts')
      stages.recorder = new Recorder(recorderOptions(config))
    }
    if (changed.has('server') || changed.has('recorder')) await this.#replaceServer(stages)
  }

  /** A new sampler; should it not start, one as it was before. */
  async #restartCapture(before: AgentConfig): Promise<void> {
    await this.#attempt('capture', () => this.#continuous.stop())
    this.#continuous = this.#newContinuous(this.#config)
    let fault = await this.#attempt('capture', () => this.#continuous.start())
    if (fault !== '' && before !== this.#config) {
      this.#continuous = this.#newContinuous(before)
      const again = await this.#attempt('capture', () => this.#continuous.start())
      if (again === '') {
        this.#health.configuration(`sampling goes on as before: ${fault}`)
        fault = ''
      }
    }
    this.#sampling(fault)
  }

  async #replaceIdentity(stages: Stages): Promise<void> {
    const { Identity } = await import('../identity/identity.ts')
    stages.identity.close()
    stages.identity = new Identity(identityOptions(this.#config, this.#request.env))
  }

  async #reloadExporter(stages: Stages): Promise<void> {
    if (stages.exporterFault !== '') return await this.#replaceExporter(stages)
    await this.#attempt('export', () => stages.exporter.reload(this.#exporterOptions()))
  }

  async #replaceExporter(stages: Stages): Promise<void> {
    const { Exporter } = await import('../export/exporter.ts')
    await this.#attempt('export', () => stages.exporter.close(0))
    stages.exporter = new Exporter(this.#exporterOptions())
    await this.#openExporter(stages)
  }

  async #replaceServer(stages: Stages): Promise<void> {
    const { AgentServer } = await import('../server/agent-server.ts')
    await this.#attempt('server', () => stages.server.close())
    stages.server = await this.#newServer(stages.recorder, AgentServer)
    await this.#openServer(stages)
  }

  #tellRest({ exporter, exporterFault }: Stages): void {
    if (exporterFault !== '') return
    for (const { name, sentSamples, queueSamples } of exporter.stats().destinations)
      this.#log.of('export').info('stopped', { destination: name, sentSamples, queueSamples })
  }
}
