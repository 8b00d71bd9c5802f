/** `profile export FILE -o OUT`: one profile file into others, formats by extension. */

import type { ExportCommand } from './arguments.ts'
import { invokingUser } from './invoking-user.ts'
import { checkOutputs } from './output-files.ts'
import { printError, printLines } from './print.ts'
import { byteSize, clean } from './terminal.ts'
import type { World } from './world.ts'
import { writeOutputs } from './write-outputs.ts'

/** Exit code. Errors: AgentError for the input, or an output that cannot be written. */
export async function exportFile(command: ExportCommand, world: World): Promise<number> {
  const owner = invokingUser(world.uid, world.env)
  const placement = { cwd: world.cwd, force: command.force, renumber: false, owner }
  checkOutputs(command.outputs, placement)
  const { readProfileFile } = await import('../formats/read-any.ts')
  const profile = await readProfileFile(command.file)
  const told = (line: string): void => void (command.quiet || printLines(world.stderr, [line]))
  const { files, failures } = await writeOutputs(profile, { ...command, placement }, world.stdout, told)
  // On stderr: standard output may be one of the outputs.
  if (!command.quiet)
    printLines(
      world.stderr,
      files.map((f) => `wrote ${clean(f.path)} (${byteSize(f.bytes)})`),
    )
  for (const failure of failures) printError(world.stderr, failure.message)
  return failures[0]?.exitCode ?? 0
}
