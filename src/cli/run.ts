/** From argv to an exit code: picks the command, and turns whatever it throws into one line on stderr. */
import { closeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { AgentError, ERROR_CODES } from '../errors.ts'
import { type Command, parseArguments } from './arguments.ts'
import { shellQuoted } from './browser.ts'
import type { Deps } from './deps.ts'
import { helpText, usageText } from './help.ts'
import { reasonOf } from './output-files.ts'
import { printError } from './print.ts'
import { record } from './record.ts'
import { version } from './version.ts'
import { realWorld, type World } from './world.ts'

/** Runs `profile argv...` on this host. Never throws. */
export async function run(argv: readonly string[], deps: Deps): Promise<number> {
  const streams = watchStandardStreams()
  const exitCode = await runIn(realWorld(), argv, deps)
  streams.leaveLostTerminals()
  return (await streams.failed()) && exitCode === 0 ? ERROR_CODES.output_refused.exit : exitCode
}

/** The same in any world. Shape: the exit code of the table in errors.ts, or a launched command's own. */
export async function runIn(world: World, argv: readonly string[], deps: Deps): Promise<number> {
  try {
    return await dispatch(parseArguments(argv), argv, deps, world)
  } catch (error) {
    if (error instanceof AgentError) {
      printError(world.stderr, error.message)
      return error.exitCode
    }
    const reason = error instanceof Error ? error.message : String(error)
    printError(world.stderr, `internal error: ${reason}; please report it (EMBERSCOPE_DEBUG=1 shows where)`)
    if (world.env.EMBERSCOPE_DEBUG && error instanceof Error) world.stderr.write(`${error.stack}\n`)
    return ERROR_CODES.internal.exit
  }
}

async function dispatch(
  command: Command,
  argv: readonly string[],
  deps: Deps,
  world: World,
): Promise<number> {
  switch (command.kind) {
    case 'record':
      return await record(command, deps, world, again(world, argv))
    case 'last':
      return await (await import('./last.ts')).last(command, world)
    case 'top':
      return await (await import('./top/top.ts')).top(command, deps, world, again(world, argv))
    case 'open':
      return await (await import('./open.ts')).open(command, world)
    case 'export':
      return await (await import('./export.ts')).exportFile(command, world)
    case 'diff':
      return await (await import('./diff.ts')).diff(command, world)
    case 'doctor':
      return await (await import('./doctor.ts')).doctor(command, world)
    case 'agent':
      return await (await import('./agent.ts')).agent(command, deps, world, again(world, argv), version())
    case 'agent-help':
      world.stdout.write((await import('./agent-help.ts')).agentHelpText())
      return 0
    case 'completion':
      world.stdout.write((await import('./completions/scripts.ts')).completionScript(command.shell))
      return 0
    case 'help':
      world.stdout.write(helpText())
      return 0
    case 'version':
      world.stdout.write(`profile ${version()}\n`)
      return 0
    case 'usage':
      world.stderr.write(usageText())
      return ERROR_CODES.usage.exit
  }
}

/** The command line to repeat under sudo. */
function again(world: World, argv: readonly string[]): string {
  return [world.commandName, ...argv].map(shellQuoted).join(' ')
}

/**
 * Standard streams that fail. A reader that went away has what it wanted (`profile 1 -o - | head`); a full disk is told,
 * once. `failed` waits for what was written last.
 */
function watchStandardStreams(): { leaveLostTerminals(): void; failed(): Promise<boolean> } {
  const terminals = [0, 1, 2].filter(isatty)
  let failed = false
  for (const out of [process.stdout, process.stderr]) {
    out.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || error.code === 'EIO' || failed) return
      failed = true
      if (out === process.stdout)
        printError(process.stderr, `cannot write standard output: ${reasonOf(error)}`)
    })
  }
  return {
    // Node gives terminals their mode back at exit, and aborts when one was closed meanwhile (an SSH session that ended).
    leaveLostTerminals: () => {
      for (const fd of terminals) if (!isatty(fd)) closeSync(fd)
    },
    failed: () => new Promise((done) => setImmediate(() => done(failed))),
  }
}
