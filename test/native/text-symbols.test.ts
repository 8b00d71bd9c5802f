import assert from 'node:assert/strict'
import { closeSync, mkdirSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadAddon } from '../../src/native/addon.ts'
import { run, temporaryDirectory } from '../helpers/elf-tools.ts'

const directory = temporaryDirectory()
const path = join(directory, 'list')

/** 64 bits in hex as the signed address a process reports. */
const signed = (hex: string) => Number(BigInt.asIntN(64, BigInt(`0x${hex}`)))

async function kallsyms(text: string, addresses: readonly string[]) {
  writeFileSync(path, text)
  const answer = await loadAddon().resolveKallsyms(path, Float64Array.from(addresses, signed))
  const rows = Array.from(answer.name, (name, row) => {
    const module = answer.modules[answer.module[row] ?? -1]
    return name < 0 ? undefined : `${answer.names[name]}${module ? ` [${module}]` : ''}`
  })
  return { ...answer, rows }
}

async function perfMap(text: string | Buffer, addresses: readonly number[]) {
  writeFileSync(path, text)
  const fd = openSync(path, 'r')
  try {
    const answer = await loadAddon().resolvePerfMap(fd, Float64Array.from(addresses))
    return { ...answer, rows: Array.from(answer.name, (name) => answer.names[name]) }
  } finally {
    closeSync(fd)
  }
}

const LIST = `\
0000000000000000 A fixed_percpu_data
ffffffff81000000 T _text
ffffffff81000000 t local_alias
ffffffff81000000 T startup_64
ffffffff81000100 t __pfx_second
ffffffff81000110 T __cfi_second
ffffffff81000120 t second
ffffffff81000200 T __ia32_sys_pause
ffffffff81000200 T __x64_sys_pause
ffffffff81000300 D a_variable
ffffffffc0000000 t ext4_read\t[ext4]
ffffffffc0000040 t ext4_write\t[ext4]
ffffffffc1000000 t bpf_prog_1234_name\t[bpf]
`

test('names kernel and module addresses up to the next symbol', async () => {
  const answer = await kallsyms(LIST, [
    'ffffffff81000000',
    'ffffffff810000ff',
    'ffffffff81000120',
    'ffffffff81000210',
    'ffffffffc000003f',
    'ffffffffc1000010',
  ])
  assert.deepEqual(answer.rows, [
    'startup_64',
    'startup_64',
    'second',
    '__x64_sys_pause',
    'ext4_read [ext4]',
    'bpf_prog_1234_name [bpf]',
  ])
  assert.equal(answer.symbolStart[1], signed('ffffffff81000000'))
  assert.deepEqual([answer.hidden, answer.failure, answer.modules[0]], [false, '', ''])
})

test('names neither data, nor what lies far behind the last function, nor what lies before the first', async () => {
  const asked = [
    'ffffffff81000310',
    'ffffffffc0400040',
    'ffffffffc043ffff',
    'ffffffff80ffffff',
    '7f0000001000',
  ]
  assert.deepEqual((await kallsyms(LIST, asked)).rows, [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  assert.deepEqual((await kallsyms(LIST, ['ffffffffc040003f'])).rows, ['ext4_write [ext4]'])
})

test('does not depend on the order of lines', async () => {
  const reversed = `${LIST.trim().split('\n').reverse().join('\n')}\n`
  const asked = ['ffffffff81000050', 'ffffffff81000130', 'ffffffffc0000041']
  assert.deepEqual((await kallsyms(reversed, asked)).rows, ['startup_64', 'second', 'ext4_write [ext4]'])
})

test('tells a list with hidden addresses from an empty one', async () => {
  const hidden = await kallsyms('0000000000000000 T _text\n0000000000000000 t x\n', ['ffffffff81000000', '0'])
  assert.deepEqual([hidden.hidden, hidden.rows], [true, [undefined, undefined]])
  assert.equal((await kallsyms('', ['ffffffff81000000'])).hidden, false)
})

test('passes over lines that are none', async () => {
  const text = 'rubbish\n\nzz T x\nffffffff81000000\nffffffff81000000 TT y\nffffffff81000000 T good'
  assert.deepEqual((await kallsyms(text, ['ffffffff81000004'])).rows, ['good'])
})

test('reports a list that cannot be read', async () => {
  const missing = await loadAddon().resolveKallsyms(join(directory, 'missing'), Float64Array.of(-1))
  assert.deepEqual(
    [missing.failure, missing.name[0]],
    ['cannot open the file: No such file or directory', -1],
  )
  const fifo = join(directory, 'fifo')
  run('mkfifo', [fifo])
  assert.equal((await loadAddon().resolveKallsyms(fifo, Float64Array.of(-1))).failure, 'not a regular file')
})

test("names this kernel's functions as /proc/kallsyms lists them", async (context) => {
  const lines = readFileSync('/proc/kallsyms', 'latin1').split('\n')
  const functions = lines.filter((line) => / [tT] /.test(line)).map((line) => line.split(/[ \t]/))
  if (functions.every(([address]) => /^0*$/.test(address ?? '')))
    return context.skip('kernel addresses are hidden')
  const names = new Map<number, string[]>()
  for (const [address = '', , name = ''] of functions) {
    names.set(signed(address), [...(names.get(signed(address)) ?? []), name])
  }
  const starts = [...names.keys()].filter((_, index) => index % 97 === 0)
  const answer = await loadAddon().resolveKallsyms('/proc/kallsyms', Float64Array.from(starts))
  for (const [row, start] of starts.entries()) {
    assert.equal(answer.symbolStart[row], start)
    assert.ok(names.get(start)?.includes(answer.names[answer.name[row] ?? -1] ?? ''))
  }
})

test('names addresses of a perf map with all their blanks', async () => {
  const text = '400000 20 LazyCompile:~f /a b.js:1:2\n0x7f0000001000 0x10 jit<int, char>\n500000 0 empty\n'
  const answer = await perfMap(text, [0x40001f, 0x7f0000001000, 0x400020, 0x3fffff, 0x500000])
  assert.deepEqual(answer.rows, [
    'LazyCompile:~f /a b.js:1:2',
    'jit<int, char>',
    undefined,
    undefined,
    undefined,
  ])
  assert.deepEqual([answer.symbolStart[0], answer.malformedLines, answer.failure], [0x400000, 0, ''])
})

test('lets the later line of a perf map win where two overlap', async () => {
  const text = '1000 100 old\n1080 10 moved\n1000 8 newest\n'
  const answer = await perfMap(text, [0x1000, 0x1008, 0x1080, 0x108f, 0x1090])
  assert.deepEqual(answer.rows, ['newest', 'old', 'moved', 'moved', 'old'])
})

test('counts the bad lines of a perf map', async () => {
  const text =
    'what\n1000\n1000 10\n1000 10 \nzz 10 x\n1000 zz x\n1000 10 good\n-1 10 x\n11111111111111111 1 x'
  const answer = await perfMap(text, [0x1000])
  assert.deepEqual([answer.rows, answer.malformedLines], [['good'], 8])
})

test('takes a size that ends beyond the address space for "to the end"', async () => {
  assert.deepEqual((await perfMap('1000 ffffffffffffffff all\n', [0xfff, 0x1000, 2 ** 52])).rows, [
    undefined,
    'all',
    'all',
  ])
})

test('cuts a line of a megabyte and reads on behind it', async () => {
  const text = `1000 10 ${'x'.repeat(1 << 20)}\n${'y'.repeat(300_000)}\n2000 10 next\n3000 10 last`
  const answer = await perfMap(text, [0x1000, 0x2000, 0x3000])
  assert.deepEqual([answer.rows[0]?.length, answer.rows[1], answer.rows[2]], [4096, 'next', 'last'])
  assert.equal(answer.malformedLines, 1)
})

test('reads a perf map of many buffers line by line', async () => {
  const lines = Array.from(
    { length: 60_000 },
    (_, index) => `${(index * 16).toString(16)} 10 function number ${index}`,
  )
  const asked = [0, 16 * 12_345 + 3, 16 * 59_999 + 15, 16 * 60_000]
  assert.deepEqual((await perfMap(lines.join('\n'), asked)).rows, [
    'function number 0',
    'function number 12345',
    'function number 59999',
    undefined,
  ])
})

test('ends on a sparse map of zeros, a pipe, a directory and a closed descriptor', async () => {
  writeFileSync(path, '')
  truncateSync(path, 1 << 28)
  const fd = openSync(path, 'r')
  const sparse = await loadAddon().resolvePerfMap(fd, Float64Array.of(0))
  closeSync(fd)
  assert.deepEqual([sparse.malformedLines, sparse.name[0]], [1, -1])
  const fifo = join(directory, 'pipe')
  run('mkfifo', [fifo])
  mkdirSync(join(directory, 'empty'))
  for (const [name, flags] of [
    [fifo, 'r+'],
    [join(directory, 'empty'), 'r'],
  ] as const) {
    const other = openSync(name, flags)
    assert.equal((await loadAddon().resolvePerfMap(other, Float64Array.of(0))).failure, 'not a regular file')
    closeSync(other)
  }
  assert.match(
    (await loadAddon().resolvePerfMap(999_999, Float64Array.of(0))).failure,
    /Bad file descriptor|cannot/,
  )
})

async function functionsOf(text: string) {
  writeFileSync(path, text)
  const list = await loadAddon().listKernelFunctions(path)
  const nameOf = (i: number) =>
    Buffer.from(list.names.subarray(list.nameAt[i], list.nameAt[i + 1])).toString()
  const rows = Array.from(list.start, (start, i) => {
    const module = list.modules[list.module[i]!]
    return `${BigInt.asUintN(64, BigInt(start)).toString(16)} ${nameOf(i)}${module ? ` [${module}]` : ''}`
  })
  return { ...list, rows }
}

test('lists the functions of the kernel by address, one an address, the one that is also asked for', async () => {
  const list = await functionsOf(LIST.split('\n').reverse().join('\n'))
  assert.deepEqual(list.rows, [
    'ffffffff81000000 startup_64',
    'ffffffff81000100 __pfx_second',
    'ffffffff81000110 __cfi_second',
    'ffffffff81000120 second',
    'ffffffff81000200 __x64_sys_pause',
    'ffffffffc0000000 ext4_read [ext4]',
    'ffffffffc0000040 ext4_write [ext4]',
    'ffffffffc1000000 bpf_prog_1234_name [bpf]',
  ])
  assert.deepEqual([list.hidden, list.failure], [false, ''])
})

test('lists nothing of a hidden, an empty and an absent list, and says why', async () => {
  const hidden = await functionsOf('0000000000000000 T schedule\n0000000000000000 t work\n')
  assert.deepEqual([hidden.rows, hidden.hidden], [[], true])
  const empty = await functionsOf('')
  assert.deepEqual([empty.rows, empty.hidden, empty.nameAt.length], [[], false, 1])
  const absent = await loadAddon().listKernelFunctions('/no/such/list')
  assert.match(absent.failure, /No such file/)
  assert.equal(absent.start.length, 0)
})

test('lists this kernel as it names addresses one by one', async () => {
  const list = await loadAddon().listKernelFunctions('/proc/kallsyms')
  if (list.hidden || list.start.length === 0) return
  const picked = Array.from({ length: 500 }, (_, i) => Math.floor((i * list.start.length) / 500))
  const asked = Float64Array.from(picked, (row) => list.start[row]!)
  const one = await loadAddon().resolveKallsyms('/proc/kallsyms', asked)
  const nameOf = (row: number) =>
    Buffer.from(list.names.subarray(list.nameAt[row], list.nameAt[row + 1])).toString()
  picked.forEach((row, i) => {
    // Data at the same address hides a function from the one, and is not in the other.
    if (one.name[i]! >= 0) assert.equal(nameOf(row), one.names[one.name[i]!])
  })
  assert.ok(one.name.filter((name) => name >= 0).length > 450)
})
