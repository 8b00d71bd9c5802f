/** The installed command itself, and what it does with files: open, export, doctor. Needs no root but for the doctor. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { packageRoot } from '../../src/native/addon.ts'
import { startBusy } from '../helpers/busy-process.ts'
import { skipUnless } from '../helpers/host.ts'
import { runCommand, scratchDirectory } from '../helpers/profile-run.ts'

const BIN = join(packageRoot(), 'bin/profile')

describe('bin/profile', () => {
  it('works from any directory and through links', () => {
    const directory = scratchDirectory()
    symlinkSync(BIN, join(directory, 'one'))
    symlinkSync('one', join(directory, 'profile'))
    const { status, stdout } = spawnSync('./profile', ['--version'], { cwd: directory, encoding: 'utf8' })
    assert.equal(status, 0)
    assert.match(stdout, /^profile \d+\.\d+\.\d+\n$/)
  })
  it('says what to run when it is not built: exit 3', () => {
    const directory = scratchDirectory()
    mkdirSync(join(directory, 'bin'))
    cpSync(BIN, join(directory, 'bin/profile'))
    cpSync(join(packageRoot(), 'bin/package.json'), join(directory, 'bin/package.json'))
    const { status, stderr } = spawnSync(process.execPath, [join(directory, 'bin/profile')], {
      encoding: 'utf8',
    })
    assert.equal(status, 3)
    assert.equal(stderr, `profile: is not built yet; run: npm start (in ${directory})\n`)
  })
  it('alone prints usage: exit 2', async () => {
    const run = await runCommand([])
    assert.equal(run.status, 2)
    assert.match(run.stderr, /^usage: profile \[options\] PID/)
  })
  it('ends quietly when the reader of its output goes away', () => {
    const { stderr, stdout } = spawnSync('sh', ['-c', `"${process.execPath}" "${BIN}" --help | head -1`], {
      encoding: 'utf8',
    })
    assert.equal(stdout, 'Examples:\n')
    assert.equal(stderr, '')
  })
})

describe('profile export', () => {
  it('converts between all formats without losing a stack', async () => {
    const cwd = scratchDirectory()
    const folded = 'main;a;b 12\nmain;c 3\n'
    writeFileSync(join(cwd, 'a.folded'), folded)
    const chain = ['a.folded', 'b.pb.gz', 'c.html', 'd.json', 'e.pprof', 'f.folded']
    for (const [i, from] of chain.slice(0, -1).entries()) {
      const run = await runCommand(['export', from, '-o', chain[i + 1]!], { cwd })
      assert.equal(run.status, 0, run.stderr)
    }
    assert.equal(readFileSync(join(cwd, 'f.folded'), 'utf8'), folded)
    const piped = await runCommand(['export', 'c.html', '-o', '-'], { cwd })
    assert.equal(piped.stdout, folded)
  })
  it('refuses what is no profile, in one line: exit 2', async () => {
    const cwd = scratchDirectory()
    writeFileSync(join(cwd, 'noise.pb.gz'), Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]))
    for (const file of ['noise.pb.gz', 'not-there.html', '.']) {
      const run = await runCommand(['export', file, '-o', 'x.html'], { cwd })
      assert.equal(run.status, 2, run.stderr)
      assert.match(run.stderr, /^profile: [^\n]+\n$/)
    }
  })
})

describe('profile open', () => {
  it('prints a URL on 127.0.0.1, serves the page there only, and ends on Ctrl-C', async () => {
    const cwd = scratchDirectory()
    writeFileSync(join(cwd, 'a.folded'), 'main;a 1\n')
    const child = spawn(process.execPath, [BIN, 'open', 'a.folded', '--no-open'], {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(child.stdout, 'data')
    const url = String(line).trim()
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{20,}\/$/)
    const page = await fetchPage(url)
    assert.equal(page.status, 200)
    assert.match(page.text, /^<!doctype html>/i)
    assert.equal((await fetchPage(new URL('/', url).href)).status, 404)
    child.kill('SIGINT')
    assert.deepEqual(await once(child, 'close'), [0, null])
  })
})

describe('several files', () => {
  it('are one page whose samples say which file they are of; different kinds are refused', async () => {
    const cwd = scratchDirectory()
    writeFileSync(join(cwd, 'a.folded'), 'main;a 1\n')
    writeFileSync(join(cwd, 'b.folded'), 'main;b 2\n')
    const child = spawn(process.execPath, [BIN, 'open', 'a.folded', 'b.folded', '--no-open'], {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(child.stdout, 'data')
    writeFileSync(join(cwd, 'both.html'), (await fetchPage(String(line).trim())).text)
    child.kill('SIGINT')
    await once(child, 'close')
    const run = await runCommand(['export', 'both.html', '-o', '-.json'], { cwd })
    assert.deepEqual(JSON.parse(run.stdout).label_sets.flat(), [
      { key: 'file', str: 'a.folded' },
      { key: 'file', str: 'b.folded' },
    ])
    writeFileSync(join(cwd, 'c.txt'), 'a 1 1.0: 5 cycles: \n\t1 f (/a)\n\n')
    const refused = await runCommand(['open', 'a.folded', 'c.txt', '--no-open'], { cwd })
    assert.equal(refused.status, 2)
    assert.match(
      refused.stderr,
      /^profile: cannot show these files together: a\.folded has .*, c\.txt has .*\n$/,
    )
  })
})

describe('--redact', () => {
  it('hides the paths in every file it writes, and says so', async () => {
    const cwd = scratchDirectory()
    writeFileSync(join(cwd, 'a.txt'), 'node 1 1.0: 5 cycles: \n\t1 f (/home/secretive/bin)\n\n')
    const outputs = [
      'x.html',
      'x.json',
      'x.pprof',
      'x.svg',
      'x.csv',
      'x.folded',
      'x.speedscope.json',
      'x.otlp.json',
    ]
    const run = await runCommand(
      ['export', 'a.txt', ...outputs.flatMap((file) => ['-o', file]), '--redact'],
      { cwd },
    )
    assert.equal(run.status, 0, run.stderr)
    assert.match(run.stderr, /^hidden: 1 path, .*; still there: function names, /)
    for (const file of outputs) assert.ok(!readFileSync(join(cwd, file)).includes('secretive'), file)
    assert.match(readFileSync(join(cwd, 'x.csv'), 'utf8'), /\r\nf,path-[0-9a-f]{8},5,100\.000,/)
  })
})

function fetchPage(url: string): Promise<{ status: number; text: string }> {
  return new Promise((done, fail) => {
    get(url, { agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (data) => {
        text += data
      })
      response.on('end', () => done({ status: response.statusCode ?? 0, text }))
    }).on('error', fail)
  })
}

describe('profile doctor', { skip: skipUnless() }, () => {
  it('finds this host fit, and tells of every file the target maps', async () => {
    const target = startBusy()
    try {
      const run = await runCommand(['doctor', String(target.pid), '--json'])
      assert.equal(run.status, 0, run.stderr)
      const { schema, ok, checks } = JSON.parse(run.stdout)
      assert.deepEqual([schema, ok], ['emberscope.doctor/1', true])
      const libc = checks.find((c: { binary?: { path: string } }) =>
        /libc\.so\.6$/.test(c.binary?.path ?? ''),
      )
      assert.equal(libc.binary.unwind.source, '.eh_frame')
      assert.ok(libc.binary.unwind.covered_bytes > 0.9 * libc.binary.unwind.code_bytes, libc.text)
      const unwinder = checks.find((c: { id: string }) => c.id === 'unwinder')
      assert.match(unwinder.text, /^unwinder: /)
      const list = await runCommand(['doctor', String(target.pid)])
      assert.match(list.stdout, /^✓ Node v/)
    } finally {
      target.kill('SIGKILL')
    }
  })
})
