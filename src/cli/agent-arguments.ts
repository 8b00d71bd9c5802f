/** The words of `profile agent`: its flags are the keys of the configuration, in either spelling. */
import { flagOf, KEYS, type KeySpec, keyOfFlag } from '../config/schema.ts'
import { AgentError } from '../errors.ts'
import { nearest } from '../model/nearest.ts'

export interface AgentCommand {
  readonly kind: 'agent'
  /** null: what EMBERSCOPE_CONFIG says. */
  readonly file: string | null
  /** Names without dashes, with their texts, in the order given. */
  readonly flags: readonly (readonly [flag: string, text: string])[]
  readonly printConfig: boolean
  readonly check: boolean
  /** Only say where the page of the running agent is. */
  readonly page: boolean
}

const SWITCHES = ['print-config', 'check', 'page', 'help'] as const

/** `argv` after the word agent. Errors: AgentError `usage`; values are looked at when the configuration is loaded. */
export function parseAgentArguments(argv: readonly string[]): AgentCommand | { readonly kind: 'agent-help' } {
  const flags: [string, string][] = []
  const switches = new Set<string>()
  let file: string | null = null
  for (let i = 0; i < argv.length; i++) {
    const [name, inline] = splitFlag(argv[i]!)
    if ((SWITCHES as readonly string[]).includes(name)) {
      if (inline !== null) throw new AgentError('usage', `--${name} takes no value, got "${inline}"`)
      switches.add(name)
      continue
    }
    const key = name === 'config' ? null : knownKey(name)
    const text = inline ?? (key?.type.kind === 'boolean' ? 'true' : argv[++i])
    if (text === undefined) throw new AgentError('usage', `--${name} needs a value`)
    if (inline === null && text.startsWith('--'))
      throw new AgentError(
        'usage',
        `--${name} needs a value, got the option ${text}; to mean it: --${name}=${text}`,
      )
    if (key === null) file = text
    else flags.push([name, text])
  }
  if (switches.has('help')) return { kind: 'agent-help' }
  if (file === '') throw new AgentError('usage', '--config needs the path of a file')
  return {
    kind: 'agent',
    file,
    flags,
    printConfig: switches.has('print-config'),
    check: switches.has('check'),
    page: switches.has('page'),
  }
}

/** '--a=b' -> ['a', 'b'], '--a' -> ['a', null]. */
function splitFlag(word: string): [name: string, inline: string | null] {
  if (word === '-h') return ['help', null]
  const match = /^--([^=]+)(?:=(.*))?$/s.exec(word)
  if (match === null) {
    const meant = word.startsWith('-') ? 'see profile agent --help' : `did you mean --config ${word}?`
    throw new AgentError('usage', `profile agent takes options only, got "${word}"; ${meant}`)
  }
  return [match[1]!, match[2] ?? null]
}

function knownKey(name: string): KeySpec {
  const key = keyOfFlag(name)
  if (key) return key
  const known = [...KEYS.map(({ path }) => flagOf(path)), 'config', ...SWITCHES].map((flag) => `--${flag}`)
  const near = nearest(`--${name}`, known, 1)[0]
  const hint = near === undefined ? 'see profile agent --help' : `did you mean ${near}?`
  throw new AgentError('usage', `unknown option --${name}; ${hint}`)
}
