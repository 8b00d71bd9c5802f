/**
 * Names and lines for the frames of one ELF file: symbol tables give the physical function, DWARF (when the file or
 * its separate debug file has it) the position and the inlined functions in it.
 */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Executable, UnnamedReason } from '../model/executable.ts'
import type { DebugFiles, ResolvedElf, SymbolReaders } from '../native/symbols.ts'
import type { SourceFrame } from './answer.ts'
import type { LineRequest, LineResult } from './line-client.ts'
import {
  type ExecutableFrames,
  type Module,
  type NamedFrame,
  type NamedFrames,
  spanningModule,
  symbolFrame,
  unnamedFrames,
} from './named-frames.ts'

/** Asks the symbolizer process (line-client.ts), with the time limits of this run. */
export type FindLines = (request: LineRequest) => Promise<LineResult>

/** What is known of lines when nobody was asked. */
export const NO_LINES: LineResult = { rows: [], failure: '', missingAlternate: 0, splitUnit: 0, damage: 0 }

/** Opens a debug file for reading; undefined when there is none or it is gone. Never waits (a FIFO may lie there). */
async function openDebugFile(path: string): Promise<FileHandle | undefined> {
  if (path === '') return undefined
  // The tables of the file itself still stand when its debug file cannot be opened.
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined)
}

/** Names the frames of an `elf` or `vdso` executable. Never rejects for what the file contains. */
export async function nameElfFrames(
  executable: Executable,
  wanted: ExecutableFrames,
  readers: SymbolReaders,
  findLines: FindLines,
): Promise<NamedFrames> {
  const { fd, path, buildId, root } = executable
  if (fd < 0)
    return unnamedFrames(path, buildId, wanted, (executable.goneReason || 'file_gone') as UnnamedReason)
  const files: DebugFiles = await readers.findDebugFiles(fd, path, root)
  const debug = await openDebugFile(files.debugFile)
  const alternate = await openDebugFile(files.altFile)
  try {
    const elf = await readers.resolveElf(fd, debug?.fd ?? -1, wanted.addresses)
    if (elf.failure) return unnamedFrames(path, buildId, wanted, 'not_elf')
    const request = { objectFd: fd, debugFd: debug?.fd ?? -1, alternateFd: alternate?.fd ?? -1 }
    const lines = elf.hasDwarf
      ? await findLines({ ...request, addresses: Array.from(elf.elfAddress) })
      : NO_LINES
    return {
      modules: [elfModule(executable, elf)],
      frames: wanted.frames.map((frame, i) => nameFrame(frame, i, elf, lines)),
      notes: [],
      fileNotes: linesNotes(path, lines),
    }
  } finally {
    await debug?.close()
    await alternate?.close()
  }
}

function elfModule(executable: Executable, elf: ResolvedElf): Module {
  const { address, fileOffset, size } = elf.segment
  const buildId = elf.buildId || executable.buildId
  if (size === 0) return spanningModule(executable.path, buildId, Array.from(elf.elfAddress, BigInt))
  const start = BigInt(address)
  return {
    fileName: executable.path,
    buildId,
    start,
    limit: start + BigInt(size),
    fileOffset: BigInt(fileOffset),
  }
}

function nameFrame(frame: number, i: number, elf: ResolvedElf, lines: LineResult): NamedFrame {
  const chain = joinNames(elf.names[elf.name[i]!] ?? '', lines.rows[i] ?? [])
  const reason = elf.hasSymbols ? 'not_covered' : 'no_symbols'
  return {
    frame,
    address: BigInt(elf.elfAddress[i]!),
    module: 0,
    chain,
    reason: chain.length > 0 ? '' : reason,
  }
}

/**
 * The physical function is called what the symbol table says, so that a file reads the same with and without its
 * debug information; inlined functions have their names from DWARF only. One without a name (its dwz file is not
 * there) is left out: its cost stays with its caller.
 */
function joinNames(symbol: string, row: readonly SourceFrame[]): SourceFrame[] {
  const physical = row.at(-1)
  if (!physical) return symbol === '' ? [] : [symbolFrame(symbol)]
  const chain = row.slice(0, -1).filter((inlined) => inlined.name !== '')
  const name = symbol || physical.name
  return name === '' ? chain : [...chain, { ...physical, name }]
}

function linesNotes(path: string, lines: LineResult): string[] {
  const notes: string[] = []
  if (lines.failure) notes.push(`${path} is shown without some or all source lines: ${lines.failure}`)
  if (lines.damage > 0)
    notes.push(`${path} has damaged debug information: source lines may be missing or wrong`)
  if (lines.missingAlternate > 0) {
    notes.push(
      `${path} lacks some inlined functions: their names are in a dwz debug file that is not installed`,
    )
  }
  if (lines.splitUnit > 0) {
    notes.push(
      `${path} was built with -gsplit-dwarf: its inlined functions are in .dwo files, which are not read`,
    )
  }
  return notes
}
