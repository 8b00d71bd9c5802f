/** A capture without end: one sampler, a profile for every window, in bounded memory. */
import { AgentError } from '../errors.ts'
import type { ContinuousRequest, ContinuousSinks, ContinuousStats } from './continuous-types.ts'

export type * from './continuous-types.ts'

export class Continuous {
  constructor(
    readonly request: ContinuousRequest,
    readonly sinks: ContinuousSinks,
  ) {}

  /** Opens the sampler and starts it. Errors: AgentError. */
  start(): Promise<void> {
    return Promise.reject(new AgentError('internal', 'continuous capture is not built yet'))
  }

  /** From the next tick on; the window ends here, so that each has one rate. */
  setRate(_rateHz: number): void {}

  stats(): ContinuousStats {
    throw new AgentError('internal', 'continuous capture is not built yet')
  }

  /** Hands out the last window and frees everything. Safe to call twice. */
  stop(): Promise<void> {
    return Promise.resolve()
  }
}
