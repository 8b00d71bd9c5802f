import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { checklist, checkSymbolizer, checkUnwinder } from '../../../src/cli/doctor.ts'
import { describeBinary } from '../../../src/cli/doctor-binary.ts'
import { checkTableCache } from '../../../src/cli/doctor-cache.ts'
import { examineProcess } from '../../../src/cli/doctor-target.ts'
import { checkHost } from '../../../src/cli/preflight.ts'
import { styleOf } from '../../../src/cli/terminal.ts'
import type { ResolvedElf, SymbolReaders } from '../../../src/native/symbols.ts'
import type { UnwindReaders, UnwindTables } from '../../../src/native/unwind-tables.ts'
import { FakeOutput, GOOD_HOST } from '../../helpers/fake-world.ts'

const ELF: ResolvedElf = {
  name: new Int32Array(1),
  names: [],
  symbolStart: new Float64Array(1),
  failure: '',
  detail: '',
  buildId: '',
  elfAddress: new Float64Array(1),
  segment: { address: 0, fileOffset: 0, size: 0 },
  hasSymbols: true,
  sources: ['.symtab'],
  hasDwarf: true,
}

describe('checklist', () => {
  it('marks each finding and puts the fix below those that need one', () => {
    const host = { ...GOOD_HOST, kptrRestrict: 2, hasBtf: false }
    const lines = checklist(checkHost(host, 'profile doctor'), styleOf(new FakeOutput(), {}))
    assert.ok(lines.includes('✓ kernel 6.1.0-28-amd64'))
    assert.equal(
      lines[lines.findIndex((l) => l.startsWith('! kernel.kptr_restrict is 2')) + 1],
      '    fix: sudo sysctl kernel.kptr_restrict=0',
    )
    assert.match(
      lines[lines.findIndex((l) => l.startsWith("✗ the kernel's type information")) + 1]!,
      /^ {4}fix: boot a kernel/,
    )
  })
  it('works in ASCII', () => {
    const lines = checklist(checkHost(GOOD_HOST, ''), styleOf(new FakeOutput(), { LC_ALL: 'C' }))
    assert.ok(lines.every((line) => line.startsWith('+ ')))
  })
})

const TABLES: UnwindTables = {
  source: '.eh_frame',
  functions: 1200,
  codeBytes: 100_000,
  coveredBytes: 98_000,
  note: '',
  failure: '',
}
const NO_TABLES: UnwindTables = { ...TABLES, source: '', functions: 0, coveredBytes: 0 }

describe('describeBinary', () => {
  const WHOLE = 'unwinds by .eh_frame, 98 % of its code'
  it('tells names, lines, their lack and damage apart', () => {
    assert.deepEqual(
      describeBinary('/b', ELF, '/usr/lib/debug/x.debug', TABLES).text,
      `/b: ${WHOLE}; names and lines (/usr/lib/debug/x.debug)`,
    )
    assert.equal(
      describeBinary('/b', { ...ELF, hasDwarf: false }, '', TABLES).text,
      `/b: ${WHOLE}; names, no lines`,
    )
    const stripped = describeBinary('/usr/bin/b', { ...ELF, hasSymbols: false, hasDwarf: false }, '', TABLES)
    assert.equal(stripped.level, 'warning')
    assert.match(stripped.fix, /^install the debug symbols of b /)
    const broken = describeBinary(
      '/b',
      { ...ELF, failure: 'not_elf', detail: 'corrupt: header' },
      '',
      NO_TABLES,
    )
    assert.deepEqual([broken.level, broken.fix], ['warning', 'corrupt: header'])
  })
  it('names the flags for a binary without unwind tables', () => {
    const { level, text, fix } = describeBinary('/opt/b', ELF, '', NO_TABLES)
    assert.equal(level, 'warning')
    assert.equal(text, '/opt/b: no unwind tables, stacks through it are cut or approximate; names and lines')
    assert.equal(
      fix,
      'build b with -fasynchronous-unwind-tables, or keep frame pointers (-fno-omit-frame-pointer)',
    )
  })
  it('gives every fix of a binary that lacks both', () => {
    const { fix } = describeBinary('/opt/b', { ...ELF, hasSymbols: false }, '', NO_TABLES)
    assert.match(fix, /^build b with .*; install the debug symbols of b /)
  })
  it('tells damaged tables, and what a reader left out', () => {
    const damaged = describeBinary('/b', ELF, '', { ...NO_TABLES, failure: 'corrupt: CIE at 0x10' })
    assert.deepEqual(
      [damaged.level, damaged.text],
      ['warning', '/b: its unwind tables cannot be read (corrupt: CIE at 0x10); names and lines'],
    )
    const partial = describeBinary('/b', ELF, '', { ...TABLES, note: '2 functions left out' })
    assert.equal(partial.level, 'ok')
    assert.match(partial.text, /98 % of its code \(2 functions left out\); names/)
  })
  it('warns of tables that leave most of the code out, but not over a few stubs', () => {
    const poor = describeBinary('/b', ELF, '', { ...TABLES, coveredBytes: 4000 })
    assert.deepEqual([poor.level, /4 % of its code/.test(poor.text)], ['warning', true])
    assert.match(poor.fix, /^build b with -fasynchronous/)
    assert.equal(describeBinary('/b', ELF, '', { ...TABLES, codeBytes: 240, coveredBytes: 0 }).level, 'ok')
    assert.match(describeBinary('/b', ELF, '', { ...TABLES, codeBytes: 0, coveredBytes: 0 }).text, /100 %/)
  })
  it('gives the same in fields, for --json', () => {
    assert.deepEqual(describeBinary('/b', { ...ELF, sources: ['.symtab'] }, '', TABLES).binary, {
      path: '/b',
      unwind: { source: '.eh_frame', functions: 1200, code_bytes: 100_000, covered_bytes: 98_000, note: '' },
      symbols: { sources: ['.symtab'], lines: true, debug_file: '' },
    })
  })
})

describe('checkTableCache', () => {
  const uid = process.getuid!()
  const parent = mkdtempSync(join(tmpdir(), 'emberscope-doctor-'))
  after(() => rmSync(parent, { recursive: true }))
  it('counts what is in it', () => {
    const directory = join(parent, 'good')
    mkdirSync(directory, { mode: 0o700 })
    writeFileSync(join(directory, 'a'), Buffer.alloc(1_500_000))
    assert.deepEqual(
      checkTableCache(directory, uid).text,
      `cache of unwind tables: ${directory}, 1 file, 1.5 MB`,
    )
  })
  it('says when there is none yet, or none at all', () => {
    assert.match(checkTableCache(join(parent, 'absent'), uid).text, /absent, made by the first capture$/)
    assert.match(checkTableCache('', uid).text, /^no cache of unwind tables/)
  })
  it('warns of one that is not ours alone, and of a file in its place', () => {
    const open = join(parent, 'open')
    mkdirSync(open)
    chmodSync(open, 0o755)
    const file = join(parent, 'file')
    writeFileSync(file, '')
    for (const [directory, owner, text] of [
      [open, uid, /not used: it must belong to us and have mode 0700$/],
      [join(parent, 'good'), uid + 1, /not used: it must belong/],
      [file, uid, /is no directory$/],
    ] as const) {
      const found = checkTableCache(directory, owner)
      assert.equal(found.level, 'warning')
      assert.match(found.text, text)
      assert.match(found.fix, /EMBERSCOPE_CACHE_DIR/)
    }
  })
})

describe('checkUnwinder', () => {
  it('tells which way this kernel walks stacks', () => {
    assert.match(checkUnwinder('loop').text, /bpf_loop/)
    assert.match(checkUnwinder('tail-calls').text, /no bpf_loop in this kernel/)
  })
})

describe('examineProcess', () => {
  const readers = {
    findDebugFiles: async () => ({ debugFile: '', altFile: '' }),
    resolveElf: async () => ELF,
    describeUnwind: async () => TABLES,
  } as unknown as SymbolReaders & UnwindReaders
  it('looks at every file this process maps, and at its runtime', async () => {
    const findings = await examineProcess(process.pid, 'node', readers)
    assert.match(findings[0]!.text, /runs node without a perf map/)
    assert.equal(findings[0]!.fix, 'start it with `node --perf-basic-prof`')
    assert.match(findings[1]!.text, /has \d+ regions? of code made at run time/)
    assert.ok(findings.some((f) => /libc\.so\.6: unwinds by .*; names and lines$/.test(f.text)))
  })
  it('says when a process is gone', async () => {
    const findings = await examineProcess(4_194_305, 'x', readers)
    assert.equal(findings[0]!.id, 'maps')
  })
})

describe('checkSymbolizer', () => {
  it('warns of a missing one, with the fix', () => {
    assert.equal(checkSymbolizer(process.execPath).level, 'ok')
    const { level, text, fix } = checkSymbolizer('/no/symbolizer')
    assert.equal(level, 'warning')
    assert.match(text, /^\/no\/symbolizer is missing: no source lines/)
    assert.equal(fix, 'npm start in a checkout builds it')
  })
})
