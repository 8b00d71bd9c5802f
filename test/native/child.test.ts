import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { loadAddon } from '../../src/native/addon.ts'
import { Child } from '../../src/native/child.ts'

const directory = mkdtempSync(join(tmpdir(), 'emberscope-child-'))
after(() => rmSync(directory, { recursive: true }))

/** What a program prints and how it ends. */
async function run(path: string, args: readonly string[], fds: readonly number[] = [], input = '') {
  const child = new Child(loadAddon(), path, args, fds)
  let text = ''
  child.output.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  child.input.end(input)
  return { pid: child.pid, code: await child.ended, text }
}

function shell(script: string, fds: readonly number[] = [], input = '') {
  return run('/bin/sh', ['-c', script], fds, input)
}

describe('a child process', () => {
  it('reads what it is sent, and tells what it says and its exit code', async () => {
    const { text, code } = await shell('read line; echo "got $line"; exit 7', [], 'word\n')
    assert.deepEqual([text, code], ['got word\n', 7])
  })

  it('is in the root directory, without our environment', async () => {
    assert.equal((await run('/bin/pwd', ['-P'])).text, '/\n')
    assert.equal((await run('/usr/bin/env', [])).text, '')
  })

  it('has the given descriptors in their order, whatever their numbers, and no others', async () => {
    const names = ['a', 'b', 'c']
    for (const name of names) writeFileSync(join(directory, name), name)
    const open = names.map((name) => openSync(join(directory, name), 'r'))
    try {
      const { text } = await shell('/bin/cat <&3 <&3; /bin/cat <&4; /bin/cat <&5; /bin/ls /proc/$$/fd', [
        open[2]!,
        open[0]!,
        open[1]!,
      ])
      assert.equal(text.replaceAll('\n', ' '), 'cab0 1 2 3 4 5 ')
    } finally {
      for (const fd of open) closeSync(fd)
    }
  })

  it('has no signal blocked or ignored', async () => {
    const { text } = await run('/bin/grep', ['-E', '^Sig(Blk|Ign)', '/proc/self/status'])
    const [blocked, ignored] = [...text.matchAll(/\t(\w+)$/gm)].map(([, hex]) => BigInt(`0x${hex}`))
    const ofGlibc = (1n << 31n) | (1n << 32n) // 32 and 33, which it uses itself
    assert.deepEqual([blocked, ignored! & ~ofGlibc], [0n, 0n])
  })

  it('is gone after a signal, and after kill()', async () => {
    assert.equal((await shell('kill -SEGV $$')).code, -1)
    const child = new Child(loadAddon(), '/bin/sleep', ['60'], [])
    child.output.resume()
    child.kill()
    assert.equal(await child.ended, -1)
    child.kill()
    assert.throws(() => process.kill(child.pid, 0), { code: 'ESRCH' })
  })

  it('is ended when it closes its output and goes on', async () => {
    const { code, pid } = await shell('exec >&-; exec /bin/sleep 60')
    assert.equal(code, -1)
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  })

  it('is gone where SIGCHLD is ignored, as some that start us leave it', () => {
    const faces = ['addon', 'child'].map((name) => new URL(`../../src/native/${name}.js`, import.meta.url))
    const script = `import { loadAddon } from '${faces[0]}'
      import { Child } from '${faces[1]}'
      const child = new Child(loadAddon(), '/bin/cat', [], [])
      child.output.resume()
      child.kill()
      setTimeout(() => child.kill(), 100)
      console.log(await child.ended)`
    const args = ['--ignore-signal=CHLD', process.execPath, '--input-type=module', '-e', script]
    assert.equal(execFileSync('env', args, { encoding: 'utf8' }), '-1\n')
  })

  it('that cannot be started is an error that says why', () => {
    const start = (path: string, fds: number[] = []) => new Child(loadAddon(), path, [], fds)
    assert.throws(() => start('/nowhere'), { code: 'not_started', message: /\/nowhere: No such file/ })
    assert.throws(() => start('/etc/passwd'), { code: 'not_started', message: /Permission denied/ })
    assert.throws(() => start('/bin/true', [9999]), { code: 'not_started', message: /Bad file descriptor/ })
    assert.throws(() => loadAddon().reapChild(0), TypeError)
  })
})
