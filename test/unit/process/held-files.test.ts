import assert from 'node:assert/strict'
import { fstatSync, openSync } from 'node:fs'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Executable } from '../../../src/model/executable.ts'
import { HeldFiles } from '../../../src/process/held-files.ts'
import { openDescriptors } from './temporary.ts'

const GONE = {
  kind: 'elf',
  path: '/x',
  buildId: '',
  goneReason: 'file_gone',
  root: '',
  pid: 0,
  perfMapFd: -1,
  comm: '',
} as const

let nowMs = 0
let files: HeldFiles
let opened = 0
beforeEach(() => {
  nowMs = 1000
  opened = 0
  files = new HeldFiles({ files: 3, unusedMs: 60_000 }, () => nowMs)
})
afterEach(() => files.close())

function open(): Executable {
  opened++
  return { ...GONE, goneReason: '', fd: openSync('/dev/null', 'r') }
}

function isOpen({ fd }: Executable): boolean {
  try {
    fstatSync(fd)
    return true
  } catch {
    return false
  }
}

describe('held files', () => {
  it('are opened once for many windows, and stay open a while after the last', () => {
    const first = files.hold('a', open)
    assert.equal(files.hold('a', open), first)
    files.release(first)
    nowMs += 100_000
    files.sweep()
    assert.ok(isOpen(first), 'a window still needs it')
    files.release(first)
    nowMs += 59_999
    files.sweep()
    assert.equal(files.hold('a', open), first)
    assert.equal(opened, 1)
    files.release(first)
    nowMs += 60_000
    files.sweep()
    assert.ok(!isOpen(first))
    assert.notEqual(files.hold('a', open), first)
  })

  it('are closed with their window when nothing lasting is known of them', () => {
    const one = files.hold('', open)
    const other = files.hold('', open)
    assert.notEqual(one, other)
    files.release(one)
    assert.ok(!isOpen(one))
    assert.ok(isOpen(other))
  })

  it('are tried again when they could not be opened', () => {
    const gone = { ...GONE, fd: -1 }
    assert.equal(
      files.hold('a', () => gone),
      gone,
    )
    files.release(gone)
    assert.ok(files.hold('a', open).fd >= 0)
  })

  it('give way when there are too many: the one that was free longest', () => {
    const [a, b] = ['a', 'b'].map((key) => files.hold(key, open)) as [Executable, Executable]
    files.hold('c', open)
    files.release(b)
    nowMs++
    files.release(a)
    files.hold('d', open)
    assert.ok(isOpen(a))
    assert.ok(!isOpen(b))
    assert.equal(files.size, 3)
  })

  it('are refused, counted and said to be, when windows need more than may be open', () => {
    for (const key of ['a', 'b', 'c']) files.hold(key, open)
    const before = openDescriptors()
    const refused = files.hold('d', open)
    assert.deepEqual([refused.fd, refused.goneReason], [-1, 'too_many_files'])
    assert.equal(files.refused, 1)
    assert.equal(openDescriptors(), before)
    files.release(refused)
    assert.equal(files.size, 3)
  })

  it('are closed all at once, twice, also while windows hold them', () => {
    const a = files.hold('a', open)
    files.close()
    files.close()
    assert.ok(!isOpen(a))
    files.release(a)
  })
})
