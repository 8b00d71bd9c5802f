/**
 * Profiles that other programs make of real work, opened by us, against what their own tools say of the same file. Each
 * test skips with the reason where its producer is missing.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { readProfileFile } from '../../src/formats/read-any.ts'
import type { Profile } from '../../src/model/profile.ts'
import { topFunctions } from '../../src/model/top.ts'
import { findTool, skipUnless } from '../helpers/host.ts'
import { perfText } from '../helpers/perf.ts'
import { scratchDirectory } from '../helpers/profile-run.ts'

const needs = (tool: string): string | false => findTool(tool) === '' && `needs ${tool}`

function run(command: string, args: readonly string[], cwd: string): string {
  const env = { ...process.env, PPROF_TMPDIR: cwd }
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  assert.equal(status, 0, `${command}: ${stderr}`)
  return stdout
}

type Weights = Map<string, { self: number; total: number }>

/** Self and total by the name of the function alone, as the other tools print them. */
function weightsOf(profile: Profile, column: number): Weights {
  const weights: Weights = new Map()
  for (const { name, self, total } of topFunctions(profile, column)) {
    const known = weights.get(name) ?? { self: 0, total: 0 }
    weights.set(name, { self: known.self + self, total: known.total + total })
  }
  return weights
}

const sum = (values: Iterable<number>): number => [...values].reduce((all, value) => all + value, 0)

test('go: what runtime/pprof writes has the flat and cumulative times of go tool pprof', {
  skip: needs('go'),
}, async () => {
  const cwd = scratchDirectory()
  run('go', ['run', resolve('test/fixtures/pprof-go/main.go'), cwd], cwd)
  const file = join(cwd, 'go-cpu.pb.gz')
  const profile = await readProfileFile(file)
  const args = ['-top', '-unit=ns', '-nodefraction=0', '-nodecount=1000000', '-symbolize=none']
  const printed = run('go', ['tool', 'pprof', ...args, file], cwd)
  const ROW =
    /^\s*(-?\d+)(?:ns)?\s+[\d.]+%\s+[\d.]+%\s+(-?\d+)(?:ns)?\s+[\d.]+%\s+(.+?)(?: \((?:partial-)?inline\))?$/gm
  const rows = [...printed.matchAll(ROW)]
  const ours = weightsOf(profile, profile.defaultSampleType)
  assert.ok(rows.length > 5, printed)
  for (const [, flat, cum, name] of rows) {
    assert.deepEqual(ours.get(name!), { self: Number(flat), total: Number(cum) }, name)
  }
  assert.equal(ours.size, rows.length)
})

const NODE_WORK = `
function hot(n) { let x = 0; for (let i = 0; i < n; i++) x = Math.imul(x ^ i, 2654435761); return x }
function warm(n) { let s = ''; for (let i = 0; i < n; i++) s += i.toString(36); return JSON.stringify({ s }).length }
const end = Date.now() + 1500
let sink = 0
while (Date.now() < end) sink += hot(2e6) + warm(2e4)
setTimeout(() => process.exit(sink === 0.5 ? 1 : 0), 300)
`

interface CpuprofileFile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string }
    readonly hitCount: number
  }[]
  readonly startTime: number
  readonly endTime: number
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

test('node: a --cpu-prof file has the hits of its nodes, and times that add up to its length', async () => {
  const cwd = scratchDirectory()
  writeFileSync(join(cwd, 'work.cjs'), NODE_WORK)
  run(process.execPath, ['--cpu-prof', 'work.cjs'], cwd)
  const file = join(cwd, readdirSync(cwd).find((name) => name.endsWith('.cpuprofile'))!)
  const raw = JSON.parse(readFileSync(file, 'utf8')) as CpuprofileFile
  const profile = await readProfileFile(file)
  const counts = new Map<string, { samples: number; hits: number }>()
  for (const { id, callFrame, hitCount } of raw.nodes) {
    const name = callFrame.functionName || '(anonymous)'
    const known = counts.get(name) ?? { samples: 0, hits: 0 }
    const samples = raw.samples.filter((sample) => sample === id).length
    counts.set(name, { samples: known.samples + samples, hits: known.hits + hitCount })
  }
  counts.delete('(idle)')
  counts.delete('(root)')
  const ours = weightsOf(profile, 0)
  for (const [name, { samples, hits }] of counts) {
    assert.equal(ours.get(name)?.self ?? 0, samples, name)
    // V8 counts the two apart, and as hits of (program) all that was before the profile began.
    if (name === '(program)') continue
    assert.ok(Math.abs(hits - samples) <= 1 + samples / 20, `${name}: ${hits} hits, ${samples} samples`)
  }
  assert.ok(counts.get('hot')!.samples > 100, JSON.stringify([...counts]))
  const busyNs = sum(profile.samples.values[1]!)
  const first = raw.timeDeltas[0]!
  const idleNs = Number(/idle, not shown: ([\d.]+) s/.exec(profile.comments.join())?.[1] ?? 0) * 1e9
  assert.ok(Math.abs(busyNs + idleNs - (raw.endTime - raw.startTime - first) * 1000) < 1e6)
  assert.ok(idleNs > 0.2e9, 'the 300 ms of the timer are idle')
})

test('node: what pprof-format writes is opened with its strings and values', async () => {
  const {
    Function: Fn,
    Line,
    Location,
    Profile: Message,
    Sample,
    StringTable,
    ValueType,
  } = await import('pprof-format')
  const strings = new StringTable()
  const type = (name: string, unit: string) =>
    new ValueType({ type: strings.dedup(name), unit: strings.dedup(unit) })
  const names = ['main', 'leaf']
  const message = new Message({
    sampleType: [type('sample', 'count'), type('wall', 'nanoseconds')],
    function: names.map(
      (name, i) => new Fn({ id: i + 1, name: strings.dedup(name), filename: strings.dedup('a.js') }),
    ),
    location: names.map(
      (_, i) => new Location({ id: i + 1, line: [new Line({ functionId: i + 1, line: i + 3 })] }),
    ),
    sample: [
      new Sample({ locationId: [2, 1], value: [3, 30] }),
      new Sample({ locationId: [1], value: [1, 10] }),
    ],
    stringTable: strings,
  })
  const file = join(scratchDirectory(), 'node.pb')
  writeFileSync(file, message.encode())
  const weights = weightsOf(await readProfileFile(file), 1)
  assert.deepEqual(
    [...weights],
    [
      ['leaf', { self: 30, total: 30 }],
      ['main', { self: 10, total: 40 }],
    ],
  )
})

const PYTHON_WORK = `
import time
def hot(n):
    x = 0
    for i in range(n): x = (x * 31 + i) % 1000003
    return x
def outer(n): return hot(n)
end = time.time() + 3
while time.time() < end: outer(20000)
`

test('python: speedscope and folded files of py-spy say the same, and where the time went', {
  skip: needs('py-spy'),
}, async () => {
  const cwd = scratchDirectory()
  writeFileSync(join(cwd, 'work.py'), PYTHON_WORK)
  const record = (format: string, file: string) =>
    run(
      'py-spy',
      ['record', '-r', '200', '-d', '2', '-f', format, '-o', file, '--', 'python3', 'work.py'],
      cwd,
    )
  record('speedscope', 'a.json')
  record('raw', 'a.folded')
  const name = /^hot( |$)/
  for (const file of ['a.json', 'a.folded']) {
    const profile = await readProfileFile(join(cwd, file))
    const all = sum(profile.samples.values[profile.defaultSampleType]!)
    const top = topFunctions(profile, profile.defaultSampleType)
    const hot = sum(top.filter((fn) => name.test(fn.name)).map(({ self }) => self))
    assert.ok(hot / all > 0.8, `${file}: ${hot} of ${all}`)
    if (file === 'a.json') assert.ok(top.some(({ file: source }) => source.endsWith('work.py')))
  }
})

const C_WORK = `
#include <time.h>
#include <unistd.h>
static inline __attribute__((always_inline)) int inner(int x) { volatile int i; for (i = 0; i < 100000; i++) x += i; return x; }
__attribute__((noinline)) int middle(int x) { return inner(x) + 1; }
__attribute__((noinline)) int other(int x) { for (int i = 0; i < 300; i++) x += getppid(); return x; }
int main(void) { time_t end = time(0) + 3; int x = 0; while (time(0) < end) { x += middle(x); if (x % 3 == 0) x += other(x); } return x == 12345; }
`

test('perf: the text of perf script has the samples by symbol that perf report counts', {
  skip: skipUnless('perf', 'gcc'),
}, async () => {
  const cwd = scratchDirectory()
  writeFileSync(join(cwd, 'work.c'), C_WORK)
  run('gcc', ['-O2', '-g', '-fno-omit-frame-pointer', '-o', 'work', 'work.c'], cwd)
  const data = join(cwd, 'perf.data')
  for (const callGraph of ['fp', 'dwarf,8192']) {
    const what = ['-q', '-B', '-N', '-e', 'cpu-clock', '-F', '199', '--call-graph', callGraph]
    perfText(['record', ...what, '-o', data, '--', join(cwd, 'work')])
    const report = perfText([
      'report',
      '-i',
      data,
      '--stdio',
      '-n',
      '--no-children',
      '-g',
      'none',
      '-s',
      'sym',
      '--no-inline',
    ])
    const counts = new Map<string, number>()
    for (const [, count, symbol] of report.matchAll(/^\s*[\d.]+%\s+(\d+)\s+\[[.k]\] (.+?)\s*$/gm)) {
      // Where perf knows no symbol it prints an address.
      const name = /^0x[0-9a-f]+$/.test(symbol!) ? '[unknown]' : symbol!
      counts.set(name, (counts.get(name) ?? 0) + Number(count))
    }
    assert.ok((counts.get('middle') ?? 0) > 20, report)
    const variants = [
      ['--no-inline'],
      ['--no-inline', '-F', 'comm,pid,tid,time,event,ip,sym,symoff,dso,period'],
      ['--no-inline', '-F', 'comm,tid,ip,sym'],
      ['--no-inline', '--header', '--ns'],
    ]
    for (const [i, options] of variants.entries()) {
      const file = join(cwd, `${i}.txt`)
      writeFileSync(file, perfText(['script', '-i', data, ...options]))
      const profile = await readProfileFile(file)
      const ours = weightsOf(profile, 0)
      for (const [symbol, count] of counts)
        assert.equal(ours.get(symbol)?.self, count, `${options}: ${symbol}`)
      assert.equal(sum(profile.samples.values[0]!), sum(counts.values()), String(options))
    }
    const file = join(cwd, 'srcline.txt')
    const text = perfText(['script', '-i', data, '-F', '+srcline'])
    writeFileSync(file, text)
    const { locations, functions } = await readProfileFile(file)
    // Not every perf is built with what finds inlined functions.
    const chains = locations.filter(({ lines }) => lines.length > 1).length
    assert.equal(chains > 0, text.includes('(inlined)'))
    assert.ok(functions.some(({ name, fileName }) => name === 'middle' && fileName.endsWith('work.c')))
  }
})

const JAVA_WORK = `
import java.nio.file.*;
import java.util.*;
import one.profiler.AsyncProfiler;
public class Work {
  static long sum;
  static void sortNumbers(Random random) {
    long[] numbers = random.longs(20000).toArray();
    Arrays.sort(numbers);
    sum += numbers[7];
  }
  static int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
  public static void main(String[] files) throws Exception {
    AsyncProfiler profiler = AsyncProfiler.getInstance(files[0]);
    profiler.execute("start,event=itimer,interval=2ms");
    long end = System.nanoTime() + 2_500_000_000L;
    Random random = new Random(1);
    while (System.nanoTime() < end) { sortNumbers(random); sum += fibonacci(22); }
    profiler.execute("stop");
    Files.writeString(Path.of(files[1]), profiler.execute("collapsed"));
    Files.writeString(Path.of(files[2]), profiler.execute("flat=100000"));
    if (sum == 1) System.exit(1);
  }
}
`

/** Its jar, from the cache of Maven or its repository; '' where neither has it. */
function asyncProfiler(): string {
  const found = spawnSync('mvn', [
    '-q',
    '-B',
    'dependency:get',
    '-Dartifact=tools.profiler:async-profiler:4.0',
  ])
  const repository = join(process.env.HOME ?? '', '.m2/repository')
  const jar = join(repository, 'tools/profiler/async-profiler/4.0/async-profiler-4.0.jar')
  return found.status === 0 && existsSync(jar) ? jar : ''
}

test('java: collapsed stacks of async-profiler have the samples by method that it prints itself', {
  skip: ['mvn', 'javac', 'java', 'unzip'].map(needs).find((reason) => reason !== false) ?? false,
}, async (t) => {
  const jar = asyncProfiler()
  if (jar === '') return t.skip('Maven has no tools.profiler:async-profiler:4.0')
  const cwd = scratchDirectory()
  writeFileSync(join(cwd, 'Work.java'), JAVA_WORK)
  const folder = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64'
  run('unzip', ['-q', '-j', jar, `${folder}/libasyncProfiler.so`], cwd)
  run('javac', ['-cp', jar, 'Work.java'], cwd)
  const files = ['libasyncProfiler.so', 'java.collapsed', 'flat.txt'].map((name) => join(cwd, name))
  run('java', ['-cp', `${jar}:.`, 'Work', ...files], cwd)
  const profile = await readProfileFile(files[1]!)
  const ours = weightsOf(profile, profile.defaultSampleType)
  const ROW = /^\s*\d+\s+[\d.]+%\s+(\d+)\s+(.+?)\s*$/gm
  const rows = [...readFileSync(files[2]!, 'utf8').matchAll(ROW)]
  assert.ok(rows.length > 5, readFileSync(files[2]!, 'utf8'))
  // It prints methods with dots between the parts of their package, and collapses them with slashes.
  const bySelf = new Map(
    [...ours].filter(([, { self }]) => self > 0).map(([name, { self }]) => [name.replaceAll('/', '.'), self]),
  )
  for (const [, count, name] of rows)
    assert.equal(bySelf.get(name!.replaceAll('/', '.')), Number(count), name)
  assert.equal(
    sum(profile.samples.values[profile.defaultSampleType]!),
    sum(rows.map(([, count]) => Number(count))),
  )
  const top = [...ours].filter(([name]) => /^Work\.(fibonacci|sortNumbers)/.test(name))
  assert.equal(top.length, 2)
})
