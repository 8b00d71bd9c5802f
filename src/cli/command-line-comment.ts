/**
 * `--command-line`: keeps what was run in the profile's comments. Off by default, because command lines hold
 * passwords and tokens; read before sampling, because processes end.
 */
import type { Profile } from '../model/profile.ts'
import type { RecordCommand } from './arguments.ts'
import { shellQuoted } from './browser.ts'
import type { CaptureTarget } from './deps.ts'
import type { World } from './world.ts'

/** The step that adds the comments to a finished profile. */
export function withCommandLine(
  target: CaptureTarget,
  command: RecordCommand,
  world: World,
): (profile: Profile) => Profile {
  const lines = commandLines(target, command, world)
  return (profile) => ({ ...profile, comments: [...profile.comments, ...lines] })
}

function commandLines(target: CaptureTarget, command: RecordCommand, world: World): string[] {
  if (command.target.kind === 'command') return [commandText(command.target.argv)]
  if (target.kind !== 'pids') return []
  return target.pids
    .map((pid) => world.processes.read(pid)?.argv ?? [])
    .filter((argv) => argv.length > 0)
    .map(commandText)
}

function commandText(argv: readonly string[]): string {
  return `command: ${argv.map(shellQuoted).join(' ')}`
}
