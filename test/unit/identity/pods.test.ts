import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type KubernetesChoice,
  podAttributes,
  podKeys,
  workloadsOf,
} from '../../../src/identity/kubernetes-attributes.ts'
import { PodTable, readPod } from '../../../src/identity/pods.ts'
import { podObject } from '../../helpers/kube-api.ts'

const CHOICE: KubernetesChoice = { labels: ['team'], annotations: ['note'], serviceFromLabels: false }
const ID = '0a'.repeat(32)
const OLD = '0b'.repeat(32)
const read = (object: object, choice = CHOICE) => readPod(object, podKeys(choice))!
const attributesOf = (object: object, choice = CHOICE) => {
  const pod = read(object, choice)
  return podAttributes(pod, pod.containers[ID] ?? null, choice)
}

test('of a pod only what is asked for is kept', () => {
  const pod = read(
    podObject('web-1', {
      containerId: ID,
      labels: { team: 'a', secret: 'b' },
      annotations: { note: 'n', x: 'y' },
    }),
  )
  assert.deepEqual({ ...pod.labels }, { team: 'a' })
  assert.deepEqual({ ...pod.annotations }, { note: 'n' })
  assert.doesNotMatch(JSON.stringify(pod), /secret|PASSWORD/)
})

test('a container of a deployment has its pod, image and workload', () => {
  const object = podObject('web-5d4f8c7b9-x2x4z', {
    containerId: ID,
    image: 'registry:5000/shop/web:1.4',
    owner: ['ReplicaSet', 'web-5d4f8c7b9'],
    labels: { 'pod-template-hash': '5d4f8c7b9', team: 'a' },
    annotations: { note: 'n' },
    restarts: 2,
  })
  assert.deepEqual(attributesOf(object), {
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': 'web-5d4f8c7b9-x2x4z',
    'k8s.pod.uid': 'uid-web-5d4f8c7b9-x2x4z',
    'k8s.node.name': 'node-1',
    'k8s.container.name': 'app',
    'k8s.container.restart_count': 2,
    'container.runtime.name': 'containerd',
    'container.image.name': 'registry:5000/shop/web',
    'container.image.tags': ['1.4'],
    'container.image.repo_digests': [`registry:5000/shop/web@sha256:${'ee'.repeat(32)}`],
    'k8s.deployment.name': 'web',
    'k8s.replicaset.name': 'web-5d4f8c7b9',
    'k8s.replicaset.uid': 'owner-uid',
    'k8s.pod.label.team': 'a',
    'k8s.pod.annotation.note': 'n',
    'service.namespace': 'shop',
    'service.version': '1.4',
    'service.instance.id': 'shop.web-5d4f8c7b9-x2x4z.app',
    'service.name': 'web',
  })
})

test('workloads by owner; names that only look like a deployment or cron job are not', () => {
  const of = (kind: string, name: string, hash?: string) =>
    workloadsOf(
      read(podObject('p', { owner: [kind, name], labels: hash ? { 'pod-template-hash': hash } : {} })),
    ).map(([what, called]) => `${what}=${called}`)
  assert.deepEqual(of('ReplicaSet', 'a-b-6f7d', '6f7d'), ['deployment=a-b', 'replicaset=a-b-6f7d'])
  assert.deepEqual(of('ReplicaSet', 'a-b-6f7d'), ['replicaset=a-b-6f7d'])
  assert.deepEqual(of('ReplicaSet', 'a-b', '6f7d'), ['replicaset=a-b'])
  assert.deepEqual(of('Job', 'backup-29123456'), ['cronjob=backup', 'job=backup-29123456'])
  assert.deepEqual(of('Job', 'backup-2025'), ['job=backup-2025'])
  assert.deepEqual(of('StatefulSet', 'db'), ['statefulset=db'])
  assert.deepEqual(of('DaemonSet', 'agent'), ['daemonset=agent'])
  assert.deepEqual(of('Rollout', 'x'), [])
})

test('service.name: annotation, labels when asked for, workload, pod', () => {
  const labels = { 'app.kubernetes.io/instance': 'by-instance', 'app.kubernetes.io/name': 'by-name' }
  const more = { containerId: ID, owner: ['StatefulSet', 'db'] as const, labels }
  const nameOf = (object: object, serviceFromLabels: boolean) =>
    attributesOf(object, { ...CHOICE, serviceFromLabels })['service.name']
  const annotations = { 'resource.opentelemetry.io/service.name': 'by-annotation' }
  assert.equal(nameOf(podObject('p', { ...more, annotations }), true), 'by-annotation')
  assert.equal(nameOf(podObject('p', more), true), 'by-instance')
  assert.equal(
    nameOf(podObject('p', { ...more, labels: { 'app.kubernetes.io/name': 'by-name' } }), true),
    'by-name',
  )
  assert.equal(nameOf(podObject('p', more), false), 'db')
  assert.equal(nameOf(podObject('p', { containerId: ID }), false), 'p')
})

test('service.version: annotation, label, tag and digest of the image', () => {
  const digest = `sha256:${'cd'.repeat(32)}`
  const versionOf = (more: object) =>
    attributesOf(podObject('p', { containerId: ID, ...more }), { ...CHOICE, serviceFromLabels: true })[
      'service.version'
    ]
  const labels = { 'app.kubernetes.io/version': '2' }
  const annotations = { 'resource.opentelemetry.io/service.version': '1' }
  assert.equal(versionOf({ labels, annotations }), '1')
  assert.equal(versionOf({ labels }), '2')
  assert.equal(versionOf({ image: `a:t@${digest}` }), `t@${digest}`)
  assert.equal(versionOf({ image: `a@${digest}` }), digest)
  assert.equal(versionOf({ image: 'a:t' }), 't')
  assert.equal(versionOf({ image: 'a' }), undefined)
})

test('resource annotations become attributes, but cannot rename the node, the pod or a process (C-05)', () => {
  const annotations = Object.fromEntries(
    ['deployment.environment.name', 'host.name', 'k8s.pod.name', 'container.id', 'process.pid', ''].map(
      (key) => [`resource.opentelemetry.io/${key}`, 'claimed'],
    ),
  )
  const attributes = attributesOf(podObject('p', { containerId: ID, annotations }))
  assert.equal(attributes['deployment.environment.name'], 'claimed')
  assert.equal(attributes['k8s.pod.name'], 'p')
  assert.deepEqual(Object.values(attributes).filter((value) => value === 'claimed').length, 1)
})

test('a pod without this container gives what is the same for all of them', () => {
  const attributes = attributesOf(podObject('p', { containerId: OLD }))
  assert.equal(attributes['k8s.pod.name'], 'p')
  assert.equal(attributes['k8s.container.name'], undefined)
  assert.equal(attributes['service.instance.id'], undefined)
})

test('fields of other types count as absent, objects without a uid as no pod', () => {
  for (const value of [null, 5, 'x', [], {}, { metadata: 7 }, { metadata: { uid: 5, name: 'x' } }])
    assert.equal(readPod(value, podKeys(CHOICE)), null)
  const odd = {
    metadata: {
      uid: 'u',
      name: 'n',
      labels: [1],
      annotations: { note: 5 },
      ownerReferences: [null, 5, { controller: true }],
    },
    spec: { containers: 'x', initContainers: [null, {}] },
    status: {
      containerStatuses: [
        { containerID: 5 },
        { containerID: 'no-scheme' },
        { name: {}, containerID: `cri-o://${ID}`, restartCount: 1.5 },
        7,
      ],
    },
  }
  const pod = read(odd)
  assert.deepEqual(Object.keys(pod.containers), [ID])
  assert.equal(pod.containers[ID]?.restartCount, 0)
  assert.doesNotThrow(() => podAttributes(pod, pod.containers[ID]!, CHOICE))
})

test('a pod and a restarted container stay known for a while after they are gone', () => {
  let now = 1
  const table = new PodTable(300, () => now)
  table.set(read(podObject('p', { containerId: OLD })))
  table.set(read(podObject('p', { containerId: ID, restarts: 1 })))
  assert.equal(table.byContainer(OLD)?.container.restartCount, 0)
  assert.equal(table.byContainer(ID)?.container.restartCount, 1)
  table.remove('uid-p')
  now = 200
  table.set(read(podObject('q', {})))
  assert.equal(table.byContainer(ID)?.pod.name, 'p')
  assert.equal(table.byUid('uid-p')?.name, 'p')
  now = 400
  table.set(read(podObject('r', {})))
  assert.equal(table.byContainer(ID), null)
  assert.equal(table.byContainer(OLD), null)
  assert.equal(table.byUid('uid-p'), null)
  assert.equal(table.size, 2)
})

test('the container before the last restart is known from the status', () => {
  const table = new PodTable(300, () => 1)
  table.set(read(podObject('p', { containerId: ID, before: OLD, restarts: 4 })))
  assert.equal(table.byContainer(OLD)?.container.restartCount, 3)
})

test('a static pod is found by the hash its cgroups have', () => {
  const table = new PodTable(300, () => 1)
  const hash = '9d'.repeat(16)
  table.set(read(podObject('etcd', { annotations: { 'kubernetes.io/config.hash': hash } })))
  assert.equal(table.byUid(hash)?.name, 'etcd')
})

test('an event that changes nothing we keep changes no generation', () => {
  const table = new PodTable(300, () => 1)
  table.set(read(podObject('p', { labels: { unkept: '1' } })))
  const before = table.generation
  table.set(read(podObject('p', { labels: { unkept: '2' } })))
  assert.equal(table.generation, before)
  table.set(read(podObject('p', { labels: { team: 'b' } })))
  assert.notEqual(table.generation, before)
})

test('pods are bounded', () => {
  const table = new PodTable(300, () => 1)
  for (let i = 0; i < 5_000; i++) table.set(read(podObject(`p${i}`, {})))
  assert.equal(table.size, 4096)
  assert.equal(table.byUid('uid-p4999')?.name, 'p4999')
})
