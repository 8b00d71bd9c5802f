/** `profile -- COMMAND`: from the first instruction, streams and exit code its own, Ctrl-C its own. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { packageRoot } from '../../src/native/addon.ts'
import { until } from '../helpers/busy-process.ts'
import { skipUnless } from '../helpers/host.ts'
import { runCommand, runProfile, scratchDirectory } from '../helpers/profile-run.ts'

/** Long enough for a sample on a busy machine. */
const SAMPLED_MS = 700
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
    const { profile } = await runProfile(['--', 'sh', '-c', `(${BUSY}) & (${BUSY}) & wait`])
    const pids = new Set(profile.labelSets.map((labels) => labels.find((l) => l.key === 'pid')?.num))
    assert.ok(pids.size >= 2, `samples of ${pids.size} processes`)
  })
  it('samples a command that lives 50 ms from its first instruction', async () => {
    const short = `const end = Date.now() + 50; while (Date.now() < end);`
    const { report } = await runProfile(['-F', '999', '--', process.execPath, '-e', short])
    // Starting node takes some 40 ms of CPU before the loop does: without the gate most of it would be missed.
    assert.ok(report.samples.kept >= 40, `${report.samples.kept} samples`)
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
        void until('the command runs', () => existsSync(join(cwd, 'ready')))
          .then(() => sleep(SAMPLED_MS))
          .then(() => process.kill(pid, 'SIGTERM'))
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
    const command = `exec '${process.execPath}' '${profile}' -o a.folded -- sh -c '${inner}'`
    const terminal = spawn('script', ['-qefc', command, '/dev/null'], {
      cwd,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let screen = ''
    terminal.stdout.on('data', (data) => {
      screen += data
    })
    await until('the command runs', () => existsSync(join(cwd, 'ready')))
    await sleep(SAMPLED_MS)
    terminal.stdin.write('\x03')
    const [status] = await once(terminal, 'close')
    assert.equal(status, 9, screen)
    assert.ok(existsSync(join(cwd, 'a.folded')))
  })
})
