/** Composition root: joins the command line with the capture pipeline. The only file that knows both. */
import type { Capture, RunAgent, Watch } from './cli/deps.ts'
import { run } from './cli/run.ts'
import { capture } from './pipeline/capture.ts'

const NEVER = new Promise<never>(() => {})

const captureForCli: Capture = (request, hooks) => {
  const { target, ...rest } = request
  const pids = target.kind === 'pids' ? target.pids : target.kind === 'command' ? [target.pid] : []
  const name = target.kind === 'all' ? 'all' : target.name
  const ended = target.kind === 'command' ? target.ended : NEVER
  return capture({ ...rest, target: { kind: target.kind, name, pids }, ended }, hooks)
}

/** The pipeline of the agent, for `profile top`. */
const watch: Watch = async ({ pids, cgroupPath, comm, ...rest }, onWindow) => {
  const { Continuous } = await import('./pipeline/continuous.ts')
  const filters = {
    pids,
    cgroupPaths: cgroupPath === '' ? [] : [cgroupPath],
    comms: comm === '' ? [] : [comm],
  }
  const continuous = new Continuous({ ...rest, filters, jitter: 0 }, { onWindow, onProcesses() {} })
  await continuous.start()
  return continuous
}

/** Its code is loaded for `profile agent` alone. */
const runAgent: RunAgent = async (request) => await (await import('./agent/run-agent.ts')).runAgent(request)

// The bundle is CommonJS, which has no top-level await.
void run(process.argv.slice(2), { capture: captureForCli, watch, agent: runAgent }).then((exitCode) => {
  process.exitCode = exitCode
})
