/** `profile agent` up to the point where the agent itself begins. */
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { agentHelpText } from '../../../src/cli/agent-help.ts'
import { parseArguments } from '../../../src/cli/arguments.ts'
import type { RunAgent } from '../../../src/cli/deps.ts'
import { runIn } from '../../../src/cli/run.ts'
import { flagOf, KEYS, variableOf } from '../../../src/config/schema.ts'
import { AgentError } from '../../../src/errors.ts'
import { startTicksOf, writeRecord } from '../../../src/server/agent-record.ts'
import { FakeWorld, type FakeWorldOptions, fakeDeps, fakeProfile } from '../../helpers/fake-world.ts'

const directory = mkdtempSync(join(tmpdir(), 'emberscope-cli-agent-'))

async function run(argv: readonly string[], options: Partial<FakeWorldOptions> = {}) {
  const world = new FakeWorld({ cwd: directory, ...options })
  const started: Parameters<RunAgent>[0][] = []
  const agent: RunAgent = async (request) => {
    started.push(request)
    return 0
  }
  const code = await runIn(world, ['agent', ...argv], { ...fakeDeps(fakeProfile([]), world), agent })
  return { code, out: world.stdout.text, err: world.stderr.text, started }
}

describe('the words of profile agent', () => {
  it('are flags with or without "=", the last of a kind, and switches', () => {
    assert.deepEqual(
      parseArguments([
        'agent',
        '--config',
        'a.yaml',
        '--queue-dir=/q',
        '--rate',
        '7',
        '--kernel-stacks',
        '--check',
      ]),
      {
        kind: 'agent',
        file: 'a.yaml',
        flags: [
          ['queue-dir', '/q'],
          ['rate', '7'],
          ['kernel-stacks', 'true'],
        ],
        printConfig: false,
        check: true,
        page: false,
      },
    )
    const { flags } = parseArguments(['agent', '--kernelStacks=false', '--token=--x']) as { flags: unknown }
    assert.deepEqual(flags, [
      ['kernelStacks', 'false'],
      ['token', '--x'],
    ])
  })
  const refused: readonly (readonly [argv: string[], message: RegExp])[] = [
    [['agent.yaml'], /takes options only, got "agent\.yaml"; did you mean --config agent\.yaml\?/],
    [['-x'], /got "-x"; see profile agent --help/],
    [['--quee-dir', '/q'], /unknown option --quee-dir; did you mean --queue-dir\?/],
    [['--xyzzy'], /unknown option --xyzzy; see profile agent --help/],
    [['--rate'], /--rate needs a value/],
    [['--rate', '--check'], /--rate needs a value, got the option --check/],
    [['--config='], /--config needs the path of a file/],
    [['--check=yes'], /--check takes no value, got "yes"/],
  ]
  for (const [argv, message] of refused)
    it(`refuses ${argv.join(' ')}`, () => {
      assert.throws(
        () => parseArguments(['agent', ...argv]),
        (error) => error instanceof AgentError && error.code === 'usage' && message.test(error.message),
      )
    })
  it('must be first; elsewhere agent is no command', () => {
    assert.throws(() => parseArguments(['--quiet', 'agent']), /is no option of profile agent|first word/)
  })
})

describe('profile agent', () => {
  it('tells where the page of the running agent is, and why there is none', async () => {
    const runDir = mkdtempSync(join(directory, 'run-'))
    const ask = () => run(['--page', '--run-dir', runDir])
    const none = await ask()
    assert.equal(none.code, 4)
    assert.match(none.err, /no agent runs here/)
    const record = { pid: process.pid, startTicks: startTicksOf(process.pid), socket: '', token: 'secret' }
    const url = 'http://127.0.0.1:9464/secret/'
    writeRecord(runDir, { ...record, url })
    assert.deepEqual(await ask(), { code: 0, out: `${url}\n`, err: '', started: [] })
    writeRecord(runDir, { ...record, url: '' })
    const closed = await ask()
    assert.equal(closed.code, 4)
    assert.match(closed.err, /has no page: its "listen" is off/)
    writeRecord(runDir, { ...record, startTicks: 1, url })
    assert.match((await ask()).err, /has ended/)
  })
  it('tells what is wrong with the configuration line by line', async () => {
    const file = join(directory, 'wrong.yaml')
    writeFileSync(file, 'rat: 11\nwindow: 2')
    const { code, err } = await run(['--config', file])
    assert.equal(code, 2)
    const [head, ...lines] = err.trimEnd().split('\n')
    assert.equal(head, 'profile: the configuration is wrong in 2 places:')
    assert.deepEqual(
      lines.map((line) => line.replace(directory, '')),
      [
        '  /wrong.yaml:1:1: unknown key "rat"; did you mean "rate"?',
        '  /wrong.yaml:2:9: "window" must be a time from 1s to 10m with its unit (ms, s, m, h), got 2',
      ],
    )
  })
  it('starts with file, environment and flags, and can load them again', async () => {
    const file = join(directory, 'agent.yaml')
    writeFileSync(file, 'rate: 11\nwindow: 2s')
    const env = { EMBERSCOPE_JITTER: '5%' }
    const { code, started } = await run(['--config', 'agent.yaml', '--rate', '13'], { env })
    assert.equal(code, 0)
    const [request] = started
    assert.equal(request!.file, file)
    const { rate, window, jitter } = request!.loaded.config
    assert.deepEqual([rate, window, jitter], [13, 2000, 0.05])
    writeFileSync(file, 'window: 4s')
    assert.equal((await request!.reload()).config.window, 4000)
  })
  it('takes the file that EMBERSCOPE_CONFIG names, unless a flag names another', async () => {
    writeFileSync(join(directory, 'a.yaml'), 'rate: 2')
    writeFileSync(join(directory, 'b.yaml'), 'rate: 3')
    const env = { EMBERSCOPE_CONFIG: 'a.yaml' }
    const rateOf = async (argv: string[]) => (await run(argv, { env })).started[0]!.loaded.config.rate
    assert.equal(await rateOf([]), 2)
    assert.equal(await rateOf(['--config', 'b.yaml']), 3)
  })
  it('refuses a wrong configuration with exit code 2, before it looks at the host', async () => {
    const { code, err, started } = await run(['--window', '1'], { host: { hasBtf: false } })
    assert.deepEqual([code, started.length], [2, 0])
    assert.match(err, /--window: "window" must be a time/)
  })
  it('says what is missing where it cannot run', async () => {
    const { code, err, started } = await run([], { host: { uid: 1000, capabilities: 0n } })
    assert.deepEqual([code, started.length], [3, 0])
    assert.match(err, /needs root, or CAP_BPF and CAP_PERFMON/)
  })
  it('prints the configuration, anywhere', async () => {
    const { code, out, started } = await run(['--print-config', '--rate', '7'], { host: { hasBtf: false } })
    assert.deepEqual([code, started.length], [0, 0])
    assert.match(out, /^rate: 7 # --rate$/m)
  })
  it('checks configuration and host, and says so by its exit code', async () => {
    const good = await run(['--check'])
    assert.equal(good.code, 0)
    assert.match(good.out, /^ok {7}configuration: 19 Hz, windows of 10 s, to http:\/\/localhost:4318$/m)
    const bad = await run(['--check'], { host: { hasBtf: false } })
    assert.equal(bad.code, 3)
    assert.match(bad.out, /^failed {3}.*BTF.*missing/m)
    assert.equal(bad.started.length + good.started.length, 0)
  })
})

describe('profile agent --help', () => {
  it('names every flag, variable and key, in 110 columns', async () => {
    const { code, out } = await run(['--help'])
    assert.deepEqual([code, out], [0, agentHelpText()])
    for (const { path } of KEYS)
      for (const word of [`--${flagOf(path)} `, variableOf(path), path]) assert.ok(out.includes(word), word)
    for (const line of out.split('\n')) assert.ok(line.length <= 110, line)
  })
})
