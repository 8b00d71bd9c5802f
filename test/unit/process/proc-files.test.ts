import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  isRunning,
  listPids,
  ownPidNamespaceInode,
  parseMaps,
  readComm,
  readLink,
  readMaps,
  readNamespacePid,
  readStat,
} from '../../../src/process/proc-files.ts'

describe('parseMaps', () => {
  it('keeps executable mappings with their addresses, offset, device and inode', () => {
    const text = [
      '55d0c0a00000-55d0c0a28000 r--p 00000000 fd:00 393                        /usr/bin/node',
      '55d0c0a28000-55d0c2000000 r-xp 00028000 fd:00 393                        /usr/bin/node',
      '7f0000000000-7f0000001000 rw-p 00000000 00:00 0 ',
      '7ffe12345000-7ffe12347000 r-xp 00000000 00:00 0                          [vdso]',
      '',
    ].join('\n')
    assert.deepEqual(parseMaps(text), [
      {
        start: 0x55d0c0a28000,
        end: 0x55d0c2000000,
        fileOffset: 0x28000,
        inode: 393,
        device: 'fd:00',
        path: '/usr/bin/node',
      },
      {
        start: 0x7ffe12345000,
        end: 0x7ffe12347000,
        fileOffset: 0,
        inode: 0,
        device: '00:00',
        path: '[vdso]',
      },
    ])
  })

  const pathOf = (path: string): string | undefined =>
    parseMaps(`7f0000000000-7f0000001000 r-xp 00000000 fd:00 77   ${path}`)[0]?.path

  it('takes paths as the process saw them: spaces, escaped newlines, deleted files', () => {
    assert.equal(pathOf('/opt/my program/a  b'), '/opt/my program/a  b')
    assert.equal(pathOf('/tmp/two\\012lines'), '/tmp/two\nlines')
    assert.equal(pathOf('/tmp/gone (deleted)'), '/tmp/gone')
    assert.equal(pathOf('/tmp/odd (deleted) (deleted)'), '/tmp/odd (deleted)')
    assert.equal(pathOf('/memfd:jit (deleted)'), '/memfd:jit')
    assert.equal(pathOf('/tmp/caf\u00e9\u2028\rx'), '/tmp/caf\u00e9\u2028\rx')
  })

  it('reads anonymous executable memory as a mapping without a path', () => {
    assert.deepEqual(
      parseMaps('7f0000000000-7f0000001000 rwxp 00000000 00:00 0 ').map((entry) => entry.path),
      [''],
    )
  })

  it("reads a 32-bit process's short addresses", () => {
    const [entry] = parseMaps('08048000-08050000 r-xp 00000000 fd:00 12 /opt/old')
    assert.deepEqual([entry?.start, entry?.end], [0x08048000, 0x08050000])
  })

  it('skips lines that are none of a maps file', () => {
    for (const line of [
      '',
      'garbage',
      '7f00-7f10',
      '7f00-7f10 r-xp',
      'zz00-7f10 r-xp 0 fd:00 1 /x',
      '7f00-7f10 r-xp 0 fd:00 -1 /x',
      '7f00 7f10 r-xp 0 fd:00 1 /x',
      ' 7f00-7f10 r-xp 0 fd:00 1 /x',
    ])
      assert.deepEqual(parseMaps(line), [], line)
  })

  it('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => void parseMaps(text)))
  })

  it('is linear in a line of a megabyte', () => {
    const path = `/${' '.repeat(1 << 20)}x`
    assert.equal(pathOf(path), path)
  })
})

describe('readers of a live process', () => {
  it('finds our own code, name, parent and namespace', () => {
    assert.ok(readMaps(process.pid)?.some((entry) => entry.path.endsWith('/node')))
    assert.match(readComm(process.pid), /./)
    assert.equal(readStat(process.pid)?.parent, process.ppid)
    assert.ok(isRunning(process.pid))
    assert.ok(listPids().includes(process.pid))
    assert.ok(readNamespacePid(process.pid) > 0)
    assert.match(readLink('/proc/self/ns/pid'), /^pid:\[\d+\]$/)
    assert.ok(Number.isSafeInteger(ownPidNamespaceInode()))
  })

  it('answers for a process that is gone without an error', async () => {
    const child = spawn('true')
    const pid = child.pid!
    await once(child, 'exit')
    assert.equal(readMaps(pid), null)
    assert.equal(readStat(pid), null)
    assert.equal(readComm(pid), '')
    assert.equal(isRunning(pid), false)
    assert.equal(readNamespacePid(pid), pid)
    assert.equal(readLink(`/proc/${pid}/ns/mnt`), '')
  })

  it('reads the state behind a name with spaces and parentheses', async () => {
    const child = spawn('sh', ['-c', 'printf "a) Z 1 (" > /proc/$$/comm; echo; read line'])
    try {
      await once(child.stdout, 'data')
      assert.equal(readComm(child.pid!), 'a) Z 1 (')
      assert.equal(readStat(child.pid!)?.parent, process.pid)
      assert.ok(isRunning(child.pid!))
    } finally {
      child.kill()
      await once(child, 'exit')
    }
  })
})
