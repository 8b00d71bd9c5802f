import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { parseArguments } from '../../../src/cli/arguments.ts'
import { runIn } from '../../../src/cli/run.ts'
import type { DiffJson } from '../../../src/formats/diff-json.ts'
import { readHtml, readHtmlBaseline } from '../../../src/formats/html.ts'
import type { Profile } from '../../../src/model/profile.ts'
import { encodePprof } from '../../../src/pprof/encode.ts'
import { FakeWorld, fakeDeps, fakeProfile } from '../../helpers/fake-world.ts'
import { assertValid } from '../../helpers/json-schema.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

const directory = mkdtempSync(join(tmpdir(), 'emberscope-test-'))
after(() => rmSync(directory, { recursive: true, force: true }))

/** Writes a file of folded stacks. */
function folded(name: string, counts: Readonly<Record<string, number>>): string {
  const lines = Object.entries(counts).map(([stack, count]) => `${stack} ${count}\n`)
  writeFileSync(join(directory, name), lines.join(''))
  return join(directory, name)
}

function pprof(name: string, profile: Profile): string {
  writeFileSync(join(directory, name), gzipSync(encodePprof(profile)))
  return join(directory, name)
}

const OLD = folded('old.folded', {
  'main;handle;parseJson': 181,
  'main;handle;render': 300,
  'main;gc': 100,
  'main;old_path': 60,
  'main;rest': 359,
})
const NEW = folded('new.folded', {
  'main;handle;parseJson': 383,
  'main;handle;render': 290,
  'main;gc': 110,
  'main;fresh;inner': 45,
  'main;rest': 349,
})

interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  const world = new FakeWorld({ cwd: directory, env: { COLUMNS: '90', ...env } })
  const code = await runIn(world, ['diff', ...args], fakeDeps(fakeProfile([]), world))
  return { code, out: world.stdout.text, err: world.stderr.text }
}

async function json(...args: string[]): Promise<DiffJson> {
  const { out, err } = await run([...args, '--json'])
  assert.ok(out !== '', err)
  const value: DiffJson = JSON.parse(out)
  assertValid('src/formats/diff.schema.json', value)
  return value
}

describe('profile diff', () => {
  it('says first what changed most, then which file is which, then all significant changes', async () => {
    const { code, out, err } = await run([OLD, NEW])
    const lines = out.replaceAll(`${directory}/`, '').split('\n')
    assert.deepEqual(lines, [
      'parseJson grew by 14.4 points (self 18.1% → 32.5%, p < 0.001); 6 more changes are significant, 2 are noise.',
      ' before  old.folded · 1 000 samples',
      ' after   new.folded · 1 177 samples',
      ' grew',
      '    +14.4 ±3.6  ██████████   18.1% → 32.5%   self   parseJson',
      '     +9.1 ±4.2  ██████▎      48.1% → 57.2%   total  handle',
      ' appeared',
      '     +3.8 ±1.3  ██▋           0.0% → 3.8%    self   inner',
      '     +3.8 ±1.3  ██▋           0.0% → 3.8%    total  fresh',
      ' shrank',
      '     -6.2 ±4.0  ████▍        35.9% → 29.7%   self   rest',
      '     -5.4 ±3.8  ███▊         30.0% → 24.6%   self   render',
      ' disappeared',
      '     -6.0 ±1.6  ████▏         6.0% → 0.0%    self   old_path',
      ' note: shares add up to 100%: what grows makes the rest shrink (--scale absolute does not)',
      '',
    ])
    assert.deepEqual([code, err], [0, ''])
  })
  it('fits narrow terminals and those without colour and UTF-8', async () => {
    const narrow = await run([OLD, NEW], { COLUMNS: '40', LC_ALL: 'C' })
    assert.match(narrow.out, /^ {3}\+14\.4 \+-3\.6 {2}self {3}parseJson$/m)
    assert.ok(!/[^\x20-\x7e\n]/.test(narrow.out))
    const coloured = await run([OLD, NEW], { FORCE_COLOR: '1' })
    const plain = await run([OLD, NEW], { NO_COLOR: '1' })
    assert.equal(coloured.out.replace(/\x1b\[\d+m/g, ''), plain.out)
    assert.notEqual(coloured.out, plain.out)
  })
  it('leaves an arrow in a name as it is', async () => {
    const old = folded('arrow1.folded', { 'main;P::operator->': 100, 'main;b': 900 })
    const now = folded('arrow2.folded', { 'main;P::operator->': 300, 'main;b': 700 })
    assert.match((await run([old, now])).out, /^P::operator-> grew by 20\.0 points \(self 10\.0% → 30\.0%/)
    const ascii = await run([old, now, '--fail', '3'], { LC_ALL: 'C' })
    assert.match(ascii.out, /^P::operator-> grew by 20\.0 points \(self 10\.0% -> 30\.0%/)
    assert.match(ascii.err, /P::operator-> grew by 20\.0 points \(total 10\.0% -> 30\.0%/)
  })
  it('calls the same file twice equal, and a little luck noise', async () => {
    const same = await run([OLD, OLD])
    assert.match(same.out, /^No function changed: the two profiles are equal\.\n/)
    assert.match(same.out, /note: before and after are the same file/)
    const close = folded('close.folded', { 'main;parse': 505, 'main;other': 495 })
    const base = folded('base.folded', { 'main;parse': 490, 'main;other': 510 })
    const { out, code } = await run([base, close, '--fail', '+1'])
    assert.match(out, /^No function changed significantly: the differences of all 3 are noise/)
    assert.match(out, /note: to tell that change of .* takes about [\d ]+ samples/)
    assert.equal(code, 0)
  })
  it('knows CPU per second, and compares by it', async () => {
    const before = pprof('before.pb.gz', profileOf([{ frames: ['main', 'a'], count: 500 }]))
    const after = pprof('after.pb.gz', profileOf([{ frames: ['main', 'a'], count: 800 }]))
    const relative = await run([before, after])
    assert.match(relative.out, /^ CPU per second: 0\.51 → 0\.81 cores, 1\.60 times \(1\.43 to 1\.79\)$/m)
    assert.match(relative.out, /^No function changed significantly/)
    const { out } = await run([before, after, '--scale', 'per-second'])
    assert.match(out, /^a grew by 0\.303 cores \(self 0\.505 → 0\.808 cores, p < 0\.001\)/)
    const absolute = await run([before, after, '--scale', 'absolute'])
    assert.match(absolute.out, /^a grew by 3\.03 s \(self 5\.05 s → 8\.08 s, p < 0\.001\)/)
  })
})

describe('profile diff --fail', () => {
  it('ends with 10 when a total share grew by as much, and names the function', async () => {
    for (const limit of ['+3', '3', '+3%', '14.4']) {
      const { code, err, out } = await run([OLD, NEW, '--fail', limit])
      assert.equal(code, 10, limit)
      assert.match(
        err,
        /new\.folded fails --fail \+[\d.]+: parseJson grew by 14\.4 points \(total 18\.1% → 32\.5%/,
      )
      assert.match(out, /^parseJson grew/)
    }
  })
  it('ends with 0 below, when a function shrank, and when it is noise', async () => {
    assert.equal((await run([OLD, NEW, '--fail', '+14.5'])).code, 0)
    const few = folded('few.folded', { 'main;a': 3, 'main;b': 7 })
    const other = folded('other.folded', { 'main;a': 6, 'main;b': 4 })
    const { code, out } = await run([few, other, '--fail', '+3'])
    assert.equal(code, 0)
    assert.match(out, /the largest is that of a \(\+30\.0 points\)/)
  })
  it('is about shares, whatever the scale', async () => {
    const twice = folded('twice.folded', { 'main;a': 2000, 'main;b': 2000 })
    const once = folded('once.folded', { 'main;a': 1000, 'main;b': 1000 })
    assert.equal((await run([once, twice, '--scale', 'absolute', '--fail', '+3'])).code, 0)
    assert.equal((await run([OLD, NEW, '--scale', 'absolute', '--fail', '+3'])).code, 10)
  })
  it('refuses what is no number of points, and samples that nobody counted', async () => {
    for (const limit of ['', '-3', 'x', '0', '101', '+3 points']) {
      const { code, err } = await run([OLD, NEW, '--fail', limit])
      assert.equal(code, 2, limit)
      assert.match(err, /--fail must be the points of percent/)
    }
    const heap = pprof('heap.pb.gz', heapProfile({ 'main;a': 5, 'main;b': 6 }))
    const { code, err } = await run([heap, heap, '--fail', '+3'])
    assert.equal(code, 2)
    assert.match(err, /cannot judge --fail: how many samples stand behind inuse_space\/bytes/)
  })
})

describe('what profile diff writes', () => {
  it('--json follows its schema in every scale, and holds every function', async () => {
    const value = await json(OLD, NEW, '--fail', '+3')
    assert.deepEqual(value.fail, { points: 3, functions: ['parseJson', 'handle', 'fresh', 'inner'] })
    assert.deepEqual(value.counts, { noise: 2, grew: 2, shrank: 2, new: 2, gone: 1, unknown: 0 })
    assert.equal(value.functions.length, 9)
    const parse = value.functions.find(({ name }) => name === 'parseJson')!
    assert.deepEqual([parse.self.before_samples, parse.self.after_samples], [181, 383])
    assert.ok(parse.self.ci95![0] < parse.self.change! && parse.self.change! < parse.self.ci95![1])
    const before = pprof('j1.pb.gz', profileOf([{ frames: ['main', 'a'], count: 500 }]))
    const none = pprof('j2.pb.gz', profileOf([{ frames: ['main', 'b'], count: 8 }]))
    for (const scale of ['relative', 'per-second', 'absolute']) {
      assert.equal((await json(before, none, '--scale', scale)).scale, scale)
    }
    const heap = pprof('heap2.pb.gz', heapProfile({ 'main;a': 5 }))
    assert.equal((await json(heap, heap)).functions[0]!.total.p, null)
  })
  it('Markdown is a table that no name can break out of', async () => {
    const evil = folded('evil.folded', { '<img src=x>|`a`@b\u202e;main': 400, 'main;b': 600 })
    const { out, code } = await run([OLD, evil, '-o', '-.md'])
    assert.equal(code, 0)
    assert.match(out, /^### /)
    assert.match(out, /\| \*\*before\*\* \| <code>.*old\.folded<\/code> \| 1000 \|/)
    assert.ok(!/<img|@b|`|\u202e/.test(out), out)
    for (const line of out.split('\n').filter((text) => text.startsWith('| **<code>')))
      assert.equal(line.split('|').length, 8, line)
  })
  it('files are written beside the summary, and refused when they exist', async () => {
    const { code, out, err } = await run([OLD, NEW, '-o', 'd.md', '-o', 'd.json', '-o', 'd.html'])
    assert.equal(code, 0, err)
    assert.match(out, /^parseJson grew/)
    assert.match(err, /wrote d\.md .*\nwrote d\.json .*\nwrote d\.html /)
    assertValid('src/formats/diff.schema.json', JSON.parse(readFileSync(join(directory, 'd.json'), 'utf8')))
    const page = readFileSync(join(directory, 'd.html'), 'utf8')
    const samples = (profile: Profile) => profile.samples.values[0]!.reduce((a, b) => a + b, 0)
    assert.equal(samples(await readHtml(page, gunzipSync)), 1177)
    assert.equal(samples((await readHtmlBaseline(page, gunzipSync))!), 1000)
    assert.match(
      (await run(['d.html', join(directory, 'd.html')].map((f) => join(directory, f.split('/').pop()!)))).out,
      /equal/,
    )
    const again = await run([OLD, NEW, '-o', 'd.md'])
    assert.equal(again.code, 2)
    assert.match(again.err, /it exists; choose another name, or overwrite it with --force/)
    assert.equal((await run([OLD, NEW, '-o', 'd.md', '--force', '-q'])).out, '')
  })
})

describe('profile diff refuses', () => {
  const message = async (...args: string[]): Promise<string> => {
    const { code, err } = await run(args)
    assert.equal(code, 2, err)
    return err
  }
  it('anything but two files', async () => {
    assert.match(await message(), /needs two files, the older one first, got 0/)
    assert.match(await message(OLD), /got 1/)
    assert.match(await message(OLD, NEW, OLD), /got 3/)
    assert.match(await message(OLD, 'none.folded'), /cannot read none\.folded: there is no such file/)
  })
  it('profiles of different things, and without samples', async () => {
    const heap = pprof('h.pb.gz', heapProfile({ 'main;a': 5 }))
    assert.match(await message(OLD, heap), /samples\/count.*inuse_space\/bytes.*no sample type in common/)
    const empty = pprof('empty.pb.gz', profileOf([]))
    assert.match(
      await message(empty, OLD),
      /cannot compare .*empty\.pb\.gz: it has no samples of samples\/count/,
    )
  })
  it('a scale, a column or a format that there is not', async () => {
    assert.match(await message(OLD, NEW, '--scale', 'log'), /--scale must be relative, per-second, absolute/)
    assert.match(
      await message(OLD, NEW, '--column', 'wall'),
      /"wall" is no sample type of both files; use samples/,
    )
    assert.match(await message(OLD, NEW, '--scale', 'per-second'), /does not say how long it took/)
    assert.match(await message(OLD, NEW, '-o', 'x.pb.gz'), /unknown extension.*\.md \.html \.json/)
    assert.match(await message(OLD, NEW, '-o', '-', '--json'), /both write to standard output/)
    assert.throws(() => parseArguments(['--fail', '3', '42']), /--fail is an option of profile diff only/)
  })
})

it('says so where the samples are not counted, and claims nothing', async () => {
  const one = pprof('m1.pb.gz', heapProfile({ 'main;a': 500, 'main;b': 500 }))
  const two = pprof('m2.pb.gz', heapProfile({ 'main;a': 900, 'main;b': 100 }))
  const { out } = await run([one, two])
  assert.match(out, /^No change can be called significant; the largest is that of a \(\+40\.0 points\)/)
  assert.match(out, /note: how many samples stand behind inuse_space\/bytes is not known/)
})

it('compares by samples where those of the first column do not weigh the same', async () => {
  const uneven = (counts: Readonly<Record<string, number>>): Profile => {
    const profile = profileOf(
      Object.entries(counts).map(([path, count]) => ({ frames: path.split(';'), count })),
    )
    const [counted, cpu] = profile.samples.values
    const values = [counted!, cpu!.map((value, row) => value * (row + 1))]
    return { ...profile, samples: { ...profile.samples, values } }
  }
  const one = pprof('u1.pb.gz', uneven({ 'main;a': 500, 'main;b': 500 }))
  const two = pprof('u2.pb.gz', uneven({ 'main;a': 900, 'main;b': 100 }))
  const value = await json(one, two)
  assert.equal(value.column.type, 'samples')
  assert.match(value.notes.join(), /compared by samples\/count: cpu\/nanoseconds is not in both/)
  assert.equal((await json(one, two, '--column', 'cpu')).functions[0]!.verdict, 'unknown')
  assert.match((await run([one, two, '--column', 'cpu'])).out, /--column samples can be judged/)
})

/** Bytes per stack, of which nobody knows how many samples they are. */
function heapProfile(counts: Readonly<Record<string, number>>): Profile {
  const profile = profileOf(
    Object.entries(counts).map(([path, count]) => ({ frames: path.split(';'), count })),
  )
  const samples = { ...profile.samples, values: [profile.samples.values[0]!] }
  const sampleTypes = [{ type: 'inuse_space', unit: 'bytes' }]
  return { ...profile, sampleTypes, defaultSampleType: 0, periodType: null, period: 0n, samples }
}
