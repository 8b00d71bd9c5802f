import assert from 'node:assert/strict'
import { test } from 'node:test'
import { colourFrames, fnv1a } from '../../../src/model/colour-groups.ts'
import { flameTree } from '../../../src/model/flame-tree.ts'
import { frameLabel } from '../../../src/model/frame-label.ts'
import { sampleCount } from '../../../src/model/sample-count.ts'
import { functionTable, sortedRows } from '../../../src/viewer/data/function-table.ts'
import { percent, plusMinus, quantity, whole } from '../../../src/viewer/data/numbers.ts'
import { shareError } from '../../../src/viewer/data/precision.ts'
import { qualityFigures } from '../../../src/viewer/data/quality.ts'
import { parseQuery, searchTree } from '../../../src/viewer/data/search.ts'
import { HEALTHY_CAPTURE, nodeServerProfile, profileOf } from '../../helpers/sample-profile.ts'

const recursive = profileOf([
  { frames: ['main', 'walk', 'walk', 'leaf'], count: 6 },
  { frames: ['main', 'walk'], count: 3 },
  { frames: ['main', '+leaf'], count: 1 },
])

function search(text: string, tree = flameTree(recursive, 0)): { value: number; placeCount: number } {
  const query = parseQuery(text)
  if ('problem' in query) throw new Error(query.problem)
  const { value, placeCount } = searchTree(tree, query.matches)
  return { value, placeCount }
}

test('the table counts a recursion once and inlined calls as the same function', () => {
  const tree = flameTree(recursive, 0)
  const table = functionTable(tree)
  const rows = [...sortedRows(table, 'total', null)].map((row) => [
    frameLabel(tree, table.frame[row]!),
    table.self[row],
    table.total[row],
    table.places[row],
  ])
  assert.deepEqual(rows, [
    ['main', 0, 10, 1],
    ['walk', 3, 9, 2],
    ['leaf', 7, 7, 2],
  ])
})

test('the search weighs a match below a match once', () => {
  assert.deepEqual(search('walk'), { value: 9, placeCount: 2 })
  assert.deepEqual(search('WALK'), { value: 9, placeCount: 2 })
  assert.deepEqual(search('/^(walk|leaf)$/'), { value: 10, placeCount: 4 })
  assert.deepEqual(search('nothing'), { value: 0, placeCount: 0 })
})

test('the search treats text as text and says what is wrong with an expression', () => {
  assert.deepEqual(search('w.lk'), { value: 0, placeCount: 0 })
  assert.ok('problem' in parseQuery('/(/'))
  assert.deepEqual(search('/'), { value: 0, placeCount: 0 })
})

test('the search orders its places by weight and keeps the heaviest of many', () => {
  const many = Array.from({ length: 20_000 }, (_, i) => ({
    frames: [`f${i}`],
    count: 1 + ((i * 7919) % 20_000),
  }))
  const { places, placeCount } = searchTree(flameTree(profileOf(many), 0), () => true)
  assert.equal(placeCount, 20_000)
  assert.equal(places.length, 1000)
  const tree = flameTree(profileOf(many), 0)
  assert.deepEqual(
    [places[0], places[999]].map((node) => tree.total[node!]),
    [20_000, 19_001],
  )
})

test('one binary keeps one hue, kernel has its own, two heavy binaries differ', () => {
  const tree = flameTree(nodeServerProfile(), 0)
  const { groups, hueOfFrame } = colourFrames(tree)
  assert.equal(groups[0]!.name, 'node')
  assert.equal(groups.find((group) => group.name === 'kernel')!.hue, 0)
  const heavy = groups.slice(0, 6).map((group) => group.hue)
  assert.equal(new Set(heavy).size, heavy.length)
  assert.equal(hueOfFrame.length, tree.frames.count)
  assert.equal(fnv1a('a'), 0xe40c292c)
})

test('code without a binary is coloured by its package', () => {
  const names = [
    'github.com/acme/shop/cart.(*Cart).Add',
    'std::vec::Vec::push',
    'java.util.List.add',
    'alone',
  ]
  const { groups } = colourFrames(
    flameTree(profileOf(names.map((name) => ({ frames: [name], count: 1 }))), 0),
  )
  assert.deepEqual(groups.map((group) => group.name).sort(), [
    'alone',
    'github.com/acme/shop/cart',
    'java.util',
    'std',
  ])
})

test('script code is coloured by the package its file belongs to', () => {
  const at = (file: string): string => {
    const tree = flameTree(profileOf([{ frames: [`f|//anon|jit|${file}`], count: 1 }]), 0)
    return colourFrames(tree).groups[0]!.name
  }
  assert.equal(at('/srv/app/node_modules/@acme/db/lib/x.js'), '@acme/db')
  assert.equal(at('/usr/lib/python3/dist-packages/numpy/core.py'), 'numpy')
  assert.equal(at('/srv/app/server.js'), 'app')
})

test('numbers have one decimal, a unit and thin spaces', () => {
  assert.deepEqual(
    [percent(0.0914), percent(0.0002), percent(0), percent(1)],
    ['9.1\u202f%', '<\u202f0.1\u202f%', '0.0\u202f%', '100.0\u202f%'],
  )
  assert.deepEqual([plusMinus(0.0131), plusMinus(null)], ['±\u202f1.3', ''])
  assert.deepEqual([whole(1812), whole(1234567), whole(7)], ['1\u202f812', '1\u202f234\u202f567', '7'])
  assert.deepEqual(
    [quantity(3.8e9, 'nanoseconds'), quantity(2_500_000, 'bytes'), quantity(12, 'count')],
    ['3.8\u202fs', '2.5\u202fMB', '12\u202fcount'],
  )
})

test('the interval follows the samples, whatever the unit', () => {
  const profile = nodeServerProfile()
  assert.equal(sampleCount(profile, 0), sampleCount(profile, 1))
  assert.ok(Math.abs(shareError(0.5, 1000)! - 0.0309) < 0.0002)
  assert.ok(Math.abs(shareError(0.02, 100)! - 0.05) < 0.0002, 'the longer side')
  assert.equal(shareError(0.5, null), null)
  const heap = {
    ...profile,
    sampleTypes: profile.sampleTypes.map(() => ({ type: 'inuse', unit: 'bytes' })),
    periodType: null,
  }
  assert.equal(sampleCount(heap, 0), null)
})

test('the quality line says what was captured, or what is known of a foreign profile', () => {
  const own = qualityFigures(flameTree(nodeServerProfile(), 0))
  assert.deepEqual(
    own.map((f) => `${f.value} ${f.label}`),
    ['98.1\u202f% stacks complete', '99.4\u202f% named', '0 lost', '0.3\u202f% cost'],
  )
  const lossy = { ...HEALTHY_CAPTURE, samples: { captured: 2000, kept: 1812, dropped: { ring_full: 188 } } }
  const lost = qualityFigures(flameTree(profileOf([{ frames: ['a'], count: 1 }], lossy), 0))[2]!
  assert.deepEqual([lost.value, lost.isGood], ['188', false])
  assert.match(lost.meaning, /188 ring full/)
  const foreign = qualityFigures(flameTree(profileOf([{ frames: ['a', '|/bin/b'], count: 1 }]), 0))
  assert.deepEqual(
    foreign.map((f) => f.value),
    ['50.0\u202f%'],
  )
})
