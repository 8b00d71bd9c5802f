/** `profile -- COMMAND`: from the first instruction, streams and exit code its own, Ctrl-C its own. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { packageRoot } from '../../src/native/addon.ts'
import { until } from '../helpers/busy-process.ts'
import { skipUnless } from '../helpers/host.ts'
import { runCommand, scratchDirectory } from '../helpers/profile-run.ts'

const BUSY = 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'

describe('profile -- COMMAND', { skip: skipUnless() }, () => {
  it('leaves standard output to the command and speaks on stderr after it', async () => {
    const cwd = scratchDirectory()
    const run = await runCommand(
      ['-o', 'a.folded', '--', 'sh', '-c', `${BUSY}; echo out; echo err >&2; exit 7`],
      { cwd },
    )
    assert.equal(run.status, 7)
    assert.equal(run.stdout, 'out\n')
    assert.match(run.stderr, /^err\nsh \(pid \d+\)/)
    assert.ok(statSync(join(cwd, 'a.folded')).size > 0)
  })
  it('gives the exit codes of a shell', async () => {
    const status = async (...command: string[]) => (await runCommand(['-q', '--', ...command])).status
    assert.equal(await status('true'), 0)
    assert.equal(await status('sh', '-c', 'kill -TERM $$'), 143)
    assert.equal(await status('no-such-command-anywhere'), 127)
    assert.equal(await status('/etc/passwd'), 126)
  })
  it('hands over standard input, directory and words', async () => {
    const cwd = scratchDirectory()
    const profile = join(packageRoot(), 'bin/profile')
    const child = spawn(
      process.execPath,
      [profile, '-q', '--', 'sh', '-c', 'pwd; cat; echo "[$1]"', 'sh', 'a  b'],
      { cwd },
    )
    let out = ''
    child.stdout.on('data', (data) => {
      out += data
    })
    child.stdin.end('hello\n')
    await once(child, 'close')
    assert.equal(out, `${cwd}\nhello\n[a  b]\n`)
  })
  it('follows children from their start', async () => {
    const cwd = scratchDirectory()
    const script = `(${BUSY}) & (${BUSY}) & wait`
    const run = await runCommand(['--json', '-o', 'a.json', '--', 'sh', '-c', script], { cwd })
    assert.equal(run.status, 0, run.stderr)
    const text = readFileSync(join(cwd, 'a.json'), 'utf8')
    const labels = new Set([...text.matchAll(/"key":"pid","num":"?(\d+)/g)].map((m) => m[1]))
    assert.ok(labels.size >= 2 || !text.includes('"key":"pid"'), `pids ${[...labels]}`)
  })
  it('runs it as the user behind sudo, with their home', async () => {
    const env = { SUDO_UID: '65534', SUDO_GID: '65534', SUDO_USER: 'nobody', USER: 'root', HOME: '/root' }
    const run = await runCommand(
      ['-q', '--', 'sh', '-c', 'id -u; id -g; echo $HOME; grep CapEff /proc/self/status'],
      { env, cwd: '/' },
    )
    assert.equal(run.status, 0, run.stderr)
    assert.equal(run.stdout, '65534\n65534\n/nonexistent\nCapEff:\t0000000000000000\n')
  })
  it('stops sampling at -d, writes, and lets the command go on', async () => {
    const cwd = scratchDirectory()
    const script = 'i=0; while [ ! -e a.folded ]; do i=$((i+1)); done; echo saw it; exit 4'
    const run = await runCommand(['-d', '0.5', '-o', 'a.folded', '--', 'sh', '-c', script], { cwd })
    assert.equal(run.status, 4, run.stderr)
    assert.equal(run.stdout, 'saw it\n')
  })
  it('passes TERM on and exits as the command does', async () => {
    const cwd = scratchDirectory()
    const script = 'trap "exit 9" TERM; : > ready; while :; do :; done'
    const run = await runCommand(['-o', 'a.folded', '--', 'sh', '-c', script], {
      cwd,
      onStarted: (pid) => {
        void until('the command runs', () => existsSync(join(cwd, 'ready'))).then(() =>
          process.kill(pid, 'SIGTERM'),
        )
      },
    })
    assert.equal(run.status, 9, run.stderr)
    assert.ok(existsSync(join(cwd, 'a.folded')))
  })
  it('lets Ctrl-C of a terminal reach the command, and finishes when it ends', {
    skip: skipUnless('script'),
  }, async () => {
    const cwd = scratchDirectory()
    const inner = 'trap "exit 9" INT; : > ready; while :; do :; done'
    const profile = join(packageRoot(), 'bin/profile')
    const command = `'${process.execPath}' '${profile}' -o a.folded -- sh -c '${inner}'`
    const terminal = spawn('script', ['-qefc', command, '/dev/null'], {
      cwd,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let screen = ''
    terminal.stdout.on('data', (data) => {
      screen += data
    })
    await until('the command runs', () => existsSync(join(cwd, 'ready')))
    await new Promise((done) => setTimeout(done, 300))
    terminal.stdin.write('\x03')
    const [status] = await once(terminal, 'close')
    assert.equal(status, 9, screen)
    assert.ok(existsSync(join(cwd, 'a.folded')))
  })
})
