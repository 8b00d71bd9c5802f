import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  fstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Executable } from '../../../src/model/executable.ts'
import { ExecutableTable, type Mapping, type Owner } from '../../../src/process/executable-table.ts'
import type { MappedFile } from '../../../src/process/mapped-files.ts'
import { type MapsEntry, readMaps } from '../../../src/process/proc-files.ts'
import { BUILD_ID, elfBytes } from './elf-bytes.ts'
import { openDescriptors, temporaryDirectory } from './temporary.ts'

const directory = temporaryDirectory()
const path = join(directory, 'program')
const owner: Owner = { pid: process.pid, parent: process.ppid, comm: 'test' }
const needsRoot = process.getuid?.() === 0 ? false : 'only root may open what another process has mapped'

/** A mapping as /proc tells of it; nothing is really mapped there, so the file is found by its path. */
function mapped(parts: Partial<MapsEntry & MappedFile> = {}): Mapping {
  const { start = 0x10000, end = 0x20000, fileOffset = 0, ...file } = parts
  return { start, end, fileOffset, file: { path, buildId: '', inode: 0, device: 'fd:00', ...file } }
}

let table: ExecutableTable
/** The entry that a mapping leads to. */
function identified(mapping = mapped(), of = owner): Executable {
  const id = table.identify(mapping, of)
  return table.list()[id]!
}
beforeEach(() => {
  table = new ExecutableTable()
  rmSync(path, { force: true, recursive: true })
})
afterEach(() => table.close())

describe('files', () => {
  it('are opened once and told apart by content', () => {
    writeFileSync(path, elfBytes())
    const inode = statSync(path).ino
    const id = table.identify(mapped({ inode }), owner)
    assert.equal(table.identify(mapped({ inode, start: 0x30000, end: 0x40000 }), owner), id)
    assert.equal(table.kindOf(id), 'elf')
    const executable = table.list()[id]!
    assert.equal(executable.buildId, BUILD_ID)
    assert.equal(executable.goneReason, '')
    assert.equal(executable.root, `/proc/${process.pid}/root`)
    assert.equal(fstatSync(executable.fd).ino, inode)
    assert.notEqual(table.identify(mapped({ inode, path: `${path}-other` }), owner), id)
  })

  it('are one entry whether known by inode or by build id, in either order', () => {
    writeFileSync(path, elfBytes())
    const byInode = mapped({ inode: statSync(path).ino })
    const byBuildId = mapped({ buildId: BUILD_ID, device: '' })
    assert.equal(table.identify(byInode, owner), table.identify(byBuildId, owner))
    const other = new ExecutableTable()
    assert.equal(other.identify(byBuildId, owner), other.identify(byInode, owner))
    assert.equal(other.list().length, 2, 'the kernel and the file')
    other.close()
  })

  it('of one inode number on two devices are two', () => {
    writeFileSync(path, elfBytes({ buildId: '' }))
    const inode = statSync(path).ino
    const id = table.identify(mapped({ inode }), owner)
    assert.notEqual(table.identify(mapped({ inode, device: '00:2f' }), owner), id)
  })

  it('that are gone keep their build id and say so', () => {
    const id = table.identify(mapped({ buildId: BUILD_ID }), owner)
    const { fd, goneReason, buildId } = table.list()[id]!
    assert.deepEqual({ fd, goneReason, buildId }, { fd: -1, goneReason: 'file_gone', buildId: BUILD_ID })
  })

  it('that are found later, in another process, fill the entry of the gone one', () => {
    const id = table.identify(mapped({ buildId: BUILD_ID }), owner)
    writeFileSync(path, elfBytes())
    assert.equal(table.identify(mapped({ inode: statSync(path).ino }), owner), id)
    assert.ok(table.list()[id]!.fd >= 0)
    assert.equal(table.list()[id]!.goneReason, '')
  })

  it('that were replaced are not taken for the mapped ones', () => {
    writeFileSync(path, elfBytes())
    const inode = statSync(path).ino
    const next = `${path}.new`
    writeFileSync(next, elfBytes({ buildId: 'ff'.repeat(20) }))
    renameSync(next, path)
    for (const mapping of [mapped({ inode }), mapped({ buildId: BUILD_ID })])
      assert.equal(identified(mapping).goneReason, 'file_gone')
  })

  it('that are not ELF say so', () => {
    writeFileSync(path, '#!/bin/sh\n')
    assert.equal(identified().goneReason, 'not_elf')
  })

  it('that may not be read say so', () => {
    writeFileSync(path, elfBytes())
    chmodSync(path, 0)
    const uid = process.geteuid!()
    if (uid === 0) process.seteuid!(65534)
    try {
      assert.equal(identified().goneReason, 'not_permitted')
    } finally {
      process.seteuid!(uid)
    }
  })
})

describe('hostile files', () => {
  /** What became of the path, and whether a descriptor was left open. */
  function outcome(): string {
    const before = openDescriptors()
    const { fd, goneReason } = identified()
    assert.equal(openDescriptors() - before, fd >= 0 ? 1 : 0)
    return goneReason
  }

  it('do not block: a fifo in the place of the program', () => {
    execFileSync('mkfifo', [path])
    assert.equal(outcome(), 'file_gone')
  })

  it('do not break: a directory in the place of the program', () => {
    mkdirSync(path)
    assert.equal(outcome(), 'file_gone')
  })

  it('do not leak: an ELF header that points beyond 2^53', () => {
    writeFileSync(path, elfBytes({ segmentsAt: (1n << 64n) - 1n }))
    assert.equal(outcome(), '')
  })

  it('do not hang: a note whose size goes backwards', () => {
    writeFileSync(path, elfBytes({ nameBytes: 0xfffffff0 }))
    assert.equal(outcome(), '')
  })
})

describe('memory', () => {
  it('without a file is one jit entry per process', () => {
    const id = table.identify(mapped({ path: '' }), owner)
    assert.equal(table.identify(mapped({ path: '//anon', start: 0x90000, end: 0xa0000 }), owner), id)
    assert.equal(table.identify(mapped({ path: '[heap]' }), owner), id)
    assert.notEqual(table.identify(mapped({ path: '' }), { ...owner, pid: owner.pid + 1 }), id)
    const { kind, pid, fd, perfMapFd } = table.list()[id]!
    assert.deepEqual([kind, pid, fd, perfMapFd], ['jit', process.pid, -1, -1])
  })

  it('looks again for a perf map that was written late', () => {
    const id = table.identify(mapped({ path: '' }), owner)
    const map = `/tmp/perf-${process.pid}.map`
    writeFileSync(map, '1000 10 jitted\n')
    table.openLatePerfMaps()
    rmSync(map)
    assert.ok(table.list()[id]!.perfMapFd >= 0)
  })

  it('of the vDSO is one readable file for all processes', () => {
    const id = table.identify(mapped({ path: '[vdso]' }), owner)
    assert.equal(table.identify(mapped({ path: '[vdso]' }), { ...owner, pid: 1 }), id)
    const { kind, fd } = table.list()[id]!
    assert.equal(kind, 'vdso')
    const head = Buffer.alloc(4)
    assert.equal(readFileSync(fd).copy(head, 0, 0, 4), 4)
    assert.equal(head.toString('latin1'), '\x7fELF')
  })

  it('that no mapping covers is one unknown entry per process', () => {
    const id = table.unknown(owner)
    assert.equal(table.unknown(owner), id)
    assert.notEqual(table.unknown({ ...owner, pid: owner.pid + 1 }), id)
    assert.equal(table.kindOf(id), 'unknown')
  })
})

/** A live process and its mapping of a path that ends so. */
async function withProcess(
  command: string[],
  pathEnd: string,
  use: (mapping: Mapping, owner: Owner) => void | Promise<void>,
): Promise<void> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(child, 'spawn')
    const find = () => readMaps(child.pid!)?.find((entry) => entry.path.endsWith(pathEnd))
    for (let i = 0; i < 100 && !find(); i++) await new Promise((resolve) => setTimeout(resolve, 20))
    const entry = find()
    assert.ok(entry, `${command[0]} maps ${pathEnd}`)
    await use(mapped({ ...entry, buildId: '' }), { pid: child.pid!, parent: process.pid, comm: 'child' })
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

/** A perl program that puts bytes into a memfd; `finish` runs with the descriptor in $fd. */
function memfd(file: string, finish: string): string[] {
  const program = `my $name = "emberscope-test"; my $fd = syscall(319, $name, 0);
    open(my $from, "<:raw", "${file}"); local $/; my $bytes = <$from>;
    open(my $to, ">&=:raw", $fd); $to->autoflush(1); print $to $bytes; ${finish}`
  return ['perl', '-MIO::Handle', '-e', program]
}
const needsPerl = needsRoot || (process.arch === 'x64' ? false : 'the perl program knows x86-64 only')

describe('mappings of a live process', () => {
  it('give a deleted program its file', { skip: needsRoot }, async () => {
    copyFileSync('/bin/sleep', path)
    const inode = statSync(path).ino
    await withProcess([path, '60'], path, (mapping, child) => {
      rmSync(path)
      const { fd, goneReason } = identified(mapping, child)
      assert.equal(goneReason, '')
      assert.equal(fstatSync(fd).ino, inode)
    })
  })

  it('give a replaced program its own file', { skip: needsRoot }, async () => {
    copyFileSync('/bin/sleep', path)
    const inode = statSync(path).ino
    await withProcess([path, '60'], path, (mapping, child) => {
      const next = `${path}.new`
      writeFileSync(next, elfBytes())
      renameSync(next, path)
      assert.equal(fstatSync(identified(mapping, child).fd).ino, inode)
    })
  })

  it('make a program in a memfd a file', { skip: needsPerl }, async () => {
    const finish = 'exec {"/proc/$$/fd/$fd"} "sleep", "60"'
    await withProcess(memfd('/bin/sleep', finish), '/memfd:emberscope-test', (mapping, child) => {
      const id = table.identify(mapping, child)
      assert.equal(table.kindOf(id), 'elf')
      assert.ok(table.list()[id]!.fd >= 0)
    })
  })

  it('make code in a memfd that is no program jit code', { skip: needsPerl }, async () => {
    const finish = 'syscall(9, 0, 4096, 5, 1, $fd, 0); sleep 60'
    await withProcess(memfd('/etc/passwd', finish), '/memfd:emberscope-test', (mapping, child) => {
      assert.equal(table.kindOf(table.identify(mapping, child)), 'jit')
    })
  })
})

describe('close', () => {
  it('closes every descriptor, and may be called twice', () => {
    writeFileSync(path, elfBytes())
    const before = openDescriptors()
    table.identify(mapped(), owner)
    table.identify(mapped({ path: '[vdso]' }), owner)
    assert.equal(openDescriptors(), before + 2)
    table.close()
    table.close()
    assert.equal(openDescriptors(), before)
  })
})
