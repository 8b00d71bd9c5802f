import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchFunctions } from '../../../src/model/diff-functions.ts'
import type { Profile } from '../../../src/model/profile.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

/** Which functions were matched: `= name module`, or `- name` (before only), `+ name`. */
function matches(before: Profile, after: Profile): string[] {
  const { functions } = matchFunctions(before, after)
  return functions.name.map((name, fn) => {
    const [a, b] = [functions.before.location[fn]! >= 0, functions.after.location[fn]! >= 0]
    return `${a && b ? '=' : a ? '-' : '+'} ${name} ${functions.module[fn]}`.trim()
  })
}

const oneStack = (...frames: string[]) => profileOf([{ frames, count: 1 }])

function withBuild(profile: Profile, buildId: string, directory: string): Profile {
  const mappings = profile.mappings.map((mapping) => ({
    ...mapping,
    buildId,
    fileName: `${directory}${mapping.fileName}`,
    start: mapping.start + 4096n,
    limit: mapping.limit + 4096n,
  }))
  const locations = profile.locations.map((l) => ({ ...l, address: l.address + 4096n }))
  return { ...profile, mappings, locations }
}

test('another build, directory, address or order of the tables is the same function', () => {
  const before = withBuild(oneStack('main|/app', 'parse|/app', 'memcpy|/libc.so.6'), 'aa', '/old')
  const after = withBuild(oneStack('memcpy|/libc.so.6', 'parse|/app', 'main|/app'), 'bb', '/new/place')
  assert.deepEqual(matches(before, after), ['= main app', '= memcpy libc.so.6', '= parse app'])
})

test('the same name in two modules is two functions', () => {
  const before = oneStack('init|/a.so', 'init|/b.so')
  assert.deepEqual(matches(before, oneStack('init|/b.so', 'init|/a.so')), ['= init a.so', '= init b.so'])
  assert.deepEqual(matches(before, oneStack('init|/b.so')), ['- init a.so', '= init b.so'])
  assert.deepEqual(matches(oneStack('init|/a.so', 'f|/b.so'), oneStack('f|/a.so', 'init|/b.so')), [
    '+ f a.so',
    '- f b.so',
    '- init a.so',
    '+ init b.so',
  ])
})

test('a renamed binary keeps its functions, unless several could be meant', () => {
  assert.deepEqual(matches(oneStack('main|/v1', 'f|/v1'), oneStack('main|/v2', 'f|/v2')), [
    '= f v2',
    '= main v2',
  ])
  assert.deepEqual(matches(oneStack('f|/v1'), oneStack('f|/v2', 'f|/v3')), ['- f v1', '+ f v2', '+ f v3'])
})

test('of several new binaries it is the one that shares most names', () => {
  const before = oneStack('_start|/v1', 'main|/v1', 'work|/v1', 'loop|/v1')
  const after = oneStack('_start|/sh', 'main|/sh', '_start|/v2', 'main|/v2', 'work|/v2', 'loop|/v2')
  assert.deepEqual(matches(before, after), [
    '+ _start sh',
    '= _start v2',
    '= loop v2',
    '+ main sh',
    '= main v2',
    '= work v2',
  ])
})

test('hashes, clones and positions at the end of a name do not part a function from itself', () => {
  const before = oneStack(
    'core::parse::h0123456789abcdef|/app',
    'fold.constprop.0|/app',
    'JS:*handle /srv/app.js:12:3|/app',
    'step.llvm.8812|/app',
  )
  const after = oneStack(
    'core::parse::hfedcba9876543210|/app',
    'fold.part.3|/app',
    'JS:*handle /srv/app.js:19:7|/app',
    'step.llvm.11|/app',
  )
  assert.deepEqual(
    matches(before, after).map((line) => line[0]),
    ['=', '=', '=', '='],
  )
})

test('run-time code is the same in another process, and a file without binaries matches one with them', () => {
  const before = oneStack('run|/tmp/perf-12.map', 'stop|/jit/jitted-12-3.so')
  const after = oneStack('run|/tmp/perf-900.map', 'stop|/jit/jitted-900-7.so')
  assert.deepEqual(matches(before, after), ['= run [jit]', '= stop [jit]'])
  const named = oneStack('main|/app', 'f|/lib.so', 'x|/a.so', 'x|/b.so')
  assert.deepEqual(matches(oneStack('main', 'f', 'x'), named), [
    '= f lib.so',
    '= main app',
    '- x',
    '+ x a.so',
    '+ x b.so',
  ])
})

test('code without names is one function of its module, except in the same build', () => {
  const bare = (offset: bigint): Profile => {
    const profile = oneStack('x|/lib.so', 'y|/lib.so')
    const locations = profile.locations.map((l, i) => ({
      ...l,
      lines: [],
      address: 0x1000n * BigInt(i) + offset,
    }))
    return { ...profile, locations }
  }
  const build = (profile: Profile, buildId: string): Profile => ({
    ...profile,
    mappings: profile.mappings.map((mapping) => ({ ...mapping, buildId })),
  })
  assert.deepEqual(matches(bare(0n), bare(5n)), ['= [no name in lib.so] lib.so'])
  assert.deepEqual(matches(build(bare(0n), 'aa'), build(bare(5n), 'bb')), ['= [no name in lib.so] lib.so'])
  assert.equal(matches(build(bare(0n), 'aa'), build(bare(0n), 'aa')).length, 2)
  const one = bare(0n)
  assert.deepEqual(matches(one, one), ['= lib.so+0x0 lib.so', '= lib.so+0x1000 lib.so'])
})

test('profiles without functions, and names of any length, are no trouble', () => {
  assert.deepEqual(matches(profileOf([]), profileOf([])), [])
  const long = `${'.llvm.1'.repeat(200_000)}x`
  assert.deepEqual(matches(oneStack(long), oneStack(`${long}:1`))[0]![0], '=')
})
