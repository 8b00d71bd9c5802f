/** The words of `profile diff` as data. */
import { AgentError } from '../errors.ts'
import type { DiffScale } from '../stats/diff-table.ts'
import { isStdout, type Output, type OutputFormat, parseOutputsOf } from './output-plan.ts'
import { parsePoints, parseScale } from './values.ts'
import { optionValue, type Words } from './words.ts'

/** Formats of a comparison. */
export type DiffFormat = 'markdown' | 'html' | 'json'

/** The first one is what `-o -` means. */
export const DIFF_FORMATS: readonly OutputFormat<DiffFormat>[] = [
  { name: 'markdown', extension: '.md', text: true },
  { name: 'html', extension: '.html', text: false },
  { name: 'json', extension: '.json', text: true },
]

export interface DiffCommand {
  readonly kind: 'diff'
  readonly before: string
  readonly after: string
  readonly scale: DiffScale
  /** Sample type, or type/unit; '' for that of the files. */
  readonly column: string
  /** Points of percent, null without a gate. */
  readonly failPoints: number | null
  readonly outputs: readonly Output<DiffFormat>[]
  readonly force: boolean
  readonly json: boolean
  readonly quiet: boolean
}

/** Errors: AgentError `usage`. */
export function parseDiff(words: Words, operands: readonly string[]): DiffCommand {
  const has = (name: string): boolean => words.options.has(name)
  const files = [...operands, ...(words.command ?? [])]
  if (files.length !== 2 || files.includes('')) {
    const got = files.filter((file) => file !== '').length
    throw new AgentError(
      'usage',
      `profile diff needs two files, the older one first, got ${got}: profile diff BEFORE AFTER`,
    )
  }
  const outputs = parseOutputsOf(words.options.get('output') ?? [], DIFF_FORMATS)
  if (outputs.some(isStdout) && has('json'))
    throw new AgentError('usage', '-o - and --json both write to standard output; use one')
  return {
    kind: 'diff',
    before: files[0]!,
    after: files[1]!,
    scale: optionValue<DiffScale>(words, 'scale', parseScale, 'relative'),
    column: optionValue(words, 'column', (text) => text, ''),
    failPoints: optionValue<number | null>(words, 'fail', parsePoints, null),
    outputs,
    force: has('force'),
    json: has('json'),
    quiet: has('quiet'),
  }
}
