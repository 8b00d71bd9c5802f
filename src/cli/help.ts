/** The words of `profile --help` and of `profile` alone, built from the option table. */
import { OPTIONS, type OptionSpec } from './options.ts'
import { OUTPUT_FORMATS } from './output-plan.ts'

const EXAMPLES: readonly (readonly [string, string])[] = [
  ['profile 4242', 'sample process 4242 for 10 s, write one HTML flame graph'],
  ['profile nginx', 'all processes of that name together'],
  ['profile -- node app.js', 'run a command and profile it until it ends'],
  ['profile --all -d 30s', 'the whole machine for 30 seconds'],
  ['profile 4242 -o cpu.pb.gz -o cpu.folded', 'a pprof file and folded stacks instead of the page'],
  ['profile 4242 -o - | head', 'folded stacks on standard output'],
  ['profile 4242 --json --no-open', 'one JSON object for scripts'],
  ['profile top', 'what the processor does now, a second at a time'],
  ['profile --last 5m', 'what the running agent recorded'],
  ['profile open cpu.pb.gz', 'show a profile in the browser'],
  ['profile export x.html -o x.pb.gz', 'convert between formats'],
  ['profile diff old.pb.gz new.pb.gz', 'what grew, what shrank, and what is only noise'],
  ["profile diff old.html new.html --fail '+3' -o -.md", 'a gate for CI, with its summary'],
  ['profile agent --config agent.yaml', 'profile this host always, send OTLP profiles'],
  ['profile doctor 4242', 'what works here, what does not, and how to fix it'],
]

const USAGE: readonly string[] = [
  'profile [options] PID... | NAME',
  'profile [options] -- COMMAND [ARGUMENT...]',
  'profile [options] --all',
  'profile [options] --last TIME',
  'profile top [PID... | NAME | --all]',
  'profile open FILE...',
  'profile export FILE -o OUT',
  'profile diff BEFORE AFTER',
  'profile doctor [TARGET]',
  'profile agent [--config FILE] [flags]',
  'profile completion bash|zsh|fish',
]

const EXIT_CODES: readonly (readonly [string, string])[] = [
  ['0', 'done'],
  ['1', 'a bug of ours'],
  ['2', 'wrong usage, or an output that cannot be written'],
  ['3', 'not permitted or not supported here (profile doctor says why)'],
  ['4', 'no such target'],
  ['5', 'no samples: the target used no CPU'],
  ['10', 'profile diff --fail: a function grew by as much, and it is no noise'],
  ['130', 'aborted by a second Ctrl-C'],
]

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}

function optionRow(option: OptionSpec): readonly [string, string] {
  const short = option.short === '' ? '   ' : `-${option.short},`
  const only = option.commands.includes('record') ? '' : ` (profile ${option.commands.join(', ')})`
  return [`${short} --${option.name}${option.value === '' ? '' : ` ${option.value}`}`, option.help + only]
}

/** The whole help; examples first. Ends with a line feed. */
export function helpText(): string {
  const extensions = OUTPUT_FORMATS.map((f) => f.extension).join(' ')
  return `Examples:
${columns(EXAMPLES)}

Usage:
${USAGE.map((line) => `  ${line}`).join('\n')}

Options:
${columns(OPTIONS.map(optionRow))}

Files: ${extensions}
"-o -" is folded text on standard output, "-o -.json" and the like the other text formats.
profile diff writes .md .html .json ("-o -" is Markdown). It compares shares, so that profiles of any length
and load can be compared; --scale per-second compares CPU per second, absolute the sums. --fail means shares.
Ctrl-C stops early and writes; a second one aborts. With -- COMMAND the exit code is the command's.

Exit codes:
${columns(EXIT_CODES)}
`
}

/** A few lines for `profile` without arguments. */
export function usageText(): string {
  return `usage: ${USAGE.join('\n       ')}\nprofile --help shows examples and all options.\n`
}
