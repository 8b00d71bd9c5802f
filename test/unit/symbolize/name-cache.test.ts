import assert from 'node:assert/strict'
import { mkdtempSync, openSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, it } from 'node:test'
import type { Executable } from '../../../src/model/executable.ts'
import type { SymbolReaders } from '../../../src/native/symbols.ts'
import { NameCache } from '../../../src/symbolize/name-cache.ts'
import type { ExecutableFrames } from '../../../src/symbolize/named-frames.ts'
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

describe('source lines', () => {
  const AT = { name: 'main', file: '/main.c', column: 0, startLine: 1 }
  /** Rows as a reader of symbols and lines gives them; `asked` keeps offsets, with a minus where lines were not wanted. */
  const asking = (line: number) => (missing: ExecutableFrames, withLines: boolean) => {
    asked.push(Array.from(missing.addresses, (address) => (withLines ? address : -address)))
    const frames = missing.frames.map((frame, i) => {
      const chain = [{ ...AT, line: withLines ? line : 0 }]
      return { frame, address: BigInt(missing.addresses[i]!), module: -1, chain, reason: '' as const }
    })
    return Promise.resolve({ modules: [], frames, notes: [], fileNotes: [] })
  }
  const ask = async (offsets: readonly number[], line = 7) => {
    const wanted = { frames: offsets.map((_, i) => i), addresses: Float64Array.from(offsets) }
    const { frames } = await cache.name(APP, wanted, asking(line))
    return [...frames].sort((a, b) => a.frame - b.frame).map(({ chain }) => chain[0]!.line)
  }
  beforeEach(() => {
    cache = new NameCache(readers(), { restMs: 1000, waiting: 3 }, { nowMs: () => nowMs })
  })

  it('are asked for a new file at once, and for its later frames after a rest, all together', async () => {
    assert.deepEqual(await ask([1, 2]), [7, 7])
    assert.deepEqual(await ask([1, 3]), [7, 0])
    nowMs = 999
    assert.deepEqual(await ask([3, 4]), [0, 0])
    nowMs = 1000
    assert.deepEqual(await ask([1, 3, 4]), [7, 7, 7])
    assert.deepEqual(asked, [[1, 2], [-3], [-4], [3, 4]])
  })

  it('are asked ever more rarely', async () => {
    for (nowMs = 0; nowMs < 100_000; nowMs += 500) await ask([nowMs + 1])
    const withLines = asked.filter(([offset]) => offset! > 0)
    assert.equal(withLines.length, 7) // at 0, 1, 3, 7, 15, 31 and 63 s
  })

  it('are asked earlier when many frames wait for them', async () => {
    await ask([1])
    assert.deepEqual(await ask([2, 3]), [0, 0])
    assert.deepEqual(await ask([2, 3, 4]), [7, 7, 7])
  })

  it('are asked for a few files a window, after the first; the others have their turn', async () => {
    cache = new NameCache(readers(), { filesPerWindow: 1 }, { nowMs: () => nowMs })
    const lineOf = async (buildId: string) => {
      const wanted = { frames: [0], addresses: Float64Array.of(5) }
      const { frames } = await cache.name(executable({ buildId }), wanted, asking(7))
      return frames[0]!.chain[0]!.line
    }
    const windowLines = async () => {
      const lines = [await lineOf('a'), await lineOf('b'), await lineOf('c')]
      cache.endWindow()
      return lines
    }
    cache.endWindow()
    assert.deepEqual(await windowLines(), [7, 0, 0])
    assert.deepEqual(await windowLines(), [7, 7, 0])
    assert.deepEqual(await windowLines(), [7, 7, 7])
  })

  it('of a file without any are not waited for', async () => {
    await ask([1], 0)
    for (const offset of [2, 3, 4, 5]) await ask([1, 2, 3, 4, offset], 0)
    assert.ok(asked.slice(1).every((offsets) => offsets.every((offset) => offset < 0)))
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
    nowMs = 30_000
    const second = await cache.demangle(['main', '_Z1fv', 'new'], ask(requests))
    assert.equal(second.readable.get('_Z1fv'), 'f()')
    assert.deepEqual(requests, [['_Z1fv', '_Z3bad', 'main'], ['new']])
  })

  it('are asked again when the process itself was the trouble', async () => {
    const requests: string[][] = []
    const missing = () =>
      Promise.resolve({ readable: new Map<string, string>(), unread: 1, failure: 'missing' as const })
    assert.equal((await cache.demangle(['_Z1fv'], missing)).failure, 'missing')
    nowMs = 30_000
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
    assert.equal(requests.length, 1, 'the newest are kept')
  })

  it('are asked again after a rest, or when many are new', async () => {
    const requests: string[][] = []
    await cache.demangle(['a'], ask(requests))
    await cache.demangle(['b'], ask(requests))
    await cache.demangle(
      Array.from({ length: 64 }, (_, i) => `n${i}`),
      ask(requests),
    )
    nowMs = 30_000
    await cache.demangle(['b'], ask(requests))
    assert.deepEqual(
      requests.map(({ length }) => length),
      [1, 64, 1],
    )
  })
})
