import assert from 'node:assert/strict'
import { mkdtempSync, openSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, it } from 'node:test'
import type { Executable } from '../../../src/model/executable.ts'
import type { SymbolReaders } from '../../../src/native/symbols.ts'
import { NameCache } from '../../../src/symbolize/name-cache.ts'
import { symbolize } from '../../../src/symbolize/symbolizer.ts'
import { executable, fakeReaders, windowOf } from './fakes.ts'

const NAMES = new Map([
  [0x1000, 'main'],
  [0x1100, 'work'],
  [0x1200, '_ZN3app3runEv'],
])

/** Readers that write down which offsets they were asked for. */
function recording(readers: SymbolReaders, asked: number[][]): SymbolReaders {
  return {
    ...readers,
    resolveElf: (fd, debugFd, offsets) => {
      asked.push([...offsets])
      return readers.resolveElf(fd, debugFd, offsets)
    },
  }
}

let asked: number[][]
let nowMs: number
const readers = () => recording(fakeReaders({ elf: new Map([[0, { names: NAMES }]]) }), asked)
const APP = executable({ buildId: 'abcd' })
let cache: NameCache
beforeEach(() => {
  asked = []
  nowMs = 0
  cache = new NameCache(readers(), { frames: 100, names: 100, retryMs: 1000 }, { nowMs: () => nowMs })
})

/** Names of the leaves of a window with one stack an offset. */
async function namesOf(of: Executable, offsets: readonly number[], from = readers()): Promise<string[]> {
  const window = windowOf(
    [of],
    offsets.map((offset) => [0, offset, 'native'] as const),
    offsets.map((_, i) => [i]),
  )
  const { profile } = await symbolize(window, from, { cache, symbolizer: '/no/such' })
  return profile.locations.map(({ lines, unnamedReason }) =>
    lines[0] ? profile.functions[lines[0].function]!.systemName : `?${unnamedReason}`,
  )
}

describe('names of earlier windows', () => {
  it('are given again without asking; only new offsets are asked', async () => {
    assert.deepEqual(await namesOf(APP, [0x1000, 0x1100]), ['main', 'work'])
    assert.deepEqual(await namesOf(APP, [0x1100, 0x1200, 0x1000]), ['work', '_ZN3app3runEv', 'main'])
    assert.deepEqual(await namesOf(APP, [0x1000, 0x1200]), ['main', '_ZN3app3runEv'])
    assert.deepEqual(asked, [[0x1000, 0x1100], [0x1200]])
    assert.deepEqual(cache.counts, { frames: 3, hits: 4, misses: 3 })
  })

  it('are also that there is none', async () => {
    assert.deepEqual(await namesOf(APP, [0x9000]), ['?not_covered'])
    assert.deepEqual(await namesOf(APP, [0x9000]), ['?not_covered'])
    assert.equal(asked.length, 1)
  })

  it('keep address and module', async () => {
    const window = windowOf([APP], [[0, 0x1000, 'native']], [[0]])
    const first = (await symbolize(window, readers(), { cache })).profile
    const second = (await symbolize(window, readers(), { cache })).profile
    assert.deepEqual(second.mappings, first.mappings)
    assert.deepEqual(second.locations, first.locations)
    assert.deepEqual(second.functions, first.functions)
    assert.equal(asked.length, 1)
  })

  it('serve a file that is gone by now, when its build id is the same', async () => {
    await namesOf(APP, [0x1000])
    const gone = executable({ buildId: 'abcd', fd: -1, goneReason: 'file_gone' })
    assert.deepEqual(await namesOf(gone, [0x1000, 0x1100]), ['main', '?file_gone'])
    assert.deepEqual(await namesOf(APP, [0x1100]), ['work'], 'that it was gone is not kept')
  })

  it('are of a content: another build id is asked anew', async () => {
    await namesOf(APP, [0x1000])
    await namesOf(executable({ buildId: 'other' }), [0x1000])
    assert.equal(asked.length, 2)
  })

  it('are, without a build id, of the file as it is now', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'emberscope-names-')), 'file')
    writeFileSync(path, 'one')
    const file = executable({ fd: openSync(path, 'r') })
    const of = recording(fakeReaders({ elf: new Map([[file.fd, { names: NAMES }]]) }), asked)
    await namesOf(file, [0x1000], of)
    await namesOf(file, [0x1000], of)
    assert.equal(asked.length, 1)
    writeFileSync(path, 'another length')
    assert.deepEqual(await namesOf(file, [0x1000], of), ['main'])
    assert.equal(asked.length, 2)
  })

  it('of what could not be read are tried again, after a while', async () => {
    const broken = recording(fakeReaders({ elf: new Map([[0, { part: { failure: 'not_elf' } }]]) }), asked)
    assert.deepEqual(await namesOf(APP, [0x1000], broken), ['?not_elf'])
    assert.deepEqual(await namesOf(APP, [0x1000]), ['?not_elf'])
    nowMs = 1000
    assert.deepEqual(await namesOf(APP, [0x1000]), ['main'])
    assert.equal(asked.length, 2)
    assert.equal(cache.counts.frames, 1)
  })

  it('are bounded: what was not sampled for longest is forgotten first', async () => {
    const other = executable({ buildId: 'other' })
    const offsets = Array.from({ length: 60 }, (_, i) => i)
    await namesOf(APP, offsets)
    await namesOf(other, offsets)
    assert.equal(cache.counts.frames, 60)
    await namesOf(other, offsets)
    assert.equal(asked.length, 2)
    await namesOf(APP, [0x1000])
    assert.equal(asked.length, 3)
  })

  it('of one window that is larger than the limit are all given, and none kept', async () => {
    const offsets = Array.from({ length: 300 }, (_, i) => 0x1000 + i * 0x100)
    const names = await namesOf(APP, offsets)
    assert.deepEqual([names.length, names[0], names[1]], [300, 'main', 'work'])
    assert.ok(cache.counts.frames <= 100)
  })

  it('of run-time code hold as long as the perf map does not change', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'emberscope-names-')), 'perf.map')
    writeFileSync(path, 'one')
    const jit = executable({ kind: 'jit', path: '//anon', perfMapFd: openSync(path, 'r'), fd: -1, pid: 7 })
    let reads = 0
    const from: SymbolReaders = {
      ...readers(),
      resolvePerfMap: (fd, addresses) => {
        reads++
        return fakeReaders({ perfMap: new Map([[0x5000, `jitted${reads}`]]) }).resolvePerfMap(fd, addresses)
      },
    }
    assert.deepEqual(await namesOf(jit, [0x5000], from), ['jitted1'])
    assert.deepEqual(await namesOf(jit, [0x5000], from), ['jitted1'])
    writeFileSync(path, 'one more line')
    assert.deepEqual(await namesOf(jit, [0x5000], from), ['jitted2'])
  })
})

describe('readable names', () => {
  const ask = (requests: string[][]) => (names: Iterable<string>) => {
    requests.push([...names])
    const readable = new Map([['_Z1fv', 'f()']])
    return Promise.resolve({ readable, unread: 0, failure: '' as const })
  }

  it('are asked once; one that cannot be read stays as it is', async () => {
    const requests: string[][] = []
    const first = await cache.demangle(['_Z1fv', '_Z3bad', 'main'], ask(requests))
    assert.equal(first.readable.get('_Z1fv'), 'f()')
    assert.equal(first.readable.get('_Z3bad'), '_Z3bad')
    const second = await cache.demangle(['main', '_Z1fv', 'new'], ask(requests))
    assert.equal(second.readable.get('_Z1fv'), 'f()')
    assert.deepEqual(requests, [['_Z1fv', '_Z3bad', 'main'], ['new']])
  })

  it('are asked again when the process itself was the trouble', async () => {
    const requests: string[][] = []
    const missing = () =>
      Promise.resolve({ readable: new Map<string, string>(), unread: 1, failure: 'missing' as const })
    assert.equal((await cache.demangle(['_Z1fv'], missing)).failure, 'missing')
    assert.equal((await cache.demangle(['_Z1fv'], ask(requests))).readable.get('_Z1fv'), 'f()')
  })

  it('are bounded', async () => {
    const requests: string[][] = []
    await cache.demangle(
      Array.from({ length: 1000 }, (_, i) => `name${i}`),
      ask(requests),
    )
    const { readable } = await cache.demangle(['name999'], ask(requests))
    assert.equal(readable.size, 100)
    assert.deepEqual(requests[1], [], 'the newest are kept')
  })
})
