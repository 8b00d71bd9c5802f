/**
 * Alive and ready, each with its reasons. Alive means "restarting would not help": the event loop turns and the sampler
 * is drained. It knows nothing of the exporter, since a collector that is down must not restart every node's agent.
 * Ready means "this node is being profiled": sampling, a first window, a configuration in force.
 */

export interface HealthCheck {
  readonly name: string
  readonly ok: boolean
  /** Why not, or what is; one line. */
  readonly reason: string
}

export interface HealthReport {
  readonly alive: boolean
  readonly ready: boolean
  readonly checks: readonly HealthCheck[]
}
