/** Copies of a program whose unwind tables lie: damaged at random, or with entries that overlap. x86-64 and arm64 ELF. */
import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'

interface Section {
  readonly offset: number
  readonly size: number
}

/** Where a section of a 64-bit little-endian ELF file lies in it. */
function findSection(elf: Buffer, wanted: string): Section {
  const table = Number(elf.readBigUInt64LE(0x28))
  const [entryBytes, entries, namesAt] = [0x3a, 0x3c, 0x3e].map((at) => elf.readUInt16LE(at)) as [
    number,
    number,
    number,
  ]
  const at = (index: number, field: number) => Number(elf.readBigUInt64LE(table + index * entryBytes + field))
  const names = at(namesAt, 0x18)
  for (let i = 0; i < entries; i++) {
    const name = names + elf.readUInt32LE(table + i * entryBytes)
    if (elf.toString('latin1', name, elf.indexOf(0, name)) === wanted)
      return { offset: at(i, 0x18), size: at(i, 0x20) }
  }
  assert.fail(`no section ${wanted}`)
}

/** Start of each entry of .eh_frame that describes code, not a CIE. */
function* descriptions(elf: Buffer, { offset, size }: Section): Iterable<number> {
  for (let at = offset; at < offset + size; ) {
    const length = elf.readUInt32LE(at)
    if (length === 0) return
    if (elf.readUInt32LE(at + 4) !== 0) yield at
    at += 4 + length
  }
}

/** Changes to the tables, each of which a reader must survive. */
const DAMAGE = {
  /** Instructions and lengths of every fourth byte become noise; `noise` gives 0 to 255. */
  noise(elf: Buffer, table: Section, noise: () => number) {
    for (let at = table.offset; at < table.offset + table.size; at += 4) elf[at + (noise() & 3)] = noise()
  },
  /** Every entry covers its neighbours too. */
  overlap(elf: Buffer, table: Section) {
    for (const entry of descriptions(elf, table))
      elf.writeUInt32LE(elf.readUInt32LE(entry + 12) + 4096, entry + 12)
  },
  /** Every entry says that it has nearly 4 GB. */
  length(elf: Buffer, table: Section) {
    for (const entry of [...descriptions(elf, table)]) elf.writeUInt32LE(0xfffffff0, entry)
  },
  /** Every entry names itself as its CIE. */
  loop(elf: Buffer, table: Section) {
    for (const entry of descriptions(elf, table)) elf.writeUInt32LE(4, entry + 4)
  },
  /** All offsets in the instructions and headers are zero. */
  zero(elf: Buffer, table: Section) {
    elf.fill(0, table.offset + 24, table.offset + table.size)
  },
  /** The index leads nowhere. */
  index(elf: Buffer, _table: Section, noise: () => number) {
    const header = findSection(elf, '.eh_frame_hdr')
    for (let at = header.offset + 12; at < header.offset + header.size; at++) elf[at] = noise()
  },
} as const

export type Damage = keyof typeof DAMAGE
export const DAMAGES = Object.keys(DAMAGE) as readonly Damage[]

/** Writes a copy of the program with this damage. The same seed gives the same file. */
export function copyWithDamage(path: string, target: string, damage: Damage, seed: number): string {
  const elf = readFileSync(path)
  let state = seed
  const noise = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  }
  DAMAGE[damage](elf, findSection(elf, '.eh_frame'), noise)
  // By its old build id the tables of the sound file would be taken, which are cached.
  const { offset, size } = findSection(elf, '.note.gnu.build-id')
  for (let at = offset + 16; at < offset + size; at++) elf[at] = noise()
  writeFileSync(target, elf)
  chmodSync(target, 0o755)
  return target
}
