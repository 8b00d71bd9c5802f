/** The words of `profile agent --help`, made from the table of keys. */
import { expected, type KeyType } from '../config/key-type.ts'
import { flagOf, KEYS, type KeySpec, variableOf } from '../config/schema.ts'

const HEAD = `Usage:
  profile agent [--config FILE] [flags]

Profiles this host until it is stopped, and sends OTLP profiles. Flags win over the environment, that over
the file; OTEL_EXPORTER_OTLP_* are honoured. SIGHUP, or a change of the file, reads it again; SIGTERM sends
what is left and ends.

  --config FILE   YAML or JSON (EMBERSCOPE_CONFIG)
  --print-config  print the configuration in force, and where each key comes from
  --check         check configuration and host, then end
  --page          print the address of the running agent's page, its token included, then end

Flags, each also a variable and a key of the file:
`

/** Ends with a line feed. */
export function agentHelpText(): string {
  return `${HEAD}${KEYS.map(entry).join('\n')}\n`
}

function entry(key: KeySpec): string {
  const { path, type, fallback, help } = key
  const more = fallback === '' ? '' : ` (default ${fallback})`
  const head = `  --${flagOf(path)} ${placeholder(type)}`
  return `${head}\n${wrapped(`${help}${more}`)}\n${wrapped(`${variableOf(path)}, ${path}`)}`
}

function wrapped(text: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line !== '' && line.length + word.length > 96) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.map((line) => `      ${line}`).join('\n')
}

function placeholder(type: KeyType): string {
  switch (type.kind) {
    case 'enum':
      return type.values.join('|')
    case 'boolean':
      return '[=true|false]'
    case 'list':
      return `${placeholder(type.of)},...`
    case 'map':
      return 'KEY=VALUE,...'
    case 'records':
      return 'JSON'
    case 'listen':
      return expected(type)
    default:
      return (
        {
          duration: 'TIME',
          bytes: 'SIZE',
          percent: 'PERCENT',
          integer: 'N',
          endpoint: 'URL',
          path: 'PATH',
          cgroup: 'CGROUP',
        }[type.kind as string] ?? 'TEXT'
      )
  }
}
