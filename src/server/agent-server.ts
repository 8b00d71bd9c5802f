/** The agent's own HTTP server: metrics, health, the live page. */
import type { Profile } from '../model/profile.ts'
import type { Recorder } from './recorder.ts'

/** As src/metrics/health.ts reports it. */
export interface ServedHealth {
  readonly alive: boolean
  readonly ready: boolean
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly reason: string }[]
}

export interface AgentServerOptions {
  /** 'host:port', '[::1]:port', ':port' (all interfaces) or '' (no TCP at all). */
  readonly listen: string
  /** '': a random one. */
  readonly token: string
  readonly recorder: Recorder
  /** Prometheus text. */
  readonly metrics: () => string | Promise<string>
  readonly health: () => ServedHealth
  /** Where agent.sock and agent.json go (/run/emberscope); '': neither. */
  readonly runDirectory: string
}

export class AgentServer {
  constructor(_options: AgentServerOptions) {}
  /** `url` leads to the page, with its token. Errors: AgentError when the address is taken or another agent runs. */
  async start(): Promise<{ url: string }> {
    return { url: '' }
  }
  /** Records a window and tells live readers of it. */
  publish(_profile: Profile): void {}
  async close(): Promise<void> {}
}
