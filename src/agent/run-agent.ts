/** An agent from its start to the signal that ends it. */
import { setFlagsFromString } from 'node:v8'
import { loadAddon } from '../native/addon.ts'
import { Agent, type AgentRequest } from './agent.ts'

/** Past shutdownTimeout, what stages that do not end are given. */
const GRACE_MS = 2000
/** After the first windows: what only the start touched of Node's 90 MB is then given back, once. */
const FORGET_START_MS = 30_000

/** Those that V8 asks each time anew; of others, such as --parallel-marking, it checks that they never change. */
const ENGINE_FLAGS = [
  '--semi-space-growth-factor=1',
  '--no-parallel-scavenge',
  '--no-parallel-compaction',
  '--no-parallel-pointer-update',
  '--interrupt-budget=1000000',
]

/** Exit code; 130 when a second Ctrl-C cut the end short. Errors: AgentError when the agent cannot start. */
export async function runAgent(request: AgentRequest): Promise<number> {
  tameEngine()
  const agent = new Agent(request)
  let end: (signal: NodeJS.Signals) => void = () => {}
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    end = resolve
  })
  let interrupts = 0
  const onEnd = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT' && ++interrupts > 1) process.exit(130)
    end(signal)
  }
  process.on('SIGTERM', onEnd).on('SIGINT', onEnd)
  process.on('SIGHUP', () => void agent.reload())
  // A fault of ours in one stage is told and counted; it must not end the profiling of a node.
  process.on('uncaughtException', (error) => agent.tellFault(error))
  await agent.start()
  const forgetting = setTimeout(() => void loadAddon().dropStartPages(), FORGET_START_MS)
  await asked
  clearTimeout(forgetting)
  const timeoutMs = agent.shutdownTimeoutMs + GRACE_MS
  await Promise.race([agent.stop(), after(timeoutMs)])
  if (agent.isStuck) process.kill(process.pid, 'SIGKILL')
  // Whatever still holds the loop after this (a socket that does not close) is not waited for.
  setTimeout(() => process.exit(0), 200).unref()
  return 0
}

/**
 * V8 is made for programs that want all of the machine for a while; the agent wants little of it for ever. Young objects
 * stay in a space of the first size (it would grow to 48 MB at the end of a window, and be given back late). Garbage is
 * collected by the thread that made it: helpers wake up on every CPU, and on a busy one the loop stands still until the
 * last of them had its turn. And what is only lukewarm is not compiled again and again.
 */
function tameEngine(): void {
  for (const flag of ENGINE_FLAGS) setFlagsFromString(flag)
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
