/** Builds the debug information the symbolizer's tests read, once a test file, and asks other tools the same. */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, normalize } from 'node:path'
import { packageRoot } from '../../src/native/addon.ts'
import type { SourceFrame } from '../../src/symbolize/answer.ts'
import { findLines, type LineResult } from '../../src/symbolize/line-client.ts'
import { symbolizerPath } from '../../src/symbolize/symbolizer-process.ts'

export const fixtures = join(packageRoot(), 'test', 'fixtures')

/** Why the tests of this ring cannot run here, or false. */
export const cannotRun = existsSync(symbolizerPath()) ? false : `${symbolizerPath()} is not built`

/** A directory that goes away with the process. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'emberscope-dwarf-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Runs fixtures/dwarf-inlines/build.sh; gives the directory with what it could build. */
export function buildInlines(): string {
  const directory = scratchDirectory()
  execFileSync('sh', [join(fixtures, 'dwarf-inlines', 'build.sh'), directory], { stdio: 'ignore' })
  return directory
}

export function hasTool(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined
}

/** Every instruction address of .text, or every `step`-th. */
export function instructionAddresses(file: string, step = 1): number[] {
  const listing = execFileSync('objdump', ['-d', '-j', '.text', '--no-show-raw-insn', file], {
    maxBuffer: 2 ** 28,
  })
  const all = [...listing.toString('latin1').matchAll(/^ +([0-9a-f]+):\t/gm)].map((match) =>
    Number.parseInt(match[1]!, 16),
  )
  return all.filter((_, i) => i % step === 0)
}

export interface Files {
  readonly object: string
  readonly debug?: string
  readonly alternate?: string
}

/** Lines of the addresses, by our executable. */
export async function ourLines(
  files: Files,
  addresses: readonly number[],
  budgetMs = 30_000,
): Promise<LineResult> {
  const open = (path: string | undefined) => (path === undefined ? -1 : openSync(path, 'r'))
  const fds = [open(files.object), open(files.debug), open(files.alternate)] as const
  try {
    const request = { objectFd: fds[0], debugFd: fds[1], alternateFd: fds[2], addresses }
    return await findLines(symbolizerPath(), request, budgetMs)
  } finally {
    for (const fd of fds) if (fd >= 0) closeSync(fd)
  }
}

/** The same by llvm-symbolizer: one list an address, innermost first; start lines are not told. */
export function llvmLines(file: string, addresses: readonly number[]): SourceFrame[][] {
  const input = addresses.map((address) => `0x${address.toString(16)}\n`).join('')
  const options = [`--obj=${file}`, '--no-demangle', '--functions=linkage', '--inlines']
  const { stdout } = spawnSync('llvm-symbolizer-19', options, { input, maxBuffer: 2 ** 28, encoding: 'utf8' })
  return stdout
    .trimEnd()
    .split('\n\n')
    .map((block) => {
      const lines = block.split('\n')
      return lines.flatMap((name, i) => (i % 2 === 0 ? [parsePosition(name, lines[i + 1] ?? '')] : []))
    })
}

function parsePosition(name: string, position: string): SourceFrame {
  const [, file, line, column] = /^(.*):(\d+):(\d+)$/.exec(position) ?? ['', '??', '0', '0']
  return {
    name,
    file: file === '??' ? '' : normalize(file!),
    line: Number(line),
    column: Number(column),
    startLine: 0,
  }
}

export function sizeOf(file: string): number {
  return readFileSync(file).length
}
