/** `profile agent`: from the configuration's sources to a running agent, or to what stands in its way. */
import { resolve } from 'node:path'
import { CONFIG_VARIABLE, type LoadedConfig, loadConfig } from '../config/load.ts'
import { AgentError, ERROR_CODES } from '../errors.ts'
import type { AgentCommand } from './agent-arguments.ts'
import type { Deps } from './deps.ts'
import { checkHost, refuseUnfitHost } from './preflight.ts'
import type { World } from './world.ts'

/** Exit code. Errors: AgentError for a wrong configuration, a host that cannot be profiled, another agent. */
export async function agent(
  command: AgentCommand,
  deps: Deps,
  world: World,
  again: string,
  version: string,
): Promise<number> {
  const named = command.file ?? world.env[CONFIG_VARIABLE] ?? ''
  const file = named === '' ? '' : resolve(world.cwd, named)
  const load = (): Promise<LoadedConfig> => loadConfig({ file, env: world.env, flags: command.flags })
  const loaded = await load()
  if (command.printConfig) {
    world.stdout.write((await import('../config/print.ts')).printConfig(loaded))
    return 0
  }
  if (command.page) return await page(loaded, world)
  if (command.check) return check(loaded, world, again)
  refuseUnfitHost(world.host(), again)
  return await deps.agent({ loaded, reload: load, file, env: world.env, version })
}

/** The address of the running agent's page: its token is in no log. Errors: AgentError where none runs, or without a page. */
async function page({ config }: LoadedConfig, world: World): Promise<number> {
  const { AgentClient } = await import('../server/agent-client.ts')
  const { pid, url } = AgentClient.find(config.runDir)
  if (url === '')
    throw new AgentError(
      'target_not_found',
      `the agent (pid ${pid}) has no page: its "listen" is off, or the port was taken`,
    )
  world.stdout.write(`${url}\n`)
  return 0
}

/** Says of the configuration and of each part of the host whether it is fit. */
function check(loaded: LoadedConfig, world: World, again: string): number {
  for (const warning of loaded.warnings) world.stdout.write(`warning  ${warning}\n`)
  const { destinations, rate, window } = loaded.config
  const where = destinations.map(({ endpoint }) => endpoint).join(', ')
  world.stdout.write(`ok       configuration: ${rate} Hz, windows of ${window / 1000} s, to ${where}\n`)
  const findings = checkHost(world.host(), again)
  for (const { level, text, fix } of findings)
    world.stdout.write(`${level.padEnd(8)} ${text}${fix === '' ? '' : `; ${fix}`}\n`)
  const failed = findings.find((finding) => finding.level === 'failed')
  return failed === undefined ? 0 : ERROR_CODES[failed.code].exit
}
