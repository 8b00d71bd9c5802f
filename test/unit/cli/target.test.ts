import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import {
  ancestorsOf,
  namesOf,
  type ProcessInfo,
  parseStat,
  procProcesses,
} from '../../../src/cli/process-source.ts'
import { findCgroup, findProcesses } from '../../../src/cli/target.ts'
import { fakeProcess } from '../../helpers/fake-world.ts'

const SELF = 500

function sourceOf(processes: readonly ProcessInfo[]) {
  return { list: () => [...processes], read: (pid: number) => processes.find((p) => p.pid === pid) ?? null }
}

const HOST = sourceOf([
  fakeProcess(2, 'kthreadd', { kernelThread: true, exe: '', argv: [] }),
  fakeProcess(20, 'nginx'),
  fakeProcess(10, 'nginx'),
  fakeProcess(11, 'nginx', { state: 'Z', exe: '', argv: [] }),
  fakeProcess(30, 'worker #1', { exe: '/opt/very-long-program-name', argv: ['/opt/very-long-program-name'] }),
  fakeProcess(31, 'node', { tgid: 40 }),
  fakeProcess(40, 'node'),
  fakeProcess(41, 'old', { exe: '/usr/bin/postgres (deleted)', argv: ['postgres: writer'] }),
  fakeProcess(SELF, 'node', { ppid: 499 }),
  fakeProcess(499, 'sudo', { ppid: 498 }),
  fakeProcess(498, 'node'),
  fakeProcess(50, 'python3', { argv: ['/usr/bin/python3', '-u', '/srv/report.py', 'nginx'] }),
  fakeProcess(51, 'vim', { argv: ['vim', '/srv/report.py'] }),
])

function byName(name: string): number[] {
  return findProcesses({ kind: 'name', name }, HOST, SELF).processes.map((p) => p.pid)
}
function byPids(...pids: number[]) {
  return findProcesses({ kind: 'pids', pids }, HOST, SELF)
}
function refusal(run: () => unknown): string {
  let message = ''
  assert.throws(run, (error: { code?: string; message: string }) => {
    message = error.message
    return error.code === 'target_not_found'
  })
  return message
}

describe('a name', () => {
  it('means all living processes of that name, by pid', () => {
    assert.deepEqual(byName('nginx'), [10, 20])
  })
  it('matches the executable and argv[0] too, deleted ones as well', () => {
    assert.deepEqual(byName('very-long-program-name'), [30])
    assert.deepEqual(byName('worker #1'), [30])
    assert.deepEqual(byName('postgres'), [41])
  })
  it('is taken without case only when no process matches with it', () => {
    assert.deepEqual(byName('NGINX'), [10, 20])
  })
  it('means the script of an interpreter when no program has it', () => {
    assert.deepEqual(byName('report.py'), [50])
  })
  it('never means ourselves, and who started us only when nothing else has the name', () => {
    assert.ok(!byName('node').includes(SELF))
    assert.ok(!byName('node').includes(498))
    assert.deepEqual(byName('sudo'), [499])
  })
  it('that none has is refused with near names and their pids', () => {
    const none = (name: string) => refusal(() => byName(name))
    assert.equal(none('nginz'), 'no process is named "nginz"; did you mean nginx (20, 10)?')
    assert.equal(none('qqqqqqqq'), 'no process is named "qqqqqqqq"; ps -e lists names')
    assert.equal(none('kthreadd'), 'no process is named "kthreadd"; ps -e lists names')
    assert.match(none('a\x1b[31m\nb'), /^no process is named "a\?\[31m\?b"/)
  })
})

describe('pids', () => {
  it('are taken together, titled by their names', () => {
    assert.deepEqual(
      byPids(10, 40).processes.map((p) => p.pid),
      [10, 40],
    )
    assert.equal(byPids(10, 40).name, 'nginx+node')
    assert.equal(byPids(10, 20).name, 'nginx')
  })
  it('that do not exist are refused', () => {
    for (const pid of [0, 12345, 2 ** 31, 10 ** 20]) {
      assert.match(
        refusal(() => byPids(pid)),
        /^there is no process \d/,
      )
    }
  })
  it('of zombies, threads and kernel threads are refused with the reason', () => {
    assert.equal(
      refusal(() => byPids(11)),
      'process 11 (nginx) has ended (it is a zombie)',
    )
    assert.equal(
      refusal(() => byPids(31)),
      '31 is a thread of process 40 (node); use: profile 40',
    )
    assert.match(
      refusal(() => byPids(2)),
      /^2 \(kthreadd\) is a kernel thread, not a process/,
    )
  })
})

describe('reading /proc', () => {
  it('survives names with spaces, parentheses and line feeds', () => {
    assert.deepEqual(parseStat('7 (a) b\n(c) S 3 0 0 0 -1 4194560 0'), {
      comm: 'a) b\n(c', state: 'S', ppid: 3, kernelThread: false,
    }) // biome-ignore format: one value
    assert.equal(parseStat('7 (kworker/0:1) I 2 0 0 0 -1 69238880 0')?.kernelThread, true)
    assert.equal(parseStat(''), null)
    assert.equal(parseStat('garbage'), null)
  })
  it('finds this very process and its parent', () => {
    const source = procProcesses('/proc')
    const own = source.read(process.pid)!
    assert.equal(own.tgid, process.pid)
    assert.equal(own.ppid, process.ppid)
    assert.ok(namesOf(own).includes('node'))
    assert.ok(source.list().some((p) => p.pid === process.pid))
    assert.equal(ancestorsOf(process.pid, source)[0]?.pid, process.ppid)
  })
  it('gives null for a process that is gone', () => {
    assert.equal(procProcesses('/proc').read(4_194_305), null)
  })
})

describe('findCgroup', () => {
  const mount = mkdtempSync(join(tmpdir(), 'cgroup-'))
  after(() => rmSync(mount, { recursive: true }))
  mkdirSync(join(mount, 'v2'))
  writeFileSync(join(mount, 'v2/cgroup.procs'), '')
  writeFileSync(join(mount, 'v2/cgroup.controllers'), '')
  mkdirSync(join(mount, 'v1'))
  writeFileSync(join(mount, 'v1/cgroup.procs'), '')

  it('takes a full path, a path below the mount as /proc/PID/cgroup has it, and a relative one', () => {
    for (const path of [join(mount, 'v2'), '/v2', 'v2'])
      assert.equal(findCgroup(path, '/', mount), join(mount, 'v2'))
    assert.equal(findCgroup('v2', mount, '/nowhere'), join(mount, 'v2'))
  })
  it('refuses what is not there, and version 1', () => {
    assert.match(
      refusal(() => findCgroup('/v3', '/', mount)),
      /^there is no cgroup \/v3/,
    )
    assert.throws(() => findCgroup('/v1', '/', mount), { code: 'unsupported' })
  })
})
