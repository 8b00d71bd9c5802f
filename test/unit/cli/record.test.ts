import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Deps as AllDeps } from '../../../src/cli/deps.ts'
import { runIn } from '../../../src/cli/run.ts'
import { AgentError } from '../../../src/errors.ts'
import {
  FakeWorld,
  type FakeWorldOptions,
  fakeDeps,
  fakeProcess,
  fakeProfile,
} from '../../helpers/fake-world.ts'

const PROFILE = fakeProfile([
  { frames: [{ name: 'main' }, { name: 'hot' }], samples: 3 },
  { frames: [{ name: 'main' }, { name: 'cold' }], samples: 1 },
])
const PROCESSES = [
  fakeProcess(4242, 'node', { argv: ['node', 'app.js', '--token=secret word'] }),
  fakeProcess(11, 'nginx'),
  fakeProcess(12, 'nginx'),
]

let cwd = ''
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'record-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

function worldOf(options: Partial<FakeWorldOptions> = {}): FakeWorld {
  return new FakeWorld({ cwd, processes: PROCESSES, ...options })
}
/** What `record` uses of it. */
type Deps = Pick<AllDeps, 'capture'>

async function runRecord(argv: string[], world = worldOf(), deps: Deps = fakeDeps(PROFILE, world)) {
  const code = await runIn(world, argv, { ...fakeDeps(PROFILE, world), ...deps })
  return { code, out: world.stdout.text, err: world.stderr.text, world, deps }
}
const OUT = ['-o', 'a.folded']

describe('--redact', () => {
  it('hides in the report on standard output what it hides in the files', async () => {
    const world = worldOf()
    const host = { ...PROFILE.capture!.host, name: 'secret-host' }
    const functions = PROFILE.functions.map((entry) => ({ ...entry, fileName: '/home/alice/a.c' }))
    const secret = { ...PROFILE, functions, capture: { ...PROFILE.capture!, host } }
    const argv = ['4242', '--json', '--redact', '-o', 'a.json']
    const { code, out, err } = await runRecord(argv, world, fakeDeps(secret, world))
    assert.equal(code, 0, err)
    assert.match(err, /hidden: .*1 host name/)
    assert.match(JSON.parse(out).top[0].file, /^path-[0-9a-f]{8}\.c$/)
    for (const text of [out, readFileSync(join(cwd, 'a.json'), 'utf8')])
      assert.doesNotMatch(text, /secret-host|alice/)
  })
  it('is refused with what keeps texts on purpose', async () => {
    for (const option of ['--command-line', '--source']) {
      const { code, err } = await runRecord(['4242', '--redact', option])
      assert.equal(code, 2)
      assert.ok(err.includes(`--redact hides what ${option} keeps; use one`), err)
    }
  })
})

describe('profile PID', () => {
  it('asks for 10 s at 99 Hz with kernel frames, and prints the summary', async () => {
    const world = worldOf()
    const deps = fakeDeps(PROFILE, world)
    const { code, out, err } = await runRecord(['4242', ...OUT], world, deps)
    assert.equal(code, 0)
    const { stop, ...request } = deps.seen[0]!
    assert.deepEqual(request, {
      target: { kind: 'pids', pids: [4242], name: 'node' },
      durationMs: 10_000,
      rateHz: 99,
      kernelStacks: true,
      comm: '',
      source: false,
      cgroupPath: '',
    })
    assert.equal(stop.aborted, false)
    assert.match(out, /^node \(pid 4242\)/)
    assert.match(out, / → a\.folded \(23 B\)\n$/)
    assert.ok(out.split('\n').length <= 21)
    assert.equal(
      err,
      'profile: sampling node (4242) at 99 Hz for 10 s\nprofile: reading symbols\nprofile: writing files\n',
    )
    assert.equal(readFileSync(join(cwd, 'a.folded'), 'utf8'), 'main;cold 1\nmain;hot 3\n')
  })
  it('takes all processes of a name together', async () => {
    const world = worldOf()
    const deps = fakeDeps(PROFILE, world)
    await runRecord(['nginx', ...OUT], world, deps)
    assert.deepEqual(deps.seen[0]!.target, { kind: 'pids', pids: [11, 12], name: 'nginx' })
  })
  it('writes every -o in its format', async () => {
    const files = ['a.pb.gz', 'a.pprof', 'a.folded', 'a.speedscope.json', 'a.json']
    const { code } = await runRecord(['4242', ...files.flatMap((f) => ['-o', f])])
    assert.equal(code, 0)
    assert.deepEqual(readdirSync(cwd).sort(), files.sort())
    assert.ok(gunzipSync(readFileSync(join(cwd, 'a.pb.gz'))).includes('hot'))
    assert.ok(JSON.parse(readFileSync(join(cwd, 'a.speedscope.json'), 'utf8')).shared)
    assert.ok(JSON.parse(readFileSync(join(cwd, 'a.json'), 'utf8')).schema)
  })
  it('prints exactly one object with --json, the files and the writing time in it', async () => {
    const { code, out } = await runRecord(['4242', '--json', ...OUT])
    assert.equal(code, 0)
    assert.equal(out.trim().split('\n').length, 1)
    const report = JSON.parse(out)
    assert.deepEqual(report.files, [{ path: 'a.folded', format: 'folded', bytes: 23 }])
    assert.equal(report.timing.last_sample_to_files_ns, 250_000_000)
    assert.deepEqual(report.samples, { captured: 1000, kept: 990, dropped: { ring_full: 10, malformed: 0 } })
  })
  it('puts -o - on standard output and the summary on the other', async () => {
    const { out, err } = await runRecord(['4242', '-o', '-'])
    assert.equal(out, 'main;cold 1\nmain;hot 3\n')
    assert.match(err, /\nnode \(pid 4242\)/)
  })
  it('says nothing with -q and everything with -v', async () => {
    const quiet = await runRecord(['4242', '-q', ...OUT])
    assert.deepEqual([quiet.code, quiet.out, quiet.err], [0, '', ''])
    const { err } = await runRecord(['4242', '-v', '-o', 'b.folded'])
    assert.match(err, /samples {2}captured 1000 = kept 990 \+ dropped 10/)
  })
  it('keeps the command line out of the files unless asked', async () => {
    await runRecord(['4242', '-o', 'a.json'])
    await runRecord(['4242', '--command-line', '-o', 'b.json'])
    assert.ok(!readFileSync(join(cwd, 'a.json'), 'utf8').includes('secret'))
    assert.ok(
      readFileSync(join(cwd, 'b.json'), 'utf8').includes("command: node app.js '--token=secret word'"),
    )
  })
})

describe('refusals before sampling', () => {
  async function refused(
    argv: string[],
    code: number,
    message: RegExp,
    options: Partial<FakeWorldOptions> = {},
  ) {
    const world = worldOf(options)
    const deps = fakeDeps(PROFILE, world)
    const result = await runRecord(argv, world, deps)
    assert.equal(result.code, code)
    assert.match(result.err, message)
    assert.equal(result.err.trim().split('\n').length, 1, 'one line')
    assert.equal(deps.seen.length, 0)
    assert.equal(world.launches.length, 0)
  }
  it('are usage (2)', async () => {
    await refused(['4242', '-F', '0'], 2, /^profile: -F must be/)
    writeFileSync(join(cwd, 'x.html'), '')
    await refused(['4242', '-o', 'x.html'], 2, /it exists/)
    await refused(['4242', '-o', 'no/x.html'], 2, /does not exist/)
  })
  it('are a missing privilege (3), with the command line to repeat', async () => {
    const user = { uid: 1000, host: { capabilities: 0n } }
    const line = /^profile: needs root, or CAP_BPF and CAP_PERFMON; run: sudo profile 4242 -o 'a b\.html'\n$/
    await refused(['4242', '-o', 'a b.html'], 3, line, user)
    await refused(['--', 'sh'], 3, /run: sudo profile -- sh\n$/, user)
  })
  it('are an unknown target (4)', async () => {
    await refused(['4243'], 4, /there is no process 4243/)
    await refused(['ngin'], 4, /did you mean nginx \(11, 12\)\?/)
  })
  it('are a command that is not there (127) or cannot run (126)', async () => {
    await refused(['--', 'no-such-command'], 127, /cannot run no-such-command: not found on PATH/)
    writeFileSync(join(cwd, 'plain'), '', { mode: 0o644 })
    await refused(['--', './plain'], 126, /not executable/)
    await refused(['--', '/'], 126, /is a directory/)
  })
})

describe('faults', () => {
  const failing = (error: unknown): Deps => ({
    capture: async () => {
      throw error
    },
  })
  it('of the capture keep their exit code', async () => {
    const { code, err } = await runRecord(
      ['4242'],
      worldOf(),
      failing(new AgentError('no_samples', 'no samples: idle')),
    )
    assert.equal(code, 5)
    assert.equal(err, 'profile: no samples: idle\n')
  })
  it('of ours are 1, in one line, with the stack on request', async () => {
    const plain = await runRecord(['4242'], worldOf(), failing(new TypeError('x is\nnot y')))
    assert.equal(plain.code, 1)
    assert.match(plain.err, /^profile: internal error: x is not y; please report it .*\n$/)
    const loud = await runRecord(
      ['4242'],
      worldOf({ env: { EMBERSCOPE_DEBUG: '1' } }),
      failing(new TypeError('x')),
    )
    assert.match(loud.err, /\n {4}at /)
  })
  it('of one file leave the others and the summary, exit 2', async () => {
    const world = worldOf()
    const inner = fakeDeps(PROFILE, world)
    const deps: Deps = {
      capture: async (request, hooks) => {
        writeFileSync(join(cwd, 'a.json'), 'appeared meanwhile')
        return inner.capture(request, hooks)
      },
    }
    const { code, out, err } = await runRecord(['4242', '-o', 'a.json', '-o', 'b.folded'], world, deps)
    assert.equal(code, 2)
    assert.match(err, /profile: cannot write a\.json: it was created meanwhile/)
    assert.match(out, /→ b\.folded/)
    assert.deepEqual(readdirSync(cwd).sort(), ['a.json', 'b.folded'])
  })
})

describe('signals', () => {
  /** A capture that runs until it is stopped. */
  function endless(world: FakeWorld): Deps & { running: Promise<void> } {
    let started = (): void => {}
    const running = new Promise<void>((done) => {
      started = done
    })
    return {
      running,
      capture: (request, hooks) =>
        new Promise((done) => {
          hooks.onReady()
          started()
          const end = (): void => done({ profile: PROFILE, lastSampleMonotonicNs: world.clockNs })
          request.stop.addEventListener('abort', end)
          if (request.target.kind === 'command') void request.target.ended.then(end)
        }),
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`${signal} ends the capture and writes`, async () => {
      const world = worldOf()
      const deps = endless(world)
      const result = runRecord(['4242', ...OUT], world, deps)
      await deps.running
      world.signal(signal)
      assert.equal((await result).code, 0)
      assert.deepEqual(readdirSync(cwd), ['a.folded'])
      assert.equal(world.signal(signal), false, 'handlers are gone')
    })
  }
  it('a second Ctrl-C aborts with 130', async () => {
    const world = worldOf()
    const deps: Deps = {
      capture: async (_request, hooks) => {
        hooks.onReady()
        world.signal('SIGINT')
        world.signal('SIGINT')
        return { profile: PROFILE, lastSampleMonotonicNs: 0n }
      },
    }
    await runRecord(['4242', ...OUT], world, deps)
    assert.deepEqual(world.exits, [130])
  })
  it("Ctrl-C during a command is the command's own; its end ends the capture", async () => {
    const world = worldOf()
    const deps = endless(world)
    const result = runRecord(['-o', 'a.folded', '--', 'sh'], world, deps)
    await deps.running
    world.signal('SIGINT')
    world.clockNs += 10_000_000_000n
    world.signal('SIGINT')
    assert.deepEqual(world.childEvents, ['release'])
    assert.deepEqual(world.exits, [])
    world.endChild({ code: null, signal: 'SIGINT' })
    assert.equal((await result).code, 130)
    assert.deepEqual(readdirSync(cwd), ['a.folded'])
  })
  it('two Ctrl-C close together abort, and end the command', async () => {
    const world = worldOf()
    const deps = endless(world)
    const result = runRecord(['-o', 'a.folded', '--', 'sh'], world, deps)
    await deps.running
    world.signal('SIGINT')
    world.signal('SIGINT')
    assert.deepEqual(world.exits, [130])
    assert.deepEqual(world.childEvents, ['release', 'cancel', 'SIGTERM'])
    world.endChild({ code: 0, signal: null })
    await result
  })
  it('TERM and HUP are passed on to a command', async () => {
    const world = worldOf()
    const deps = endless(world)
    const result = runRecord(['-o', 'a.folded', '--', 'sh'], world, deps)
    await deps.running
    world.signal('SIGTERM')
    world.signal('SIGHUP')
    assert.deepEqual(world.childEvents, ['release', 'SIGTERM', 'SIGHUP'])
    world.endChild({ code: null, signal: 'SIGTERM' })
    assert.equal((await result).code, 143)
  })
})

describe('profile -- COMMAND', () => {
  async function launchWith(argv: string[], status = { code: 7, signal: null }) {
    const world = worldOf()
    const inner = fakeDeps(PROFILE, world)
    const deps: Deps = {
      capture: async (request, hooks) => {
        const result = await inner.capture(request, hooks)
        world.endChild(status)
        return result
      },
    }
    return { ...(await runRecord(argv, world, deps)), seen: inner.seen }
  }
  it('has no time limit, exits as the command does, and speaks on stderr only', async () => {
    const { code, out, err, seen, world } = await launchWith(['-o', 'a.folded', '--', 'sh', '-c', 'exit 7'])
    assert.equal(code, 7)
    assert.equal(out, '')
    assert.match(err, /^node \(pid 4242\)/, 'no progress, then the summary')
    assert.equal(seen[0]!.durationMs, null)
    assert.deepEqual(world.launches[0]!.argv, ['sh', '-c', 'exit 7'])
    assert.deepEqual(world.childEvents, ['release'])
  })
  it('puts --json on stderr', async () => {
    const { out, err } = await launchWith(['--json', '-o', 'a.folded', '--', 'sh'])
    assert.equal(out, '')
    assert.equal(JSON.parse(err).schema, 'emberscope.report/1')
  })
  it('exits as the command does when there were no samples', async () => {
    const world = worldOf()
    const deps: Deps = {
      capture: async (_request, hooks) => {
        hooks.onReady()
        world.endChild({ code: 3, signal: null })
        throw new AgentError('no_samples', 'no samples: sh used no CPU')
      },
    }
    const { code, err } = await runRecord(['--', 'sh'], world, deps)
    assert.equal(code, 3)
    assert.equal(err, 'profile: no samples: sh used no CPU\n')
  })
  it('does not run the command when the capture cannot start', async () => {
    const world = worldOf()
    const deps: Deps = {
      capture: async () => {
        world.endChild({ code: 130, signal: null })
        throw new AgentError('unsupported', 'cannot load the programs')
      },
    }
    const { code } = await runRecord(['--', 'sh'], world, deps)
    assert.equal(code, 3)
    assert.deepEqual(world.childEvents, ['cancel'])
  })
  it('runs it as the user behind sudo', async () => {
    const env = { SUDO_UID: '1000', SUDO_GID: '1000', SUDO_USER: 'ann', PATH: '/usr/bin:/bin' }
    const world = worldOf({ env })
    const inner = fakeDeps(PROFILE, world)
    const deps: Deps = {
      capture: async (request, hooks) => {
        world.endChild({ code: 0, signal: null })
        return inner.capture(request, hooks)
      },
    }
    await runRecord(['-o', '/dev/null/x.folded', '--', 'sh'], world, deps)
    assert.equal(world.launches.length, 0, 'a bad output is found before the command starts')
    await runRecord(['-o', 'a.folded', '--', 'sh'], world, deps)
    assert.equal(world.launches[0]!.options.user?.uid, 1000)
  })
})
