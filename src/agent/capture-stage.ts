/** The sampler as a stage: started first, started anew when filters or windows change, tried again when it failed. */
import type { AgentConfig } from '../config/config.ts'
import type { Log } from '../log/log.ts'
import type { Health } from '../metrics/health.ts'
import { Continuous } from '../pipeline/continuous.ts'
import type { ContinuousSinks, ContinuousStats } from '../pipeline/continuous-types.ts'
import { continuousRequest } from './stage-options.ts'

export interface CaptureHost {
  /** The one in force. */
  config(): AgentConfig
  /** The governor's, which may be below the configured one. */
  rateHz(): number
  readonly sinks: ContinuousSinks
  readonly health: Health
  readonly log: Log
}

export class CaptureStage {
  readonly #host: CaptureHost
  #continuous: Continuous
  #fault = 'the sampler is starting'

  constructor(host: CaptureHost) {
    this.#host = host
    this.#continuous = this.#newContinuous(host.config())
  }

  /** '' while samples are taken, else why not. */
  get fault(): string {
    return this.#fault
  }

  stats(): ContinuousStats {
    return this.#continuous.stats()
  }

  setRate(rateHz: number): void {
    this.#continuous.setRate(rateHz)
  }

  /** Errors: AgentError when this host cannot be sampled. */
  async start(): Promise<void> {
    await this.#continuous.start()
    this.#tell('')
  }

  /** Hands out the last window. Never rejects. */
  async stop(): Promise<void> {
    await this.#attempt(() => this.#continuous.stop())
  }

  /** A new sampler by the configuration in force; should it not start, one as it was before. Never rejects. */
  async restart(before: AgentConfig): Promise<void> {
    await this.stop()
    const config = this.#host.config()
    let fault = await this.#startNew(config)
    if (fault !== '' && before !== config) {
      const again = await this.#startNew(before)
      if (again === '') this.#host.health.configuration(`sampling goes on as before: ${fault}`)
      fault = again
    }
    this.#tell(fault)
  }

  #newContinuous(config: AgentConfig): Continuous {
    return new Continuous(continuousRequest(config, this.#host.rateHz()), this.#host.sinks)
  }

  async #startNew(config: AgentConfig): Promise<string> {
    this.#continuous = this.#newContinuous(config)
    return await this.#attempt(() => this.#continuous.start())
  }

  #tell(fault: string): void {
    this.#fault = fault
    this.#host.health.sampling(fault, this.#host.config().window)
  }

  async #attempt(work: () => Promise<unknown>): Promise<string> {
    try {
      await work()
      return ''
    } catch (error) {
      this.#host.log.error('this stage failed', { error: error as Error })
      return error instanceof Error ? error.message : String(error)
    }
  }
}
