/**
 * What binutils says about an ELF file, and our answer for the same addresses: the two sides the symbol tests compare.
 * Files are compiled at test time from test/fixtures/elf-program into a directory that the test removes.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadAddon, packageRoot } from '../../src/native/addon.ts'
import type { ResolvedElf } from '../../src/native/symbols.ts'

/** A function or label as `nm -S` lists it; `size` 0 when it has none. */
export interface ListedSymbol {
  readonly address: number
  readonly size: number
  readonly type: string
  readonly name: string
}

const temporaryDirectories: string[] = []
process.on('exit', () => {
  for (const directory of temporaryDirectories) rmSync(directory, { recursive: true, force: true })
})

/** A new empty directory, removed with all it holds when the test process exits. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'emberscope-elf-'))
  temporaryDirectories.push(directory)
  return directory
}

/** Runs a tool and gives its stdout; throws with its stderr when it fails. */
export function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'pipe'] }).toString()
}

/** Compiles a source of test/fixtures/elf-program. */
export function compile(output: string, source: 'program.c' | 'library.c', ...flags: string[]): string {
  run('gcc', ['-O1', ...flags, join(packageRoot(), 'test/fixtures/elf-program', source), '-o', output])
  return output
}

/** Code symbols of a file by address; `dynamic` reads .dynsym instead of .symtab. */
export function listSymbols(path: string, dynamic = false): ListedSymbol[] {
  const lines = run('nm', [...(dynamic ? ['-D'] : []), '-n', '-S', '--defined-only', path]).split('\n')
  const symbols: ListedSymbol[] = []
  for (const line of lines) {
    const match = /^([0-9a-f]+)(?: ([0-9a-f]+))? ([tTwWi]) (\S+)$/.exec(line)
    if (!match) continue
    const [, address = '', size = '0', type = '', name = ''] = match
    symbols.push({
      address: Number.parseInt(address, 16),
      size: Number.parseInt(size, 16),
      type,
      name: name.replace(/@.*/, ''),
    })
  }
  return symbols
}

/** Names of all symbols that start at an address. */
export function namesByAddress(symbols: readonly ListedSymbol[]): Map<number, Set<string>> {
  const names = new Map<number, Set<string>>()
  for (const { address, name } of symbols) names.set(address, (names.get(address) ?? new Set()).add(name))
  return names
}

/** File offset of an ELF address by the file's program headers. */
export function fileOffsets(path: string, addresses: readonly number[]): Float64Array {
  const loads = run('readelf', ['-lW', path])
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words[0] === 'LOAD')
    .map((words) => ({ offset: Number(words[1]), address: Number(words[2]), size: Number(words[4]) }))
  return Float64Array.from(addresses, (address) => {
    const load = loads.find((one) => address >= one.address && address < one.address + one.size)
    if (!load) throw new RangeError(`no segment of ${path} covers ${address}`)
    return address - load.address + load.offset
  })
}

/** Our answer for file offsets of a file, with its separate debug file when one is given. */
export async function resolveFile(
  path: string,
  offsets: Float64Array,
  debugPath?: string,
): Promise<ResolvedElf> {
  const fd = openSync(path, 'r')
  const debugFd = debugPath === undefined ? -1 : openSync(debugPath, 'r')
  try {
    return await loadAddon().resolveElf(fd, debugFd, offsets)
  } finally {
    closeSync(fd)
    if (debugFd >= 0) closeSync(debugFd)
  }
}

/** Our name for each ELF address, undefined where we have none. */
export async function namesAt(
  path: string,
  addresses: readonly number[],
  debugPath?: string,
): Promise<(string | undefined)[]> {
  const answer = await resolveFile(path, fileOffsets(path, addresses), debugPath)
  return Array.from(answer.name, (index) => answer.names[index])
}
