import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { METRICS, type MetricName, metric, metricBy } from '../../../src/metrics/catalog.ts'
import { type Exposition, expose, negotiate } from '../../../src/metrics/prometheus.ts'
import type { MetricRow } from '../../../src/metrics/rows.ts'
import { parseExposition } from './exposition-parser.ts'

const row = (name: string, value: number, more: Partial<MetricRow> = {}): MetricRow => ({
  name,
  value,
  help: 'Help.',
  type: 'gauge',
  ...more,
})

test('a family is its help, its type and its samples; names and labels are in order', () => {
  const rows = [
    row('b', 2),
    row('a_total', 1, { type: 'counter', labels: { reason: 'y', destination: 'x' } }),
    row('b', 1, { labels: { k: 'v' } }),
    row('a_total', 3, { type: 'counter', labels: { destination: 'a', reason: 'y' } }),
  ]
  const text = [
    '# HELP a_total Help.',
    '# TYPE a_total counter',
    'a_total{destination="a",reason="y"} 3',
    'a_total{destination="x",reason="y"} 1',
    '# HELP b Help.',
    '# TYPE b gauge',
    'b 2',
    'b{k="v"} 1',
    '',
  ].join('\n')
  assert.equal(expose(rows, 'prometheus'), text)
  assert.equal(expose(rows.toReversed(), 'prometheus'), text, 'whatever the order of the rows')
})

test('OpenMetrics names counter families without _total and ends with # EOF', () => {
  const rows = [row('a_total', 1, { type: 'counter' }), row('b', 2, { type: 'counter' })]
  assert.equal(
    expose(rows, 'openmetrics'),
    '# HELP a Help.\n# TYPE a counter\na_total 1\n# HELP b Help.\n# TYPE b counter\nb_total 2\n# EOF\n',
  )
  assert.equal(expose([], 'openmetrics'), '# EOF\n')
})

test('label values and help escape what would end them', () => {
  const rows = [row('a', 1, { help: 'back\\slash "quoted"\nline', labels: { k: 'a"b\\c\nd\re' } })]
  assert.match(
    expose(rows, 'prometheus'),
    /^# HELP a back\\\\slash "quoted"\\nline\n.*\na{k="a\\"b\\\\c\\nd e"} 1\n$/,
  )
  assert.match(expose(rows, 'openmetrics'), /^# HELP a back\\\\slash \\"quoted\\"\\nline\n/)
})

test('half a character becomes the replacement character: the text is valid UTF-8', () => {
  const text = expose([row('a', 1, { labels: { k: 'x\ud800y\udc00z\ud83d\ude00' } })], 'prometheus')
  assert.ok(text.includes('a{k="x\ufffdy\ufffdz\u{1f600}"} 1'), text)
})

test('values are spelled as Go reads them', () => {
  const values = [0, 1e21, 1.5e-7, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const text = expose(
    values.map((value, i) => row(`v${i}`, value)),
    'prometheus',
  )
  const spelled = text.split('\n').filter((line) => line.startsWith('v'))
  assert.deepEqual(spelled, ['v0 0', 'v1 1e+21', 'v2 1.5e-7', 'v3 NaN', 'v4 +Inf', 'v5 -Inf'])
})

test('a row with an impossible name costs that row; of equal rows the last counts', () => {
  const rows = [
    row('a', 1),
    row('a', 2),
    row('9', 1),
    row('é', 1),
    row('b', 1, { labels: { 'x-y': '1' } }),
    row('', 1),
  ]
  assert.equal(expose(rows, 'prometheus'), '# HELP a Help.\n# TYPE a gauge\na 2\n')
})

test('whatever labels and values are, a strict parser reads both formats back', () => {
  const label = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\\', '"', '\n', '{', '}', ',', '=', 'x') }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(label, fc.double()), { maxLength: 20 }), (pairs) => {
      const rows = pairs.map(([text, value]) =>
        row('a_total', value, { type: 'counter', labels: { text, z: '1' } }),
      )
      for (const exposition of ['prometheus', 'openmetrics'] as Exposition[]) {
        const read = parseExposition(expose(rows, exposition), exposition)
        const wanted = new Map(pairs.map(([text, value]) => [text.replaceAll('\r', ' '), value + 0]))
        assert.deepEqual(new Map(read.map(({ labels, value }) => [labels.text, value])), wanted)
      }
    }),
  )
})

test('OpenMetrics is served to who prefers it, text 0.0.4 to the rest', () => {
  const prometheus2 =
    'application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.2'
  const cases: [string | undefined, Exposition][] = [
    [undefined, 'prometheus'],
    ['', 'prometheus'],
    ['*/*', 'prometheus'],
    [prometheus2, 'openmetrics'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text; version="1.0.0"; charset=utf-8', 'openmetrics'],
    ['application/openmetrics-text;version=2.0.0', 'prometheus'],
    ['text/plain;q=0.9,application/openmetrics-text;version=1.0.0;q=0.1', 'prometheus'],
    ['application/openmetrics-text;q=0', 'prometheus'],
    ['application/openmetrics-text;q=junk', 'prometheus'],
    [',;,='.repeat(100_000), 'prometheus'],
  ]
  for (const [accept, exposition] of cases) assert.equal(negotiate(accept), exposition, accept?.slice(0, 80))
})

test('every metric of the catalog obeys the rules of names', () => {
  const names = Object.keys(METRICS) as MetricName[]
  for (const name of names) {
    const { type, help } = METRICS[name]
    const labels = (METRICS[name] as { labels?: readonly string[] }).labels ?? []
    assert.match(name, /^(emberscope|process)_[a-z_]+$/)
    assert.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`)
    assert.match(help, /^[A-Z0-9a-z].*\.$/, `help of ${name}`)
    assert.doesNotMatch(name, /(milli|micro|nano|_ms|_ns|mega|kilo|percent)/, 'base units only')
    // OpenMetrics takes _total off a counter: no gauge may have the name that is left.
    assert.ok(!names.includes(name.replace(/_total$/, '') as MetricName) || type === 'gauge', name)
    for (const label of labels)
      assert.doesNotMatch(label, /pid|container|pod|comm/, `${name}: unbounded values`)
  }
})

test('rows by reason carry the other labels too', () => {
  assert.deepEqual(
    metricBy('emberscope_export_retries_total', 'reason', { http_503: 2 }, { destination: 'eu' }),
    [metric('emberscope_export_retries_total', 2, { destination: 'eu', reason: 'http_503' })],
  )
})
