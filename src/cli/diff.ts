/** `profile diff BEFORE AFTER`: what changed between two profiles, and what of it is more than noise. */
import { realpathSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { AgentError } from '../errors.ts'
import type { DiffReport } from '../formats/diff-report.ts'
import { diffWords, headlineText } from '../stats/diff-text.ts'
import type { DiffCommand, DiffFormat } from './diff-arguments.ts'
import { type DiffInput, readDiffInput } from './diff-input.ts'
import { diffLines, spelled } from './diff-lines.ts'
import { diffReport } from './diff-report.ts'
import { invokingUser } from './invoking-user.ts'
import { type Contents, checkOutputs } from './output-files.ts'
import { isStdout } from './output-plan.ts'
import { printError, printLines } from './print.ts'
import { byteSize, clean, type Style, styleOf } from './terminal.ts'
import type { World } from './world.ts'
import { writeEach } from './write-outputs.ts'

/** Functions that the message of the gate names besides the first. */
const MAX_FAILED = 5

/**
 * Exit code. Errors: AgentError for an input or an output; `diff_failed` when `--fail` was given and a function is beyond
 * it, after everything is written.
 */
export async function diff(command: DiffCommand, world: World): Promise<number> {
  const owner = invokingUser(world.uid, world.env)
  const placement = { cwd: world.cwd, force: command.force, renumber: false, owner }
  checkOutputs(command.outputs, placement)
  const input = await readDiffInput(command)
  const report = diffReport(input, command, isSameFile(command))
  const encode = (format: DiffFormat): Promise<Contents> => encodeDiff(format, report, input)
  const { files, failures } = await writeEach(command.outputs, placement, encode, world.stdout)
  if (command.json) for (const text of await encode('json')) world.stdout.write(text)
  else if (!command.quiet && !command.outputs.some(isStdout))
    printLines(world.stdout, diffLines(report, styleOf(world.stdout, world.env)))
  if (!command.quiet)
    printLines(
      world.stderr,
      files.map((file) => `wrote ${clean(file.path)} (${byteSize(file.bytes)})`),
    )
  for (const failure of failures) printError(world.stderr, failure.message)
  if (failures.length > 0) return failures[0]!.exitCode
  refuseGrown(command, report, styleOf(world.stderr, world.env))
  return 0
}

async function encodeDiff(format: DiffFormat, report: DiffReport, input: DiffInput): Promise<Contents> {
  switch (format) {
    case 'markdown':
      return [(await import('../formats/diff-markdown.ts')).diffMarkdown(report)]
    case 'json':
      return [`${JSON.stringify((await import('../formats/diff-json.ts')).diffJson(report))}\n`]
    case 'html': {
      const [{ writeHtml }, { pageAssets }] = await Promise.all([
        import('../formats/html.ts'),
        import('../server/page-assets.ts'),
      ])
      const { before, after } = input
      return [writeHtml(after.profile, pageAssets(), (bytes) => gzipSync(bytes), before.profile)]
    }
  }
}

function isSameFile({ before, after }: DiffCommand): boolean {
  return realpathSync(before) === realpathSync(after)
}

/** Errors: AgentError `diff_failed` when the gate has found something. */
function refuseGrown({ after }: DiffCommand, { gate, column, table }: DiffReport, style: Style): void {
  if (gate === null || gate.failed.length === 0) return
  const nameOf = (fn: number): string => clean(table.functions.name[fn]!)
  const [first, ...others] = gate.failed
  const named = others.slice(0, MAX_FAILED).map(({ fn }) => nameOf(fn))
  const rest = others.length - named.length
  const more = [...named, ...(rest > 0 ? [`${rest} more`] : [])]
  const also = more.length === 0 ? '' : `; so did ${more.join(', ')}`
  const what = spelled(headlineText(first!, diffWords('relative', column), nameOf), style)
  throw new AgentError('diff_failed', `${after} fails --fail +${gate.points}: ${what}${also}`)
}
