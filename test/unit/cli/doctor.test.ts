import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checklist, checkSymbolizer } from '../../../src/cli/doctor.ts'
import { describeBinary, examineProcess } from '../../../src/cli/doctor-target.ts'
import { checkHost } from '../../../src/cli/preflight.ts'
import { styleOf } from '../../../src/cli/terminal.ts'
import type { ResolvedElf, SymbolReaders } from '../../../src/native/symbols.ts'
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

describe('describeBinary', () => {
  it('tells names, lines, their lack and damage apart', () => {
    assert.deepEqual(
      describeBinary('/b', ELF, '/usr/lib/debug/x.debug').text,
      '/b: names and lines (/usr/lib/debug/x.debug)',
    )
    assert.equal(describeBinary('/b', { ...ELF, hasDwarf: false }, '').text, '/b: names, no lines')
    const stripped = describeBinary('/usr/bin/b', { ...ELF, hasSymbols: false, hasDwarf: false }, '')
    assert.equal(stripped.level, 'warning')
    assert.match(stripped.fix, /^install the debug symbols of b /)
    const broken = describeBinary('/b', { ...ELF, failure: 'not_elf', detail: 'corrupt: header' }, '')
    assert.deepEqual([broken.level, broken.fix], ['warning', 'corrupt: header'])
  })
})

describe('examineProcess', () => {
  const readers = {
    findDebugFiles: async () => ({ debugFile: '', altFile: '' }),
    resolveElf: async () => ELF,
  } as unknown as SymbolReaders
  it('looks at every file this process maps, and at its runtime', async () => {
    const findings = await examineProcess(process.pid, 'node', readers)
    assert.match(findings[0]!.text, /runs node without a perf map/)
    assert.equal(findings[0]!.fix, 'start it with `node --perf-basic-prof`')
    assert.ok(findings.some((f) => /libc\.so\.6: names and lines$/.test(f.text)))
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
