/** One agent a host: a living one is named, a dead one is no obstacle. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { takeHostLock } from '../../../src/agent/host-lock.ts'
import { AgentError } from '../../../src/errors.ts'

const temporary = () => join(mkdtempSync(join(tmpdir(), 'emberscope-lock-')), 'run')

describe('the lock of the host', () => {
  it('refuses a second agent and names the first; once released it is free', async () => {
    const directory = temporary()
    const lock = await takeHostLock(directory)
    const again = await takeHostLock(directory).catch((error) => error)
    assert.ok(again instanceof AgentError && again.code === 'already_running')
    assert.match(
      again.message,
      new RegExp(`another agent runs on this host: pid ${process.pid} holds ${directory}`),
    )
    await lock.release()
    assert.equal(existsSync(join(directory, 'lock')), false)
    await (await takeHostLock(directory)).release()
  })
  it('is taken over from one that was killed', async () => {
    const directory = temporary()
    const lock = await takeHostLock(directory)
    const path = join(directory, 'lock')
    const owner = JSON.parse(readFileSync(path, 'utf8'))
    await lock.release()
    const child = spawn('true')
    await new Promise((resolve) => child.on('exit', resolve))
    for (const dead of [{ pid: child.pid }, { startTicks: '1' }, { boot: 'another' }]) {
      writeFileSync(path, JSON.stringify({ ...owner, ...dead }))
      const taken = await takeHostLock(directory)
      assert.equal(JSON.parse(readFileSync(path, 'utf8')).pid, process.pid)
      await taken.release()
    }
  })
  it('cannot be had where no directory can be made', async () => {
    const error = await takeHostLock('/dev/null/run').catch((cause) => cause)
    assert.equal(error.code, 'ENOTDIR')
  })
})
