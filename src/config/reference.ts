/** The table of keys in docs/configuration.md, made here and compared by a test. */
import { flagOf, KEYS, type KeySpec, variableOf } from './schema.ts'

/** Markdown, a row a key; `destinations[]` has the keys of `exporter.` and a name. */
export function referenceTable(): string {
  const rows = KEYS.map(row)
  return ['| key | variable | flag | default | meaning |', '|---|---|---|---|---|', ...rows].join('\n')
}

function row({ path, fallback, help, secret }: KeySpec): string {
  const cells = [
    `\`${path}\``,
    `\`${variableOf(path)}\``,
    `\`--${flagOf(path)}\``,
    fallback === '' ? '' : `\`${fallback}\``,
    secret ? `${help} (secret)` : help,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
