/** argv as words: options with their texts, operands, and what follows `--`. What they mean is arguments.ts's business. */
import { parseArgs } from 'node:util'
import { AgentError } from '../errors.ts'
import { nearest } from '../model/nearest.ts'
import { type CommandName, OPTIONS, type OptionSpec, spelling } from './options.ts'

/** Options by long name, each with its texts in order; a switch has ''. */
export interface Words {
  readonly options: ReadonlyMap<string, readonly string[]>
  readonly positionals: readonly string[]
  /** Words after '--', or null without one. */
  readonly command: readonly string[] | null
}

/** Errors: AgentError `usage` for an unknown option, a missing value or one too many. */
export function splitWords(argv: readonly string[]): Words {
  const config: Record<string, { type: 'string' | 'boolean'; short?: string; multiple: true }> = {}
  for (const o of OPTIONS) {
    config[o.name] = {
      type: o.value === '' ? 'boolean' : 'string',
      multiple: true,
      ...(o.short === '' ? {} : { short: o.short }),
    }
  }
  const { tokens } = parseArgs({
    args: [...argv],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const options = new Map<string, string[]>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'option-terminator')
      return { options, positionals, command: argv.slice(token.index + 1) }
    if (token.kind === 'positional') {
      positionals.push(token.value)
      continue
    }
    const spec = OPTIONS.find((o) => o.name === token.name)
    if (!spec) throw unknownOption(token.rawName)
    const values = options.get(spec.name) ?? []
    values.push(checkedValue(spec, token.rawName, token.value, token.inlineValue === true))
    options.set(spec.name, values)
  }
  return { options, positionals, command: null }
}

function unknownOption(raw: string): AgentError {
  const known = OPTIONS.flatMap((o) => [`--${o.name}`, ...(o.short === '' ? [] : [`-${o.short}`])])
  const near =
    raw.length > 2 ? nearest(raw, known, 1)[0] : known.find((k) => k.toLowerCase() === raw.toLowerCase())
  return new AgentError(
    'usage',
    `unknown option ${raw}; ${near ? `did you mean ${near}?` : 'see profile --help'}`,
  )
}

function checkedValue(spec: OptionSpec, raw: string, value: string | undefined, inline: boolean): string {
  if (spec.value === '') {
    if (value !== undefined) throw new AgentError('usage', `${raw} takes no value, got "${value}"`)
    return ''
  }
  if (value === undefined) throw new AgentError('usage', `${raw} needs a value: ${raw} ${spec.value}`)
  if (!inline && /^--|^-[A-Za-z]/.test(value)) {
    throw new AgentError('usage', `${raw} needs a value: ${raw} ${spec.value}, got the option ${value}`)
  }
  return value
}

/** Errors: AgentError `usage` for an option that another command has. */
export function refuseForeignOptions(command: CommandName, words: Words): void {
  for (const name of words.options.keys()) {
    const spec = OPTIONS.find((o) => o.name === name)!
    if (!spec.commands.includes(command)) {
      const where = command === 'record' ? spec.commands.map((c) => `profile ${c}`).join(', ') : ''
      const does =
        command === 'record' ? `is an option of ${where} only` : `is no option of profile ${command}`
      throw new AgentError('usage', `${spelling(spec)} ${does}; see profile --help`)
    }
  }
}

/** The last text of an option, parsed; `fallback` when it was not given. */
export function optionValue<T>(words: Words, name: string, parse: (text: string) => T, fallback: T): T {
  const text = words.options.get(name)?.at(-1)
  return text === undefined ? fallback : parse(text)
}
