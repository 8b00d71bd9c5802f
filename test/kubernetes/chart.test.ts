/** The chart by helm: every example lints and renders to its golden, wrong values are refused by name, missing ones do no harm. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { examples, helm, objectsOf, only, rendered, template } from './render.ts'
import { CHART, HELM, readText, skipWithout } from './tools.ts'

const skip = skipWithout(HELM)
const directory = mkdtempSync(join(tmpdir(), 'emberscope-chart-'))
after(() => rmSync(directory, { recursive: true }))

/** UPDATE_GOLDENS=1 writes them anew; the diff is for review. */
const UPDATE = process.env.UPDATE_GOLDENS === '1'

test('values.schema.json and the table in README follow from values.yaml and the table of keys', async () => {
  const { generatedFiles } = await import(resolve('helm/docs.mjs'))
  for (const [path, text] of generatedFiles() as Map<string, string>)
    assert.ok(readText(path) === text, `${path} is stale: run \`npm run chart:docs\``)
})

for (const { name, values, golden } of examples()) {
  test(`example ${name} lints, and renders to its golden`, { skip }, () => {
    const lint = helm('lint', '--strict', CHART, '-f', values)
    assert.equal(lint.status, 0, lint.stdout + lint.stderr)
    const { status, stdout, stderr } = template('-f', values)
    assert.equal(status, 0, stderr)
    if (UPDATE) writeFileSync(golden, stdout)
    assert.ok(existsSync(golden), `no ${golden}: run this with UPDATE_GOLDENS=1`)
    assert.equal(stdout, readText(golden), `${golden} differs: review, then run this with UPDATE_GOLDENS=1`)
  })

  test(`example ${name}: the agent takes the configuration that the chart writes`, { skip }, async () => {
    const objects = objectsOf(template('-f', values).stdout)
    const map = objects.find(
      (object) => object.kind === 'ConfigMap' && object.data['agent.yaml'] !== undefined,
    )
    if (map === undefined) return // an existing ConfigMap
    const file = join(directory, `${name}.yaml`)
    writeFileSync(file, map.data['agent.yaml'])
    const { config } = await loadConfig({ file, env: environmentOf(objects), flags: [] })
    assert.equal(config.listen, '0.0.0.0:9464')
    assert.equal(config.kubernetes.nodeName, 'node-1')
    assert.equal(config.queue.dir, '/var/lib/emberscope/queue')
  })
}

/** What the container gets, with `$(NAME)` as the kubelet replaces it. */
function environmentOf(objects: ReturnType<typeof objectsOf>): Record<string, string> {
  const [agent] = only(objects, 'DaemonSet').spec.template.spec.containers
  const env: Record<string, string> = {}
  for (const { name, value, valueFrom } of agent.env) {
    if (name === 'NODE_NAME') env[name] = 'node-1'
    else if (name === 'HOST_IP') env[name] = '192.0.2.1'
    else if (valueFrom?.secretKeyRef !== undefined) env[name] = 'x-scope=secret'
    else if (valueFrom !== undefined) env[name] = 'x'
    else env[name] = value.replace(/\$\((\w+)\)/g, (_: string, other: string) => env[other])
  }
  return env
}

const REFUSED: readonly (readonly [values: string, message: RegExp])[] = [
  ['podMonitr.enabled=true', /podMonitr/],
  ['image.tga=x', /tga/],
  ['securityContext.mode=root', /mode/],
  ['port=http', /port/],
  ['config.windw=5s', /windw/],
  ['config.window=5', /window/],
  ['config.token=x', /token/],
  ['config.rate=0', /rate/],
  ['config.queue.fsync=always', /fsync/],
  ['hostPID=false', /hostPID must be true/],
  ['securityContext.seccompProfile=Localhost', /seccompLocalhostProfile is empty/],
  ['config.listen=0.0.0.0:8080', /config\.listen is "0\.0\.0\.0:8080".*port 9464/],
  ['existingConfigMap=a,config.rate=20', /config is set beside existingConfigMap/],
]

for (const [values, message] of REFUSED) {
  test(`refuses --set ${values}, naming it`, { skip }, () => {
    const { status, stderr } = template('--set', values)
    assert.notEqual(status, 0)
    assert.match(stderr, message)
  })
}

/** Dotted paths of all keys of values.yaml. */
function pathsOf(group: object, prefix = ''): string[] {
  return Object.entries(group).flatMap(([key, value]) => {
    const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value)
    return [prefix + key, ...(isGroup ? pathsOf(value, `${prefix}${key}.`) : [])]
  })
}

test('a value that is null is missing, never a nil pointer', { skip }, () => {
  const values = parse(readText(join(CHART, 'values.yaml')))
  const everything = ['podMonitor', 'prometheusRule', 'dashboards', 'networkPolicy'].flatMap((part) => [
    '--set',
    `${part}.enabled=true`,
  ])
  for (const path of pathsOf(values)) {
    const { status, stderr } = template(
      ...everything,
      '--set',
      'openshift.scc.create=true',
      '--set',
      `${path}=null`,
    )
    if (status !== 0) assert.match(stderr, /must be true: the agent/, `--set ${path}=null`)
  }
})

test('securityContext.mode: capabilities adds exactly six and nothing else', { skip }, () => {
  const [agent] = only(rendered(), 'DaemonSet').spec.template.spec.containers
  const { capabilities, privileged, allowPrivilegeEscalation, readOnlyRootFilesystem } = agent.securityContext
  assert.deepEqual(capabilities, {
    drop: ['ALL'],
    add: ['BPF', 'PERFMON', 'SYS_PTRACE', 'CHECKPOINT_RESTORE', 'SYSLOG', 'DAC_READ_SEARCH'],
  })
  assert.deepEqual([privileged, allowPrivilegeEscalation, readOnlyRootFilesystem], [false, false, true])
  assert.equal(agent.resources.limits.cpu, undefined)
})

test('SYS_ADMIN and privileged come without allowPrivilegeEscalation: false, which the API server would refuse', {
  skip,
}, () => {
  const contextOf = (values: string) =>
    only(rendered('--set', values), 'DaemonSet').spec.template.spec.containers[0].securityContext
  assert.equal(contextOf('securityContext.extraCapabilities={SYS_ADMIN}').allowPrivilegeEscalation, true)
  const privileged = contextOf('securityContext.mode=privileged')
  assert.deepEqual([privileged.privileged, privileged.allowPrivilegeEscalation], [true, undefined])
})

test('AppArmor is a field from Kubernetes 1.30 on and an annotation before', { skip }, () => {
  const podOf = (version: string) => only(rendered('--kube-version', version), 'DaemonSet').spec.template
  const annotation = 'container.apparmor.security.beta.kubernetes.io/agent'
  const [before, since] = [podOf('1.29.9'), podOf('1.30.0')]
  assert.equal(before.metadata.annotations[annotation], 'unconfined')
  assert.equal(before.spec.containers[0].securityContext.appArmorProfile, undefined)
  assert.equal(since.metadata.annotations[annotation], undefined)
  assert.deepEqual(since.spec.containers[0].securityContext.appArmorProfile, { type: 'Unconfined' })
})

test('kubernetes.enabled=false leaves no rights and no token', { skip }, () => {
  const objects = rendered('--set', 'kubernetes.enabled=false')
  assert.deepEqual(
    objects.filter(({ kind }) => kind.startsWith('ClusterRole')),
    [],
  )
  assert.equal(only(objects, 'DaemonSet').spec.template.spec.automountServiceAccountToken, false)
})

test('RBAC: pods to read, and nothing else', { skip }, () => {
  const pods = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }
  assert.deepEqual(only(rendered(), 'ClusterRole').rules, [pods])
})

test('another configuration is another checksum; secrets never stand in an object', { skip }, () => {
  const checksum = (...args: string[]) =>
    only(rendered(...args), 'DaemonSet').spec.template.metadata.annotations['checksum/config']
  assert.equal(checksum(), checksum())
  assert.notEqual(checksum(), checksum('--set', 'config.rate=49'))
  assert.deepEqual(
    rendered().filter(({ kind }) => kind === 'Secret'),
    [],
  )
})

test('names stay within 63 characters and labels are those of the selector', { skip }, () => {
  const long = 'a-release-whose-name-has-exactly-fifty-three-letters1'
  const { status, stdout, stderr } = helm('template', long, CHART, '--namespace', 'profiling')
  assert.equal(status, 0, stderr)
  for (const { metadata } of objectsOf(stdout)) {
    if (metadata.namespace !== undefined) assert.ok(metadata.name.length <= 63, metadata.name)
    for (const label of Object.values(metadata.labels ?? {})) assert.ok(label.length <= 63, label)
  }
  const { selector, template: pod } = only(rendered('--set', 'podLabels.team=a'), 'DaemonSet').spec
  for (const [key, value] of Object.entries(selector.matchLabels))
    assert.equal(pod.metadata.labels[key], value)
  assert.equal(pod.metadata.labels.team, 'a')
})
