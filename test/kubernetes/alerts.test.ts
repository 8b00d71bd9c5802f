/** The alerts and the dashboard: promtool's checks and unit tests, and every metric they name is one that the agent has. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { METRICS } from '../../src/metrics/catalog.ts'
import { only, rendered } from './render.ts'
import { CHART, HELM, readText, skipWithout, skipWithoutProgram } from './tools.ts'

const RULES = join(CHART, 'files/alerts.yaml')
const DASHBOARDS = join(CHART, 'files/dashboards')
const skipTool = skipWithoutProgram('promtool', 'prometheus')
const directory = mkdtempSync(join(tmpdir(), 'emberscope-alerts-'))
after(() => rmSync(directory, { recursive: true }))

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

const rules = (parse(readText(RULES)).groups as { rules: Rule[] }[]).flatMap((group) => group.rules)

const AGENT = { job: 'emberscope', instance: '192.0.2.1:9464', node: 'node-1' }
/** Metric with its own labels -> three hours of values, one a minute, in promtool's notation. */
const HEALTHY: Readonly<Record<string, string>> = {
  up: '1x180',
  'emberscope_check_ok{check="sampling"}': '1x180',
  emberscope_samples_captured_total: '0+1000x180',
  emberscope_samples_kept_total: '0+1000x180',
  'emberscope_samples_dropped_total{reason="ring_full"}': '0+1x180',
  'emberscope_stacks_truncated_total{reason="no_table"}': '0+10x180',
  emberscope_frames_named_total: '0+9000x180',
  'emberscope_frames_unnamed_total{reason="no_symbol"}': '0+100x180',
  emberscope_overhead_ratio: '0.004x180',
  emberscope_overhead_limit_ratio: '0.01x180',
  emberscope_sampling_rate_hertz: '19x180',
  emberscope_sampling_rate_configured_hertz: '19x180',
  emberscope_memory_pressure: '0x180',
  emberscope_config_last_reload_successful: '1x180',
  emberscope_kubernetes_reachable: '1x180',
  'emberscope_export_oldest_age_seconds{destination="default"}': '2x180',
  'emberscope_export_dropped_samples_total{destination="default",reason="queue_full"}': '0x180',
  'emberscope_queue_used_bytes{medium="disk"}': '1000000x180',
  'emberscope_queue_used_bytes{medium="memory"}': '0x180',
  emberscope_queue_limit_bytes: '100000000x180',
  emberscope_queue_durable: '1x180',
}
/** What is different where an alert is to fire. */
const CASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  EmberscopeAgentDown: { up: '0x180' },
  EmberscopeNotSampling: { 'emberscope_check_ok{check="sampling"}': '0x180' },
  EmberscopeSamplesLost: { 'emberscope_samples_dropped_total{reason="ring_full"}': '0+20x180' },
  EmberscopeStacksTruncated: { 'emberscope_stacks_truncated_total{reason="no_table"}': '0+200x180' },
  EmberscopeSymbolizationFailing: { 'emberscope_frames_unnamed_total{reason="no_symbol"}': '0+20000x180' },
  EmberscopeHighOverhead: { emberscope_overhead_ratio: '0.02x180' },
  EmberscopeRateLowered: { emberscope_sampling_rate_hertz: '10x180' },
  EmberscopeMemoryPressure: { emberscope_memory_pressure: '2x180' },
  EmberscopeConfigRefused: { emberscope_config_last_reload_successful: '0x180' },
  EmberscopeKubernetesUnreachable: { emberscope_kubernetes_reachable: '0x180' },
  EmberscopeExportFailing: { 'emberscope_export_oldest_age_seconds{destination="default"}': '0+60x180' },
  EmberscopeExportDropping: {
    'emberscope_export_dropped_samples_total{destination="default",reason="queue_full"}': '0+5x180',
  },
  EmberscopeQueueFull: { 'emberscope_queue_used_bytes{medium="disk"}': '95000000x180' },
  EmberscopeQueueNotDurable: { emberscope_queue_durable: '0x180' },
}

/** One case of `promtool test rules`: with these changes to a healthy agent exactly these alerts fire after two hours. */
function unitTest(changes: Readonly<Record<string, string>>, alerts: readonly string[]) {
  const common = Object.entries(AGENT).map(([name, value]) => `${name}="${value}"`)
  const series = Object.entries({ ...HEALTHY, ...changes }).map(([metric, values]) => {
    const [, name, own] = /^(\w+)(?:\{(.*)\})?$/.exec(metric)!
    return { series: `${name}{${[...common, ...(own === undefined ? [] : [own])].join(',')}}`, values }
  })
  const expr = 'count by (alertname) (ALERTS{alertstate="firing"})'
  const samples = alerts.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 }))
  return {
    interval: '1m',
    input_series: series,
    promql_expr_test: [{ expr, eval_time: '2h', exp_samples: samples }],
  }
}

function promtool(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
  return stdout
}

function unknownMetrics(text: string): string[] {
  const known = new Set(Object.keys(METRICS))
  const named = text.match(/\b(emberscope|process)_[a-z_]+\b/g) ?? []
  return [...new Set(named)].filter((name) => !known.has(name))
}

test('alerts name metrics that the agent has', () => {
  assert.deepEqual(
    unknownMetrics(rules.map((rule) => `${rule.expr} ${rule.annotations.description}`).join('\n')),
    [],
  )
})

test('the dashboard names metrics that the agent has, no data source of its own, and every panel once', () => {
  for (const name of readdirSync(DASHBOARDS)) {
    const text = readText(join(DASHBOARDS, name))
    const { panels } = JSON.parse(text) as {
      panels: { id: number; title: string; datasource?: { uid: string } }[]
    }
    assert.deepEqual(unknownMetrics(text.replaceAll('emberscope-agents', '')), [])
    assert.equal(new Set(panels.map((panel) => panel.id)).size, panels.length)
    for (const { title, datasource } of panels)
      assert.ok(!datasource || datasource.uid === `\${datasource}`, title)
  }
})

test('every alert has a severity, a summary and a remedy', () => {
  for (const { alert, labels, annotations } of rules) {
    assert.match(alert, /^Emberscope[A-Z]/)
    assert.match(labels.severity ?? '', /^(info|warning|critical)$/, alert)
    assert.ok((annotations.summary ?? '').length > 10, alert)
    assert.ok((annotations.description ?? '').length > 60, alert)
  }
})

test('promtool checks the rules', { skip: skipTool }, () => {
  assert.match(promtool('check', 'rules', RULES), new RegExp(`${rules.length} rules found`))
})

test('each alert fires on what it is for, alone, and none on a healthy agent', { skip: skipTool }, () => {
  assert.deepEqual(Object.keys(CASES).sort(), rules.map((rule) => rule.alert).sort())
  const tests = [
    unitTest({}, []),
    ...Object.entries(CASES).map(([alert, changes]) => unitTest(changes, [alert])),
  ]
  const file = join(directory, 'tests.yaml')
  writeFileSync(file, stringify({ rule_files: [resolve(RULES)], evaluation_interval: '1m', tests }))
  promtool('test', 'rules', file)
})

test('a message names the node and the amount', { skip: skipTool }, () => {
  const expected = {
    eval_time: '30m',
    alertname: 'EmberscopeQueueFull',
    exp_alerts: [
      {
        exp_labels: { ...AGENT, severity: 'warning' },
        exp_annotations: {
          ...rules.find((rule) => rule.alert === 'EmberscopeQueueFull')!.annotations,
          summary: 'The queue on node-1 is 95% full',
        },
      },
    ],
  }
  const one = {
    ...unitTest(CASES.EmberscopeQueueFull!, []),
    promql_expr_test: [],
    alert_rule_test: [expected],
  }
  const file = join(directory, 'message.yaml')
  writeFileSync(file, stringify({ rule_files: [resolve(RULES)], evaluation_interval: '1m', tests: [one] }))
  promtool('test', 'rules', file)
})

test('the rendered PrometheusRule is what promtool checked, with the labels asked for', {
  skip: skipWithout(HELM) || skipTool,
}, () => {
  const values = join(CHART, 'examples/monitoring/values.yaml')
  const { spec } = only(rendered('-f', values), 'PrometheusRule')
  const file = join(directory, 'rendered.yaml')
  writeFileSync(file, stringify(spec))
  promtool('check', 'rules', file)
  const shown = (spec.groups as { rules: Rule[] }[]).flatMap((group) => group.rules)
  const left = rules.filter((rule) => rule.alert !== 'EmberscopeSymbolizationFailing')
  assert.deepEqual(
    shown.map((rule) => rule.alert),
    left.map((rule) => rule.alert),
  )
  for (const { alert, labels, annotations } of shown) {
    assert.equal(labels.team, 'platform')
    assert.equal(annotations.runbook_url, `https://runbooks.example.com/emberscope#${alert.toLowerCase()}`)
  }
})
