/**
 * Everything behind the sampler: identity, exporter, recorder, server, telemetry. Built when samples are taken already, so
 * that their code is not loaded before. Each can fail, is told in the log, and is tried again; none takes another down.
 */
import type { AgentConfig } from '../config/config.ts'
import type { Stage } from '../config/schema.ts'
import type { Exporter } from '../export/exporter.ts'
import type { Identity } from '../identity/identity.ts'
import type { AgentLog } from '../log/log.ts'
import type { HealthReport } from '../metrics/health.ts'
import type { MetricRow, MetricSource } from '../metrics/rows.ts'
import type { Profile } from '../model/profile.ts'
import type { SampledProcess } from '../model/sampled-process.ts'
import type { AgentServer } from '../server/agent-server.ts'
import type { Recorder } from '../server/recorder.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { splitByResource } from './resource-split.ts'
import type { StageCode } from './stage-code.ts'
import {
  type Environment,
  exporterOptions,
  identityOptions,
  recorderOptions,
  telemetryOptions,
} from './stage-options.ts'
import type { FlowStages } from './window-flow.ts'

/** What stages ask the agent for; the configuration is asked anew at every restart. */
export interface StagesHost {
  config(): AgentConfig
  /** All metrics. */
  rows(): readonly MetricRow[]
  health(): HealthReport
  /** Whether runDir is ours. */
  ownsRunDir(): boolean
  readonly env: Environment
  readonly version: string
  readonly log: AgentLog
}

const STARTING = 'it is starting'

export class Stages {
  readonly #host: StagesHost
  readonly #code: StageCode
  readonly #startedMs = Date.now()
  #identity: Identity
  #exporter: Exporter
  #recorder: Recorder
  #server: AgentServer
  #telemetry: Telemetry | null = null
  #endListening: () => void = () => {}
  /** Why a stage does not work, '' when it does. */
  readonly #faults = { exporter: STARTING, server: STARTING, telemetry: '' }

  constructor(host: StagesHost, code: StageCode) {
    this.#host = host
    this.#code = code
    this.#identity = new code.Identity(identityOptions(host.config(), host.env))
    this.#exporter = this.#newExporter()
    this.#recorder = new code.Recorder(recorderOptions(host.config()))
    this.#server = this.#newServer()
  }

  /** Never rejects. */
  async start(): Promise<void> {
    await this.#openExporter()
    await this.#openServer()
    await this.#openTelemetry()
  }

  observe(seen: readonly SampledProcess[]): void {
    this.#identity.observe(seen)
  }

  /** As the way of a window needs them now. */
  forFlow(): FlowStages {
    const { exporter: fault } = this.#faults
    return {
      identity: this.#identity,
      encode: this.#code.encodeRequestSteps,
      maxRequestBytes: this.#host.config().maxRequestBytes,
      enqueue: (requests) =>
        fault === '' ? this.#exporter.enqueue(requests) : Promise.reject(new Error(fault)),
      publish: (profile) => this.#server.publishSteps(profile),
      trace: (trace) => this.#telemetry?.window(trace),
    }
  }

  /** Gives back about so many bytes of the flight recorder, and says how many. */
  shrinkRecorder(bytes: number): number {
    return this.#recorder.shrink(bytes)
  }

  rowSources(): readonly MetricSource[] {
    const { exportRows, identityRows, recorderRows, serverRows, telemetryRows } = this.#code
    return [
      () => (this.#faults.exporter === '' ? exportRows(this.#exporter.stats()) : []),
      () => identityRows(this.#identity.stats()),
      () => recorderRows(this.#recorder.stats()),
      () => serverRows(this.#server.stats()),
      () => (this.#telemetry === null ? [] : telemetryRows(this.#telemetry.stats())),
    ]
  }

  get isStuck(): boolean {
    return this.#identity.stats().contextStalled
  }

  /** Starts anew what a change of the configuration touches. Never rejects. */
  async restart(changed: ReadonlySet<Stage>): Promise<void> {
    if (changed.has('identity')) {
      this.#identity.close()
      this.#identity = new this.#code.Identity(identityOptions(this.#host.config(), this.#host.env))
    }
    if (changed.has('exporter')) await this.#reloadExporter()
    if (changed.has('recorder'))
      this.#recorder = new this.#code.Recorder(recorderOptions(this.#host.config()))
    if (changed.has('recorder') || changed.has('server')) await this.#replaceServer()
    // Telemetry goes to the first destination, under the name that identity gives us.
    if (changed.has('telemetry') || changed.has('exporter') || changed.has('identity'))
      await this.#openTelemetry()
  }

  /** Tries again what failed. Never rejects. */
  async retry(): Promise<void> {
    if (this.#faults.exporter !== '') await this.#replaceExporter()
    if (this.#faults.server !== '') await this.#replaceServer()
    if (this.#faults.telemetry !== '') await this.#openTelemetry()
  }

  /** Sends what it can for so long. Never rejects. */
  async close(deadlineMs: number): Promise<void> {
    const endMs = performance.now() + deadlineMs
    await this.#attempt('server', () => this.#server.close())
    await Promise.all([
      this.#attempt('export', () => this.#exporter.close(Math.max(0, endMs - performance.now()))),
      this.#attempt('telemetry', async () => this.#telemetry?.close(deadlineMs)),
    ])
    this.#endListening()
    this.#identity.close()
    this.#tellRest()
  }

  #newExporter(): Exporter {
    const { version, log } = this.#host
    return new this.#code.Exporter(exporterOptions(this.#host.config(), version, log.of('export')))
  }

  async #openExporter(): Promise<void> {
    this.#faults.exporter = await this.#attempt('export', () => this.#exporter.open())
  }

  async #reloadExporter(): Promise<void> {
    if (this.#faults.exporter !== '') return await this.#replaceExporter()
    const { version, log } = this.#host
    const options = exporterOptions(this.#host.config(), version, log.of('export'))
    await this.#attempt('export', () => this.#exporter.reload(options))
  }

  async #replaceExporter(): Promise<void> {
    await this.#attempt('export', () => this.#exporter.close(0))
    this.#exporter = this.#newExporter()
    await this.#openExporter()
  }

  #newServer(): AgentServer {
    const { AgentServer, CONTENT_TYPES, expose, negotiate, processRows } = this.#code
    const { listen, token, runDir } = this.#host.config()
    return new AgentServer({
      listen,
      token,
      recorder: this.#recorder,
      runDirectory: this.#host.ownsRunDir() ? runDir : '',
      health: () => this.#host.health(),
      encodeOtlp: (profile) => this.#encodeWhole(profile),
      metrics: (accept) => {
        const form = negotiate(accept)
        const rows = [...this.#host.rows(), ...processRows(this.#host.version, this.#startedMs)]
        return { contentType: CONTENT_TYPES[form], body: expose(rows, form) }
      },
    })
  }

  /** One request for a file, however large. */
  #encodeWhole(profile: Profile): Uint8Array {
    const split = splitByResource(profile, this.#identity)
    const scope = { name: 'emberscope', version: this.#host.version }
    const [request] = this.#code.encodeRequests(profile, split, scope, 2 ** 31)
    return request?.bytes ?? new Uint8Array()
  }

  async #openServer(): Promise<void> {
    const log = this.#host.log.of('server')
    this.#faults.server = await this.#attempt('server', async () => {
      const { url, warnings } = await this.#server.start()
      for (const warning of warnings) log.warn(warning)
      if (url === '') return
      // The token is in the URL: agent.json has it, for its owner alone, and whoever started us at a terminal.
      log.info('listening', { address: new URL(url).host })
      if (process.stderr.isTTY) process.stderr.write(`page: ${url}\n`)
    })
  }

  async #replaceServer(): Promise<void> {
    await this.#attempt('server', () => this.#server.close())
    this.#server = this.#newServer()
    await this.#openServer()
  }

  async #openTelemetry(): Promise<void> {
    const { log, version } = this.#host
    const before = this.#telemetry
    this.#telemetry = null
    this.#endListening()
    await before?.close(1000)
    const config = this.#host.config()
    if (config.telemetry.signals.length === 0) return
    this.#faults.telemetry = await this.#attempt('telemetry', async () => {
      const { Telemetry } = await import('../telemetry/telemetry.ts')
      const rows = () => this.#host.rows()
      const telemetry = await Telemetry.start({
        ...telemetryOptions(config, this.#identity.host(), version),
        rows,
        log,
      })
      this.#endListening = log.listen(telemetry.onRecord)
      this.#telemetry = telemetry
    })
  }

  /** The fault of a stage as text, '' when there is none; told in the log. */
  async #attempt(component: string, work: () => Promise<unknown>): Promise<string> {
    try {
      await work()
      return ''
    } catch (error) {
      this.#host.log.of(component).error('this stage failed', { error: error as Error })
      return error instanceof Error ? error.message : String(error)
    }
  }

  #tellRest(): void {
    if (this.#faults.exporter !== '') return
    for (const { name, sentSamples, queueSamples, dropped } of this.#exporter.stats().destinations) {
      const droppedSamples = Object.values(dropped).reduce((sum, samples) => sum + samples, 0)
      const fields = { destination: name, sentSamples, queueSamples, droppedSamples }
      this.#host.log.of('export').info('stopped', fields)
    }
  }
}
