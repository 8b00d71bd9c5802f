import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ProcessTable } from '../../../src/process/process-table.ts'
import { EVENT_KINDS, type Event, eventBatch } from './event-batch.ts'

// Beyond the kernel's largest pid, so that /proc never answers for them.
const PARENT = 5_000_001
const CHILD = 5_000_002

function tableOf(...events: Event[]): ProcessTable {
  const table = new ProcessTable(EVENT_KINDS)
  table.apply(eventBatch(...events))
  return table
}

function mmap(pid: number, timeNs: number, start: number, end: number, name: string): Event {
  return { kind: 'mmap', pid, timeNs, start, end, name }
}

function pathAt(table: ProcessTable, pid: number, timeNs: number, address: number): string | undefined {
  return table.at(pid, timeNs).findMapping(address)?.file.path
}

describe('mappings', () => {
  it('cover their first byte and not their end', () => {
    const table = tableOf(mmap(PARENT, 1, 0x1000, 0x2000, '/a'))
    assert.deepEqual(
      [0xfff, 0x1000, 0x1fff, 0x2000].map((address) => pathAt(table, PARENT, 5, address)),
      [undefined, '/a', '/a', undefined],
    )
  })

  it('keep offset and build id of the event', () => {
    const table = tableOf({ ...mmap(PARENT, 1, 0x1000, 0x2000, '/a'), fileOffset: 0x3000, buildId: 'abcd' })
    assert.deepEqual(table.at(PARENT, 1).findMapping(0x1000), {
      start: 0x1000,
      end: 0x2000,
      fileOffset: 0x3000,
      file: { path: '/a', buildId: 'abcd', inode: 0, device: '' },
      sinceNs: 1,
    })
  })

  it('lose the mark of a deleted file', () => {
    assert.equal(pathAt(tableOf(mmap(PARENT, 1, 0x1000, 0x2000, '/a (deleted)')), PARENT, 1, 0x1000), '/a')
  })

  it('hide earlier ones where they overlap, from their time on', () => {
    const table = tableOf(mmap(PARENT, 10, 0x1000, 0x4000, '/old'), mmap(PARENT, 20, 0x2000, 0x3000, '/new'))
    const at = (timeNs: number) => [0x1800, 0x2800, 0x3800].map((a) => pathAt(table, PARENT, timeNs, a))
    assert.deepEqual(at(15), ['/old', '/old', '/old'])
    assert.deepEqual(at(20), ['/old', '/new', '/old'])
  })

  it('are the same whatever was asked before, however they overlap', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 12 }), fc.nat(9)), { maxLength: 12 }),
        fc.array(fc.nat(45), { maxLength: 40 }),
        fc.nat(10),
        (ranges, addresses, timeNs) => {
          const byTime = ranges.toSorted((a, b) => a[2] - b[2])
          const table = tableOf(
            ...byTime.map(([start, length, at], i) => mmap(PARENT, at, start, start + length, `/${i}`)),
          )
          const { findMapping } = table.at(PARENT, timeNs)
          for (const address of addresses)
            assert.equal(findMapping(address)?.file.path, pathAt(table, PARENT, timeNs, address))
        },
      ),
    )
  })

  it('serve a sample that is older than all of them, rather than none', () => {
    assert.equal(pathAt(tableOf(mmap(PARENT, 10, 0x1000, 0x2000, '/a')), PARENT, 5, 0x1000), '/a')
  })

  it('are none for a process never seen', () => {
    const table = tableOf()
    assert.equal(table.at(PARENT, 1).findMapping(0x1000), null)
    assert.deepEqual(table.at(PARENT, 1).owner, { pid: PARENT, parent: 0, comm: '' })
  })
})

describe('process life', () => {
  const parent = [
    { kind: 'exec', pid: PARENT, timeNs: 1, name: 'server' },
    mmap(PARENT, 2, 0x1000, 0x2000, '/server'),
  ]
  const fork = { kind: 'fork', pid: CHILD, extra: PARENT, timeNs: 10 }

  it('copies the mappings of a parent into its child, once', () => {
    const table = tableOf(...parent, fork, mmap(PARENT, 11, 0x5000, 0x6000, '/later'))
    assert.equal(pathAt(table, CHILD, 12, 0x1000), '/server')
    assert.equal(pathAt(table, CHILD, 12, 0x5000), undefined)
    assert.equal(pathAt(table, PARENT, 12, 0x5000), '/later')
    assert.deepEqual(table.at(CHILD, 12).owner, { pid: CHILD, parent: PARENT, comm: 'server' })
  })

  it('replaces everything at exec, and keeps the program before it for older samples', () => {
    const table = tableOf(
      ...parent,
      fork,
      { kind: 'exec', pid: CHILD, timeNs: 20, name: 'tool' },
      mmap(CHILD, 21, 0x8000, 0x9000, '/tool'),
    )
    assert.equal(pathAt(table, CHILD, 15, 0x1000), '/server')
    assert.equal(pathAt(table, CHILD, 20 + 1e9, 0x1000), undefined)
    assert.equal(pathAt(table, CHILD, 25, 0x8000), '/tool')
    assert.equal(table.at(CHILD, 15).owner.comm, 'server')
    assert.deepEqual(table.at(CHILD, 25).owner, { pid: CHILD, parent: PARENT, comm: 'tool' })
  })

  it('knows the addresses that a sample inside execve still shows', () => {
    const table = tableOf(...parent, fork, { kind: 'exec', pid: CHILD, timeNs: 20, name: 'tool' })
    assert.equal(pathAt(table, CHILD, 25, 0x1000), '/server')
  })

  it('keeps an exited process', () => {
    const table = tableOf(...parent, { kind: 'exit', pid: PARENT, timeNs: 30 })
    assert.equal(pathAt(table, PARENT, 29, 0x1000), '/server')
    assert.equal(pathAt(table, PARENT, 40, 0x1000), '/server')
  })

  it('tells two processes of one pid apart by time', () => {
    const table = tableOf(
      ...parent,
      fork,
      { kind: 'exec', pid: CHILD, timeNs: 11, name: 'first' },
      mmap(CHILD, 12, 0x8000, 0x9000, '/first'),
      { kind: 'exit', pid: CHILD, timeNs: 20 },
      { ...fork, timeNs: 30 },
    )
    assert.equal(pathAt(table, CHILD, 15, 0x8000), '/first')
    assert.equal(pathAt(table, CHILD, 31, 0x8000), undefined)
    assert.equal(pathAt(table, CHILD, 31, 0x1000), '/server')
  })

  it("does not lend an earlier process's mappings to a child of an unknown parent", () => {
    const table = tableOf(mmap(CHILD, 1, 0x8000, 0x9000, '/first'), { ...fork, timeNs: 30 })
    assert.equal(pathAt(table, CHILD, 15, 0x8000), '/first')
    assert.equal(pathAt(table, CHILD, 31, 0x8000), undefined)
    assert.equal(table.at(CHILD, 31).owner.parent, PARENT)
  })

  it('takes a new thread for what it is: no new process', () => {
    const table = tableOf(...parent, {
      kind: 'fork',
      pid: PARENT,
      tid: PARENT + 7,
      extra: PARENT,
      timeNs: 10,
    })
    assert.equal(pathAt(table, PARENT, 11, 0x1000), '/server')
  })

  it("renames a process by its first thread's name only", () => {
    const table = tableOf(
      ...parent,
      { kind: 'comm', pid: PARENT, timeNs: 5, name: 'renamed' },
      { kind: 'comm', pid: PARENT, tid: PARENT + 7, timeNs: 6, name: 'worker' },
    )
    assert.equal(table.at(PARENT, 7).owner.comm, 'renamed')
  })

  it('sums lost events over batches', () => {
    const table = tableOf({ kind: 'lost', pid: 0, extra: 3, timeNs: 1 })
    table.apply(eventBatch({ kind: 'lost', pid: 0, extra: 4, timeNs: 2 }))
    assert.equal(table.lostEvents, 7)
  })

  it('ignores a kind it does not know', () => {
    const table = new ProcessTable(['something', 'else'])
    table.apply(eventBatch(...parent))
    assert.equal(table.at(PARENT, 5).findMapping(0x1000), null)
  })
})

describe('snapshot', () => {
  it('reads a live process once', () => {
    const table = new ProcessTable(EVENT_KINDS)
    assert.equal(table.snapshot(process.pid), true)
    assert.equal(table.snapshot(process.pid), true)
    assert.equal(table.at(process.pid, 1).owner.parent, process.ppid)
  })

  it('says false for a process that is gone', async () => {
    const child = spawn('true')
    await once(child, 'exit')
    assert.equal(new ProcessTable(EVENT_KINDS).snapshot(child.pid!), false)
  })

  it('is taken at the first sample or mmap of a process from before us', async () => {
    const child = spawn('sleep', ['60'])
    await once(child, 'spawn')
    const table = tableOf(mmap(child.pid!, 1, 0x10, 0x20, '/none'))
    assert.notEqual(table.at(child.pid!, 1).owner.comm, '')
    assert.equal(table.at(child.pid!, 1).findMapping(0x10), null, 'the event is in /proc already, or over')
    child.kill()
    await once(child, 'exit')
  })
})

describe('what is forgotten', () => {
  const exec = (pid: number, timeNs: number): Event => ({ kind: 'exec', pid, timeNs, name: `at${timeNs}` })
  const exit = (pid: number, timeNs: number, tid = pid): Event => ({ kind: 'exit', pid, timeNs, tid })

  it('is a process that ended, once no sample can be of it', () => {
    const table = tableOf(exec(PARENT, 10), mmap(PARENT, 11, 0x1000, 0x2000, '/a'), exit(PARENT, 20))
    table.forget(20)
    assert.equal(pathAt(table, PARENT, 15, 0x1000), '/a')
    table.forget(21)
    assert.equal(pathAt(table, PARENT, 15, 0x1000), undefined)
    assert.equal(table.size, 0)
  })

  it('is none of a process that goes on, nor of a thread that ended', () => {
    const table = tableOf(
      exec(PARENT, 10),
      mmap(PARENT, 11, 0x1000, 0x2000, '/a'),
      exit(PARENT, 20, PARENT + 7),
    )
    table.forget(1e12)
    assert.equal(pathAt(table, PARENT, 15, 0x1000), '/a')
  })

  it('waits for the threads that outlive their leader, and for the last of them', () => {
    const table = tableOf(exec(PARENT, 10), mmap(PARENT, 11, 0x1000, 0x2000, '/a'), exit(PARENT, 20))
    assert.equal(pathAt(table, PARENT, 5e9, 0x1000), '/a', 'a sample long after the exit')
    table.forget(6e9)
    assert.equal(pathAt(table, PARENT, 7e9, 0x1000), '/a')
    table.apply(eventBatch(exit(PARENT, 8e9, PARENT + 1)))
    table.forget(9e9)
    assert.equal(table.size, 0)
  })

  it('is a program that an exec replaced, and the one before that', () => {
    const table = tableOf()
    for (let i = 1; i <= 1000; i++) {
      const events = [exec(PARENT, i * 1e9), mmap(PARENT, i * 1e9 + 1, 0x1000, 0x2000, `/${i}`)]
      table.apply(eventBatch(...events))
      table.forget((i - 2) * 1e9)
    }
    const at = (seconds: number) => pathAt(table, PARENT, seconds * 1e9 + 5, 0x1000)
    assert.deepEqual([at(1000), at(999), at(998), at(500)], ['/1000', '/999', '/998', '/998'])
  })

  it('is not the next process of the same number', () => {
    const table = tableOf(
      exec(CHILD, 10),
      mmap(CHILD, 11, 0x1000, 0x2000, '/old'),
      exit(CHILD, 20),
      { kind: 'fork', pid: CHILD, extra: PARENT, timeNs: 30 },
      exec(CHILD, 31),
      mmap(CHILD, 32, 0x1000, 0x2000, '/new'),
    )
    table.forget(25)
    assert.equal(pathAt(table, CHILD, 40, 0x1000), '/new')
    table.forget(50e9)
    assert.equal(pathAt(table, CHILD, 40, 0x1000), '/new')
    assert.equal(table.size, 1)
  })

  it('are times at which libraries were replaced', () => {
    const table = tableOf(mmap(PARENT, 10, 0x1000, 0x2000, '/a'), mmap(PARENT, 20, 0x1000, 0x2000, '/b'))
    assert.ok(table.isReplaced(PARENT, 15, 25))
    table.forget(21)
    assert.ok(!table.isReplaced(PARENT, 15, 25))
    assert.equal(pathAt(table, PARENT, 30, 0x1000), '/b')
  })

  it('does not grow by processes that come and go', () => {
    const table = tableOf(exec(PARENT, 1), mmap(PARENT, 2, 0x1000, 0x2000, '/shell'))
    for (let i = 0; i < 20_000; i++) {
      const pid = CHILD + i
      const ns = i * 1e6
      table.apply(
        eventBatch({ kind: 'fork', pid, extra: PARENT, timeNs: ns }, exec(pid, ns + 1), exit(pid, ns + 2)),
      )
      table.forget(ns - 1e9)
    }
    assert.ok(table.size < 1100, `${table.size} processes are known`)
  })

  it('are processes that are not among the living for a second time, when their exit was lost', () => {
    const table = tableOf(exec(PARENT, 1), exec(CHILD, 1))
    table.retain(new Set([CHILD]))
    assert.equal(table.size, 2)
    table.retain(new Set([CHILD]))
    assert.equal(table.size, 1)
    table.retain(new Set())
    assert.equal(table.size, 1, 'nobody lives: /proc could not be listed')
  })

  it('are mappings of a runtime that maps and unmaps all day, by what /proc shows', () => {
    const table = new ProcessTable(EVENT_KINDS)
    table.snapshot(process.pid)
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < 50; i++) {
      const batch = Array.from({ length: 1000 }, (_, j) => {
        const start = 0x1000 * (i * 1000 + j)
        return mmap(process.pid, 1e9 * i + j, start, start + 0x1000, '//anon')
      })
      table.apply(eventBatch(...batch))
    }
    assert.ok(process.memoryUsage().heapUsed - before < 40e6)
    assert.equal(pathAt(table, process.pid, 50e9, 0x1000 * 49_999), '//anon', 'the newest ones are known')
  })
})
