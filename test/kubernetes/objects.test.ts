/** Every object of every example by kubeconform, against strict schemas of Kubernetes' own, the operator's and OpenShift's. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { examples, objectsOf, template } from './render.ts'
import { writeSchemas } from './schemas.ts'
import { HELM, KUBECONFORM, SWAGGER, skipWithout, VERSIONS } from './tools.ts'

const skip = skipWithout(HELM, KUBECONFORM, SWAGGER)
const directory = mkdtempSync(join(tmpdir(), 'emberscope-schemas-'))
after(() => rmSync(directory, { recursive: true }))

/** `resources` of kubeconform's report that are not valid, as lines. */
function faultsOf(manifest: string): { faults: string[]; valid: number } {
  const location = `${directory}/{{.ResourceKind}}{{.KindSuffix}}.json`
  const args = ['-strict', '-summary', '-output', 'json', '-kubernetes-version', VERSIONS.kubernetes]
  const result = spawnSync(KUBECONFORM, [...args, '-schema-location', location], {
    input: manifest,
    encoding: 'utf8',
  })
  const report = JSON.parse(result.stdout) as {
    resources: { kind: string; name: string; status: string; msg: string }[] | null
    summary: { valid: number }
  }
  const faults = (report.resources ?? []).map(
    ({ kind, name, status, msg }) => `${kind} ${name}: ${status}: ${msg}`,
  )
  return { faults, valid: report.summary.valid }
}

before(() => {
  if (skip !== false) return
  const all = examples().flatMap(({ values }) => objectsOf(template('-f', values).stdout))
  writeSchemas(directory, new Set(all.map(({ kind }) => kind)))
})

for (const { name, values } of examples()) {
  test(`example ${name}: every object is valid`, { skip }, () => {
    const { stdout } = template('-f', values)
    const { faults, valid } = faultsOf(stdout)
    assert.deepEqual(faults, [])
    assert.equal(valid, objectsOf(stdout).length, 'every object was judged')
  })
}

const DAMAGE: readonly (readonly [what: string, from: RegExp, to: string])[] = [
  ['an unknown field', /hostPID: true/, 'hostPid: true'],
  ['a wrong type', /containerPort: 9464/, 'containerPort: http'],
  ['an unknown field of a PodMonitor', /podMetricsEndpoints:/, 'podMetricEndpoints:'],
  [
    'a missing field of a rule',
    /expr: emberscope_queue_durable == 0/,
    'expression: emberscope_queue_durable == 0',
  ],
]

for (const [what, from, to] of DAMAGE) {
  test(`the schemas find ${what}`, { skip }, () => {
    const { stdout } = template('--set', 'podMonitor.enabled=true', '--set', 'prometheusRule.enabled=true')
    const damaged = stdout.replace(from, to)
    assert.notEqual(damaged, stdout)
    assert.notDeepEqual(faultsOf(damaged).faults, [])
  })
}

test('there is a schema for every custom resource', { skip }, () => {
  const names = readdirSync(directory)
  for (const kind of [
    'podmonitor-monitoring-v1',
    'prometheusrule-monitoring-v1',
    'securitycontextconstraints-security-v1',
  ])
    assert.ok(names.includes(`${kind}.json`), kind)
})
