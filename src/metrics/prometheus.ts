/**
 * Rows as the text that Prometheus scrapes: format 0.0.4, or OpenMetrics 1.0 for those who ask for it. One family a
 * name, in order of names, rows in order of labels: two scrapes differ in values only.
 * https://prometheus.io/docs/instrumenting/exposition_formats/ https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
import type { MetricRow } from './rows.ts'

export type Exposition = 'prometheus' | 'openmetrics'

export const CONTENT_TYPES: Readonly<Record<Exposition, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** What a request's Accept header asks for: OpenMetrics where it is wanted at least as much as plain text. */
export function negotiate(accept: string | undefined): Exposition {
  const wanted = { openmetrics: 0, prometheus: 0 }
  for (const part of (accept ?? '').slice(0, 4096).split(',')) {
    const [type, ...parameters] = part
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/)
    const weight = weightOf(parameters)
    if (type === 'application/openmetrics-text' && isOurVersion(parameters))
      wanted.openmetrics = Math.max(wanted.openmetrics, weight)
    if (type === 'text/plain') wanted.prometheus = Math.max(wanted.prometheus, weight)
  }
  return wanted.openmetrics > 0 && wanted.openmetrics >= wanted.prometheus ? 'openmetrics' : 'prometheus'
}

function weightOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith('q='))
  return weight === undefined ? 1 : Number(weight.slice(2)) || 0
}

function isOurVersion(parameters: readonly string[]): boolean {
  const version = parameters.find((parameter) => parameter.startsWith('version='))
  return version === undefined || /^version="?1\.0\.0"?$/.test(version)
}

/**
 * The text of one scrape. Rows of a name are one family, whose type and help are those of its first row; of two rows
 * with equal labels the last counts. A row with an impossible name is left out: it must not cost the whole scrape.
 */
export function expose(rows: readonly MetricRow[], exposition: Exposition): string {
  const families = new Map<string, MetricRow[]>()
  for (const row of rows) {
    if (!isValid(row)) continue
    const family = families.get(row.name)
    if (family === undefined) families.set(row.name, [row])
    else family.push(row)
  }
  const names = [...families.keys()].sort(byText)
  const lines = names.flatMap((name) => familyLines(families.get(name)!, exposition))
  if (exposition === 'openmetrics') lines.push('# EOF')
  return `${lines.join('\n')}\n`
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function isValid({ name, labels }: MetricRow): boolean {
  return NAME.test(name) && Object.keys(labels ?? {}).every((label) => LABEL.test(label))
}

function familyLines(rows: readonly MetricRow[], exposition: Exposition): string[] {
  const { name, help, type } = rows[0]!
  const open = exposition === 'openmetrics'
  const sampleName = open && type === 'counter' && !name.endsWith('_total') ? `${name}_total` : name
  const family = open && type === 'counter' ? sampleName.slice(0, -'_total'.length) : name
  const samples = new Map(rows.map((row) => [labelText(row.labels ?? {}), row.value]))
  return [
    `# HELP ${family} ${escapeHelp(help, open)}`,
    `# TYPE ${family} ${type}`,
    ...[...samples]
      .sort(([a], [b]) => byText(a, b))
      .map(([labels, value]) => `${sampleName}${labels} ${numberText(value)}`),
  ]
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const names = Object.keys(labels).sort(byText)
  if (names.length === 0) return ''
  return `{${names.map((name) => `${name}="${escapeValue(labels[name]!)}"`).join(',')}}`
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value)
}

/** UTF-8 has no lone surrogates; a carriage return would end the line for some readers. */
const wellFormed = (text: string) =>
  text
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replaceAll('\r', ' ')
const escapeValue = (text: string) =>
  wellFormed(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
const escapeHelp = (text: string, quotes: boolean) => {
  const escaped = wellFormed(text).replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return quotes ? escaped.replaceAll('"', '\\"') : escaped
}
