/**
 * Which files are asked for: from the texts behind `-o` to formats and places. Pure; nothing is opened here
 * (output-files.ts does that).
 */
import { AgentError } from '../errors.ts'
import { nearest } from '../model/nearest.ts'

/** Formats of one profile, by the stable names of `--json`. */
type ProfileFormat =
  | 'html'
  | 'pprof'
  | 'otlp'
  | 'folded'
  | 'speedscope'
  | 'otlp_json'
  | 'json'
  | 'csv'
  | 'svg'

export interface OutputFormat<Name extends string = ProfileFormat> {
  readonly name: Name
  readonly extension: string
  /** Text goes to a pipe; the others are refused there. */
  readonly text: boolean
}

/** Longest extension first where one ends like another. */
export const OUTPUT_FORMATS: readonly OutputFormat[] = [
  { name: 'html', extension: '.html', text: false },
  { name: 'pprof', extension: '.pb.gz', text: false },
  { name: 'pprof', extension: '.pprof', text: false },
  { name: 'otlp', extension: '.otlp', text: false },
  { name: 'folded', extension: '.folded', text: true },
  { name: 'speedscope', extension: '.speedscope.json', text: true },
  { name: 'otlp_json', extension: '.otlp.json', text: true },
  { name: 'json', extension: '.json', text: true },
  { name: 'csv', extension: '.csv', text: true },
  { name: 'svg', extension: '.svg', text: true },
]

/** `path` is '' for standard output. */
export interface Output<Name extends string = ProfileFormat> {
  readonly path: string
  readonly format: OutputFormat<Name>
}

export function isStdout(output: Output<string>): boolean {
  return output.path === ''
}

/** Whether the format has a place for `Profile.sources`. */
export function keepsSources({ format }: Output): boolean {
  return format.name === 'html' || format.name === 'json'
}

function formatOf<Name extends string>(
  path: string,
  formats: readonly OutputFormat<Name>[],
): OutputFormat<Name> | undefined {
  const lower = path.toLowerCase()
  return formats.find(
    (f) => lower.endsWith(f.extension) && !lower.endsWith(`/${f.extension}`) && lower !== f.extension,
  )
}

/** One `-o` value of a profile. Errors: as `parseOutputs`. */
export function parseOutput(value: string): Output {
  return parseOne(value, OUTPUT_FORMATS)
}

function parseOne<Name extends string>(value: string, formats: readonly OutputFormat<Name>[]): Output<Name> {
  const extensions = formats.map((f) => f.extension)
  if (value === '') throw new AgentError('usage', '-o needs a file name')
  if (value === '-') return { path: '', format: formats.find((f) => f.text)! }
  if (value.endsWith('/')) throw new AgentError('usage', `-o needs a file name, "${value}" is a directory`)
  const format = formatOf(value, formats)
  if (!format) {
    const ending = /\.[^/]*$/.exec(value)?.[0] ?? ''
    if (extensions.includes(ending))
      throw new AgentError('usage', `-o ${value}: a name is missing before ${ending}`)
    if (ending.toLowerCase() === '.png')
      throw new AgentError(
        'usage',
        `-o ${value}: pictures of points are made by the page (Export, PNG); here use .svg`,
      )
    const near = nearest(ending, extensions, 1)[0]
    const hint = near ? ` (did you mean ${near}?)` : ''
    throw new AgentError('usage', `-o ${value}: unknown extension${hint}; use one of ${extensions.join(' ')}`)
  }
  if (value !== `-${format.extension}`) return { path: value, format }
  if (!format.text) throw new AgentError('usage', `-o ${value}: ${format.name} is not text; give a file name`)
  return { path: '', format }
}

/**
 * All `-o` values. '-' is the first text format (folded) on standard output, '-.json' and the like another one there. Errors:
 * AgentError `usage` for an unknown extension, a binary format on standard output, or two values for one place.
 */
export function parseOutputs(values: readonly string[]): Output[] {
  return parseOutputsOf(values, OUTPUT_FORMATS)
}

/** The same with other formats. */
export function parseOutputsOf<Name extends string>(
  values: readonly string[],
  formats: readonly OutputFormat<Name>[],
): Output<Name>[] {
  const outputs = values.map((value) => parseOne(value, formats))
  const seen = new Set<string>()
  for (const output of outputs) {
    const place = isStdout(output) ? '-' : output.path
    if (seen.has(place))
      throw new AgentError('usage', `-o ${place} is given twice; one file holds one format`)
    seen.add(place)
  }
  return outputs
}

/** A name for the default file: 'profile-node-4242-20261123-143502.html' in local time; `pid` 0 leaves it out. */
export function defaultFileName(name: string, pid: number, now: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`
  return ['profile', fileNamePart(name), ...(pid > 0 ? [String(pid)] : []), `${day}-${time}`]
    .join('-')
    .concat('.html')
}

/** Process names may hold anything, a slash or a line feed too: only [A-Za-z0-9._+] stay, 40 of them at most. */
function fileNamePart(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9._+]+/g, '-').replace(/^[-.]+|[-.]+$/g, '')
  return safe.slice(0, 40) || 'process'
}

/** 'x.html', 2 -> 'x-2.html': the next name to try when one is taken. */
export function numbered(path: string, n: number): string {
  return n < 2 ? path : path.replace(/(\.html)$/, `-${n}$1`)
}
