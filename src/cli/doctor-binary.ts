/** One mapped binary as a finding: can stacks pass through it, have its functions names, and what to do if not. Pure. */
import { basename } from 'node:path'
import { symbolsRemedy, unwindRemedy } from '../model/remedies.ts'
import type { ResolvedElf } from '../native/symbols.ts'
import type { UnwindTables } from '../native/unwind-tables.ts'
import type { Finding } from './preflight.ts'

/** The part of `--json` that says it in fields. */
export interface BinaryState {
  readonly path: string
  readonly unwind: {
    readonly source: string
    readonly functions: number
    readonly code_bytes: number
    readonly covered_bytes: number
    readonly note: string
  }
  readonly symbols: {
    readonly sources: readonly string[]
    readonly lines: boolean
    readonly debug_file: string
  }
}

export interface BinaryFinding extends Finding {
  readonly binary?: BinaryState
}

/** `path` as it may be shown; `debugFile`: where separate debug data was found, '' for none. */
export function describeBinary(
  path: string,
  elf: ResolvedElf,
  debugFile: string,
  unwind: UnwindTables,
): BinaryFinding {
  if (elf.failure !== '') return finding('warning', `${path}: not readable as ELF`, elf.detail)
  const states = [unwindState(path, unwind), symbolState(path, elf, debugFile)]
  const fixes = states.map(({ fix }) => fix).filter((fix) => fix !== '')
  return {
    ...finding(
      fixes.length > 0 ? 'warning' : 'ok',
      `${path}: ${states.map(({ text }) => text).join('; ')}`,
      fixes.join('; '),
    ),
    binary: {
      path,
      unwind: {
        source: unwind.source,
        functions: unwind.functions,
        code_bytes: unwind.codeBytes,
        covered_bytes: unwind.coveredBytes,
        note: unwind.note || unwind.failure,
      },
      symbols: { sources: elf.sources, lines: elf.hasDwarf, debug_file: debugFile },
    },
  }
}

function finding(level: Finding['level'], text: string, fix: string): Finding {
  return { id: 'binary', level, text, fix, code: 'internal' }
}

interface State {
  readonly text: string
  /** '' when nothing is to be done. */
  readonly fix: string
}

/** Less of the code with rows is worth a warning; a few stubs of the compiler's start code are not. */
const ENOUGH_COVERED = 0.5
const STUB_BYTES = 1024

function unwindState(path: string, unwind: UnwindTables): State {
  const name = basename(path)
  if (unwind.failure !== '')
    return { text: `its unwind tables cannot be read (${unwind.failure})`, fix: `build ${name} again` }
  const fix = unwindRemedy(name)
  if (unwind.source === '') return { text: 'no unwind tables, stacks through it are cut or approximate', fix }
  const note = unwind.note === '' ? '' : ` (${unwind.note})`
  const share = unwind.codeBytes === 0 ? 1 : unwind.coveredBytes / unwind.codeBytes
  const text = `unwinds by ${unwind.source}, ${Math.round(share * 100)} % of its code${note}`
  const isPoor = share < ENOUGH_COVERED && unwind.codeBytes - unwind.coveredBytes > STUB_BYTES
  return { text, fix: isPoor ? fix : '' }
}

function symbolState(path: string, elf: ResolvedElf, debugFile: string): State {
  if (!elf.hasSymbols) {
    return {
      text: 'no symbols, its functions have no names',
      fix: symbolsRemedy(basename(path)),
    }
  }
  const from = debugFile === '' ? '' : ` (${debugFile})`
  return { text: `${elf.hasDwarf ? 'names and lines' : 'names, no lines'}${from}`, fix: '' }
}
