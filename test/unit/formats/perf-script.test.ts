import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeFolded } from '../../../src/formats/folded.ts'
import { PerfScriptReader } from '../../../src/formats/perf-script.ts'
import { looksLikePerfScript, parseFrame, parseHeader } from '../../../src/formats/perf-script-lines.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'

function read(text: string, pieceChars = text.length || 1) {
  const reader = new PerfScriptReader()
  for (let at = 0; at < text.length; at += pieceChars) reader.push(text.slice(at, at + pieceChars))
  const profile = reader.finish()
  assert.equal(checkProfile(profile), null)
  return profile
}
const folded = (text: string) => [...writeFolded(read(text))].join('')

const KERNEL_STACK = `node 11215 [001]  3306.835760:   10101010 cpu-clock:pppH: 
\tffffffff816103fb __x64_sys_mprotect+0x1b ([kernel.kallsyms])
\tffffffffc0a01234 xfs_read+0x10 ([xfs])
\t           1de39 operator()(int) const+0x1e79 (/usr/lib/ld linux (old).so (deleted))
\t          401136 [unknown] (/usr/bin/node)
\t    7f0011223344 JS:*hot /app/a.js:1:2+0x5 (/tmp/perf-11215.map)
\t               0 [unknown] ([unknown])

`

test('a stack has its frames root first, with their files and kinds', () => {
  assert.equal(
    folded(KERNEL_STACK),
    '[unknown];JS:*hot /app/a.js:1:2_[j];[unknown];operator()(int) const;xfs_read_[k];__x64_sys_mprotect_[k] 1\n',
  )
  const { mappings, sampleTypes, samples, labelSets } = read(KERNEL_STACK)
  assert.deepEqual(mappings.map(({ fileName }) => fileName).toSorted(), [
    '/tmp/perf-11215.map',
    '/usr/bin/node',
    '/usr/lib/ld linux (old).so (deleted)',
    '[kernel.kallsyms]',
    '[xfs]',
  ])
  assert.deepEqual(sampleTypes, [
    { type: 'samples', unit: 'count' },
    { type: 'cpu', unit: 'nanoseconds' },
  ])
  assert.deepEqual(
    samples.values.map(([first]) => first),
    [1, 10101010],
  )
  assert.deepEqual(labelSets[0], [
    { key: 'comm', str: 'node' },
    { key: 'thread', str: 'node' },
    { key: 'tid', num: 11215 },
    { key: 'cpu', num: 1 },
  ])
})

test('headers are read with whatever fields -F printed', () => {
  const none = { pid: null, cpu: null, timeNs: null, period: null, event: '', rest: '' }
  const cases: [string, object][] = [
    ['node 12 [003] 1.000000002:  250 cycles:u: ', { comm: 'node', tid: 12, cpu: 3, timeNs: 1000000002, period: 250, event: 'cycles:u' }],
    ['Web Content 12 34.5: cpu_core/cycles/: ', { comm: 'Web Content', tid: 12, timeNs: 34.5e9, event: 'cpu_core/cycles/' }],
    ['pool 7 123 [000] 12.300000: cycles: ', { comm: 'pool 7', tid: 123, cpu: 0, timeNs: 12.3e9, event: 'cycles' }],
    ['kworker/0:1H 5/6 [000] 2.0: 1 sched:sched_switch: prev_comm=a b ==> next', { comm: 'kworker/0:1H', pid: 5, tid: 6, cpu: 0, timeNs: 2e9, period: 1, event: 'sched:sched_switch', rest: 'prev_comm=a b ==> next' }],
    ['            perf 99    12.5:   7 cycles:  ffffffff81000000 f+0x4 ([kernel.kallsyms])', { comm: 'perf', tid: 99, timeNs: 12.5e9, period: 7, event: 'cycles', rest: 'ffffffff81000000 f+0x4 ([kernel.kallsyms])' }],
    ['node 12 ', { comm: 'node', tid: 12 }],
    ['node 12/13 ', { comm: 'node', pid: 12, tid: 13 }],
    ['node 12     cycles: ', { comm: 'node', tid: 12, event: 'cycles' }],
    ['   12    3.25: ', { comm: '', tid: 12, timeNs: 3.25e9 }],
    ['swapper     0 [000] 9.1:    250 ', { comm: 'swapper', tid: 0, cpu: 0, timeNs: 9.1e9, period: 250 }],
    [':-1    -1 4.0: cycles: ', { comm: ':-1', tid: -1, timeNs: 4e9, event: 'cycles' }],
  ] // biome-ignore format: a table
  for (const [line, fields] of cases) assert.deepEqual(parseHeader(line), { ...none, ...fields }, line)
  for (const line of ['main;work 12', 'hello', '', 'some words here: and there']) {
    const header = parseHeader(line)
    assert.ok(header === null || header.timeNs === null, line)
  }
})

test('frames without a file, with brackets in their names or with the offset in the file', () => {
  const name = (line: string) => {
    const frame = parseFrame(line)
    return frame && [frame.symbol, frame.dso]
  }
  assert.deepEqual(name('\t 401136 main+0x10'), ['main', ''])
  assert.deepEqual(name('\t 401136 f(int, char)+0x10'), ['f(int, char)', ''])
  assert.deepEqual(name('\t 401136 f(int, char) (/bin/a)'), ['f(int, char)', '/bin/a'])
  assert.deepEqual(name('\t 401136 main (/bin/a+0x1136)'), ['main', '/bin/a'])
  assert.deepEqual(name('\t 401136'), ['[unknown]', ''])
  assert.equal(parseFrame('\t main.c:12'), null)
})

test('inlined functions are lines of the frame they are in', () => {
  const text = `t 1 1.0: 9 cpu-clock: 
\t401136 innermost (inlined)
\t401136 inner (inlined)
\t401136 middle+0x10 (/t)
\t401200 main+0x5 (/t)

`
  assert.equal(folded(text), 'main;middle;inner_[i];innermost_[i] 1\n')
  assert.equal(read(text).locations.length, 2)
})

test('lines of -F +srcline are the place of the frame above them', () => {
  const text = `t 1 1.0: 9 cpu-clock: \n\t401136 main+0x10 (/t)\n  main.c:12\n\t401000 _start (/t)\n  [kernel.kallsyms][ffffffff8141565d]\n\t401004 x (/t)\n  ??:0\n\n`
  const { locations, functions } = read(text)
  const main = functions.findIndex(({ name }) => name === 'main')
  assert.equal(functions[main]?.fileName, 'main.c')
  assert.ok(locations.some(({ lines }) => lines[0]?.function === main && lines[0].line === 12))
})

test('with source lines perf says there what was inlined', () => {
  const text = `w 1 1.0: 9 cpu-clock: \n\t119b inner+0x1b\n  w.c:2 (inlined)\n\t119b middle+0x1b (/w)\n  w.c:3\n\t27304 start\n  libc-start.c:360 (inlined)\n\n`
  assert.equal(folded(text), 'start;middle;inner_[i] 1\n')
})

test('samples without a call chain, and tracepoints, are samples', () => {
  const flat = `            dd 1 1.000001:  250 cycles:  ffffffff81000000 copy+0x4 ([kernel.kallsyms])
           cat 2 1.000002:  250 cycles:      401000 main+0x4 (/bin/cat)
`
  assert.equal(folded(flat), 'copy_[k] 1\nmain 1\n')
  const trace = `perf 1 [000] 5.5: sched:sched_switch: prev_comm=a\nperf 2 [000] 5.6: sched:sched_switch: prev_comm=b\n`
  assert.equal(folded(trace), '[no stack] 2\n')
  assert.deepEqual(read(trace).sampleTypes, [{ type: 'samples', unit: 'count' }])
})

test('events are not added up: each has its column', () => {
  const text = `a 1 1.0: 100 cycles: \n\t1 f (/a)\n\na 1 2.0: 7 instructions: \n\t1 f (/a)\n\n`
  const { sampleTypes, samples } = read(text)
  assert.deepEqual(sampleTypes, [
    { type: 'cycles', unit: 'count' },
    { type: 'instructions', unit: 'count' },
  ])
  assert.deepEqual(
    samples.values.map((values) => [...values]),
    [
      [100, 0],
      [0, 7],
    ],
  )
  assert.deepEqual([...samples.timeNs!], [0, 1e9])
})

test('headers of the file and other records are no samples; lost ones are counted', () => {
  const text = `# ========\n# captured on    : today\n# ========\n#\nnode 1 1.0: PERF_RECORD_LOST lost 12\n${KERNEL_STACK}x 1 2.0: PERF_RECORD_EXIT(1:1):(1:1)\n`
  const profile = read(text)
  assert.equal(profile.samples.stack.length, 1)
  assert.ok(profile.comments.includes('perf lost 12 samples'))
})

test('one sample without a time takes the times from all', () => {
  const text = `a 1 1.0: cycles: \n\t1 f (/a)\n\na 1 cycles: \n\t1 f (/a)\n\n`
  assert.equal(read(text).samples.timeNs, null)
})

test('reads the same from pieces of any size, with either line end', () => {
  const text = KERNEL_STACK.repeat(3)
  for (const piece of [1, 2, 7, 100]) assert.deepEqual(read(text, piece), read(text))
  assert.equal(folded(text.replaceAll('\n', '\r\n')), folded(text))
})

test('is told from folded stacks by its first lines', () => {
  assert.ok(looksLikePerfScript(KERNEL_STACK))
  assert.ok(looksLikePerfScript('node 12 \n\t401136 main\n'))
  for (const text of ['main;work 12\nmain 3\n', 'a b 1\n', 'swapper 0 12\n', '']) {
    assert.ok(!looksLikePerfScript(text), text)
  }
})

test('what is damaged has its line', () => {
  assert.throws(() => read(`${KERNEL_STACK}what is this;\n`), {
    code: 'input_invalid',
    message:
      "the perf script output is damaged: line 9 is neither the head of a sample nor a frame: 'what is this;'",
  })
  assert.throws(() => read('hello\n'), /^AgentError: not perf script output: line 1 is neither/)
  assert.throws(() => read(''), /^AgentError: not perf script output: it has no sample$/)
  const long = new PerfScriptReader()
  assert.throws(() => {
    for (let i = 0; i < 20; i++) long.push('x'.repeat(1 << 20))
  }, /line 1 has more than 8388608 characters, which is our limit/)
})

test('hostile lines cost no more than their length', () => {
  const spaces = `a${' '.repeat(1 << 20)}1.0\n`
  const brackets = `a 1 1.0: 1 c: \n\t1 ${'('.repeat(1 << 20)} (/a)\n\t2 ${')'.repeat(1 << 20)}\n\t3 ${'f (a) '.repeat(1 << 18)})\n`
  assert.throws(() => read(spaces), /damaged|not perf/)
  assert.equal(read(brackets).samples.stack.length, 1)
})
