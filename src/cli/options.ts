/**
 * Every command and option, once: the argument parser, the help, the completions and the tests of the man page all
 * read these tables. Words that explain live here; what an option does lives where it is used.
 */

export const COMMANDS = ['record', 'top', 'open', 'export', 'diff', 'doctor', 'agent', 'completion'] as const
/** `record` is the unnamed main command; the others are its first word. */
export type CommandName = (typeof COMMANDS)[number]

export interface OptionSpec {
  /** Long name without dashes. */
  readonly name: string
  /** One letter without dash, or ''. */
  readonly short: string
  /** Placeholder of its value, '' for a switch. */
  readonly value: string
  readonly help: string
  readonly commands: readonly CommandName[]
}

const EVERY: readonly CommandName[] = COMMANDS

/** In the order of the help. */
export const OPTIONS: readonly OptionSpec[] = [
  {
    name: 'duration',
    short: 'd',
    value: 'TIME',
    help: 'how long: 10s, 500ms, 2m; a bare number is seconds (default 10s)',
    commands: ['record', 'top'],
  },
  {
    name: 'frequency',
    short: 'F',
    value: 'HZ',
    help: 'samples a second and CPU, 1 to 999 (default 99)',
    commands: ['record', 'top'],
  },
  {
    name: 'output',
    short: 'o',
    value: 'FILE',
    help: 'write FILE instead of the default page; repeatable; format by extension',
    commands: ['record', 'export', 'diff'],
  },
  {
    name: 'root',
    short: '',
    value: 'WHAT',
    help: 'folded files: begin each stack with its "comm" (process name) or "thread"',
    commands: ['record', 'export'],
  },
  {
    name: 'force',
    short: '',
    value: '',
    help: 'overwrite existing files',
    commands: ['record', 'export', 'diff'],
  },
  {
    name: 'all',
    short: '',
    value: '',
    help: 'profile every process of this machine',
    commands: ['record', 'top'],
  },
  {
    name: 'cgroup',
    short: '',
    value: 'PATH',
    help: 'only processes in this cgroup (v2) and below',
    commands: ['record', 'top'],
  },
  {
    name: 'comm',
    short: '',
    value: 'NAME',
    help: 'only threads with this name',
    commands: ['record', 'top'],
  },
  { name: 'kernel', short: '', value: '', help: 'with kernel frames (default)', commands: ['record', 'top'] },
  { name: 'no-kernel', short: '', value: '', help: 'without kernel frames', commands: ['record', 'top'] },
  {
    name: 'last',
    short: '',
    value: 'TIME',
    help: 'what the running agent recorded: the last TIME, instead of sampling',
    commands: ['record'],
  },
  {
    name: 'source',
    short: '',
    value: '',
    help: 'keep the source text around the sampled lines (.html and .json files)',
    commands: ['record'],
  },
  {
    name: 'redact',
    short: '',
    value: '',
    help: 'hide paths, host names, label values and comments, for sharing',
    commands: ['record', 'open', 'export'],
  },
  {
    name: 'command-line',
    short: '',
    value: '',
    help: 'keep the command line in the files (it may hold secrets)',
    commands: ['record'],
  },
  {
    name: 'json',
    short: '',
    value: '',
    help: 'print one JSON object instead of the summary',
    commands: ['record', 'top', 'diff', 'doctor'],
  },
  { name: 'no-open', short: '', value: '', help: 'do not open the browser', commands: ['record', 'open'] },
  {
    name: 'port',
    short: '',
    value: 'PORT',
    help: 'serve the page on this port of 127.0.0.1 (default: any free one)',
    commands: ['open'],
  },
  {
    name: 'fail',
    short: '',
    value: '+POINTS',
    help: 'exit 10 when the total share of a function grew by so much',
    commands: ['diff'],
  },
  {
    name: 'scale',
    short: '',
    value: 'SCALE',
    help: 'compare shares ("relative", default), "per-second" or "absolute"',
    commands: ['diff'],
  },
  {
    name: 'column',
    short: '',
    value: 'TYPE',
    help: 'sample type to compare, as cpu or samples (default: that of the file)',
    commands: ['diff'],
  },
  {
    name: 'config',
    short: '',
    value: 'FILE',
    help: "the agent's configuration; its keys are flags: profile agent --help",
    commands: ['agent'],
  },
  {
    name: 'print-config',
    short: '',
    value: '',
    help: 'print the configuration in force, and where each key comes from',
    commands: ['agent'],
  },
  {
    name: 'check',
    short: '',
    value: '',
    help: 'check configuration and host, then end',
    commands: ['agent'],
  },
  { name: 'quiet', short: 'q', value: '', help: 'print errors only', commands: ['record', 'export', 'diff'] },
  {
    name: 'verbose',
    short: 'v',
    value: '',
    help: 'also print where every sample, stack and frame went',
    commands: ['record'],
  },
  { name: 'help', short: 'h', value: '', help: 'print this help', commands: EVERY },
  { name: 'version', short: '', value: '', help: 'print the version', commands: EVERY },
]

/** How an option is written in messages: "-d" where there is a letter, else "--name". */
export function spelling(option: OptionSpec): string {
  return option.short === '' ? `--${option.name}` : `-${option.short}`
}

/** Defaults and limits of the main command. */
export const DEFAULT_DURATION_MS = 10_000
export const MAX_DURATION_MS = 24 * 3_600_000
export const DEFAULT_RATE_HZ = 99
export const MAX_RATE_HZ = 999

/** What may begin a folded stack; '' for nothing. */
export const FOLDED_ROOTS = ['comm', 'thread'] as const
export type FoldedRoot = (typeof FOLDED_ROOTS)[number] | ''

/** Shells we print completions for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]
