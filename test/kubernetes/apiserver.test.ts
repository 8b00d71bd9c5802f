/** The chart and a real API server: what it admits, what the agent's account may read, and `helm install` to `uninstall`. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import { ADMIN, AGENT, ApiServer } from './apiserver.ts'
import { examples, type KubernetesObject, objectsOf, only, rendered, template } from './render.ts'
import { APISERVER, CHART, CRDS, ETCD, HELM, readText, skipWithout, skipWithoutProgram } from './tools.ts'

const skip = skipWithout(HELM, APISERVER, ETCD) || skipWithoutProgram('openssl', 'openssl')
const NAMESPACE = 'profiling'
const CRD_FILES = ['podmonitors', 'prometheusrules'].map((name) => `monitoring.coreos.com_${name}.yaml`)
const server = new ApiServer(mkdtempSync(join(tmpdir(), 'emberscope-apiserver-')))

const CRD_API = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

before(async () => {
  if (skip !== false) return
  await server.start(`system:serviceaccount:${NAMESPACE}:emberscope`)
  for (const file of [...CRD_FILES, '0000_03_security-openshift_01_scc.crd.yaml']) {
    const { status, body } = await server.request('POST', CRD_API, crdOf(file))
    assert.ok(status === 201, `${file}: ${body.message}`)
  }
  for (const name of [NAMESPACE, 'baseline']) await createNamespace(name)
  const label = { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } } }
  assert.equal((await patch('/api/v1/namespaces/baseline', label)).status, 200)
})
after(() => server.stop())

function crdOf(file: string): Record<string, unknown> {
  const crd = parse(readText(join(CRDS, file)))
  // OpenShift's CRDs lie in a protected group, which needs a note of approval.
  crd.metadata.annotations = {
    ...crd.metadata.annotations,
    'api-approved.kubernetes.io': 'https://example.com',
  }
  return crd
}

async function createNamespace(name: string): Promise<void> {
  await server.request('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  })
  // No controller makes it here.
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  await server.request('POST', `/api/v1/namespaces/${name}/serviceaccounts`, account)
}

async function patch(path: string, body: unknown) {
  return server.request('PATCH', `${path}?fieldManager=test`, body)
}

const PLURALS: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  SecurityContextConstraints: 'securitycontextconstraints',
}
const CLUSTER_WIDE = new Set(['ClusterRole', 'ClusterRoleBinding', 'SecurityContextConstraints'])

/** Where objects of this kind are created. */
function pathOf({ apiVersion, kind }: KubernetesObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const place = CLUSTER_WIDE.has(kind) ? '' : `/namespaces/${NAMESPACE}`
  return `${root}${place}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}`
}

const STRICT_DRY_RUN = '?dryRun=All&fieldValidation=Strict'

for (const { name, values } of examples()) {
  test(`the API server takes every object of example ${name}, strictly`, { skip }, async () => {
    for (const object of objectsOf(template('-f', values).stdout)) {
      if (object.kind === 'Pod') continue // needs its account: below
      const { status, body } = await server.request('POST', pathOf(object) + STRICT_DRY_RUN, object)
      assert.equal(status, 201, `${object.kind} ${object.metadata.name}: ${body.message}`)
    }
  })
}

test('strict means strict: an unknown field is refused', { skip }, async () => {
  const daemonSet = structuredClone(only(rendered(), 'DaemonSet'))
  daemonSet.spec.template.spec.hostPid = true
  const { status, body } = await server.request('POST', pathOf(daemonSet) + STRICT_DRY_RUN, daemonSet)
  assert.equal(status, 400)
  assert.match(body.message, /unknown field "spec.template.spec.hostPid"/)
})

function helmInstall(...args: string[]) {
  const options = [
    `--kube-apiserver=${server.url}`,
    `--kube-token=${ADMIN}`,
    `--kube-ca-file=${server.authority}`,
  ]
  const home = join(tmpdir(), 'emberscope-helm-home')
  return spawnSync(HELM, [...args, '--namespace', NAMESPACE, ...options], {
    env: { PATH: process.env.PATH, HOME: home, KUBECONFIG: '/nonexistent' },
    encoding: 'utf8',
    timeout: 120_000,
  })
}

const ALL_ON = join(CHART, 'examples/monitoring/values.yaml')
const DAEMON_SETS = `/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets`

const ALLOWED = [
  '/api/v1/pods',
  '/api/v1/pods?watch=true&timeoutSeconds=1',
  '/api/v1/pods?fieldSelector=spec.nodeName%3Dn',
]
test('before the chart is there, its account may read nothing', { skip }, async () => {
  for (const path of ALLOWED)
    assert.equal((await server.request('GET', path, undefined, AGENT)).status, 403, path)
})

test('helm install creates everything; a second upgrade changes the configuration', { skip }, async () => {
  const installed = helmInstall('install', 'emberscope', CHART, '-f', ALL_ON)
  assert.equal(installed.status, 0, installed.stderr)
  assert.match(installed.stdout, /pod-security.kubernetes.io\/enforce=privileged/)
  const before = (await server.request('GET', `${DAEMON_SETS}/emberscope`)).body
  const upgraded = helmInstall('upgrade', 'emberscope', CHART, '-f', ALL_ON, '--set', 'config.rate=49')
  assert.equal(upgraded.status, 0, upgraded.stderr)
  const since = (await server.request('GET', `${DAEMON_SETS}/emberscope`)).body
  const checksum = (set: KubernetesObject) => set.spec.template.metadata.annotations['checksum/config']
  assert.notEqual(checksum(since), checksum(before))
  assert.deepEqual(since.spec.selector, before.spec.selector)
})

const FORBIDDEN: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/api/v1/secrets'],
  ['GET', '/api/v1/configmaps'],
  ['GET', '/api/v1/nodes'],
  ['GET', '/apis/apps/v1/replicasets'],
  ['GET', '/apis/apps/v1/deployments'],
  ['DELETE', `/api/v1/namespaces/${NAMESPACE}/pods/x`],
  ['POST', `/api/v1/namespaces/${NAMESPACE}/pods/x/exec?command=id`],
  ['GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles'],
]

test('the account may read pods, and nothing else', { skip }, async () => {
  for (const path of ALLOWED)
    assert.equal((await server.request('GET', path, undefined, AGENT)).status, 200, path)
  for (const [method, path] of FORBIDDEN)
    assert.equal((await server.request(method, path, undefined, AGENT)).status, 403, `${method} ${path}`)
})

test('the pod is admitted at the level privileged, and refused at baseline with what the chart warns of', {
  skip,
}, async () => {
  const check = only(rendered(), 'Pod')
  const podIn = (namespace: string) => ({
    ...check,
    metadata: { ...check.metadata, namespace },
    spec: { ...check.spec, serviceAccountName: namespace === NAMESPACE ? 'emberscope' : 'default' },
  })
  const create = (namespace: string) =>
    server.request('POST', `/api/v1/namespaces/${namespace}/pods${STRICT_DRY_RUN}`, podIn(namespace))
  const admitted = await create(NAMESPACE)
  assert.equal(admitted.status, 201, admitted.body.message)
  const refused = await create('baseline')
  assert.equal(refused.status, 403)
  assert.match(refused.body.message, /PodSecurity "baseline.*non-default capabilities.*host namespaces/)
})

test('helm uninstall leaves nothing', { skip }, async () => {
  const removed = helmInstall('uninstall', 'emberscope')
  assert.equal(removed.status, 0, removed.stderr)
  for (const object of rendered('-f', ALL_ON)) {
    if (object.kind === 'Pod') continue
    const { status } = await server.request('GET', `${pathOf(object)}/${object.metadata.name}`)
    assert.equal(status, 404, `${object.kind} ${object.metadata.name}`)
  }
})
