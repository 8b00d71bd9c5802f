import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerOfCgroups, containerOfPath, parseCgroupFile } from '../../../src/identity/container-id.ts'

const ID = '0a'.repeat(32)
const OUTER = 'f3'.repeat(32)
const UID = '3f2504e0-4f89-11d3-9a0c-0305e82c3301'
const SLICE_UID = UID.replaceAll('-', '_')
const STATIC_UID = '9d'.repeat(16)
const KUBEPODS = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${SLICE_UID}.slice`

/** path -> id, pod uid, runtime; null: no container. */
const PATHS: readonly (readonly [string, readonly [string, string, string] | null])[] = [
  // Docker, by driver and by home
  [`/docker/${ID}`, [ID, '', 'docker']],
  [`/system.slice/docker-${ID}.scope`, [ID, '', 'docker']],
  [`/system.slice/docker-${ID}.scope/system.slice/nginx.service`, [ID, '', 'docker']],
  [`/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${ID}.scope`, [ID, '', 'docker']],
  [`/actions_job/${ID}`, [ID, '', 'docker']],
  [`/my-parent/${ID}`, [ID, '', '']],
  // Podman
  [`/machine.slice/libpod-${ID}.scope`, [ID, '', 'podman']],
  [`/machine.slice/libpod-${ID}.scope/container`, [ID, '', 'podman']],
  [`/machine.slice/machine-libpod_pod_${OUTER}.slice/libpod-${ID}.scope`, [ID, '', 'podman']],
  [`/machine.slice/libpod-conmon-${ID}.scope`, null],
  [`/machine.slice/machine-libpod_pod_${OUTER}.slice`, null],
  [`/libpod_parent/libpod-${ID}`, [ID, '', 'podman']],
  [`/system.slice/web.service/libpod-payload-${ID}`, [ID, '', 'podman']],
  // containerd without Kubernetes
  [`/system.slice/nerdctl-${ID}.scope`, [ID, '', 'containerd']],
  [`/default/${ID}`, [ID, '', '']],
  // Kubernetes: cgroupfs driver
  [`/kubepods/burstable/pod${UID}/${ID}`, [ID, UID, '']],
  [`/kubepods/besteffort/pod${UID}/${ID}`, [ID, UID, '']],
  [`/kubepods/pod${UID}/${ID}`, [ID, UID, '']],
  [`/kubepods/besteffort/pod${UID}/crio-${ID}`, [ID, UID, 'cri-o']],
  [`/kubepods/burstable/pod${STATIC_UID}/${ID}`, [ID, STATIC_UID, '']],
  // Kubernetes: systemd driver
  [`${KUBEPODS}/cri-containerd-${ID}.scope`, [ID, UID, 'containerd']],
  [`${KUBEPODS}/crio-${ID}.scope`, [ID, UID, 'cri-o']],
  [`${KUBEPODS}/crio-${ID}.scope/container`, [ID, UID, 'cri-o']],
  [`${KUBEPODS}/crio-conmon-${ID}.scope`, ['', UID, '']],
  [`${KUBEPODS}/docker-${ID}.scope`, [ID, UID, 'docker']],
  [`/kubepods.slice/kubepods-pod${SLICE_UID}.slice/cri-containerd-${ID}.scope`, [ID, UID, 'containerd']],
  [`/kubepods.slice/kubepods-pod${STATIC_UID}.slice/crio-${ID}.scope`, [ID, STATIC_UID, 'cri-o']],
  [
    `/system.slice/containerd.service/kubepods-burstable-pod${SLICE_UID}.slice:cri-containerd:${ID}`,
    [ID, UID, 'containerd'],
  ],
  [KUBEPODS, ['', UID, '']],
  ['/kubepods.slice/kubepods-burstable.slice', null],
  // seen from another cgroup namespace
  [`/../kubepods-burstable-pod${SLICE_UID}.slice/cri-containerd-${ID}.scope`, [ID, UID, 'containerd']],
  [`/../cri-containerd-${ID}.scope`, [ID, '', 'containerd']],
  // nested: kind, and Docker inside a pod
  [
    `/docker/${OUTER}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod${SLICE_UID}.slice/cri-containerd-${ID}.scope`,
    [ID, UID, 'containerd'],
  ],
  [`/docker/${OUTER}/kubelet/kubepods/burstable/pod${UID}/${ID}`, [ID, UID, '']],
  [`/docker/${OUTER}/system.slice/containerd.service`, [OUTER, '', 'docker']],
  [`/kubepods/burstable/pod${UID}/${OUTER}/docker/${ID}`, [ID, UID, 'docker']],
  // ECS on EC2 and on Fargate
  [`/ecs/${STATIC_UID}/${ID}`, [ID, '', '']],
  [`/ecs/${STATIC_UID}/${STATIC_UID}-2531612879`, [`${STATIC_UID}-2531612879`, '', '']],
  [`/ecstasks.slice/ecstasks-${STATIC_UID}.slice/docker-${ID}.scope`, [ID, '', 'docker']],
  // others with ids
  [
    '/system.slice/garden.service/garden/70f9e5a2-1b2c-4d5e-6f70-8192',
    ['70f9e5a2-1b2c-4d5e-6f70-8192', '', 'garden'],
  ],
  [`/mesos/${UID}`, [UID, '', 'mesos']],
  // no containers
  ['/', null],
  ['', null],
  ['/init.scope', null],
  ['/user.slice/user-1000.slice/session-3.scope', null],
  ['/system.slice/docker.service', null],
  [`/system.slice/var-lib-docker-containers-${ID}-mounts-shm.mount`, null],
  [`/docker/${ID}0`, null],
  [`/docker/${ID.slice(1)}`, null],
  [`/docker/${ID.toUpperCase()}`, null],
  [`/lxc.monitor.web`, null],
  ['/kubepods/burstable/podnot-a-uid/x', null],
]

for (const [path, expected] of PATHS) {
  test(`the container of ${path.replaceAll(ID, '<id>').replaceAll(OUTER, '<outer>') || "''"}`, () => {
    const found = containerOfPath(path)
    assert.deepEqual(found && [found.id, found.podUid, found.runtime], expected)
  })
}

test('runtimes without ids give names, unescaped', () => {
  const nameOf = (path: string) => {
    const found = containerOfPath(path)
    return found && [found.id, found.name, found.runtime]
  }
  assert.deepEqual(nameOf('/lxc/web'), ['', 'web', 'lxc'])
  assert.deepEqual(nameOf('/lxc.payload/web/system.slice'), ['', 'web', 'lxc'])
  assert.deepEqual(nameOf('/lxc.payload.web/init.scope'), ['', 'web', 'lxc'])
  const nspawn = ['', 'my-böx', 'systemd-nspawn']
  assert.deepEqual(nameOf('/machine.slice/systemd-nspawn@my\\x2db\\xc3\\xb6x.service/payload'), nspawn)
  assert.deepEqual(nameOf('/machine.slice/machine-my\\x2db\\xc3\\xb6x.scope'), nspawn)
})

test('the containers around a nested one are kept, outermost first', () => {
  const nested = containerOfPath(`/docker/${OUTER}/kubepods/pod${UID}/${ID}/docker/${'77'.repeat(32)}`)
  assert.deepEqual(nested?.outerIds, [OUTER, ID])
  assert.deepEqual(containerOfPath(`/docker/${ID}`)?.outerIds, [])
})

test('of a hybrid host the hierarchy that knows a container answers', () => {
  const text = `11:cpuset:/\n5:cpu,cpuacct:/docker/${OUTER}\n1:name=systemd:/docker/${ID}\n0::/\n`
  assert.equal(containerOfCgroups(parseCgroupFile(text))?.id, ID)
  const v1 = `3:pids:/kubepods/pod${UID}/${ID}\n2:memory:/kubepods/pod${UID}/${ID}\n`
  assert.equal(containerOfCgroups(parseCgroupFile(v1))?.podUid, UID)
})

test('the whole name wins over a pod without container, whatever their order', () => {
  const text = `4:cpu:/kubepods/pod${UID}\n3:pids:/kubepods/pod${UID}/${ID}\n`
  assert.equal(containerOfCgroups(parseCgroupFile(text))?.id, ID)
})

test('lines keep colons and carriage returns of paths, and lose the mark of a removed cgroup', () => {
  assert.deepEqual(parseCgroupFile('0::/a:b:c (deleted)\nnonsense\n7:x\n:::\n1:name=systemd:/u\\x2dv'), [
    { controllers: '', path: '/a:b:c' },
    { controllers: 'name=systemd', path: '/u\\x2dv' },
  ])
  assert.deepEqual(parseCgroupFile(''), [])
})

test('a path of any length or depth is read', () => {
  assert.equal(containerOfPath(`${'/a'.repeat(100_000)}/docker/${ID}`), null) // deeper than cgroups can be
  containerOfPath(`/${'-'.repeat(60_000)}`)
  containerOfPath(`/pod${'0-'.repeat(30_000)}.slice`)
  parseCgroupFile(`0::/${'x:'.repeat(1_000_000)}`)
})
