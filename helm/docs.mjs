// Writes what follows from values.yaml and from the agent's own table of keys: values.schema.json and the table of values
// in README.md (`npm run chart:docs`, after a build). A key with a `# --` comment is a value, and what it holds may be
// anything of that type; one without is a group, which refuses keys it does not know.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { configSchema } from '../dist/src/config/json-schema.js'
import { KEYS } from '../dist/src/config/schema.js'

const CHART = join(dirname(fileURLToPath(import.meta.url)), 'emberscope')
const TABLE_START = '<!-- values: written by `npm run chart:docs` -->'
const TABLE_END = '<!-- /values -->'

/** Path -> text of the `# --` comment above the key. */
function describedKeys(text) {
  const found = new Map()
  const parents = []
  let comment = []
  for (const line of text.split('\n')) {
    const [, indent, key] = /^( *)([A-Za-z]\w*):/.exec(line) ?? []
    if (key !== undefined) {
      parents.length = indent.length / 2
      parents.push(key)
      const start = comment.findIndex((part) => part.startsWith('-- '))
      if (start >= 0) found.set(parents.join('.'), comment.slice(start).join(' ').slice('-- '.length))
    }
    const [, remark] = /^ *# ?(.*)/.exec(line) ?? []
    if (remark === undefined) comment = []
    else comment.push(remark)
  }
  return found
}

/** '(enum a|b) What it is' -> its values and the rest. */
function splitEnum(description) {
  const [, values, rest] = /^\(enum ([^)]*)\) (.*)/.exec(description) ?? []
  return values === undefined ? { description } : { description: rest, values: values.split('|') }
}

function typeOf(value) {
  if (Array.isArray(value)) return { type: 'array' }
  if (typeof value === 'number') return { type: 'integer' }
  return { type: typeof value }
}

function schemaOfValue(path, value, comment) {
  const { description, values } = splitEnum(comment)
  if (path === 'config') return { description, ...agentSchema() }
  return { description, ...(values ? { type: 'string', enum: values } : typeOf(value)) }
}

function schemaOfGroup(group, described, prefix = '') {
  const properties = {}
  for (const [key, value] of Object.entries(group)) {
    const path = prefix + key
    const comment = described.get(path)
    properties[key] =
      comment === undefined
        ? schemaOfGroup(value, described, `${path}.`)
        : schemaOfValue(path, value, comment)
  }
  // An umbrella chart's `global` holds other charts' keys too.
  return { type: 'object', additionalProperties: prefix === 'global.', properties }
}

/** The agent's own schema, without the keys for which the chart has a Secret: a ConfigMap is no place for them. */
function agentSchema() {
  const { $schema, title, ...schema } = structuredClone(configSchema())
  for (const { path } of KEYS.filter((key) => key.secret)) {
    const parts = path.split('.')
    const group = parts.slice(0, -1).reduce((at, part) => at.properties[part], schema)
    delete group.properties[parts.at(-1)]
  }
  return schema
}

/** The text of values.schema.json for the text of values.yaml. */
export function valuesSchema(text) {
  const schema = schemaOfGroup(parse(text), describedKeys(text))
  const head = { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Values of the Emberscope chart' }
  return `${JSON.stringify({ ...head, ...schema }, null, 2)}\n`
}

/** The rows of README's table for the text of values.yaml. */
export function valuesTable(text) {
  const values = parse(text)
  const rows = [...describedKeys(text)].map(([path, comment]) => {
    const value = path.split('.').reduce((group, key) => group[key], values)
    const { description, values: choices } = splitEnum(comment)
    const choice = choices
      ? ` (${choices.map((name) => (name === '' ? 'empty' : `\`${name}\``)).join(', ')})`
      : ''
    const shown = `${description}${choice}`.replaceAll('|', '\\|')
    return `| \`${path}\` | ${shown} | \`${JSON.stringify(value)}\` |`
  })
  return ['| value | what it is | default |', '|---|---|---|', ...rows].join('\n')
}

/** README with its table written anew. */
export function readmeWithTable(readme, text) {
  const [start, end] = [readme.indexOf(TABLE_START), readme.indexOf(TABLE_END)]
  if (start < 0 || end < start)
    throw new Error(`README.md of the chart has no "${TABLE_START}" ... "${TABLE_END}"`)
  return `${readme.slice(0, start)}${TABLE_START}\n${valuesTable(text)}\n${readme.slice(end)}`
}

/** Path -> text of every file that follows from others. */
export function generatedFiles() {
  const read = (name) => readFileSync(join(CHART, name), 'utf8')
  const values = read('values.yaml')
  return new Map([
    [join(CHART, 'values.schema.json'), valuesSchema(values)],
    [join(CHART, 'README.md'), readmeWithTable(read('README.md'), values)],
  ])
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [path, text] of generatedFiles()) writeFileSync(path, text)
