/**
 * Writes small ELF files byte by byte, for what no linker makes: lies in headers, a million symbols, symbols of other
 * architectures. One executable segment that shows the whole of .text, then .symtab, .strtab and .shstrtab.
 */

/** st_info of the symbol kinds the tests use: binding << 4 | type. */
export const SYMBOL_INFO = {
  localFunction: 2,
  globalFunction: 0x12,
  weakFunction: 0x22,
  localLabel: 0,
  globalLabel: 0x10,
}

export interface ImageSymbol {
  readonly name: string
  readonly address: number
  readonly size: number
  readonly info: number
}

/** Where the parts of an image lie, for tests that damage them. */
export interface ElfImage {
  readonly bytes: Buffer
  readonly sectionHeaders: number
  readonly symbolTable: { readonly offset: number; readonly size: number }
  readonly stringTable: { readonly offset: number; readonly size: number }
}

export const IMAGE_TEXT = { address: 0x401000, offset: 0x1000, sectionIndex: 1 }
const EM_X86_64 = 62
const SECTION_NAMES = ['', '.text', '.symtab', '.strtab', '.shstrtab']

function u64(bytes: Buffer, offset: number, value: number): void {
  bytes.writeBigUInt64LE(BigInt(value), offset)
}

function writeHeader(bytes: Buffer, sectionHeaders: number, machine: number): void {
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  bytes.writeUInt16LE(2, 16) // ET_EXEC
  bytes.writeUInt16LE(machine, 18)
  bytes.writeUInt32LE(1, 20)
  u64(bytes, 32, 64)
  u64(bytes, 40, sectionHeaders)
  for (const [index, value] of [64, 56, 1, 64, SECTION_NAMES.length, SECTION_NAMES.length - 1].entries()) {
    bytes.writeUInt16LE(value, 52 + 2 * index)
  }
}

function writeCodeSegment(bytes: Buffer, size: number): void {
  bytes.writeUInt32LE(1, 64) // PT_LOAD
  bytes.writeUInt32LE(5, 68) // read, execute
  for (const [index, value] of [
    IMAGE_TEXT.offset,
    IMAGE_TEXT.address,
    IMAGE_TEXT.address,
    size,
    size,
    4096,
  ].entries()) {
    u64(bytes, 72 + 8 * index, value)
  }
}

interface Section {
  readonly type: number
  readonly flags: number
  readonly address: number
  readonly offset: number
  readonly size: number
  readonly link: number
  readonly entrySize: number
}

function writeSection(bytes: Buffer, at: number, nameOffset: number, section: Section): void {
  bytes.writeUInt32LE(nameOffset, at)
  bytes.writeUInt32LE(section.type, at + 4)
  for (const [index, value] of [section.flags, section.address, section.offset, section.size].entries()) {
    u64(bytes, at + 8 + 8 * index, value)
  }
  bytes.writeUInt32LE(section.link, at + 40)
  bytes.writeUInt32LE(1, at + 44)
  u64(bytes, at + 48, 1)
  u64(bytes, at + 56, section.entrySize)
}

function encodeSymbols(symbols: readonly ImageSymbol[]): { table: Buffer; strings: Buffer } {
  const table = Buffer.alloc(24 * (symbols.length + 1))
  const strings = Buffer.alloc(symbols.reduce((total, { name }) => total + Buffer.byteLength(name) + 1, 1))
  let text = 1
  for (const [index, symbol] of symbols.entries()) {
    const at = 24 * (index + 1)
    table.writeUInt32LE(text, at)
    table[at + 4] = symbol.info
    table.writeUInt16LE(IMAGE_TEXT.sectionIndex, at + 6)
    u64(table, at + 8, symbol.address)
    u64(table, at + 16, symbol.size)
    text += strings.write(symbol.name, text) + 1
  }
  return { table, strings }
}

/** An x86-64 (or other) executable with `textSize` bytes of zeros as code and the given symbols, in that order. */
export function elfImage(symbols: readonly ImageSymbol[], textSize: number, machine = EM_X86_64): ElfImage {
  const { table, strings } = encodeSymbols(symbols)
  const names = Buffer.from(`${SECTION_NAMES.join('\0')}\0`)
  const symbolTable = { offset: (IMAGE_TEXT.offset + textSize + 7) & ~7, size: table.length }
  const stringTable = { offset: symbolTable.offset + table.length, size: strings.length }
  const namesOffset = stringTable.offset + strings.length
  const sectionHeaders = (namesOffset + names.length + 7) & ~7
  const bytes = Buffer.alloc(sectionHeaders + 64 * SECTION_NAMES.length)
  writeHeader(bytes, sectionHeaders, machine)
  writeCodeSegment(bytes, textSize)
  bytes.set(table, symbolTable.offset)
  bytes.set(strings, stringTable.offset)
  bytes.set(names, namesOffset)
  const sections: Section[] = [
    { type: 0, flags: 0, address: 0, offset: 0, size: 0, link: 0, entrySize: 0 },
    {
      type: 1,
      flags: 6,
      address: IMAGE_TEXT.address,
      offset: IMAGE_TEXT.offset,
      size: textSize,
      link: 0,
      entrySize: 0,
    },
    { type: 2, flags: 0, address: 0, ...symbolTable, link: 3, entrySize: 24 },
    { type: 3, flags: 0, address: 0, ...stringTable, link: 0, entrySize: 0 },
    { type: 3, flags: 0, address: 0, offset: namesOffset, size: names.length, link: 0, entrySize: 0 },
  ]
  for (const [index, section] of sections.entries()) {
    const nameOffset = names.indexOf(`${SECTION_NAMES[index]}\0`)
    writeSection(bytes, sectionHeaders + 64 * index, nameOffset, section)
  }
  return { bytes, sectionHeaders, symbolTable, stringTable }
}
