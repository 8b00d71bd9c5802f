import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { environmentOf, invokingUser } from '../../../src/cli/invoking-user.ts'
import { checkCommand, exitCodeOf, gateCommand, type Launched, launch } from '../../../src/cli/launch.ts'

const directory = mkdtempSync(join(tmpdir(), 'launch-'))
after(() => rmSync(directory, { recursive: true }))

function start(...argv: string[]): Promise<Launched> {
  return launch(argv, { cwd: directory, env: process.env, user: null })
}
async function exitOf(...argv: string[]): Promise<number> {
  const launched = await start(...argv)
  launched.release()
  return exitCodeOf(await launched.ended)
}

describe('launch', () => {
  it('runs nothing before the gate opens, then the command under the same pid', async () => {
    const proof = join(directory, 'proof')
    const launched = await start('sh', '-c', `echo $$ > ${proof}.new && mv ${proof}.new ${proof}; exit 0`)
    const early = await Promise.race([
      launched.ended,
      new Promise((done) => setTimeout(done, 100, 'waiting')),
    ])
    assert.equal(early, 'waiting')
    launched.release()
    launched.release()
    assert.deepEqual(await launched.ended, { code: 0, signal: null })
    const { readFileSync } = await import('node:fs')
    assert.equal(Number(readFileSync(proof, 'utf8')), launched.pid)
  })
  it('never runs a command whose gate is closed', async () => {
    const launched = await start('sh', '-c', 'exit 55')
    launched.cancel()
    assert.deepEqual(await launched.ended, { code: 130, signal: null })
  })
  it('gives exit codes and signals as a shell does', async () => {
    assert.equal(await exitOf('sh', '-c', 'exit 7'), 7)
    assert.equal(await exitOf('sh', '-c', 'kill -TERM $$'), 143)
    assert.equal(await exitOf('sh', '-c', 'kill -9 $$'), 137)
  })
  it('passes words untouched and leaves no descriptor or variable of ours', async () => {
    const script =
      'test "$1" = \'a  b"$x\' && test "$#" = 2 && test -z "$emberscope_gate" && ! test -e /proc/$$/fd/3'
    assert.equal(await exitOf('sh', '-c', script, 'name', 'a  b"$x', ''), 0)
  })
  it('says why a command could not be started', async () => {
    await assert.rejects(start('echo', 'x'.repeat(1 << 22)), {
      code: 'unsupported',
      message:
        'cannot start echo: its arguments and environment are longer than the kernel takes; shorten them',
    })
  })
  it('passes signals on', async () => {
    const launched = await start('sleep', '100')
    launched.release()
    launched.kill('SIGTERM')
    assert.equal(exitCodeOf(await launched.ended), 143)
  })
})

describe('gateCommand', () => {
  const ann = { uid: 1000, gid: 1001, name: 'ann', home: '/home/ann' }
  it('lets setpriv give the user their groups', () => {
    const { file, args, ids } = gateCommand(['ls'], ann, '/usr/bin/setpriv')
    assert.equal(file, '/usr/bin/setpriv')
    assert.deepEqual(args.slice(0, 6), ['--reuid', '1000', '--regid', '1001', '--init-groups', '--'])
    assert.deepEqual(ids, {})
  })
  it('falls back to plain ids without setpriv, and to no groups without a name', () => {
    assert.deepEqual(gateCommand(['ls'], ann, '').ids, { uid: 1000, gid: 1001 })
    assert.ok(gateCommand(['ls'], { ...ann, name: '' }, '/s').args.includes('--clear-groups'))
  })
  it('changes nobody without sudo', () => {
    assert.equal(gateCommand(['ls'], null, '/usr/bin/setpriv').file, '/bin/sh')
  })
})

describe('checkCommand', () => {
  const plain = join(directory, 'plain')
  writeFileSync(plain, '')
  chmodSync(plain, 0o644)
  const env = { PATH: `${directory}:/usr/bin:/bin` }
  it('accepts what exec would find', () => {
    assert.equal(checkCommand('sh', '/', env), null)
    assert.equal(checkCommand('/bin/sh', '/', env), null)
    assert.equal(checkCommand('./sh', '/bin', env), null)
  })
  it('says 127 for what is not there and 126 for what cannot run', () => {
    assert.deepEqual(checkCommand('nope', '/', env), {
      exitCode: 127,
      message: 'cannot run nope: not found on PATH',
    })
    assert.deepEqual(checkCommand('./nope', '/', env), {
      exitCode: 127,
      message: 'cannot run ./nope: no such file',
    })
    assert.equal(checkCommand('plain', '/', env)?.exitCode, 126)
    assert.equal(checkCommand('/', '/', env)?.exitCode, 126)
    assert.equal(checkCommand('', '/', env)?.exitCode, 127)
  })
  it('passes over what on PATH cannot be looked at', () => {
    const circle = join(directory, 'circle')
    symlinkSync('circle', circle)
    const path = `${circle}:${'n'.repeat(300)}:/usr/bin:/bin`
    assert.equal(checkCommand('sh', '/', { PATH: path }), null)
    assert.equal(checkCommand('nope', '/', { PATH: path })?.exitCode, 127)
    assert.equal(checkCommand(`./${'n'.repeat(300)}`, '/', env)?.exitCode, 127)
  })
  it('points at the PATH that sudo replaced', () => {
    assert.match(checkCommand('nope', '/', { ...env, SUDO_UID: '1000' })!.message, /sudo replaces PATH/)
  })
})

describe('invokingUser', () => {
  const passwd = () => [['ann', 'x', '1000', '1001', '', '/home/ann', '/bin/sh']]
  const sudo = { SUDO_UID: '1000', SUDO_GID: '1001', SUDO_USER: 'ann', USER: 'root', HOME: '/root' }
  it('is the user behind sudo', () => {
    assert.deepEqual(invokingUser(0, sudo, passwd), { uid: 1000, gid: 1001, name: 'ann', home: '/home/ann' })
    assert.deepEqual(
      invokingUser(0, sudo, () => []),
      { uid: 1000, gid: 1001, name: 'ann', home: '' },
    )
  })
  it("is nobody without root, without sudo, for root's own sudo and for nonsense", () => {
    assert.equal(invokingUser(1000, sudo, passwd), null)
    assert.equal(invokingUser(0, {}, passwd), null)
    assert.equal(invokingUser(0, { ...sudo, SUDO_UID: '0' }, passwd), null)
    assert.equal(invokingUser(0, { ...sudo, SUDO_UID: '-1' }, passwd), null)
    assert.equal(invokingUser(0, { ...sudo, SUDO_GID: 'x' }, passwd), null)
  })
  it('gets their own home back, and the rest as sudo left it', () => {
    const env = environmentOf(invokingUser(0, sudo, passwd), { ...sudo, PATH: '/bin' })
    assert.deepEqual([env.HOME, env.USER, env.LOGNAME, env.PATH], ['/home/ann', 'ann', 'ann', '/bin'])
    assert.equal(environmentOf(null, sudo), sudo)
  })
})
