/** `--print-config`: the configuration in force as a file that could be read again, secrets masked, origins as comments. */
import { formatScalar, MASK, type RecordsType, type Value } from './key-type.ts'
import type { LoadedConfig } from './load.ts'
import { KEYS, type KeySpec } from './schema.ts'

/** YAML. `exporter` is left out where a list of destinations hides it, and the other way round. */
export function printConfig({ config, values, origins, isListed, warnings }: LoadedConfig): string {
  const lines = warnings.map((warning) => `# ${oneLine(warning)}`)
  let open: readonly string[] = []
  for (const key of KEYS) {
    if (key.path.startsWith('exporter.') ? isListed : key.path === 'destinations' && !isListed) continue
    const parents = key.path.split('.').slice(0, -1)
    lines.push(...opened(open, parents))
    open = parents
    const line = `${indent(parents.length)}${key.path.split('.').at(-1)}:`
    const origin = `# ${oneLine(origins.get(key.path)!)}`
    // The default depends on the protocol.
    const value = key.path === 'exporter.endpoint' ? config.destinations[0]!.endpoint : values.get(key.path)!
    if (key.type.kind === 'records' && (value as readonly Value[]).length > 0)
      lines.push(`${line} ${origin}`, ...records(key.type, value))
    else lines.push(`${line} ${written(key, value)} ${origin}`)
  }
  return `${lines.join('\n')}\n`
}

/** The lines of maps that begin between two keys. */
function opened(before: readonly string[], now: readonly string[]): string[] {
  let same = 0
  while (same < now.length && before[same] === now[same]) same++
  return now.slice(same).map((name, i) => `${indent(same + i)}${name}:`)
}

function records({ fields }: RecordsType, value: Value): string[] {
  return (value as readonly Record<string, Value>[]).flatMap((record) => {
    let open: readonly string[] = []
    const lines: string[] = []
    for (const field of fields) {
      if (record[field.path] === undefined) continue
      const parents = field.path.split('.').slice(0, -1)
      lines.push(...opened(open, parents).map((line) => `    ${line}`))
      open = parents
      const name = field.path.split('.').at(-1)
      lines.push(`    ${indent(parents.length)}${name}: ${written(field, record[field.path]!)}`)
    }
    return [`  - ${lines[0]!.trimStart()}`, ...lines.slice(1)]
  })
}

function written({ type, secret }: KeySpec, value: Value): string {
  // JSON is YAML, and its quotes leave no doubt.
  if (type.kind === 'map') {
    const entries = Object.entries(value as Record<string, string>)
    return JSON.stringify(Object.fromEntries(entries.map(([name, text]) => [name, secret ? MASK : text])))
  }
  if (secret) return value === '' ? '""' : `"${MASK}"`
  if (Array.isArray(value)) return JSON.stringify(value)
  const scalar = formatScalar(type, value)
  return typeof scalar === 'string' &&
    /^[a-z0-9/][A-Za-z0-9/.%_-]*$/.test(scalar) &&
    !/^[\d.]+$|^(true|false|null|on|off|yes|no)$/i.test(scalar)
    ? scalar
    : JSON.stringify(scalar)
}

function indent(depth: number): string {
  return '  '.repeat(depth)
}

function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, ' ')
}
