import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeFolded } from '../../../src/formats/folded.ts'
import { readJson } from '../../../src/formats/read-json.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'

const frame = (functionName: string, url = '', lineNumber = -1, columnNumber = -1) => ({
  functionName, scriptId: '1', url, lineNumber, columnNumber,
}) // biome-ignore format: one value

const NODES = [
  { id: 1, callFrame: frame('(root)'), hitCount: 0, children: [2, 3, 4, 5] },
  { id: 2, callFrame: frame('', 'file:///app/a.js', 0, 4), hitCount: 1, children: [6] },
  { id: 3, callFrame: frame('(program)'), hitCount: 1 },
  { id: 4, callFrame: frame('(idle)'), hitCount: 2 },
  { id: 5, callFrame: frame('(garbage collector)'), hitCount: 1 },
  { id: 6, callFrame: frame('hot', 'file:///app/a.js', 9, 2), hitCount: 3 },
]
const FILE = {
  nodes: NODES,
  startTime: 1000,
  endTime: 2000,
  samples: [2, 6, 4, 6, 5, 3],
  timeDeltas: [100, 100, 100, 300, 100, 100],
}

function read(file: object) {
  const profile = readJson(JSON.stringify(file))
  assert.equal(checkProfile(profile), null)
  return profile
}
const folded = (file: object) => [...writeFolded(read(file))].join('')

test('a sample lasts until the next one, and idle time is no CPU time', () => {
  const profile = read(FILE)
  assert.deepEqual(profile.sampleTypes[profile.defaultSampleType], { type: 'cpu', unit: 'nanoseconds' })
  assert.deepEqual([...profile.samples.values[1]!], [100e3, 100e3, 100e3, 100e3, 200e3])
  assert.deepEqual([...profile.samples.timeNs!], [100e3, 200e3, 600e3, 700e3, 800e3])
  assert.equal(profile.durationNs, 1_000_000n)
  assert.deepEqual(profile.comments, ['idle, not shown: 0.000 s of 0.001 s'])
})

test('the root is no frame; a function has its file, and its place counts from 1', () => {
  const stacks = '(anonymous)_[j] 1\n(anonymous)_[j];hot_[j] 2\n(garbage collector) 1\n(program) 1\n'
  assert.equal(folded(FILE), stacks)
  const { functions, locations } = read(FILE)
  const hot = functions.findIndex(({ name }) => name === 'hot')
  assert.deepEqual(functions[hot], {
    name: 'hot',
    systemName: '',
    fileName: 'file:///app/a.js',
    startLine: 10,
  })
  assert.deepEqual(
    locations.flatMap(({ lines }) => lines).find((line) => line.function === hot),
    {
      function: hot,
      line: 10,
      column: 3,
    },
  )
})

test('samples that came late are put in their order', () => {
  const late = read({ ...FILE, samples: [2, 3, 6], timeDeltas: [100, 200, -50], endTime: 1300 })
  assert.deepEqual([...late.samples.timeNs!], [100e3, 250e3, 300e3])
  assert.deepEqual([...late.samples.values[1]!], [150e3, 50e3, 0])
})

test('parents instead of children, and hits instead of samples, are read too', () => {
  const parents = NODES.map(({ children: _children, ...node }) => ({
    ...node,
    ...(node.id === 1 ? {} : { parent: node.id === 6 ? 2 : 1 }),
  }))
  assert.equal(folded({ ...FILE, nodes: parents }), folded(FILE))
  const hits = read({ nodes: NODES, startTime: 0, endTime: 1 })
  assert.deepEqual(hits.sampleTypes, [{ type: 'samples', unit: 'count' }])
  assert.deepEqual(hits.comments, ['idle, not shown: 2 samples'])
  assert.deepEqual([...hits.samples.values[0]!].toSorted(), [1, 1, 1, 3])
})

test('the old form, a tree of nested nodes in seconds, is read too', () => {
  const old = (functionName: string, id: number, hitCount: number, children: object[] = []) => ({
    functionName, id, hitCount, url: id > 1 ? 'a.js' : '', lineNumber: 7, columnNumber: 1, scriptId: '1', children,
  }) // biome-ignore format: one value
  const head = old('(root)', 1, 0, [old('main', 2, 1, [old('leaf', 3, 2)])])
  const profile = read({
    head,
    startTime: 5,
    endTime: 5.001,
    samples: [2, 3, 3],
    timestamps: [100, 400, 500],
  })
  assert.deepEqual([...profile.samples.values[1]!], [300e3, 100e3, 600e3])
  assert.equal(profile.functions.find(({ name }) => name === 'leaf')?.startLine, 7)
  assert.equal([...writeFolded(read({ head }))].join(''), 'main_[j] 1\nmain_[j];leaf_[j] 2\n')
})

test('a tree of a hundred thousand callers is no tree too deep', () => {
  const nodes = Array.from({ length: 100_000 }, (_, i) => ({
    id: i + 1,
    callFrame: frame(i === 0 ? '(root)' : `f${i % 7}`),
    children: i < 99_999 ? [i + 2] : [],
  }))
  const profile = read({ nodes, startTime: 0, endTime: 10, samples: [100_000], timeDeltas: [0] })
  assert.equal(profile.stacks.parent.length, 99_999)
})

test('what is damaged is named: cycles, two callers, missing nodes, columns of two lengths', () => {
  const node = (id: number, children: number[]) => ({ id, callFrame: frame(`f${id}`), children })
  const damage: [object, RegExp][] = [
    [{ nodes: [node(1, [2]), node(2, [3]), node(3, [2])] }, /node 2 is called by both 1 and 3$/],
    [{ nodes: [node(1, []), node(2, [3]), node(3, [2])] }, /its nodes go round in a circle, node 2 is in it or below$/],
    [{ nodes: [node(1, [1])] }, /go round in a circle, node 1/],
    [{ nodes: [node(1, [9])] }, /node 1 calls node 9, which is missing$/],
    [{ nodes: [node(1, []), node(1, [])] }, /two nodes have the id 1$/],
    [{ nodes: [{ ...node(1, []), parent: 4 }] }, /node 1 has the parent 4, which is missing$/],
    [{ nodes: NODES, samples: [99], timeDeltas: [1] }, /sample 0 is of node 99, which is missing$/],
    [{ nodes: NODES, samples: [2, 2], timeDeltas: [1] }, /it has 2 samples and 1 timeDeltas$/],
    [{ nodes: [{ id: 1 }] }, /"nodes\[0\]\.callFrame" must be an object$/],
    [{ nodes: [{ id: 'x', callFrame: frame('f') }] }, /"nodes\[0\]\.id" must be an integer$/],
  ] // biome-ignore format: a table
  for (const [file, message] of damage) {
    assert.throws(() => read({ startTime: 0, endTime: 1, ...file }), message)
    assert.throws(
      () => read({ startTime: 0, endTime: 1, ...file }),
      /^AgentError: the cpuprofile is damaged: /,
    )
  }
})

test('other JSON of V8 and of browsers is told from it, with the way out', () => {
  const cases: [unknown, RegExp][] = [
    [{ traceEvents: [{ ph: 'P' }] }, /^AgentError: it is a trace of Chrome's Performance panel, which we do not read/],
    [[{ ph: 'P', cat: 'x' }], /it is a trace of Chrome/],
    [{ head: { callFrame: frame('(root)'), selfSize: 0, children: [] } }, /it is a sampling heap profile of V8/],
    [{ snapshot: { meta: {} }, nodes: [1, 2] }, /it is a heap snapshot of V8/],
    [{ meta: { interval: 1 }, threads: [] }, /it is a profile of the Firefox Profiler/],
  ] // biome-ignore format: a table
  for (const [file, message] of cases) assert.throws(() => readJson(JSON.stringify(file)), message)
})
