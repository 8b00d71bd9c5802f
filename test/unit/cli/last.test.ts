import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { parseArguments } from '../../../src/cli/arguments.ts'
import { runIn } from '../../../src/cli/run.ts'
import { decodeRequest } from '../../../src/otlp/decode.ts'
import { encodeProfilesData } from '../../../src/otlp/encode.ts'
import { toProfiles } from '../../../src/otlp/to-profiles.ts'
import { decodePprof } from '../../../src/pprof/decode.ts'
import { AgentServer } from '../../../src/server/agent-server.ts'
import { Recorder } from '../../../src/server/recorder.ts'
import { FAKE_REPORT, FakeWorld, fakeDeps, fakeProfile } from '../../helpers/fake-world.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

const folder = mkdtempSync(join(tmpdir(), 'emberscope-last-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const RUN = join(folder, 'run')
const NOW = new FakeWorld({ cwd: folder }).now().getTime()
const window = (endsBeforeMs: number, name: string) => ({
  ...profileOf([{ frames: ['main', name], count: 3 }], {
    ...FAKE_REPORT,
    target: { kind: 'all' as const, name: 'all', pids: [] },
  }),
  timeNs: BigInt(NOW - endsBeforeMs - 10_000) * 1_000_000n,
  durationNs: 10_000_000_000n,
})

async function run(argv: readonly string[], runDirectory = RUN) {
  const world = new FakeWorld({ cwd: folder, env: { EMBERSCOPE_RUN_DIR: runDirectory } })
  const code = await runIn(world, argv, fakeDeps(fakeProfile([]), world))
  return { code, out: world.stdout.text, err: world.stderr.text }
}

async function withAgent(
  windows: readonly ReturnType<typeof window>[],
  use: () => Promise<void>,
): Promise<void> {
  const server = new AgentServer({
    listen: 'off',
    token: '',
    recorder: new Recorder({ minutes: 15, maxBytes: 1 << 20 }),
    metrics: () => ({ contentType: '', body: '' }),
    health: () => ({ alive: true, ready: true, checks: [] }),
    runDirectory: RUN,
    encodeOtlp: (profile) => encodeProfilesData(profile, { name: 'by the agent', version: '' }),
  })
  await server.start()
  for (const one of windows) server.publish(one)
  await use().finally(() => server.close())
}

test('writes what the agent recorded, and the same summary as a capture', async () => {
  const windows = [window(400_000, 'old'), window(120_000, 'lately'), window(0, 'now')]
  await withAgent(windows, async () => {
    const { code, out, err } = await run(['--last', '5m', '--no-open', '-o', 'x.pb.gz', '-o', 'x.html'])
    assert.deepEqual(
      [code, err],
      [
        0,
        'profile: the agent remembers less than that: this profile begins at ' +
          `${new Date(NOW - 130_000).toTimeString().slice(0, 8)}, 2 min 10 s ago\n`,
      ],
    )
    assert.match(out, /^all processes of box · 20\.0 s/)
    assert.match(out, /→ x\.pb\.gz/)
    const names = decodePprof(gunzipSync(readFileSync(join(folder, 'x.pb.gz')))).functions.map((f) => f.name)
    assert.deepEqual(names.sort(), ['lately', 'main', 'now'])
    const all = await run(['--last', '1h', '-q', '-o', '-'])
    assert.deepEqual([all.code, all.out, all.err], [0, 'main;lately 3\nmain;now 3\nmain;old 3\n', ''])
    const json = await run(['--last', '15s', '--json', '-o', 'y.json'])
    assert.equal(JSON.parse(json.out).samples.captured, FAKE_REPORT.samples.captured)
  })
})

test('lets the agent write OTLP, which knows the resources, of the same windows; not what is to be hidden', async () => {
  await withAgent([window(20_000, 'old'), window(10_000, 'lately'), window(0, 'now')], async () => {
    const { code, err } = await run(['--last', '15s', '-q', '-o', 'z.otlp', '-o', 'z.otlp.json'])
    assert.deepEqual([code, err], [0, ''])
    const bytes = readFileSync(join(folder, 'z.otlp'))
    assert.ok(bytes.includes('by the agent'))
    const names = toProfiles(decodeRequest(bytes)).flatMap(({ profile }) =>
      profile.functions.map(({ name }) => name),
    )
    assert.deepEqual(names.sort(), ['lately', 'main', 'now'])
    assert.match(readFileSync(join(folder, 'z.otlp.json'), 'utf8'), /by the agent/)
    await run(['--last', '15s', '-q', '--redact', '-o', 'r.otlp'])
    assert.ok(!readFileSync(join(folder, 'r.otlp')).includes('by the agent'))
  })
})

test('names the default page after the time', async () => {
  await withAgent([window(0, 'now')], async () => {
    const { out } = await run(['--last', '10s', '--no-open'])
    assert.match(out, /profile-last-10s-20260501-143502\.html/)
  })
})

test('says that no agent runs, and how to start one', async () => {
  const nothing = await run(['--last', '5m'], join(folder, 'nowhere'))
  assert.equal(nothing.code, 4)
  assert.match(
    nothing.err,
    /^profile: no agent runs here \(there is no .*agent\.json\); start one with: sudo profile agent/,
  )
  const dead = mkdtempSync(join(folder, 'dead-'))
  const record = { pid: process.pid, startTicks: 1, url: '', socket: join(dead, 'agent.sock'), token: 't' }
  writeFileSync(join(dead, 'agent.json'), JSON.stringify(record))
  assert.match((await run(['--last', '5m'], dead)).err, /\(pid \d+\) has ended/)
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"pid":-1}',
    '{"pid":1,"startTicks":"x"}',
    'x'.repeat(100_000),
  ]) {
    writeFileSync(join(dead, 'agent.json'), text)
    assert.equal((await run(['--last', '5m'], dead)).code, 4, text.slice(0, 30))
  }
})

test('says that the record is not to be read', {
  skip: process.geteuid?.() === 0 && 'root may read everything',
}, async () => {
  const closed = mkdtempSync(join(folder, 'closed-'))
  writeFileSync(join(closed, 'agent.json'), '{}')
  chmodSync(join(closed, 'agent.json'), 0)
  const { code, err } = await run(['--last', '5m'], closed)
  assert.equal(code, 3)
  assert.match(err, /permission denied; run this command as the user of the agent/)
})

test('says what there is when nothing was recorded then', async () => {
  await withAgent([], async () => {
    const { code, err } = await run(['--last', '5m', '-o', 'z.html'])
    assert.equal(code, 5)
    assert.match(err, /has nothing of that time: it has recorded no window yet/)
  })
  await withAgent([window(600_000, 'old')], async () => {
    assert.match((await run(['--last', '5m'])).err, /its newest window ended at \d\d:\d\d:\d\d/)
  })
})

test('takes no target and nothing that decides how to sample', () => {
  for (const argv of [
    ['42'],
    ['--all'],
    ['-d', '5s'],
    ['-F', '9'],
    ['--comm', 'x'],
    ['--', 'ls'],
    ['-q', '-v'],
  ])
    assert.throws(() => parseArguments(['--last', '5m', ...argv]), { code: 'usage' }, argv.join(' '))
  assert.throws(() => parseArguments(['--last', 'soon']), { message: /^--last must be a time like/ })
  assert.throws(() => parseArguments(['--last', '5m', '-o', '-', '--json']), { code: 'usage' })
})
