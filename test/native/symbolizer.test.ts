import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import type { SourceFrame } from '../../src/symbolize/answer.ts'
import { demangle } from '../../src/symbolize/demangle-client.ts'
import type { LineResult } from '../../src/symbolize/line-client.ts'
import { symbolizerPath } from '../../src/symbolize/symbolizer-process.ts'
import {
  buildInlines,
  cannotRun,
  type Files,
  fixtures,
  hasTool,
  instructionAddresses,
  llvmLines,
  ourLines,
  scratchDirectory,
} from './symbolizer-cases.ts'

/** Names agree, or ours is the same with its namespace and class before it. */
function sameName(ours: string, theirs: string): boolean {
  return ours === theirs || ours.endsWith(`::${theirs}`)
}

/** Compares chains; the physical function's name is not compared: the other tool takes it from the symbol table. */
function compare(ours: LineResult, theirs: readonly SourceFrame[][]): { addresses: number; inlined: number } {
  let addresses = 0
  let inlined = 0
  theirs.forEach((expected, i) => {
    const row = ours.rows[i]
    // For code without debug information the other tool invents a file from the symbol table: "crtstuff.c:0:0".
    if (!row && expected.every(({ line }) => line === 0)) return
    assert.ok(row, `address ${i} has no row, but ${JSON.stringify(expected)}`)
    assert.equal(row.length, expected.length, `frames of address ${i}`)
    addresses++
    row.forEach((frame, depth) => {
      const other = expected[depth]!
      assert.deepEqual([frame.file, frame.line, frame.column], [other.file, other.line, other.column])
      if (depth === row.length - 1) return
      inlined++
      assert.ok(sameName(frame.name, other.name), `${frame.name} is not ${other.name}`)
    })
  })
  return { addresses, inlined }
}

describe('lines by the symbolizer', { skip: cannotRun }, () => {
  let out = ''
  let addresses: number[] = []
  before(() => {
    out = buildInlines()
    addresses = instructionAddresses(join(out, 'dwarf5'))
  })

  async function agrees(files: Files, reference: string): Promise<void> {
    const wanted = instructionAddresses(reference)
    const result = await ourLines(files, wanted)
    assert.equal(result.failure, '')
    assert.equal(result.damage, 0)
    const counted = compare(result, llvmLines(reference, wanted))
    assert.ok(counted.addresses > 1000 && counted.inlined > 4000, JSON.stringify(counted))
  }

  for (const form of ['dwarf5', 'dwarf4', 'zlib', 'zstd']) {
    test(`agree with llvm-symbolizer on every instruction (${form})`, async (t) => {
      const file = join(out, form)
      if (!existsSync(file)) return t.skip(`${form} could not be built`)
      await agrees({ object: file }, file)
    })
  }

  test('are read from a separate debug file', async () => {
    await agrees({ object: join(out, 'stripped'), debug: join(out, 'stripped.debug') }, join(out, 'dwarf5'))
  })

  test('keep names that dwz moved to an alternate file', async (t) => {
    if (!existsSync(join(out, 'dwz-alternate'))) return t.skip('dwz is not installed')
    const plain = await ourLines({ object: join(out, 'dwarf5') }, addresses)
    const moved = await ourLines(
      { object: join(out, 'dwz-one'), alternate: join(out, 'dwz-alternate') },
      addresses,
    )
    assert.equal(moved.missingAlternate, 0)
    assert.equal(moved.damage, 0)
    assert.deepEqual(moved.rows, plain.rows)
  })

  test('count the names of an alternate file that is not there', async (t) => {
    if (!existsSync(join(out, 'dwz-alternate'))) return t.skip('dwz is not installed')
    const nameless = ({ rows }: LineResult) =>
      rows.flatMap((row) => row ?? []).filter(({ name }) => name === '').length
    const plain = await ourLines({ object: join(out, 'dwarf5') }, addresses)
    const result = await ourLines({ object: join(out, 'dwz-one') }, addresses)
    assert.equal(result.failure, '')
    assert.equal(result.missingAlternate, nameless(result) - nameless(plain))
    assert.ok(result.missingAlternate > 1000)
    assert.doesNotMatch(JSON.stringify(result.rows), /invalid/)
  })

  test('give a position and a count, but no inlines, for split units', async () => {
    const file = join(out, 'split')
    const wanted = instructionAddresses(file)
    const result = await ourLines({ object: file }, wanted)
    const known = result.rows.filter((row) => row !== undefined)
    assert.equal(result.failure, '')
    assert.ok(known.length > 1000)
    assert.ok(known.every((row) => row.length === 1))
    assert.ok(result.splitUnit >= known.length)
  })

  test('say the line a function begins at', async () => {
    const { rows } = await ourLines({ object: join(out, 'dwarf5') }, addresses)
    const frames = rows.flatMap((row) => row ?? [])
    const starts = (name: string) => [
      ...new Set(frames.filter((frame) => frame.name === name).map((f) => f.startLine)),
    ]
    assert.deepEqual(starts('main'), [42])
    assert.deepEqual(starts('_ZN4shop4Cart3AddEi'), [28])
  })

  test('qualify an inlined constructor, which has no linkage name', async () => {
    const { rows } = await ourLines({ object: join(out, 'dwarf5') }, addresses)
    const names = new Set(rows.flatMap((row) => row ?? []).map(({ name }) => name))
    assert.ok([...names].some((name) => name === 'shop::Item::Item' || name.startsWith('_ZN4shop4ItemC')))
  })

  test('answer addresses outside of the file with nothing', async () => {
    const result = await ourLines({ object: join(out, 'dwarf5') }, [0, 0xffffffff, 2 ** 52])
    assert.equal(result.failure, '')
    assert.deepEqual(result.rows, [undefined, undefined, undefined])
  })

  test('agree with llvm-symbolizer on a Rust program', async (t) => {
    if (!hasTool('rustc')) return t.skip('rustc is not installed')
    const file = join(scratchDirectory(), 'names')
    const options = [
      '-g',
      '-O',
      '-C',
      'symbol-mangling-version=v0',
      join(fixtures, 'dwarf-rust', 'names.rs'),
      '-o',
      file,
    ]
    execFileSync('rustc', options, { stdio: 'ignore' })
    const wanted = instructionAddresses(file, 10)
    const result = await ourLines({ object: file }, wanted)
    assert.equal(result.failure, '')
    assert.ok(compare(result, llvmLines(file, wanted)).addresses > 1000)
    const names = result.rows.flatMap((row) => row ?? []).map(({ name }) => name)
    const { readable } = await demangle(symbolizerPath(), names, 10_000)
    const mangled = names.filter((name) => name.startsWith('_R'))
    assert.ok(mangled.length > 100)
    assert.deepEqual(
      mangled.filter((name) => (readable.get(name) ?? name).startsWith('_R')),
      [],
    )
  })
})

describe('readable names by the symbolizer', { skip: cannotRun }, () => {
  const CASES: readonly (readonly [raw: string, readable: string])[] = [
    ['_ZN4shop4Cart3AddEi', 'shop::Cart::Add(int)'],
    ['_ZNSt6vectorIiSaIiEE9push_backERKi', 'std::vector<int, std::allocator<int>>::push_back(int const&)'],
    ['_ZN4shop4Cart3AddEi.part.0', 'shop::Cart::Add(int) [clone .part.0]'],
    ['_ZN4shop4Cart3AddEi.isra.0.cold', 'shop::Cart::Add(int) [clone .isra.0] [clone .cold]'],
    ['_ZN4shop4Cart3AddEi.llvm.1234567', 'shop::Cart::Add(int)'],
    ['_ZN4shop4Cart3AddEi@plt', 'shop::Cart::Add(int)@plt'],
    ['main.cold', 'main.cold'],
    ['cache_init.llvm.42', 'cache_init'],
    ['_ZN4core3fmt5write17h0123456789abcdefE', 'core::fmt::write'],
    [
      '_ZN66_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..ops..drop..Drop$GT$4drop17h0123456789abcdefE.llvm.99',
      '<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop',
    ],
    [
      '_ZN3std2rt10lang_start28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE',
      'std::rt::lang_start::{{closure}}',
    ],
    ['_RNvNtCs1234_7mycrate3foo3bar', 'mycrate::foo::bar'],
    ['_RINvNtC3std3mem8align_ofjE', 'std::mem::align_of::<usize>'],
    // Not mangled, or damaged: as they are.
    ['_ZN4shop', '_ZN4shop'],
    ['_Z', '_Z'],
    ['_R', '_R'],
    ['_ZN66_$LT$', '_ZN66_$LT$'],
  ]

  test('follow C++, Rust v0 and legacy Rust', async () => {
    const { readable } = await demangle(
      symbolizerPath(),
      CASES.map(([raw]) => raw),
      10_000,
    )
    for (const [raw, expected] of CASES) assert.equal(readable.get(raw) ?? raw, expected)
  })

  test('survive names built to hurt the demangler', async () => {
    const deep = `_Z1f${'P'.repeat(12_000)}i`
    const doubling = `_Z1fI${Array.from({ length: 26 }, (_, i) => `St4pairIS${i ? (i - 1).toString(36).toUpperCase() : ''}_S_E`).join('')}Evv`
    const junk = Array.from({ length: 300 }, (_, i) => `_ZN${i}${'I'.repeat(i)}${'S_'.repeat(i % 7)}E`)
    const result = await demangle(symbolizerPath(), [deep, doubling, ...junk, '_Z4goodv'], 60_000)
    assert.equal(result.readable.get('_Z4goodv'), 'good()')
  })
})
