import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chownSync, closeSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterEach, describe, it } from 'node:test'
import { openPerfMap } from '../../../src/process/perf-map.ts'

const path = `/tmp/perf-${process.pid}.map`

describe('openPerfMap', () => {
  afterEach(() => rmSync(path, { recursive: true, force: true }))

  it("opens a process's map for reading", () => {
    writeFileSync(path, '1000 10 jitted\n')
    const fd = openPerfMap(process.pid)
    assert.ok(fd >= 0)
    assert.equal(readFileSync(fd, 'utf8'), '1000 10 jitted\n')
    closeSync(fd)
  })

  it('gives -1 without a map, and for a process that is gone', () => {
    assert.equal(openPerfMap(process.pid), -1)
    assert.equal(openPerfMap(2 ** 22 + 1), -1)
  })

  it('refuses a symbolic link, which anyone may place in /tmp', () => {
    symlinkSync('/etc/passwd', path)
    assert.equal(openPerfMap(process.pid), -1)
  })

  it('refuses a fifo without waiting for its writer', () => {
    execFileSync('mkfifo', [path])
    assert.equal(openPerfMap(process.pid), -1)
  })

  it('refuses the file of another user while the process lives', (t) => {
    if (process.getuid?.() !== 0) return t.skip('only root can give a file away')
    writeFileSync(path, '1000 10 planted\n')
    chownSync(path, 65534, 65534)
    assert.equal(openPerfMap(process.pid), -1)
  })

  it('refuses a directory', () => {
    mkdirSync(path)
    assert.equal(openPerfMap(process.pid), -1)
  })
})
