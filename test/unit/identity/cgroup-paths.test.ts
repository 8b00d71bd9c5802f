import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CgroupPaths } from '../../../src/identity/cgroup-paths.ts'

// Any file system with inodes will do: what is special about cgroupfs is only what the inode numbers mean.
const mount = mkdtempSync(join(tmpdir(), 'cgroups-'))
after(() => rmSync(mount, { recursive: true, force: true }))
const make = (path: string) => {
  mkdirSync(mount + path, { recursive: true })
  return statSync(mount + path, { bigint: true }).ino
}
async function until(claim: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !claim(); i++) await sleep(10)
  assert.ok(claim())
}

test('a path that is not known is looked for meanwhile', async () => {
  const wanted = make('/kubepods.slice/pod1.slice/app.scope')
  const paths = new CgroupPaths(mount)
  assert.equal(paths.pathOf(wanted), '')
  await until(() => paths.pathOf(wanted) !== '')
  assert.equal(paths.pathOf(wanted), '/kubepods.slice/pod1.slice/app.scope')
  assert.equal(paths.pathOf(statSync(mount, { bigint: true }).ino), '/')
  paths.close()
})

test('what a process says is taken only where the directory has the id', () => {
  const paths = new CgroupPaths(mount)
  const id = make('/system.slice/a')
  assert.equal(paths.learn(id, '/system.slice'), false)
  assert.equal(paths.learn(id, '/system.slice/../system.slice/a'), false)
  assert.equal(paths.learn(id, '/nowhere'), false)
  assert.equal(paths.learn(id, `/${'x'.repeat(10_000)}`), false)
  assert.equal(paths.learn(id, '/system.slice/a'), true)
  assert.equal(paths.pathOf(id), '/system.slice/a')
  assert.equal(paths.walks, 0)
})

test('an id that is nowhere is looked for once', async () => {
  const paths = new CgroupPaths(mount)
  const gone = 1n << 40n
  paths.pathOf(gone)
  await until(() => paths.isGone(gone))
  assert.equal(paths.walks, 1)
  assert.equal(paths.pathOf(gone), '')
  await sleep(50)
  assert.equal(paths.walks, 1)
  paths.close()
})

test('a walk over many directories goes on in steps, and stops once all wanted are found', async () => {
  for (let i = 0; i < 300; i++) make(`/many/${i}`)
  const last = make('/many/0/deep')
  const paths = new CgroupPaths(mount)
  paths.pathOf(last)
  paths.pathOf(1n << 41n)
  let turns = 0
  const count = setInterval(() => turns++, 0)
  await until(() => paths.isGone(1n << 41n))
  clearInterval(count)
  assert.equal(paths.pathOf(last), '/many/0/deep')
  assert.ok(paths.walked > 300 && turns > 0, `${paths.walked} directories in ${turns} turns`)
})

test('without a v2 hierarchy, after close and for the id 0 nothing is asked', async () => {
  const none = new CgroupPaths('')
  assert.equal(none.pathOf(5n), '')
  assert.equal(none.learn(5n, '/'), false)
  const paths = new CgroupPaths(mount)
  assert.equal(paths.pathOf(0n), '')
  paths.pathOf(1n << 42n)
  paths.close()
  paths.close()
  await sleep(30)
  assert.equal(paths.walks, 0)
})

test('close, before a walk or amid it, leaves an event loop that rests', async () => {
  for (const waits of [0, 1, 2, 3]) {
    const paths = new CgroupPaths(mount)
    paths.pathOf(1n << 43n)
    for (let i = 0; i < waits; i++) await new Promise(setImmediate)
    paths.close()
  }
  const before = performance.eventLoopUtilization()
  await sleep(300)
  const { utilization } = performance.eventLoopUtilization(before)
  assert.ok(utilization < 0.9, `busy for ${utilization} of the time`)
})
