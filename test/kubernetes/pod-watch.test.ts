/** The watch of the node's pods against a real API server: what it lists, sees come and go, and is refused. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { PodWatch } from '../../src/identity/kubernetes.ts'
import { podAttributes, podKeys } from '../../src/identity/kubernetes-attributes.ts'
import { until } from '../helpers/busy-process.ts'
import { AGENT, ApiServer } from './apiserver.ts'
import { APISERVER, ETCD, skipWithout, skipWithoutProgram } from './tools.ts'

const skip = skipWithout(APISERVER, ETCD) || skipWithoutProgram('openssl', 'openssl')
const NAMESPACE = 'shop'
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`
const ID = 'c0'.repeat(32)
const CHOICE = { labels: ['team'], annotations: [], serviceFromLabels: false }

describe('a watch of the pods of a node', { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'emberscope-pods-'))
  const account = join(directory, 'account')
  const server = new ApiServer(join(directory, 'server'))
  let watch: PodWatch
  let ended: Promise<void>

  before(async () => {
    mkdirSync(join(directory, 'server'))
    await server.start('agent')
    await create('/api/v1/namespaces', { kind: 'Namespace', metadata: { name: NAMESPACE } })
    await create(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, {
      kind: 'ServiceAccount',
      metadata: { name: 'default' },
    })
    await createPod('before', 'node-1')
    await createPod('elsewhere', 'node-2')
    mkdirSync(account)
    writeFileSync(join(account, 'token'), AGENT)
    copyFileSync(server.authority, join(account, 'ca.crt'))
    watch = new PodWatch(
      {
        nodeName: 'node-1',
        host: '127.0.0.1',
        port: Number(new URL(server.url).port),
        accountDirectory: account,
        keys: podKeys(CHOICE),
      },
      { firstRetryMs: 50, lastRetryMs: 200, watchSeconds: 5 },
    )
    ended = watch.run()
  })
  after(async () => {
    watch?.close()
    await ended
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  async function create(path: string, object: object): Promise<void> {
    const { status, body } = await server.request('POST', path, { apiVersion: 'v1', ...object })
    assert.equal(status, 201, body.message)
  }

  function createPod(name: string, nodeName: string): Promise<void> {
    const labels = { 'pod-template-hash': '5d4f', team: 'a' }
    const owner = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      name: 'web-5d4f',
      uid: 'u-1',
      controller: true,
    }
    return create(PODS, {
      kind: 'Pod',
      metadata: { name, labels, ownerReferences: [owner] },
      spec: { nodeName, containers: [{ name: 'app', image: 'registry:5000/web:1.2' }] },
    })
  }
  const known = (name: string) => named().includes(name)
  const named = () => uids.flatMap((uid) => watch.pods.byUid(uid)?.name ?? [])
  let uids: string[] = []
  const learnUids = async () => {
    const { body } = await server.request('GET', PODS)
    uids = [
      ...new Set([...uids, ...body.items.map((pod: { metadata: { uid: string } }) => pod.metadata.uid)]),
    ]
  }

  it('is refused without the right, and says which', async () => {
    await until('a refusal', () => watch.fault !== '')
    assert.match(watch.fault, /HTTP 403; allow the service account get, list and watch on pods/)
  })

  it('lists the pods of this node alone, with no right but to pods', async () => {
    const rbac = 'rbac.authorization.k8s.io'
    await create(`/apis/${rbac}/v1/clusterroles`, {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'agent' },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }],
    })
    await create(`/apis/${rbac}/v1/clusterrolebindings`, {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'agent' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'agent' },
      subjects: [{ apiGroup: rbac, kind: 'User', name: 'agent' }],
    })
    await learnUids()
    await until('the list', () => watch.fault === '' && watch.counts.listed === 1)
    assert.deepEqual(named(), ['before'])
  })

  it('sees a pod come, its container start, and keeps both when it goes', async () => {
    await createPod('later', 'node-1')
    await learnUids()
    await until('the new pod', () => known('later'))
    const state = {
      containerID: `containerd://${ID}`,
      imageID: `registry:5000/web@sha256:${'ab'.repeat(32)}`,
    }
    const status = { name: 'app', image: 'registry:5000/web:1.2', ready: true, restartCount: 3, ...state }
    const patched = await server.request('PATCH', `${PODS}/later/status`, {
      status: { containerStatuses: [status] },
    })
    assert.equal(patched.status, 200, patched.body.message)
    await until('the container', () => watch.pods.byContainer(ID) !== null)
    const { pod, container } = watch.pods.byContainer(ID)!
    const attributes = podAttributes(pod, container, CHOICE)
    assert.equal(attributes['k8s.deployment.name'], 'web')
    assert.equal(attributes['k8s.container.restart_count'], 3)
    assert.equal(attributes['k8s.pod.label.team'], 'a')
    assert.equal(attributes['service.instance.id'], 'shop.later.app')
    const gone = await server.request('DELETE', `${PODS}/later?gracePeriodSeconds=0`)
    assert.equal(gone.status, 200, gone.body.message)
    await createPod('last', 'node-1')
    await learnUids()
    await until('the last pod', () => known('last'))
    assert.equal(watch.pods.byContainer(ID)?.pod.name, 'later')
  })

  it('goes on when the server ends a watch, without another list', async () => {
    const before = watch.counts.watch_ended ?? 0
    await until('the end of a watch', () => (watch.counts.watch_ended ?? 0) > before)
    await createPod('after', 'node-1')
    await learnUids()
    await until('a pod after it', () => known('after'))
    assert.equal(watch.counts.listed, 1)
    assert.equal(watch.fault, '')
  })
})
