/**
 * `profile --last 5m`: what the agent of this host recorded lately, as the same files and summary as a capture. The agent
 * only hands out its packed windows; they are merged here.
 */
import { AgentError } from '../errors.ts'
import { ProfileMerger } from '../model/merge-profiles.ts'
import type { Profile } from '../model/profile.ts'
import { AgentClient, type AvailableWindow } from '../server/agent-client.ts'
import { accountingLines } from './accounting.ts'
import type { LastCommand } from './arguments.ts'
import { desktopOf } from './browser.ts'
import { invokingUser } from './invoking-user.ts'
import { checkOutputs, type Placement } from './output-files.ts'
import { defaultFileName, isStdout, parseOutput } from './output-plan.ts'
import { presentPage } from './present-page.ts'
import { printError, printLines } from './print.ts'
import { summaryLines } from './summary.ts'
import { styleOf } from './terminal.ts'
import type { World } from './world.ts'
import { type WriteResult, writeOutputs } from './write-outputs.ts'

/** Where agents say that they run, unless the environment names another place. */
const RUN_DIRECTORY = '/run/emberscope'
/** Less than this short of what was asked is the window that is still open, not missing history. */
const SLACK_MS = 30_000

/** Exit code. Errors: AgentError: no agent, not permitted, nothing recorded then, a file that cannot be written. */
export async function last(command: LastCommand, world: World): Promise<number> {
  const isDefault = command.outputs.length === 0
  const placement: Placement = {
    cwd: world.cwd,
    force: command.force,
    renumber: isDefault,
    owner: invokingUser(world.uid, world.env),
  }
  const name = `last-${command.lastText}`
  const outputs = isDefault ? [parseOutput(defaultFileName(name, 0, world.now()))] : command.outputs
  checkOutputs(outputs, placement)
  const agent = AgentClient.find(world.env.EMBERSCOPE_RUN_DIR || RUN_DIRECTORY)
  const { profile, note, otlp } = await recorded(agent, command.lastMs, world.now().getTime())
  if (note !== '' && !command.quiet) printError(world.stderr, note)
  const { foldedRoot, redact, quiet } = command
  const told = (line: string): void => void (quiet || printLines(world.stderr, [line]))
  const written = await writeOutputs(
    profile,
    { outputs, placement, foldedRoot, redact, otlp },
    world.stdout,
    told,
  )
  return await report(command, written.profile, written, world)
}

interface Recorded {
  readonly profile: Profile
  /** What the user should know of the time, '' for nothing. */
  readonly note: string
  /** The same windows as OTLP, by the agent: it knows the containers and services of the processes, also of those that ended. */
  readonly otlp: () => Promise<Uint8Array>
}

async function recorded(agent: AgentClient, lastMs: number, nowMs: number): Promise<Recorded> {
  const all = await agent.windows()
  const windows = all.filter(({ endMs }) => endMs > nowMs - lastMs)
  const merger = new ProfileMerger()
  for (const { id } of windows) {
    const profile = await agent.window(id)
    if (profile !== null) merger.add(profile)
  }
  const profile = merger.finish()
  if (profile === null) throw nothingThen(agent, all)
  const [first, last] = [windows[0]!, windows.at(-1)!]
  const otlp = () => agent.otlp(first.startMs, last.startMs)
  return { profile, note: shortage(windows, lastMs, nowMs), otlp }
}

function nothingThen(agent: AgentClient, all: readonly AvailableWindow[]): AgentError {
  const newest = all.at(-1)
  const there =
    newest === undefined
      ? 'it has recorded no window yet; try again in some seconds'
      : `its newest window ended at ${clock(newest.endMs)}`
  return new AgentError('no_samples', `the agent (pid ${agent.pid}) has nothing of that time: ${there}`)
}

function shortage(windows: readonly AvailableWindow[], lastMs: number, nowMs: number): string {
  const first = windows[0]!.startMs
  if (first <= nowMs - lastMs + SLACK_MS) return ''
  return `the agent remembers less than that: this profile begins at ${clock(first)}, ${spoken(nowMs - first)} ago`
}

function spoken(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

function clock(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8)
}

async function report(
  command: LastCommand,
  profile: Profile,
  { files, failures }: WriteResult,
  world: World,
): Promise<number> {
  const out = command.outputs.some(isStdout) ? world.stderr : world.stdout
  const { capture } = profile
  if (capture === null) throw new AgentError('internal', 'the agent gave no report; please report this')
  if (command.json) {
    const { buildReport } = await import('../formats/report.ts')
    out.write(`${JSON.stringify(buildReport(profile, files))}\n`)
  } else if (!command.quiet) {
    const page = await presentPage(files, command.open, desktopOf(world), world)
    printLines(out, summaryLines(profile, capture, { style: styleOf(out, world.env), files, ...page }))
  }
  if (command.verbose) printLines(world.stderr, accountingLines(capture))
  for (const failure of failures) printError(world.stderr, failure.message)
  if (failures[0]) return failures[0].exitCode
  return capture.samples.captured === 0 ? new AgentError('no_samples', '').exitCode : 0
}
