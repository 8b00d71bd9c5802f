import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  compile,
  fileOffsets,
  listSymbols,
  namesAt,
  namesByAddress,
  resolveFile,
  run,
  temporaryDirectory,
} from '../helpers/elf-tools.ts'

const directory = temporaryDirectory()
const at = (name: string) => join(directory, name)
const program = compile(at('program'), 'program.c', '-g')
const library = compile(at('library.so'), 'library.c', '-shared', '-fPIC')

function addressOf(path: string, name: string): number {
  const symbol = listSymbols(path).find((one) => one.name === name)
  assert.ok(symbol, `${name} is in ${path}`)
  return symbol.address
}

/** PLT stubs as objdump names them: start address and name. */
function listStubs(path: string): { address: number; name: string }[] {
  const stubs = run('objdump', ['-d', path]).matchAll(/^([0-9a-f]+) <(\w+@plt)>:$/gm)
  return Array.from(stubs, ([, address = '', name = '']) => ({ address: Number.parseInt(address, 16), name }))
}

for (const [form, flags] of [
  ['a PIE', []],
  ['a non-PIE', ['-no-pie']],
  ['a static PIE', ['-static-pie']],
  [
    'a program whose code shares a segment with its headers',
    ['-ffunction-sections', '-Wl,-z,noseparate-code'],
  ],
] as const) {
  test(`names every byte of every function of ${form}`, async () => {
    const path = compile(at('form'), 'program.c', ...flags)
    const sized = listSymbols(path).filter((symbol) => symbol.size > 0)
    const byAddress = namesByAddress(sized)
    assert.ok(sized.length >= 6)
    const asked = sized.slice(0, 300).flatMap(({ address, size }) => [address, address + size - 1])
    const answer = await resolveFile(path, fileOffsets(path, asked))
    assert.equal(answer.detail, '')
    assert.deepEqual([...answer.elfAddress], asked)
    asked.forEach((address, row) => {
      const start = answer.symbolStart[row] ?? Number.NaN
      assert.ok(
        start <= address && byAddress.get(start)?.has(answer.names[answer.name[row] ?? -1] ?? ''),
        `${address}`,
      )
    })
  })
}

test('prefers the global name without underscores among aliases', async () => {
  const address = addressOf(program, '__aliased')
  assert.deepEqual(await namesAt(program, [address, address + 1]), ['aliased', 'aliased'])
})

test('lets a label without size reach to the next symbol, but never inside a sized function', async () => {
  const bare = addressOf(program, 'bare_label')
  const second = addressOf(program, 'second_label')
  const inner = addressOf(program, 'inner_label')
  assert.deepEqual(await namesAt(program, [bare, second - 1, second, second + 2, inner]), [
    'bare_label',
    'bare_label',
    'second_label',
    'second_label',
    'sized_after',
  ])
})

test('keeps the asked order and repeats, and stores each name once', async () => {
  const main = addressOf(program, 'main')
  const exported = addressOf(program, 'exported_function')
  const answer = await resolveFile(program, fileOffsets(program, [main, exported, main]))
  assert.deepEqual(
    Array.from(answer.name, (index) => answer.names[index]),
    ['main', 'exported_function', 'main'],
  )
  assert.equal(answer.names.length, 2)
})

for (const [form, flags] of [
  ['bound at start', ['-Wl,-z,now']],
  ['lazy', ['-Wl,-z,lazy', '-fcf-protection=none']],
  ['with branch protection', ['-Wl,-z,lazy', '-Wl,-z,ibtplt', '-fcf-protection']],
] as const) {
  test(`names the PLT stubs of a program ${form} as objdump does`, async () => {
    const path = compile(at('stubs'), 'program.c', ...flags)
    const stubs = listStubs(path)
    assert.ok(stubs.some((stub) => stub.name === 'puts@plt'))
    const asked = stubs.flatMap((stub) => [stub.address, stub.address + 5])
    assert.deepEqual(
      await namesAt(path, asked),
      stubs.flatMap((stub) => [stub.name, stub.name]),
    )
  })
}

test('names the lazy half of a two-part PLT by its relocation number', async () => {
  const path = compile(at('two-part'), 'program.c', '-Wl,-z,lazy', '-Wl,-z,ibtplt', '-fcf-protection')
  const section = /\.plt +PROGBITS +([0-9a-f]+)/.exec(run('readelf', ['-SW', path]))
  const header = Number.parseInt(section?.[1] ?? '', 16)
  assert.deepEqual(await namesAt(path, [header + 16, header]), ['puts@plt', undefined])
})

test('reports what a stripped program still has', async () => {
  const address = addressOf(program, 'static_function')
  const stripped = at('stripped')
  run('strip', ['-o', stripped, program])
  const answer = await resolveFile(stripped, fileOffsets(stripped, [address]))
  assert.deepEqual([answer.failure, answer.detail, answer.name[0]], ['', '', -1])
  assert.ok(Number.isNaN(answer.symbolStart[0]))
  assert.deepEqual([answer.hasSymbols, answer.sources, answer.hasDwarf], [false, [], false])
  assert.equal(answer.elfAddress[0], address)
})

test('names what a stripped library exports, and nothing else', async () => {
  const addresses = [addressOf(library, 'library_call'), addressOf(library, 'hidden_step')]
  const stripped = at('stripped.so')
  run('strip', ['-o', stripped, library])
  const answer = await resolveFile(stripped, fileOffsets(library, addresses))
  assert.deepEqual(
    Array.from(answer.name, (index) => answer.names[index]),
    ['library_call', undefined],
  )
  assert.deepEqual([answer.hasSymbols, answer.sources], [true, ['.dynsym']])
})

test('finds .dynsym by PT_DYNAMIC when the section headers are gone', async () => {
  for (const style of ['gnu', 'sysv']) {
    const path = compile(
      at(`headerless-${style}.so`),
      'library.c',
      '-shared',
      '-fPIC',
      `-Wl,--hash-style=${style}`,
    )
    const address = addressOf(path, 'library_call')
    const offsets = fileOffsets(path, [address])
    const bytes = readFileSync(path)
    bytes.fill(0, 40, 48) // e_shoff
    bytes.fill(0, 60, 64) // e_shnum, e_shstrndx
    writeFileSync(path, bytes)
    const answer = await resolveFile(path, offsets)
    assert.deepEqual(
      [answer.names[answer.name[0] ?? -1], answer.sources],
      ['library_call', ['.dynsym']],
      style,
    )
  }
})

test('names a stripped program by its separate debug file', async () => {
  const stripped = at('split')
  const debug = at('split.debug')
  run('objcopy', ['--only-keep-debug', program, debug])
  run('strip', ['-o', stripped, program])
  const asked = ['main', 'static_function', 'bare_label'].map((name) => addressOf(program, name))
  const answer = await resolveFile(stripped, fileOffsets(stripped, asked), debug)
  assert.deepEqual(
    Array.from(answer.name, (index) => answer.names[index]),
    ['main', 'static_function', 'bare_label'],
  )
  assert.deepEqual([answer.sources, answer.hasDwarf, answer.detail], [['debug file'], true, ''])
})

test('ignores the debug file of another build, and says so', async () => {
  const other = compile(at('other'), 'program.c', '-DOTHER', '-O2')
  const answer = await resolveFile(program, fileOffsets(program, [addressOf(program, 'main')]), other)
  assert.deepEqual(answer.sources, ['.symtab'])
  assert.match(answer.detail, /^debug file ignored: its build id is [0-9a-f]{40}$/)
})

test('names static functions by .gnu_debugdata', async () => {
  const inner = at('mini')
  const stripped = at('with-debugdata')
  run('objcopy', ['--only-keep-debug', program, inner])
  run('objcopy', ['-S', '--keep-symbol=static_function', '--keep-symbol=main', inner])
  run('xz', ['-kf', inner])
  run('strip', ['-o', stripped, program])
  run('objcopy', ['--add-section', `.gnu_debugdata=${inner}.xz`, stripped])
  const asked = [addressOf(program, 'static_function'), addressOf(program, 'main')]
  const answer = await resolveFile(stripped, fileOffsets(stripped, asked))
  assert.deepEqual(
    Array.from(answer.name, (index) => answer.names[index]),
    ['static_function', 'main'],
  )
  assert.deepEqual([answer.hasSymbols, answer.sources, answer.detail], [true, ['.gnu_debugdata'], ''])
})

test('gives the build id, the segment of the first address and the presence of DWARF', async () => {
  const answer = await resolveFile(program, fileOffsets(program, [addressOf(program, 'main')]))
  const buildId = /Build ID: ([0-9a-f]+)/.exec(run('readelf', ['-n', program]))?.[1]
  const load = run('readelf', ['-lW', program])
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((words) => words[0] === 'LOAD' && words.includes('E'))
  assert.equal(answer.buildId, buildId)
  assert.deepEqual(answer.segment, {
    address: Number(load?.[2]),
    fileOffset: Number(load?.[1]),
    size: Number(load?.[5]),
  })
  assert.equal(answer.hasDwarf, true)
})

test('answers an empty question and offsets that are none', async () => {
  const empty = await resolveFile(program, new Float64Array(0))
  assert.deepEqual([empty.failure, empty.name.length, empty.names, empty.hasSymbols], ['', 0, [], true])
  assert.deepEqual(empty.segment, { address: 0, fileOffset: 0, size: 0 })
  const odd = await resolveFile(program, Float64Array.of(-1, Number.NaN, Infinity, 2 ** 53, 2 ** 52, 0.5))
  assert.deepEqual([...odd.name], [-1, -1, -1, -1, -1, -1])
})
