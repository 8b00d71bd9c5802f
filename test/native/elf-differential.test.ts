/** Our names against those of nm and addr2line, on random addresses of large real files. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { test } from 'node:test'
import {
  fileOffsets,
  type ListedSymbol,
  listSymbols,
  namesByAddress,
  resolveFile,
} from '../helpers/elf-tools.ts'

const SAMPLE = 2500

/** A repeatable choice, so that a failure can be looked at again. */
function pickAddresses(symbols: readonly ListedSymbol[], seed: number): number[] {
  let state = seed
  const below = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  return Array.from({ length: SAMPLE }, () => {
    const symbol = symbols[below(symbols.length)]
    return symbol ? symbol.address + below(symbol.size) : 0
  })
}

/** The name and start each symbol reader must give: the covering symbol with the greatest start, any of its aliases. */
function expectedStart(sorted: readonly ListedSymbol[], address: number): number {
  let start = Number.NaN
  for (const symbol of sorted) {
    if (symbol.address > address) break
    if (address < symbol.address + symbol.size) start = symbol.address
  }
  return start
}

const libc = ['/lib/x86_64-linux-gnu/libc.so.6', '/lib/aarch64-linux-gnu/libc.so.6'].find((path) =>
  existsSync(path),
)

for (const [path, dynamic] of [
  [realpathSync(process.execPath), false],
  [libc ?? '', true],
] as const) {
  const symbols = path
    ? listSymbols(path, dynamic).filter((symbol) => symbol.size > 0 && symbol.type !== 'd')
    : []
  test(`agrees with nm on ${SAMPLE} addresses of ${path}`, {
    skip: symbols.length < 1000 && 'no symbols',
  }, async () => {
    const asked = pickAddresses(symbols, 20261123)
    const names = namesByAddress(symbols)
    const answer = await resolveFile(path, fileOffsets(path, asked))
    const mismatches = asked.flatMap((address, row) => {
      const start = expectedStart(symbols, address)
      const name = answer.names[answer.name[row] ?? -1] ?? ''
      if (answer.symbolStart[row] === start && names.get(start)?.has(name)) return []
      return [
        `0x${address.toString(16)}: ${name || 'no name'}, nm: ${[...(names.get(start) ?? [])].join(' ')}`,
      ]
    })
    if (mismatches.length > 0) console.log(mismatches.join('\n'))
    // nm calls constants in .text "t" as well; they are no functions and get no name.
    assert.ok(mismatches.length <= SAMPLE / 500, `${mismatches.length} of ${SAMPLE} differ`)
  })
}

test('agrees with addr2line -f on this node binary', {
  skip: listSymbols(process.execPath).length < 1000,
}, async () => {
  const path = realpathSync(process.execPath)
  const symbols = listSymbols(path).filter((symbol) => symbol.size > 0)
  const asked = pickAddresses(symbols, 7).slice(0, 2000)
  const names = namesByAddress(symbols)
  const answer = await resolveFile(path, fileOffsets(path, asked))
  const hex = asked.map((address) => address.toString(16)).join('\n')
  const lines = execFileSync('addr2line', ['-f', '-e', path], { input: hex, maxBuffer: 1 << 28 })
    .toString()
    .split('\n')
  const mismatches = asked.flatMap((address, row) => {
    const theirs = lines[2 * row] ?? ''
    const aliases = names.get(answer.symbolStart[row] ?? Number.NaN)
    const ours = answer.names[answer.name[row] ?? -1] ?? ''
    return theirs === ours || aliases?.has(theirs)
      ? []
      : [`0x${address.toString(16)}: ${ours}, addr2line: ${theirs}`]
  })
  if (mismatches.length > 0) console.log(mismatches.join('\n'))
  // addr2line takes the DWARF name where there is some, which has no mangling, and constants count as functions for it.
  assert.ok(mismatches.length <= asked.length / 100, `${mismatches.length} of ${asked.length} differ`)
})
