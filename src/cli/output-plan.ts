/**
 * Which files are asked for: from the texts behind `-o` to formats and places. Pure; nothing is opened here
 * (output-files.ts does that).
 */
import { AgentError } from '../errors.ts'
import { nearest } from '../model/nearest.ts'

export interface OutputFormat {
  /** Stable name, used in `--json`. */
  readonly name: 'html' | 'pprof' | 'otlp' | 'folded' | 'speedscope' | 'otlp_json' | 'json'
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
]

/** `path` is '' for standard output. */
export interface Output {
  readonly path: string
  readonly format: OutputFormat
}

export function isStdout(output: Output): boolean {
  return output.path === ''
}

/** Whether the format has a place for `Profile.sources`. */
export function keepsSources({ format }: Output): boolean {
  return format.name === 'html' || format.name === 'json'
}

const EXTENSIONS = OUTPUT_FORMATS.map((f) => f.extension)

function formatOf(path: string): OutputFormat | undefined {
  const lower = path.toLowerCase()
  return OUTPUT_FORMATS.find(
    (f) => lower.endsWith(f.extension) && !lower.endsWith(`/${f.extension}`) && lower !== f.extension,
  )
}

/**
 * One `-o` value. '-' is folded text on standard output, '-.json' and the like another text format there. Errors:
 * AgentError `usage` for an unknown extension or a binary format on standard output.
 */
export function parseOutput(value: string): Output {
  if (value === '') throw new AgentError('usage', '-o needs a file name')
  if (value === '-') return { path: '', format: OUTPUT_FORMATS.find((f) => f.name === 'folded')! }
  if (value.endsWith('/')) throw new AgentError('usage', `-o needs a file name, "${value}" is a directory`)
  const format = formatOf(value)
  if (!format) {
    const ending = /\.[^/]*$/.exec(value)?.[0] ?? ''
    if (EXTENSIONS.includes(ending))
      throw new AgentError('usage', `-o ${value}: a name is missing before ${ending}`)
    const near = nearest(ending, EXTENSIONS, 1)[0]
    const hint = near ? ` (did you mean ${near}?)` : ''
    throw new AgentError('usage', `-o ${value}: unknown extension${hint}; use one of ${EXTENSIONS.join(' ')}`)
  }
  if (value !== `-${format.extension}`) return { path: value, format }
  if (!format.text) throw new AgentError('usage', `-o ${value}: ${format.name} is not text; give a file name`)
  return { path: '', format }
}

/** All `-o` values. Errors: AgentError `usage` also when two name the same place. */
export function parseOutputs(values: readonly string[]): Output[] {
  const outputs = values.map(parseOutput)
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
