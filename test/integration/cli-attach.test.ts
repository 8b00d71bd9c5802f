/** `profile PID` and its relatives as typed: files, exit codes, signals, what goes to which stream. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { startBusy, startIdle } from '../helpers/busy-process.ts'
import { skipUnless } from '../helpers/host.ts'
import { type RunOptions, runCommand, scratchDirectory } from '../helpers/profile-run.ts'

/** Long enough for samples on a host that is busy. */
const SAMPLED_MS = 1500

const busy = startBusy('busy-target')
const idle = startIdle()
const busyPid = String(busy.pid)
after(() => {
  busy.kill('SIGKILL')
  idle.kill('SIGKILL')
})

function signal(pid: number, name: NodeJS.Signals) {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended already: what it ended with is what the test looks at.
  }
}

/** Sends signals at these times (ms) after the command began to sample. */
function signalled(...plan: [NodeJS.Signals, number][]): Pick<RunOptions, 'onSampling'> {
  return {
    onSampling: (pid) => {
      for (const [name, ms] of plan) setTimeout(() => signal(pid, name), ms)
    },
  }
}

describe('profile PID', { skip: skipUnless() }, () => {
  it('writes one new page, prints at most 20 lines, and a line a phase on stderr', async () => {
    const cwd = scratchDirectory()
    const run = await runCommand([busyPid, '-d', '1'], { cwd })
    assert.equal(run.status, 0)
    const files = readdirSync(cwd)
    assert.equal(files.length, 1)
    assert.match(files[0]!, new RegExp(`^profile-\\S+-${busyPid}-\\d{8}-\\d{6}\\.html$`))
    assert.match(
      run.stdout,
      new RegExp(`\\(pid ${busyPid}\\) · 1\\.0 s · \\d\\.\\d\\d cores · \\d+ samples @ 99 Hz`),
    )
    assert.ok(run.stdout.trimEnd().split('\n').length <= 20)
    for (const percent of run.stdout.matchAll(/%.{2}/g)) assert.equal(percent[0], '% ±')
    assert.equal(run.stderr.split('\n').length, 4, run.stderr)
    assert.ok(!/\x1b|\r/.test(run.stdout + run.stderr), 'neither colour nor redraws into a pipe')
  })
  it('gives the page to the user behind sudo', async () => {
    const cwd = scratchDirectory()
    const run = await runCommand([busyPid, '-d', '0.5'], {
      cwd,
      env: { SUDO_UID: '65534', SUDO_GID: '65534' },
    })
    assert.equal(run.status, 0)
    const { uid, gid } = statSync(join(cwd, readdirSync(cwd)[0]!))
    assert.deepEqual([uid, gid], [65534, 65534])
  })
  it('takes a name, and all processes of that name together', async () => {
    const second = startBusy('busy-target')
    try {
      const run = await runCommand(['busy-target', '-d', '1', '--json', '-o', 'a.folded'], {
        cwd: scratchDirectory(),
      })
      assert.equal(run.status, 0, run.stderr)
      assert.deepEqual(
        JSON.parse(run.stdout).target.pids,
        [busy.pid, second.pid].sort((a, b) => a - b),
      )
    } finally {
      second.kill('SIGKILL')
    }
  })
  it('puts -o - alone on standard output', async () => {
    const run = await runCommand([busyPid, '-d', '0.5', '-o', '-'])
    assert.equal(run.status, 0)
    for (const line of run.stdout.trimEnd().split('\n')) assert.match(line, / \d+$/)
  })
  it('ends with its target and writes', async () => {
    const target = startBusy()
    const onSampling = () => void setTimeout(() => target.kill('SIGKILL'), SAMPLED_MS)
    const cwd = scratchDirectory()
    const run = await runCommand([String(target.pid), '-d', '60', '-o', 'a.folded'], { cwd, onSampling })
    assert.equal(run.status, 0, run.stderr)
    assert.ok(statSync(join(cwd, 'a.folded')).size > 0)
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`finishes and writes on ${signal}`, async () => {
      const cwd = scratchDirectory()
      const run = await runCommand([busyPid, '-d', '60', '-o', 'a.folded'], {
        cwd,
        ...signalled([signal, SAMPLED_MS]),
      })
      assert.equal(run.status, 0, run.stderr)
      assert.ok(statSync(join(cwd, 'a.folded')).size > 0)
    })
  }
  it('aborts with 130 on a second Ctrl-C and leaves no part of a file', async () => {
    const cwd = scratchDirectory()
    const statuses: (number | string)[] = []
    // The second one has to come while names are looked up, which may be over too soon: a few tries.
    while (statuses.length < 5 && !statuses.includes(130)) {
      const twice = signalled(['SIGINT', SAMPLED_MS], ['SIGINT', SAMPLED_MS + 15])
      statuses.push((await runCommand([busyPid, '-d', '60'], { cwd, ...twice })).status)
    }
    assert.equal(statuses.at(-1), 130, statuses.join(' '))
    assert.ok(readdirSync(cwd).every((name) => name.endsWith('.html')))
    assert.equal(readdirSync(cwd).length, statuses.length - 1)
  })
})

describe('bad input', { skip: skipUnless() }, () => {
  async function refused(args: string[], status: number, message: RegExp, options: RunOptions = {}) {
    const cwd = options.cwd ?? scratchDirectory()
    const before = readdirSync(cwd)
    const run = await runCommand(args, { cwd, ...options })
    assert.equal(run.status, status, run.stderr)
    assert.match(run.stderr, message)
    assert.equal(run.stderr.split('\n').length, 2, 'one clear line')
    assert.equal(run.stdout, '')
    assert.deepEqual(readdirSync(cwd), before)
  }
  it('names what is not there: exit 4', async () => {
    await refused(['4194305'], 4, /there is no process 4194305/)
    await refused(['no-such-name-anywhere'], 4, /no process is named/)
    await refused(['2'], 4, /kernel thread/)
    await refused([busyPid, '--cgroup', '/no/such'], 4, /there is no cgroup/)
  })
  it('refuses wrong usage: exit 2', async () => {
    await refused([busyPid, '-F', '0'], 2, /-F must be an integer from 1 to 999/)
    await refused([busyPid, '-d', '-1'], 2, /-d must be a time/)
    await refused([busyPid, '-o', '/proc/x.html'], 2, /cannot write \/proc\/x\.html/)
    await refused([busyPid, '--jsno'], 2, /did you mean --json\?/)
    const cwd = scratchDirectory()
    writeFileSync(join(cwd, 'a.html'), 'mine')
    await refused([busyPid, '-o', 'a.html'], 2, /it exists/, { cwd })
    assert.equal(readFileSync(join(cwd, 'a.html'), 'utf8'), 'mine')
  })
  it('tells a user the sudo line: exit 3', async (t) => {
    const within = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--inh-caps', '-all']
    const run = await runCommand([busyPid], { within, cwd: '/' })
    if (!run.stderr.startsWith('profile: ')) return t.skip('the checkout is closed to other users')
    assert.equal(run.status, 3, run.stderr)
    assert.match(run.stderr, /^profile: needs root, or CAP_BPF and CAP_PERFMON; run: sudo .*profile \d+\n$/)
  })
  it('calls an idle target what it is: exit 5, no file', async () => {
    const cwd = scratchDirectory()
    const run = await runCommand([String(idle.pid), '-d', '0.3'], { cwd })
    assert.equal(run.status, 5)
    assert.match(run.stderr, /no samples: .* on a CPU/)
    assert.deepEqual(readdirSync(cwd), [])
  })
  it('writes the other files when one disk is full, and says so: exit 2', async () => {
    const [cwd, small] = [scratchDirectory(), scratchDirectory()]
    const mount = `mount -t tmpfs -o size=16k none ${small} && "$@"; code=$?; ls -A ${small} >&2; exit $code`
    const within = ['unshare', '-m', 'sh', '-c', mount, 'sh']
    const args = [busyPid, '-d', '0.5', '-q', '-o', join(small, 'a.html'), '-o', 'b.folded']
    const run = await runCommand(args, { cwd, within })
    assert.equal(run.status, 2, run.stderr)
    assert.match(
      run.stderr,
      /^profile: cannot write \S+a\.html: no space left on the device\n$/,
      'and nothing is left there',
    )
    assert.ok(statSync(join(cwd, 'b.folded')).size > 0)
  })
})
