import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frameName, moduleName, moduleOffset } from '../../../src/model/frame-name.ts'
import type { Location, Mapping, Profile } from '../../../src/model/profile.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

const base = profileOf([{ frames: ['main|/usr/lib/libx.so.1'], count: 1 }])

function withLocation(location: Partial<Location>, mapping: Partial<Mapping> = {}): Profile {
  return {
    ...base,
    mappings: [{ ...base.mappings[0]!, start: 0x4000n, limit: 0x8000n, fileOffset: 0x100n, ...mapping }],
    locations: [{ ...base.locations[0]!, lines: [], ...location }],
  }
}

test('names an unnamed frame by module and file offset', () => {
  assert.equal(frameName(withLocation({ address: 0x4010n }), 0, -1), 'libx.so.1+0x110')
})

test('falls back to the address without a mapping, and shows kernel addresses unsigned', () => {
  assert.equal(frameName(withLocation({ address: -4096n, mapping: -1 }), 0, -1), '0xfffffffffffff000')
  assert.equal(frameName(withLocation({ address: 0x10n }, { fileName: '' }), 0, -1), '0x10')
})

test('does not invent an offset for an address before its mapping', () => {
  const profile = withLocation({ address: 0x10n })
  assert.equal(moduleOffset(profile, profile.locations[0]!), 0x10n)
})

test('prefers the name for people, then the system name', () => {
  const named = (name: string, systemName: string): string => {
    const functions = [{ ...base.functions[0]!, name, systemName }]
    return frameName({ ...base, functions }, 0, 0)
  }
  assert.equal(named('ns::f()', '_Z1fv'), 'ns::f()')
  assert.equal(named('', '_Z1fv'), '_Z1fv')
  assert.equal(named('', ''), '[unknown]')
})

test('keeps bracketed module names and cuts paths', () => {
  const of = (fileName: string): string => {
    const profile = withLocation({}, { fileName })
    return moduleName(profile, profile.locations[0]!)
  }
  assert.deepEqual(['[vdso]', '/a/b/c.so', 'plain'].map(of), ['[vdso]', 'c.so', 'plain'])
})
