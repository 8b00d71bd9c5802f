/** Files that lie, end early or are none: each costs names and is told in `failure` or `detail`, never more. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadAddon } from '../../src/native/addon.ts'
import type { ResolvedElf } from '../../src/native/symbols.ts'
import { type ElfImage, elfImage, IMAGE_TEXT, SYMBOL_INFO } from '../helpers/elf-image.ts'
import {
  compile,
  fileOffsets,
  listSymbols,
  resolveFile,
  run,
  temporaryDirectory,
} from '../helpers/elf-tools.ts'

const directory = temporaryDirectory()
const path = join(directory, 'file')
const TEXT = IMAGE_TEXT.address

async function resolveBytes(bytes: Uint8Array, offsets: readonly number[]): Promise<ResolvedElf> {
  writeFileSync(path, bytes)
  return resolveFile(path, Float64Array.from(offsets))
}

const nameOf = (answer: ResolvedElf, row = 0) => answer.names[answer.name[row] ?? -1]

function twoFunctions(machine?: number): ElfImage {
  return elfImage(
    [
      { name: 'first', address: TEXT, size: 16, info: SYMBOL_INFO.globalFunction },
      { name: 'second', address: TEXT + 16, size: 16, info: SYMBOL_INFO.globalFunction },
    ],
    64,
    machine,
  )
}

test('reads the image the lies are made from', async () => {
  const answer = await resolveBytes(twoFunctions().bytes, [0x1000, 0x101f, 0x1020])
  assert.deepEqual([nameOf(answer, 0), nameOf(answer, 1), nameOf(answer, 2)], ['first', 'second', undefined])
  assert.equal(answer.detail, '')
})

const lies: [string, (image: ElfImage) => void, string, RegExp, string | undefined][] = [
  ['no magic', ({ bytes }) => bytes.fill(0x2a, 0, 4), 'not_elf', /^no ELF magic$/, undefined],
  ['a 32-bit class', ({ bytes }) => bytes.fill(1, 4, 5), 'not_elf', /32-bit/, undefined],
  ['big-endian data', ({ bytes }) => bytes.fill(2, 5, 6), 'not_elf', /little-endian/, undefined],
  ['an object file', ({ bytes }) => bytes.fill(1, 16, 17), 'not_elf', /^ELF type 1 is neither/, undefined],
  ['a core file', ({ bytes }) => bytes.fill(4, 16, 17), 'not_elf', /^ELF type 4 is neither/, undefined],
  [
    'section headers beyond the file',
    ({ bytes }) => bytes.writeBigUInt64LE(1n << 40n, 40),
    '',
    /^corrupt: section header table at 0x10000000000 ends beyond the file$/,
    undefined,
  ],
  [
    'section headers at the end of the address space',
    ({ bytes }) => bytes.writeBigUInt64LE((1n << 64n) - 8n, 40),
    '',
    /^corrupt: section header table/,
    undefined,
  ],
  [
    'more sections than bytes',
    ({ bytes }) => bytes.writeUInt16LE(60000, 60),
    '',
    /ends beyond the file/,
    undefined,
  ],
  [
    'extended numbering with 2^60 sections',
    ({ bytes, sectionHeaders }) => {
      bytes.writeUInt16LE(0, 60)
      bytes.writeBigUInt64LE(1n << 60n, sectionHeaders + 32)
    },
    '',
    /claims 1152921504606846976 sections/,
    undefined,
  ],
  [
    'section entries of 3 bytes',
    ({ bytes }) => bytes.writeUInt16LE(3, 58),
    '',
    /entries of 3 bytes/,
    undefined,
  ],
  [
    'segment entries of 0 bytes',
    ({ bytes }) => bytes.writeUInt16LE(0, 54),
    '',
    /entries of 0 bytes/,
    undefined,
  ],
  ['60000 segments', ({ bytes }) => bytes.writeUInt16LE(60000, 56), '', /claims 60000 segments/, undefined],
  [
    'neither table in the file',
    ({ bytes }) => {
      bytes.writeBigUInt64LE(1n << 40n, 32)
      bytes.writeBigUInt64LE(1n << 40n, 40)
    },
    'not_elf',
    /^corrupt: section header table/,
    undefined,
  ],
  [
    'a symbol table without strings',
    ({ bytes, sectionHeaders }) => bytes.writeUInt32LE(999, sectionHeaders + 128 + 40),
    '',
    /^corrupt: \.symtab names no string table$/,
    undefined,
  ],
  [
    'a symbol table of 2^60 bytes',
    ({ bytes, sectionHeaders }) => bytes.writeBigUInt64LE(1n << 60n, sectionHeaders + 128 + 32),
    '',
    /^corrupt: \.symtab is cut at \d+ symbols$/,
    'first',
  ],
  [
    'symbols of 7 bytes',
    ({ bytes, sectionHeaders }) => bytes.writeBigUInt64LE(7n, sectionHeaders + 128 + 56),
    '',
    /^corrupt: \.symtab has entries of 7 bytes$/,
    undefined,
  ],
  [
    'a name beyond the strings',
    ({ bytes, symbolTable }) => bytes.writeUInt32LE(0xfffffff0, symbolTable.offset + 24),
    '',
    /^$/,
    undefined,
  ],
  [
    'a symbol that ends beyond the address space',
    ({ bytes, symbolTable }) => bytes.writeBigUInt64LE((1n << 64n) - 1n, symbolTable.offset + 24 + 16),
    '',
    /^$/,
    'first',
  ],
  [
    'section names in a table that is none',
    ({ bytes }) => bytes.writeUInt16LE(1, 62),
    '',
    /^corrupt: no section name table$/,
    'first',
  ],
]

for (const [lie, damage, failure, detail, name] of lies) {
  test(`survives ${lie}`, async () => {
    const image = twoFunctions()
    damage(image)
    const answer = await resolveBytes(image.bytes, [0x1000])
    assert.equal(answer.failure, failure)
    assert.match(answer.detail, detail)
    assert.equal(nameOf(answer), name)
  })
}

test('ends a name at the end of a string table without NUL', async () => {
  const { bytes, sectionHeaders, stringTable } = twoFunctions()
  bytes.writeBigUInt64LE(BigInt(stringTable.size - 3), sectionHeaders + 192 + 32)
  assert.equal(nameOf(await resolveBytes(bytes, [0x1010])), 'seco')
})

test('takes no mapping symbol or assembler label for a name', async () => {
  const label = { size: 0, info: SYMBOL_INFO.localLabel }
  const { bytes } = elfImage(
    [
      { name: 'routine', address: TEXT, ...label },
      { name: '$x', address: TEXT + 4, ...label },
      { name: '.Lloop', address: TEXT + 8, ...label },
    ],
    64,
    183, // arm64
  )
  assert.equal(nameOf(await resolveBytes(bytes, [0x100c])), 'routine')
})

test('answers in the same way whatever the order of symbols', async () => {
  const symbols = ['one', '_one', 'two', '__three'].map((name, index) => ({
    name,
    address: TEXT,
    size: index === 2 ? 8 : 16,
    info: SYMBOL_INFO.globalFunction,
  }))
  symbols.push({ name: 'weak', address: TEXT, size: 32, info: SYMBOL_INFO.weakFunction })
  for (const order of [symbols, [...symbols].reverse()]) {
    const answer = await resolveBytes(elfImage(order, 64).bytes, [0x1000, 0x100c, 0x101c])
    assert.deepEqual([nameOf(answer, 0), nameOf(answer, 1), nameOf(answer, 2)], ['one', 'one', 'weak'])
  }
})

test('stays quick where every symbol covers every address', async () => {
  const symbols = Array.from({ length: 50_000 }, (_, index) => ({
    name: `s${index}`,
    address: TEXT + (index % 7),
    size: 1 << 20,
    info: SYMBOL_INFO.globalFunction,
  }))
  const offsets = Array.from({ length: 20_000 }, (_, index) => 0x1000 + index)
  const answer = await resolveBytes(elfImage(symbols, 1 << 20).bytes, offsets)
  assert.deepEqual([nameOf(answer, 0), nameOf(answer, 19_999)], ['s0', 's6'])
})

test('survives a file cut at any length', async () => {
  const program = compile(join(directory, 'program'), 'program.c')
  const bytes = readFileSync(program)
  const symbols = listSymbols(program).filter((symbol) => symbol.size > 0)
  const offsets = [
    ...fileOffsets(
      program,
      symbols.map((symbol) => symbol.address),
    ),
  ]
  const outcomes = new Set<string>()
  for (let length = 0; length < bytes.length; length += length < 1200 ? 1 : 37) {
    const answer = await resolveBytes(bytes.subarray(0, length), offsets)
    outcomes.add(answer.failure)
    if (length >= 64) assert.notEqual(answer.detail, '', `cut at ${length}`)
    for (const [row, symbol] of symbols.entries()) {
      const name = nameOf(answer, row)
      // A name from a table that was cut may be an alias, but never another function's.
      if (name) assert.equal(answer.symbolStart[row], symbol.address)
    }
  }
  assert.deepEqual([...outcomes].sort(), ['', 'not_elf'])
})

test('survives flipped bytes', async () => {
  const program = readFileSync(compile(join(directory, 'flipped'), 'program.c'))
  let state = 42
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0)
  for (let round = 0; round < 1500; ++round) {
    const bytes = Buffer.from(program)
    // Headers and the tables at the end matter most.
    for (let flips = 0; flips < 6; ++flips) {
      const place = flips % 2 ? random() % 900 : bytes.length - 1 - (random() % 4500)
      bytes[place] = random() >>> 16
    }
    const answer = await resolveBytes(bytes, [0x1040, 0x1149, 0x1180, 0])
    assert.equal(answer.name.length, 4)
    assert.ok(['', 'not_elf', 'io_error'].includes(answer.failure))
  }
})

test('names what it can of a file that shrinks after it was opened', async () => {
  const image = twoFunctions()
  writeFileSync(path, image.bytes)
  const fd = openSync(path, 'r+')
  const answers = loadAddon().resolveElf(fd, -1, Float64Array.of(0x1000))
  ftruncateSync(fd, 200)
  const answer = await answers
  closeSync(fd)
  assert.equal(answer.name.length, 1)
  const after = await resolveFile(path, Float64Array.of(0x1000))
  assert.deepEqual([after.failure, after.name[0]], ['', -1])
  assert.match(after.detail, /section header table/)
})

test('refuses what is no regular file, without waiting for it', async () => {
  const fifo = join(directory, 'fifo')
  run('mkfifo', [fifo])
  const fd = openSync(fifo, 'r+')
  const answer = await loadAddon().resolveElf(fd, -1, Float64Array.of(64))
  closeSync(fd)
  assert.deepEqual([answer.failure, answer.detail, answer.name[0]], ['not_elf', 'not a regular file', -1])
  const inDirectory = await resolveFile(directory, Float64Array.of(64))
  assert.equal(inDirectory.failure, 'not_elf')
})

test('reports a descriptor that is not open, and lets the caller close its own at once', async () => {
  writeFileSync(path, twoFunctions().bytes)
  const closed = await loadAddon().resolveElf(999_999, -1, Float64Array.of(64))
  assert.equal(closed.failure, 'io_error')
  assert.match(closed.detail, /Bad file descriptor/)
  const noDebug = openSync(path, 'r')
  const ignored = await loadAddon().resolveElf(noDebug, 999_999, Float64Array.of(64))
  closeSync(noDebug)
  assert.match(ignored.detail, /^debug file ignored: .*Bad file descriptor/)
  const fd = openSync(path, 'r')
  const answer = loadAddon().resolveElf(fd, -1, Float64Array.of(0x1000))
  closeSync(fd)
  assert.equal(nameOf(await answer), 'first')
})

test('refuses arguments of the wrong type', () => {
  const { resolveElf } = loadAddon() as unknown as { resolveElf: (...args: unknown[]) => unknown }
  assert.throws(() => resolveElf('x', -1, new Float64Array(1)), TypeError)
  assert.throws(() => resolveElf(0, -1, [1, 2]), TypeError)
  assert.throws(() => resolveElf(0, -1, new Float32Array(1)), TypeError)
})

test('gives up on .gnu_debugdata that unpacks without end, or not at all', async () => {
  const program = compile(join(directory, 'bombed'), 'program.c', '-s')
  const data = join(directory, 'data.xz')
  const bomb = execFileSync('sh', ['-c', 'head -c 150M /dev/zero | xz -0 -T0'], { maxBuffer: 1 << 26 })
  for (const [content, reason] of [
    [bomb, /^\.gnu_debugdata: unpacks to more than 128 MiB$/],
    [bomb.subarray(0, 1000), /^corrupt: \.gnu_debugdata at byte 1000: xz error \d+$/],
    [Buffer.from('not xz at all'), /^corrupt: \.gnu_debugdata at byte \d+: xz error 7$/],
  ] as const) {
    writeFileSync(data, content)
    const output = join(directory, 'with-data')
    run('objcopy', ['--add-section', `.gnu_debugdata=${data}`, program, output])
    const answer = await resolveFile(output, Float64Array.of(0x1149))
    assert.equal(answer.failure, '')
    assert.match(answer.detail, reason)
  }
})
