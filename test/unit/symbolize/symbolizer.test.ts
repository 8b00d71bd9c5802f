import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Symbolized, symbolize } from '../../../src/symbolize/symbolizer.ts'
import { executable, type FakeSources, fakeReaders, windowOf } from './fakes.ts'

type WindowParts = Parameters<typeof windowOf>

function run(window: WindowParts, sources: FakeSources): Promise<Symbolized> {
  return symbolize(windowOf(...window), fakeReaders(sources), { symbolizer: '/nonexistent/symbolizer' })
}

/** "name" of each location, outermost line, or "?reason". */
function names({ profile }: Symbolized): string[] {
  return profile.locations.map(({ lines, unnamedReason }) => {
    const line = lines.at(-1)
    return line ? profile.functions[line.function]!.name : `?${unnamedReason}`
  })
}

const MISSING = /symbolizer is missing/

test('names the frames of a file and keeps stacks, times and labels as they are', async () => {
  const window: WindowParts = [
    [executable({ fd: 5 })],
    [
      [0, 0x1010, 'native'],
      [0, 0x1020, 'native'],
    ],
    [[0, 1], [0]],
  ]
  const elf = new Map([
    [
      5,
      {
        names: new Map([
          [0x1010, 'main'],
          [0x1020, 'work'],
        ]),
      },
    ],
  ])
  const result = await run(window, { elf })
  const { profile } = result
  assert.deepEqual(names(result), ['main', 'work'])
  assert.deepEqual(result.frames, { named: 3, unnamed: {} })
  assert.deepEqual([...profile.stacks.parent], [-1, 0])
  assert.deepEqual([...profile.stacks.location], [0, 1])
  assert.deepEqual([...profile.samples.stack], [1, 0])
  assert.deepEqual([...profile.samples.timeNs!], [0, 1000])
  assert.deepEqual(profile.labelSets, [[{ key: 'comm', str: 'app' }]])
  assert.equal(profile.capture, null)
})

test('gives samples and cpu time, cpu first to be shown', async () => {
  const { profile } = await run([[executable({})], [[0, 0x1010, 'native']], [[0], [0]]], {})
  assert.deepEqual(profile.sampleTypes, [
    { type: 'samples', unit: 'count' },
    { type: 'cpu', unit: 'nanoseconds' },
  ])
  assert.equal(profile.defaultSampleType, 1)
  assert.deepEqual(profile.periodType, { type: 'cpu', unit: 'nanoseconds' })
  assert.equal(profile.period, 10_101_010n)
  assert.deepEqual(
    profile.samples.values.map((column) => [...column]),
    [
      [1, 1],
      [10_101_010, 10_101_010],
    ],
  )
})

test('shows a file as one mapping in its own address space', async () => {
  const elf = new Map([[5, { names: new Map([[0x1010, 'main']]) }]])
  const { profile } = await run([[executable({ fd: 5 })], [[0, 0x1010, 'native']], [[0]]], { elf })
  assert.deepEqual(profile.mappings, [
    {
      start: 0x401000n,
      limit: 0x403000n,
      fileOffset: 0x1000n,
      fileName: '/bin/app',
      buildId: 'abcd',
      hasFunctions: true,
      hasFilenames: false,
      hasLineNumbers: false,
      hasInlineFrames: false,
    },
  ])
  assert.equal(profile.locations[0]!.address, 0x401010n)
})

test('counts frames without names by reason, weighted by samples', async () => {
  const window: WindowParts = [
    [
      executable({ fd: 5 }),
      executable({ fd: -1, goneReason: 'file_gone', path: '/gone' }),
      executable({ fd: 6, path: '/stripped' }),
      executable({ fd: 7, path: '/garbage' }),
      executable({ kind: 'unknown', path: '', fd: -1 }),
    ],
    [
      [0, 0x1010, 'native'],
      [0, 0x9999, 'native'],
      [1, 0x2010, 'native'],
      [2, 0x3010, 'native'],
      [3, 0x4010, 'native'],
      [4, 0x7fff0000, 'native'],
    ],
    [
      [0, 1],
      [0, 2],
      [0, 3],
      [0, 3],
      [0, 4],
      [0, 5],
    ],
  ]
  const elf = new Map([
    [5, { names: new Map([[0x1010, 'main']]) }],
    [7, { part: { failure: 'not_elf', detail: 'no magic' } }],
  ])
  const result = await run(window, { elf })
  assert.deepEqual(names(result), [
    'main',
    '?not_covered',
    '?file_gone',
    '?no_symbols',
    '?not_elf',
    '?unmapped',
  ])
  assert.deepEqual(result.frames, {
    named: 6,
    unnamed: { not_covered: 1, file_gone: 1, no_symbols: 2, not_elf: 1, unmapped: 1 },
  })
  assert.deepEqual(
    result.profile.mappings.map(({ hasFunctions }) => hasFunctions),
    [true, false, false, false],
  )
  assert.equal(result.profile.locations[5]!.mapping, -1)
  assert.equal(result.profile.locations[5]!.address, 0x7fff0000n)
})

test('keeps module and offset of a frame whose file is gone', async () => {
  const gone = executable({ fd: -1, goneReason: 'not_permitted', path: '/secret', buildId: 'ff' })
  const { profile } = await run([[gone], [[0, 0x2345, 'native']], [[0]]], {})
  const [mapping] = profile.mappings
  assert.equal(mapping!.fileName, '/secret')
  assert.equal(mapping!.buildId, 'ff')
  assert.deepEqual([mapping!.start, mapping!.limit, mapping!.fileOffset], [0x2000n, 0x3000n, 0x2000n])
  assert.equal(profile.locations[0]!.address, 0x2345n)
  assert.equal(profile.locations[0]!.unnamedReason, 'not_permitted')
})

test('shows kernel addresses unsigned, and each module as its own mapping', async () => {
  const window: WindowParts = [
    [executable({ kind: 'kernel', path: '[kernel.kallsyms]', fd: -1 })],
    [
      [0, -0x7f000000, 'kernel'],
      [0, -0x3f000000, 'kernel'],
      [0, -4096, 'kernel'],
    ],
    [[0, 1, 2]],
  ]
  const kernel = new Map<number, readonly [string, string]>([
    [-0x7f000000, ['do_syscall_64', '']],
    [-0x3f000000, ['nft_do_chain', 'nf_tables']],
  ])
  const result = await run(window, { kernel })
  assert.deepEqual(names(result), ['do_syscall_64', 'nft_do_chain', '?kernel_unknown'])
  assert.deepEqual(
    result.profile.locations.map(({ address }) => address),
    [0xffffffff81000000n, 0xffffffffc1000000n, 0xfffffffffffff000n],
  )
  assert.deepEqual(
    result.profile.mappings.map(({ fileName, limit }) => [fileName, limit]),
    [
      ['[kernel.kallsyms]', 2n ** 64n - 1n],
      ['[nf_tables]', 0xffffffffc1001000n],
    ],
  )
  assert.deepEqual(
    result.profile.locations.map(({ mapping }) => mapping),
    [0, 1, 0],
  )
})

test('tells how to see kernel names that are hidden', async () => {
  const kernel = executable({ kind: 'kernel', path: '[kernel.kallsyms]', fd: -1 })
  const result = await run([[kernel], [[0, -4096, 'kernel']], [[0]]], { kernelHidden: true })
  assert.deepEqual(result.frames.unnamed, { kernel_hidden: 1 })
  assert.ok(result.notes.some((note) => note.includes('kernel.kptr_restrict')))
})

test('names jit frames by the perf map, and says what the runtime needs for the rest', async () => {
  const window: WindowParts = [
    [executable({ kind: 'jit', path: '//anon', fd: -1, perfMapFd: 9, pid: 4, comm: 'node' })],
    [
      [0, 0x7000, 'jit'],
      [0, 0x7100, 'jit'],
    ],
    [[0], [0], [0], [0, 1]],
  ]
  const result = await run(window, { perfMap: new Map([[0x7000, 'JS:*render /app.js:3:1']]) })
  assert.deepEqual(names(result), ['JS:*render /app.js:3:1', '?jit'])
  assert.deepEqual(
    result.notes.filter((note) => !MISSING.test(note)),
    ['25.0% ±44.9 of samples have unnamed functions of node: start it with `node --perf-basic-prof`'],
  )
})

test('says why the kernel list or a perf map gave no names', async () => {
  const window: WindowParts = [
    [
      executable({ kind: 'kernel', path: '[kernel.kallsyms]', fd: -1 }),
      executable({ kind: 'jit', path: '//anon', fd: -1, perfMapFd: 9, pid: 4, comm: 'luajit' }),
    ],
    [
      [0, -4096, 'kernel'],
      [1, 0x7000, 'jit'],
    ],
    [[1, 0]],
  ]
  const failed = await run(window, { kernelFailure: 'no /proc here', perfMapFailure: 'it is a directory' })
  assert.deepEqual(
    failed.notes.filter((note) => !MISSING.test(note)),
    [
      'kernel functions have no names: no /proc here',
      'the perf map of process 4 could not be read: it is a directory',
      '100.0% ±79.3 of samples have unnamed functions of a program that makes code at run time: let its runtime write /tmp/perf-PID.map',
    ],
  )
  const torn = await run(window, { perfMap: new Map([[0x7000, 'f']]), malformedLines: 3 })
  assert.ok(torn.notes.includes('the perf map of process 4 has 3 lines that could not be read'))
})

test('knows a runtime by its files when the process has another name', async () => {
  const jit = executable({ kind: 'jit', path: '//anon', fd: -1, comm: 'C2 CompilerThre' })
  const jvm = executable({ fd: 5, path: '/opt/jdk/lib/server/libjvm.so' })
  const result = await run(
    [
      [jit, jvm],
      [
        [0, 0x7000, 'jit'],
        [1, 0x10, 'native'],
      ],
      [[0], [1]],
    ],
    {},
  )
  assert.ok(
    result.notes.some((note) => note.startsWith('50.0% ±40.5 of samples have unnamed functions of java: ')),
  )
})

test('says how to see python functions, unless the perf map already has them', async () => {
  const python = executable({ fd: 5, path: '/usr/bin/python3.12', comm: 'python3' })
  const jit = executable({ kind: 'jit', path: '//anon', fd: -1, perfMapFd: 9, comm: 'python3' })
  const elf = new Map([[5, { names: new Map([[0x1010, '_PyEval_EvalFrameDefault']]) }]])
  const plain = await run([[python], [[0, 0x1010, 'native']], [[0], [0]]], { elf })
  assert.ok(plain.notes.some((note) => note.startsWith('100.0% ±65.8 of samples run python code')))
  const window: WindowParts = [
    [python, jit],
    [
      [0, 0x1010, 'native'],
      [1, 0x7000, 'jit'],
    ],
    [[0, 1]],
  ]
  const mapped = await run(window, { elf, perfMap: new Map([[0x7000, 'py::main:/app.py']]) })
  assert.deepEqual(
    mapped.notes.filter((note) => !MISSING.test(note)),
    [],
  )
})

test('tells once that the executable for lines is missing, and keeps raw names', async () => {
  const elf = new Map([
    [5, { names: new Map([[0x1010, '_Z4workv']]), part: { hasDwarf: true } }],
    [6, { names: new Map([[0x1010, '_Z4workv']]), part: { hasDwarf: true } }],
  ])
  const window: WindowParts = [
    [executable({ fd: 5 }), executable({ fd: 6, path: '/bin/b' })],
    [
      [0, 0x1010, 'native'],
      [1, 0x1010, 'native'],
    ],
    [[0], [1]],
  ]
  const result = await run(window, { elf })
  assert.deepEqual(names(result), ['_Z4workv', '_Z4workv'])
  assert.equal(result.notes.length, 1)
  assert.match(result.notes[0]!, MISSING)
})

test('shares one function between frames of the same symbol', async () => {
  const elf = new Map([
    [
      5,
      {
        names: new Map([
          [0x1010, 'main'],
          [0x1020, 'main'],
          [0x1030, 'work'],
        ]),
      },
    ],
  ])
  const frames: WindowParts[1] = [
    [0, 0x1010, 'native'],
    [0, 0x1020, 'native'],
    [0, 0x1030, 'native'],
  ]
  const { profile } = await run(
    [
      [executable({ fd: 5 })],
      frames,
      [
        [0, 2],
        [1, 2],
      ],
    ],
    { elf },
  )
  assert.deepEqual(
    profile.functions.map(({ systemName }) => systemName),
    ['main', 'work'],
  )
})

test('loses one executable, not the profile, to a reader that fails', async () => {
  const elf = new Map([[5, { names: new Map([[0x1010, 'main']]) }]])
  const readers = fakeReaders({ elf })
  const frames: WindowParts[1] = [
    [0, 0x1010, 'native'],
    [1, 0x1010, 'native'],
  ]
  const window = windowOf([executable({ fd: 5 }), executable({ fd: 6, path: '/odd' })], frames, [[0, 1]])
  const failing = {
    ...readers,
    resolveElf: (fd: number, debugFd: number, offsets: Float64Array) =>
      fd === 6
        ? Promise.reject(new Error('descriptor 6 is closed'))
        : readers.resolveElf(fd, debugFd, offsets),
  }
  const result = await symbolize(window, failing, { symbolizer: '/nonexistent/symbolizer' })
  assert.deepEqual(names(result), ['main', '?not_elf'])
  assert.ok(result.notes.includes('/odd could not be read: descriptor 6 is closed'))
})

test('builds an empty profile of an empty window', async () => {
  const result = await run([[], [], []], {})
  assert.deepEqual(result.frames, { named: 0, unnamed: {} })
  assert.equal(result.profile.locations.length, 0)
  assert.equal(result.profile.samples.stack.length, 0)
})
