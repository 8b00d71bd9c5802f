/**
 * `profile <target>`: the main command from the first check to the summary. The order matters: everything that can
 * be refused is refused before a command is started or a sample taken.
 */
import { AgentError } from '../errors.ts'
import type { Profile } from '../model/profile.ts'
import { accountingLines } from './accounting.ts'
import type { RecordCommand } from './arguments.ts'
import { desktopOf } from './browser.ts'
import { withCommandLine } from './command-line-comment.ts'
import type { CaptureTarget, Deps, ExitStatus } from './deps.ts'
import { invokingUser } from './invoking-user.ts'
import { checkCommand, exitCodeOf, type Launched } from './launch.ts'
import { checkOutputs, type Placement, type WrittenFile } from './output-files.ts'
import { defaultFileName, isStdout, type Output, parseOutput } from './output-plan.ts'
import { refuseUnfitHost } from './preflight.ts'
import { presentPage } from './present-page.ts'
import { printError, printLines } from './print.ts'
import { type ProgressLine, progressLine, SILENT } from './progress.ts'
import { stopSignals } from './stop-signals.ts'
import { summaryLines } from './summary.ts'
import { findCgroup, findProcesses } from './target.ts'
import { clean, styleOf } from './terminal.ts'
import type { World } from './world.ts'
import { writeOutputs } from './write-outputs.ts'

/** A checked request: nothing left that could be refused for the user's fault. */
interface Plan {
  readonly command: RecordCommand
  readonly target: PlannedTarget
  readonly cgroupPath: string
  readonly outputs: readonly Output[]
  readonly placement: Placement
}

type PlannedTarget =
  | { readonly kind: 'pids'; readonly pids: number[]; readonly name: string }
  | { readonly kind: 'command'; readonly argv: readonly string[]; readonly name: string }
  | { readonly kind: 'all' }

/** Exit code of the whole run. Errors: AgentError for whatever stops it. */
export async function record(
  command: RecordCommand,
  deps: Pick<Deps, 'capture'>,
  world: World,
  again: string,
): Promise<number> {
  refuseUnfitHost(world.host(), again)
  if (command.target.kind === 'command') {
    const problem = checkCommand(command.target.argv[0] ?? '', world.cwd, world.env)
    if (problem) {
      printError(world.stderr, problem.message)
      return problem.exitCode
    }
  }
  const plan = makePlan(command, world)
  const { target } = plan
  if (target.kind !== 'command') return await captureAndReport(plan, target, null, deps, world)
  const launched = await world.launch(target.argv, {
    cwd: world.cwd,
    env: world.env,
    user: plan.placement.owner,
  })
  const { pid, release, ended } = launched
  return await captureAndReport(
    plan,
    { kind: 'command', pid, name: target.name, release, ended },
    launched,
    deps,
    world,
  )
}

function makePlan(command: RecordCommand, world: World): Plan {
  const target = planTarget(command, world)
  const cgroupPath = command.cgroup === '' ? '' : findCgroup(command.cgroup, world.cwd, world.host().cgroup2)
  const isDefault = command.outputs.length === 0
  const placement: Placement = {
    cwd: world.cwd,
    force: command.force,
    renumber: isDefault,
    owner: invokingUser(world.uid, world.env),
  }
  const outputs = isDefault ? [defaultOutput(target, 0, world)] : command.outputs
  checkOutputs(outputs, placement)
  return { command, target, cgroupPath, outputs, placement }
}

function planTarget({ target }: RecordCommand, world: World): PlannedTarget {
  if (target.kind === 'all') return target
  if (target.kind === 'command') {
    return { kind: 'command', argv: target.argv, name: target.argv[0]!.replace(/^.*\//, '') }
  }
  const { processes, name } = findProcesses(target, world.processes, world.pid)
  return { kind: 'pids', pids: processes.map((p) => p.pid), name }
}

/** The default page; `pid` of a launched command is known only later, so it is checked under a name without. */
function defaultOutput(target: PlannedTarget | CaptureTarget, pid: number, world: World): Output {
  const name = target.kind === 'all' ? 'all' : target.name
  const first = target.kind === 'pids' ? (target.pids[0] ?? 0) : pid
  return parseOutput(defaultFileName(name, first, world.now()))
}

async function captureAndReport(
  plan: Plan,
  target: CaptureTarget,
  launched: Launched | null,
  deps: Pick<Deps, 'capture'>,
  world: World,
): Promise<number> {
  const progress = progressFor(plan, target, world)
  const signals = stopSignals(world, launched, () => progress.end())
  void launched?.ended.then(signals.commandEnded)
  try {
    const outcome = await captureAndWrite(plan, target, signals.stop, progress, deps, world)
    const status = launched ? await launched.ended : null
    progress.end()
    return await report(plan, outcome, status, world)
  } catch (error) {
    progress.end()
    // A command that waits at the gate must not run unprofiled; one that runs is left to end by itself.
    launched?.cancel()
    const status = launched ? await launched.ended : null
    if (status && error instanceof AgentError && error.code === 'no_samples') {
      if (!plan.command.quiet) printError(world.stderr, error.message)
      return exitCodeOf(status)
    }
    throw error
  } finally {
    signals.close()
  }
}

interface Outcome {
  readonly profile: Profile
  readonly files: readonly WrittenFile[]
  readonly failures: readonly AgentError[]
}

async function captureAndWrite(
  plan: Plan,
  target: CaptureTarget,
  stop: AbortSignal,
  progress: ProgressLine,
  deps: Pick<Deps, 'capture'>,
  world: World,
): Promise<Outcome> {
  const { command } = plan
  const comment = command.commandLine
    ? withCommandLine(target, command, world)
    : (profile: Profile) => profile
  const { durationMs, rateHz, kernelStacks, comm, source } = command
  const result = await deps.capture(
    { target, durationMs, rateHz, kernelStacks, comm, source, cgroupPath: plan.cgroupPath, stop },
    {
      onReady: () => {
        progress.started()
        if (target.kind === 'command') target.release()
      },
      onProgress: (now) => progress.sampling(now),
      onSampled: () => progress.phase('reading symbols'),
    },
  )
  progress.phase('writing files')
  const outputs =
    target.kind === 'command' && plan.placement.renumber
      ? [defaultOutput(target, target.pid, world)]
      : plan.outputs
  const { files, failures, profile } = await writeOutputs(
    comment(result.profile),
    { outputs, placement: plan.placement, foldedRoot: command.foldedRoot, redact: command.redact },
    world.stdout,
    (line) => {
      progress.end()
      if (!command.quiet) printLines(world.stderr, [line])
    },
  )
  const lastSampleToFilesNs = Number(world.monotonicNs() - result.lastSampleMonotonicNs)
  return { profile: timed(profile, lastSampleToFilesNs), files, failures }
}

function timed(profile: Profile, lastSampleToFilesNs: number): Profile {
  const { capture } = profile
  if (!capture) throw new AgentError('internal', 'the capture gave no report; please report this')
  return { ...profile, capture: { ...capture, timing: { ...capture.timing, lastSampleToFilesNs } } }
}

function progressFor({ command }: Plan, target: CaptureTarget, world: World): ProgressLine {
  // The terminal belongs to the command while it runs.
  if (command.quiet || target.kind === 'command') return SILENT
  const title = target.kind === 'all' ? 'all processes' : `${clean(target.name)} (${pidsText(target.pids)})`
  return progressLine({
    stream: world.stderr,
    style: styleOf(world.stderr, world.env),
    title,
    rateHz: command.rateHz,
    durationMs: command.durationMs,
    nowMs: () => Number(world.monotonicNs() / 1_000_000n),
  })
}

function pidsText(pids: readonly number[]): string {
  return pids.length > 3 ? `${pids.length} processes` : pids.join(', ')
}

/** Says what came of it; the exit code is the command's own, then that of the first output that failed. */
async function report(
  plan: Plan,
  outcome: Outcome,
  status: ExitStatus | null,
  world: World,
): Promise<number> {
  const { command } = plan
  const { profile, files, failures } = outcome
  const capture = profile.capture!
  const stdoutTaken = status !== null || plan.outputs.some(isStdout)
  const out = stdoutTaken ? world.stderr : world.stdout
  if (command.json) {
    const { buildReport } = await import('../formats/report.ts')
    out.write(`${JSON.stringify(buildReport(profile, files))}\n`)
  } else if (!command.quiet) {
    const style = styleOf(out, world.env)
    const page = await presentPage(files, command.open, desktopOf(world), world)
    printLines(out, summaryLines(profile, capture, { style, files, ...page }))
  }
  if (command.verbose) printLines(world.stderr, accountingLines(capture))
  for (const failure of failures) printError(world.stderr, failure.message)
  if (status) return exitCodeOf(status)
  if (failures[0]) return failures[0].exitCode
  return capture.samples.captured === 0 ? new AgentError('no_samples', '').exitCode : 0
}
