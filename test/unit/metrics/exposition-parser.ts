/** A strict reader of both text formats, of what the specifications allow us to write and no more; throws at anything else. */
import assert from 'node:assert/strict'
import type { Exposition } from '../../../src/metrics/prometheus.ts'

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/
const NUMBER = /^(NaN|[+-]Inf|-?\d+(\.\d+)?(e[+-]?\d+)?)$/

/** The samples of a scrape in its order. */
export function parseExposition(text: string, exposition: Exposition): Sample[] {
  assert.ok(text.endsWith('\n'), 'the last line ends')
  const lines = text.slice(0, -1).split('\n')
  if (exposition === 'openmetrics') assert.equal(lines.pop(), '# EOF')
  if (text === '\n') return []
  const samples: Sample[] = []
  const done = new Set<string>()
  let family = { name: '', type: '' }
  for (const [i, line] of lines.entries()) {
    if (line.startsWith('# HELP ')) {
      family = familyAt(line, lines[i + 1] ?? '')
      assert.ok(!done.has(family.name), `family ${family.name} once`)
      done.add(family.name)
    } else if (!line.startsWith('# TYPE ')) samples.push(sampleAt(line, family, exposition))
  }
  const keys = samples.map(({ name, labels }) => JSON.stringify([name, Object.entries(labels).sort()]))
  assert.equal(new Set(keys).size, keys.length, 'each sample once')
  return samples
}

function familyAt(help: string, type: string): { name: string; type: string } {
  const [, name] = new RegExp(`^# HELP (${NAME}) .+$`).exec(help) ?? assert.fail(`no HELP: ${help}`)
  const [, kind] =
    new RegExp(`^# TYPE ${name} (counter|gauge)$`).exec(type) ?? assert.fail(`no TYPE: ${type}`)
  return { name: name!, type: kind! }
}

function sampleAt(line: string, family: { name: string; type: string }, exposition: Exposition): Sample {
  const [head, name] = new RegExp(`^(${NAME})`).exec(line) ?? assert.fail(`no name: ${line}`)
  const suffix = exposition === 'openmetrics' && family.type === 'counter' ? '_total' : ''
  assert.equal(name, family.name + suffix)
  const { labels, rest } = labelsAt(line.slice(head!.length))
  assert.match(rest, /^ /)
  const value = rest.slice(1)
  assert.match(value, NUMBER)
  return { name: name!, labels, value: Number(value.replace('Inf', 'Infinity')) }
}

function labelsAt(text: string): { labels: Record<string, string>; rest: string } {
  const labels: Record<string, string> = {}
  if (!text.startsWith('{')) return { labels, rest: text }
  let rest = text.slice(1)
  while (!rest.startsWith('}')) {
    const [whole, name, value] = LABEL.exec(rest) ?? assert.fail(`no label: ${rest}`)
    assert.ok(!(name! in labels), `label ${name} once`)
    labels[name!] = value!.replace(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char))
    rest = rest.slice(whole!.length)
    if (rest.startsWith(',')) rest = rest.slice(1)
    else assert.ok(rest.startsWith('}'), `a comma between labels: ${rest}`)
  }
  return { labels, rest: rest.slice(1) }
}
