/**
 * The command line as data: argv in, one checked `Command` out. Knows no process, file or host; every refusal is an
 * AgentError `usage` in one sentence. words.ts splits argv.
 */
import { AgentError } from '../errors.ts'
import { type AgentCommand, parseAgentArguments } from './agent-arguments.ts'
import { type DiffCommand, parseDiff } from './diff-arguments.ts'
import {
  COMMANDS,
  type CommandName,
  DEFAULT_DURATION_MS,
  DEFAULT_RATE_HZ,
  type FoldedRoot,
  SHELLS,
  type Shell,
} from './options.ts'
import { isStdout, keepsSources, type Output, parseOutputs } from './output-plan.ts'
import { parseDuration, parseFoldedRoot, parsePort, parseRate } from './values.ts'
import { optionValue, refuseForeignOptions, splitWords, type Words } from './words.ts'

/** What to profile, as asked; target.ts finds it on this host. */
export type TargetSpec =
  | { readonly kind: 'pids'; readonly pids: readonly number[] }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'command'; readonly argv: readonly string[] }
  | { readonly kind: 'all' }

export interface RecordCommand {
  readonly kind: 'record'
  readonly target: TargetSpec
  /** null: until the command ends. */
  readonly durationMs: number | null
  readonly rateHz: number
  /** Empty: the default page. */
  readonly outputs: readonly Output[]
  readonly foldedRoot: FoldedRoot
  readonly force: boolean
  readonly json: boolean
  readonly open: boolean
  readonly kernelStacks: boolean
  /** '' for all. */
  readonly cgroup: string
  readonly comm: string
  readonly source: boolean
  readonly commandLine: boolean
  readonly redact: boolean
  readonly quiet: boolean
  readonly verbose: boolean
}
/** `profile --last TIME`: what the agent recorded. */
export interface LastCommand {
  readonly kind: 'last'
  readonly lastMs: number
  /** As it was written: it names the default file. */
  readonly lastText: string
  readonly outputs: readonly Output[]
  readonly foldedRoot: FoldedRoot
  readonly redact: boolean
  readonly force: boolean
  readonly json: boolean
  readonly open: boolean
  readonly quiet: boolean
  readonly verbose: boolean
}
export interface TopCommand {
  readonly kind: 'top'
  readonly target: TargetSpec
  /** null: until the user quits. */
  readonly durationMs: number | null
  readonly rateHz: number
  readonly kernelStacks: boolean
  readonly json: boolean
  readonly cgroup: string
  readonly comm: string
}
export interface OpenCommand {
  readonly kind: 'open'
  /** Several are shown as one profile. */
  readonly files: readonly string[]
  readonly redact: boolean
  readonly open: boolean
  /** 0: any free port. */
  readonly port: number
}
export interface ExportCommand {
  readonly kind: 'export'
  readonly file: string
  readonly outputs: readonly Output[]
  readonly foldedRoot: FoldedRoot
  readonly redact: boolean
  readonly force: boolean
  readonly quiet: boolean
}
export interface DoctorCommand {
  readonly kind: 'doctor'
  /** null: the host only. */
  readonly target: TargetSpec | null
  readonly json: boolean
}
export type Command =
  | RecordCommand
  | LastCommand
  | TopCommand
  | OpenCommand
  | ExportCommand
  | DiffCommand
  | DoctorCommand
  | AgentCommand
  | { readonly kind: 'agent-help' }
  | { readonly kind: 'completion'; readonly shell: Shell }
  | { readonly kind: 'help' }
  | { readonly kind: 'usage' }
  | { readonly kind: 'version' }

/** Reads argv without the program's own name. Errors: AgentError `usage`. */
export function parseArguments(argv: readonly string[]): Command {
  if (argv.length === 0) return { kind: 'usage' }
  if (argv[0] === 'agent') return parseAgentArguments(argv.slice(1))
  const words = splitWords(argv)
  if (words.options.has('help')) return { kind: 'help' }
  if (words.options.has('version')) return { kind: 'version' }
  const first = words.positionals[0]
  const named = first !== 'record' && COMMANDS.find((c) => c === first)
  const name: CommandName = named || 'record'
  refuseForeignOptions(name, words)
  const operands = named ? words.positionals.slice(1) : words.positionals
  switch (name) {
    case 'record':
      return words.options.has('last') ? parseLast(words, operands) : parseRecord(words, operands)
    case 'top':
      return parseTop(words, operands)
    case 'open':
      return {
        kind: 'open',
        files: someFiles('open', operands, words),
        redact: words.options.has('redact'),
        open: !words.options.has('no-open'),
        port: optionValue(words, 'port', parsePort, 0),
      }
    case 'export':
      return parseExport(words, operands)
    case 'diff':
      return parseDiff(words, operands)
    case 'doctor':
      return {
        kind: 'doctor',
        target: operands.length > 0 || words.command ? parseDoctorTarget(words, operands) : null,
        json: words.options.has('json'),
      }
    case 'agent':
      throw new AgentError('usage', 'agent must be the first word: profile agent [--config FILE] [flags]')
    case 'completion':
      return parseCompletion(operands)
  }
}

function parseRecord(words: Words, operands: readonly string[]): RecordCommand {
  const has = (name: string): boolean => words.options.has(name)
  const target = parseTarget(words, operands)
  const fallbackMs = target.kind === 'command' ? null : DEFAULT_DURATION_MS
  const command: RecordCommand = {
    kind: 'record',
    target,
    durationMs: optionValue<number | null>(words, 'duration', (text) => parseDuration(text), fallbackMs),
    rateHz: optionValue(words, 'frequency', parseRate, DEFAULT_RATE_HZ),
    outputs: parseOutputs(words.options.get('output') ?? []),
    foldedRoot: foldedRoot(words),
    force: has('force'),
    json: has('json'),
    open: !has('no-open'),
    kernelStacks: !has('no-kernel'),
    cgroup: optionValue(words, 'cgroup', nonEmpty('--cgroup'), ''),
    comm: optionValue(words, 'comm', nonEmpty('--comm'), ''),
    source: has('source'),
    commandLine: has('command-line'),
    redact: has('redact'),
    quiet: has('quiet'),
    verbose: has('verbose'),
  }
  refuseContradictions(command, has)
  return command
}

/** What decides what and how is sampled was decided when the agent was started. */
const NOT_WITH_LAST = [
  'duration',
  'frequency',
  'all',
  'cgroup',
  'comm',
  'kernel',
  'no-kernel',
  'source',
  'command-line',
]

function parseLast(words: Words, operands: readonly string[]): LastCommand {
  const has = (name: string): boolean => words.options.has(name)
  const lastText = words.options.get('last')!.at(-1)!
  const other = NOT_WITH_LAST.find(has)
  if (other !== undefined)
    throw new AgentError('usage', `--${other} cannot be used with --last: the agent has sampled already`)
  if (operands.length > 0 || words.command)
    throw new AgentError('usage', '--last takes no target: it shows what the agent recorded of this host')
  const outputs = parseOutputs(words.options.get('output') ?? [])
  if (has('quiet') && has('verbose')) throw new AgentError('usage', '-q and -v exclude each other')
  if (outputs.some(isStdout) && has('json'))
    throw new AgentError('usage', '-o - and --json both write to standard output; use one')
  return {
    kind: 'last',
    lastMs: parseDuration(lastText, '--last'),
    lastText,
    outputs,
    foldedRoot: foldedRoot(words),
    redact: has('redact'),
    force: has('force'),
    json: has('json'),
    open: !has('no-open'),
    quiet: has('quiet'),
    verbose: has('verbose'),
  }
}

/** Without a target: every process. */
function parseTop(words: Words, operands: readonly string[]): TopCommand {
  if (words.command)
    throw new AgentError('usage', 'profile top looks at running processes: give pids, a name or --all')
  if (words.options.has('kernel') && words.options.has('no-kernel'))
    throw new AgentError('usage', '--kernel and --no-kernel exclude each other')
  return {
    kind: 'top',
    target: operands.length === 0 ? { kind: 'all' } : parseTarget(words, operands),
    durationMs: optionValue<number | null>(words, 'duration', (text) => parseDuration(text), null),
    rateHz: optionValue(words, 'frequency', parseRate, DEFAULT_RATE_HZ),
    kernelStacks: !words.options.has('no-kernel'),
    json: words.options.has('json'),
    cgroup: optionValue(words, 'cgroup', nonEmpty('--cgroup'), ''),
    comm: optionValue(words, 'comm', nonEmpty('--comm'), ''),
  }
}

function refuseContradictions(command: RecordCommand, has: (name: string) => boolean): void {
  const toStdout = command.outputs.some(isStdout)
  if (has('kernel') && has('no-kernel'))
    throw new AgentError('usage', '--kernel and --no-kernel exclude each other')
  if (command.quiet && command.verbose) throw new AgentError('usage', '-q and -v exclude each other')
  if (toStdout && command.target.kind === 'command') {
    throw new AgentError(
      'usage',
      '-o - cannot be used with -- COMMAND: standard output belongs to the command',
    )
  }
  if (toStdout && command.json)
    throw new AgentError('usage', '-o - and --json both write to standard output; use one')
  const kept = ['command-line', 'source'].find(has)
  if (command.redact && kept !== undefined)
    throw new AgentError('usage', `--redact hides what --${kept} keeps; use one`)
  if (command.source && command.outputs.length > 0 && !command.outputs.some(keepsSources))
    throw new AgentError('usage', '--source needs an .html or .json file: the other formats hold no text')
}

function foldedRoot(words: Words): FoldedRoot {
  return optionValue(words, 'root', parseFoldedRoot, '')
}

function nonEmpty(option: string): (text: string) => string {
  return (text) => {
    if (text === '') throw new AgentError('usage', `${option} needs a value that is not empty`)
    return text
  }
}

function parseTarget(words: Words, operands: readonly string[]): TargetSpec {
  const all = words.options.has('all')
  const ways = [operands.length > 0, words.command !== null, all].filter(Boolean).length
  if (ways > 1) throw new AgentError('usage', 'give one target: pids, a name, --all, or -- COMMAND')
  if (words.command) {
    if (words.command.length === 0)
      throw new AgentError('usage', '-- needs a command to run, as in: profile -- node app.js')
    return { kind: 'command', argv: words.command }
  }
  // A cgroup or thread name alone says enough: everything that passes the filter.
  if (all || (operands.length === 0 && (words.options.has('cgroup') || words.options.has('comm'))))
    return { kind: 'all' }
  if (operands.length === 0) {
    throw new AgentError('usage', 'no target: give a pid, a name, --all, or -- COMMAND, as in: profile 4242')
  }
  return processTarget(operands)
}

function processTarget(operands: readonly string[]): TargetSpec {
  const isPid = operands.map((o) => /^\d+$/.test(o))
  if (isPid.every(Boolean)) return { kind: 'pids', pids: [...new Set(operands.map(Number))] }
  if (isPid.some(Boolean))
    throw new AgentError('usage', `give pids or one name, not both: ${operands.join(' ')}`)
  if (operands.length > 1) {
    const quoted = operands.map((o) => `"${o}"`).join(' and ')
    throw new AgentError(
      'usage',
      `give one name at a time, got ${quoted}; to run a command: profile -- ${operands.join(' ')}`,
    )
  }
  if (operands[0] === '') throw new AgentError('usage', 'the name of the target is empty')
  return { kind: 'name', name: operands[0]! }
}

function parseDoctorTarget(words: Words, operands: readonly string[]): TargetSpec {
  if (words.command)
    throw new AgentError('usage', 'profile doctor looks at running processes: give pids or a name')
  return processTarget(operands)
}

function parseExport(words: Words, operands: readonly string[]): ExportCommand {
  const outputs = parseOutputs(words.options.get('output') ?? [])
  const file = oneFile('export', operands, words)
  if (outputs.length === 0)
    throw new AgentError('usage', 'profile export needs -o FILE, as in: profile export x.html -o x.pb.gz')
  return {
    kind: 'export',
    file,
    outputs,
    foldedRoot: foldedRoot(words),
    redact: words.options.has('redact'),
    force: words.options.has('force'),
    quiet: words.options.has('quiet'),
  }
}

function someFiles(command: string, operands: readonly string[], words: Words): string[] {
  const files = [...operands, ...(words.command ?? [])]
  if (files.length === 0 || files.includes(''))
    throw new AgentError('usage', `profile ${command} needs a file, as in: profile ${command} cpu.pb.gz`)
  return files
}

function oneFile(command: string, operands: readonly string[], words: Words): string {
  const files = [...operands, ...(words.command ?? [])]
  if (files.length !== 1 || files[0] === '') {
    throw new AgentError('usage', `profile ${command} needs one file, got ${files.length}`)
  }
  return files[0]!
}

function parseCompletion(operands: readonly string[]): Command {
  const shell = SHELLS.find((s) => s === operands[0])
  if (!shell || operands.length !== 1) {
    throw new AgentError(
      'usage',
      `profile completion needs one of ${SHELLS.join(', ')}, got "${operands.join(' ')}"`,
    )
  }
  return { kind: 'completion', shell }
}
