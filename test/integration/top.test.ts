/** `profile top` on a real terminal with the real sampler: what it draws, its keys, and that it always gives the terminal back. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { packageRoot } from '../../src/native/addon.ts'
import { startBusy } from '../helpers/busy-process.ts'
import { skipUnless } from '../helpers/host.ts'
import { runCommand } from '../helpers/profile-run.ts'

type Step =
  | { readonly wait: string }
  | { readonly send: string }
  | { readonly signal: number }
  | { readonly stopped: true }
  | { readonly mark: true }

interface TerminalRun {
  readonly problem: string
  readonly code: number | null
  readonly output: string
  /** The terminal edits lines again, as shells want it. */
  readonly isCooked: boolean
}

/** Runs a command on a terminal of 100 x 24. */
async function onTerminal(
  argv: readonly string[],
  steps: readonly Step[],
  env: Readonly<Record<string, string>> = {},
): Promise<TerminalRun> {
  const child = spawn('python3', [join(packageRoot(), 'test/helpers/pty-run.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const terminal = { TERM: 'xterm-256color', LANG: 'C.UTF-8', ...env }
  child.stdin.end(JSON.stringify({ argv, steps, env: terminal, rows: 24, columns: 100, timeout: 60 }))
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  await once(child, 'close')
  return JSON.parse(text) as TerminalRun
}

const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
const profile = (...args: string[]): string[] => [
  process.execPath,
  join(packageRoot(), 'bin/profile'),
  ...args,
]

function assertGivenBack(run: TerminalRun, code: number): void {
  assert.equal(run.problem, '', run.output.slice(-2000))
  assert.equal(run.code, code)
  assert.ok(run.isCooked, 'the terminal is still raw')
  assert.ok(run.output.startsWith(ENTER))
  assert.ok(run.output.trimEnd().endsWith(LEAVE), JSON.stringify(run.output.slice(-80)))
  assert.equal(run.output.split(ENTER).length, run.output.split(LEAVE).length)
}

const busy = startBusy('busy-top')
after(() => busy.kill('SIGKILL'))

describe('profile top on a terminal', { skip: skipUnless('python3') }, () => {
  it('draws the target every second, answers keys, and quits by q', async () => {
    const run = await onTerminal(profile('top', String(busy.pid)), [
      { wait: '(pid ' },
      { wait: ' cores · ' },
      { wait: ' samples in 2 s' },
      { send: '\r' },
      { wait: 'called by' },
      { send: '\x1b' },
      { wait: 'q quit' },
      { send: '/nothing-of-that-name\r' },
      { wait: 'no function or process matches' },
      { send: '\x1b' },
      { send: 'p' },
      { wait: 'PAUSED' },
      { send: '?' },
      { wait: 'ctrl-c   ' },
      { send: 'qq' },
    ])
    assertGivenBack(run, 0)
    assert.match(run.output, /0 lost · complete \d+\.\d% ±\d/)
  })

  it('gives the terminal back by Ctrl-C and by every signal that ends it', async () => {
    for (const end of [{ send: '\x03' }, { signal: 15 }, { signal: 1 }, { signal: 2 }] as const)
      assertGivenBack(await onTerminal(profile('top'), [{ wait: 'samples in 1 s' }, end]), 0)
  })

  it('stops like other programs by Ctrl-Z and SIGTSTP, and goes on', async () => {
    for (const stop of [{ send: '\x1a' }, { signal: 20 }] as const) {
      const run = await onTerminal(profile('top'), [
        { wait: 'samples in 1 s' },
        stop,
        { stopped: true },
        { mark: true },
        { signal: 18 },
        { wait: ENTER },
        { wait: 'samples in' },
        { send: 'q' },
      ])
      assertGivenBack(run, 0)
    }
  })

  it('gives it back when it fails, and says why on the screen that stays', async () => {
    const preload = join(packageRoot(), 'test/helpers/throw-later.cjs')
    const run = await onTerminal(
      [process.execPath, '--require', preload, ...profile('top').slice(1)],
      [{ wait: 'waiting for the first second' }],
    )
    assert.equal(run.problem, '')
    assert.notEqual(run.code, 0)
    assert.ok(run.isCooked)
    assert.ok(run.output.includes(LEAVE))
  })

  it('uses no colour with NO_COLOR, and no screen with TERM=dumb', async () => {
    const plain = await onTerminal(profile('top'), [{ wait: 'samples in 1 s' }, { send: 'q' }], {
      NO_COLOR: '1',
    })
    assert.doesNotMatch(plain.output.replaceAll(ENTER, '').replaceAll(LEAVE, ''), /\x1b\[[0-9;]*m/)
    const dumb = await onTerminal(profile('top', '-d', '2s'), [], { TERM: 'dumb' })
    assert.equal(dumb.code, 0)
    assert.ok(!dumb.output.includes('\x1b'))
    assert.match(dumb.output, /samples in 1 s/)
  })
})

describe('profile top in a pipe', { skip: skipUnless() }, () => {
  it('prints one object a second with --json, with the target in it', async () => {
    const { status, stdout } = await runCommand(['top', String(busy.pid), '--json', '-d', '2500ms'])
    assert.equal(status, 0)
    const objects = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.ok(objects.length >= 2)
    for (const { schema, samples, cores } of objects.slice(0, 2)) {
      assert.equal(schema, 'emberscope.top/1')
      assert.ok(samples > 0 && cores <= 1.2, `${samples} samples, ${cores} cores`)
    }
  })

  it('ends when nobody reads it any more', async () => {
    const [file, ...args] = profile('top', String(busy.pid)) as [string, ...string[]]
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = once(child, 'exit')
    await once(child.stdout, 'data')
    child.stdout.destroy()
    assert.deepEqual(await ended, [0, null])
    assert.equal(child.stderr.read(), null)
  })
})
